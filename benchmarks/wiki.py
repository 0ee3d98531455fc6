"""Questions over encyclopedia articles from text to answer: the graph that kgpipe builds against plain retrieval.

    .venv/bin/python benchmarks/wiki.py articles.jsonl.gz [--questions benchmarks/wiki_questions.jsonl] [-v]

Builds a graph of the articles that the questions name ({"id", "title", "text"} a line) with the schema `general`, in a
workspace and Neo4j of its own, and asks. An answer of the graph is right when it names every gold answer, by one of its
forms, and nothing else; a question without gold answer is right when nothing is answered. Where the graph has no answer
and the text likely tells (`source` text), the first sentence is the reply. Plain retrieval (words and meaning) always
answers with the sentence nearest to the question of its first passage; beside it stands the sentence that kgpipe would show first.
A sentence is right when it holds every gold answer. The text's vectors are made before the first question.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import os
import platform
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.evaluate.answers import given_answers
from kgpipe.evaluate.gold import Names
from kgpipe.graph import server
from kgpipe.models.embed import load_embedder
from kgpipe.query import property_graph
from kgpipe.query.answer import opened
from kgpipe.query.link import encoded
from kgpipe.query.retrieve import Passages, retrieve
from kgpipe.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--questions", type=Path, default=Path(__file__).with_name("wiki_questions.jsonl"))
    parser.add_argument("--workspace", type=Path, help="keep the result here instead of in a temporary folder")
    parser.add_argument("-v", action="store_true", help="print every question with what was answered")
    options = parser.parse_args()
    questions = [json.loads(line) for line in options.questions.read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        workspace = options.workspace or Path(folder) / "workspace"
        home = workspace.parent if options.workspace else Path(folder)  # the same place again: nothing is built twice
        source = chosen(options.articles, {q["title"] for q in questions}, home / f"{workspace.name}.articles.jsonl")
        config = configuration.load(workspace=workspace, neo4j="")
        try:
            pipeline.build([source], config, schema="general")
            measure(questions, config, verbose=options.v)
        finally:
            server.stop(workspace / "neo4j")


def chosen(articles: Path, titles: set[str], out: Path) -> Path:
    """The articles of these titles, written to `out`."""
    with gzip.open(articles, "rt", encoding="utf-8") as lines:
        kept = [line for line in lines if json.loads(line)["title"] in titles]
    if len(kept) < len(titles):
        raise SystemExit(f"{articles} holds {len(kept)} of the {len(titles)} articles. Give the whole file.")
    out.write_text("".join(kept), "utf-8")
    return out


def measure(questions: list[dict[str, Any]], config: configuration.Config, *, verbose: bool) -> None:
    names = Names(None)
    graph: Counter[str] = Counter()
    reply: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    first: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    with property_graph.asking(config) as asked, opened(config) as (store, _):
        passages = Passages(store, load_embedder(), Workspace(config.workspace))
        passages.refresh()
        passages.embed(most=len(passages.uids))
        for row in questions:
            found = asked.ask(row["question"])
            given = given_answers(found.to_json()) if found.source == "graph" else []
            outcome = judged(given, row["gold"], names)
            graph[outcome] += 1
            if found.source == "text":
                outcome = "right" if holds(found.evidence[0]["sentence"], row["gold"]) else "wrong"
            reply[outcome] += 1
            sentences = retrieve(row["question"], passages)
            held = [holds(sentence.text, row["gold"]) for sentence in sentences]
            first["right" if held[:1] == [True] else "wrong" if sentences else "abstained"] += 1
            plain["right" if holds(nearest(row["question"], passages), row["gold"]) else "wrong"] += 1
            if not given:
                shown["first" if held[:1] == [True] else "first five" if any(held) else "none"] += 1
            if verbose:
                print(
                    f"{outcome:10} {row['question']}\n           gold {row['gold']} got {given or found.source} ({found.confidence}) {found.understood}"
                )
                print(f"           first sentence {'holds it' if held[:1] == [True] else 'does not hold it'}")
    n = len(questions)
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for what, counts in (
        ("graph", graph),
        ("graph, then text", reply),
        ("plain retrieval", plain),
        ("first sentence", first),
    ):
        print(f"{what:17} " + ", ".join(f"{counts[k]} {k}" for k in ("right", "wrong", "abstained")) + f" of {n}")
    print(f"of the {sum(shown.values())} without an answer of the graph the text shown holds it: {dict(shown)}")


def nearest(question: str, passages: Passages) -> str:
    """The sentence nearest to the question of the passage that words and meaning put first, without reading it."""
    vector = encoded([question], passages.embedder)[0]
    best, *_ = passages.ranked(question, vector)[0]
    [((text, *_), spans, vectors)] = passages.sentences([best])
    start, end = spans[int((vectors @ vector).argmax())]
    return text[start:end]


def judged(given: list[str], gold: list[list[str]], names: Names) -> str:
    """right, wrong or abstained."""
    if not given:
        return "abstained" if gold else "right"
    fits = [[any(names.same(g, form) for form in forms) for forms in gold] for g in given]
    every = all(any(column) for column in zip(*fits, strict=True)) and bool(gold)
    return "right" if every and all(any(row) for row in fits) else "wrong"


def holds(sentence: str, gold: list[list[str]]) -> bool:
    lower = sentence.casefold()
    return bool(gold) and all(any(form.casefold() in lower for form in forms) for forms in gold)


if __name__ == "__main__":
    main()
