"""Retrieval for multi-hop questions: passages by BM25, by MiniLM and by both with titles, and the sentences shown.

    .venv/bin/python benchmarks/retrieval.py hotpot/corpus.jsonl.gz hotpot/questions.jsonl.gz

Builds the corpus ({"id", "title", "text", "sentences"}, spans of the sentences) as `kgpipe build` does, with a workspace
and a Neo4j of its own (`--workspace` keeps them), and asks for the texts of questions ({"question", "supporting_facts":
[[title, number of the sentence]]}). A document counts as found at k when one of its passages is among those of the first
k documents. The weights were chosen on the questions whose id has an even SHA-256; the other half is reported apart.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import hashlib
import html
import importlib.metadata
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.engine import progress_bar
from kgpipe.graph import server
from kgpipe.graph.store import open_store
from kgpipe.models.embed import load_embedder
from kgpipe.query.retrieve import BY_WORDS, Passages, retrieve

PACKAGES = ("torch", "transformers", "neo4j")
DEPTHS = (2, 5, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--workspace", type=Path, help="keep the result here instead of in a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = options.workspace or Path(folder) / "workspace"
        try:
            measure(rows(options.corpus), rows(options.questions), workspace, Path(folder))
        finally:
            server.stop(workspace / "neo4j")


def measure(corpus: list[dict[str, Any]], questions: list[dict[str, Any]], workspace_path: Path, folder: Path) -> None:
    config = configuration.load(workspace=workspace_path, neo4j="")
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES))
    source = folder / "corpus.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in corpus), encoding="utf-8")
    if not (workspace_path / "workspace.json").is_file():
        with progress_bar() as progress:
            pipeline.build([source], config, schema="general", progress=progress)
    workspace, embedder = pipeline.opened(config), load_embedder()
    with open_store(config, workspace) as store:
        workspace.delete("vectors", "model", [embedder.fingerprint])
        passages = Passages(store, embedder, workspace)
        passages.refresh()
        started = time.monotonic()
        passages.embed(most=10**9)
        seconds = time.monotonic() - started
        n = len(passages.uids)
        print(f"{len(corpus)} documents, {n} passages, embedded in {seconds:.1f} s ({n / seconds:.0f} a second)")
        rates(corpus, questions, passages)
        latency(questions, passages)


def rates(corpus: list[dict[str, Any]], questions: list[dict[str, Any]], passages: Passages) -> None:
    """Prints recall of supporting documents and sentences."""
    titles = [title for *_, title, _ in passages.texts(range(len(passages.uids)))]
    whole = passages.embedder.encode([f"{row['title']}. {row['text']}" for row in corpus])
    names = [row["title"] for row in corpus]
    spans = {html.unescape(row["title"]): row["sentences"] for row in corpus}
    orders: dict[str, list[list[float]]] = {}
    shown: dict[str, list[list[float]]] = {}
    for question in questions:
        text = question["question"]
        vector = passages.embedder.encode([text])[0]
        facts = {(html.unescape(title), n) for title, n in question["supporting_facts"]}
        gold = {title for title, _ in facts}
        near, found_by_words = passages.vectors @ vector, passages.by_words(text)
        both = near.copy()
        for i, score in found_by_words.items():
            both[i] += BY_WORDS * score / max(found_by_words.values())
        for name, order in {
            "BM25": [titles[i] for i in found_by_words],
            "MiniLM, passages": [titles[i] for i in (-near).argsort(kind="stable")],
            "MiniLM, whole documents with title": [names[i] for i in (-(whole @ vector)).argsort(kind="stable")],
            "both, without titles": [titles[i] for i in (-both).argsort(kind="stable")],
            "fused": [titles[i] for i, *_ in passages.ranked(text, vector)],
        }.items():
            found = list(dict.fromkeys(map(html.unescape, order)))
            held = [len(gold & set(found[:k])) / len(gold) for k in DEPTHS]
            orders.setdefault(name, []).append([*held, gold <= set(found[:5])])
        wanted = {(title, *spans[title][n]) for title, n in facts if n < len(spans[title])}
        sentences = [(html.unescape(f.document), f.start, f.end) for f in retrieve(text, passages)]
        held = [sum(any(same(w, s) for s in sentences[:k]) for w in wanted) / len(wanted) for k in (3, 5)]
        shown.setdefault("sentences of retrieve()", []).append(held)
    tuned = np.array([int(hashlib.sha256(q["id"].encode()).hexdigest(), 16) % 2 == 0 for q in questions])
    for half, chosen in (("all", tuned | True), ("held out", ~tuned), ("tuned on", tuned)):
        print(f"\n{int(chosen.sum())} questions, {half}")
        print(f"{'supporting documents':36}" + "".join(f"{f'@{k}':>8}" for k in DEPTHS) + f"{'all @5':>8}")
        for name, values in orders.items():
            print(f"{name:36}" + cells(np.array(values)[chosen]))
        print(f"{'supporting sentences':36}{'@3':>8}{'@5':>8}")
        for name, values in shown.items():
            print(f"{name:36}" + cells(np.array(values)[chosen]))


def latency(questions: list[dict[str, Any]], passages: Passages) -> None:
    """Prints how long one `retrieve` takes, in a warm process."""
    seconds = []
    for question in questions:
        started = time.monotonic()
        retrieve(question["question"], passages)
        seconds.append(time.monotonic() - started)
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    print(f"\nretrieve(): p50 {p50:.0f} ms, p95 {p95:.0f} ms")


def same(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    """Whether two sentences are of one document and overlap by more than half of the shorter."""
    overlap = min(one[2], other[2]) - max(one[1], other[1])
    return one[0] == other[0] and overlap > 0.5 * min(one[2] - one[1], other[2] - other[1])


def cells(values: np.ndarray) -> str:
    """Means of columns (n, columns)."""
    return "".join(f"{value:8.3f}" for value in values.mean(0))


def rows(path: Path) -> list[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main()
