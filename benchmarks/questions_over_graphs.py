"""Share of questions over a property graph that are answered right: ZOGRASCOPE, northwind, movies.

    python benchmarks/questions_over_graphs.py zograscope ../shared/data/qa/zograscope --neo4j bolt://... --password ... \\
        [--linked] [--held-out] [-n 300] [-v]
    python benchmarks/questions_over_graphs.py file benchmarks/questions/movies.jsonl --neo4j ... [-v]
    python benchmarks/questions_over_graphs.py paths benchmarks/questions/paths.jsonl --graph gold --neo4j ... [-v]
    python benchmarks/questions_over_graphs.py asked benchmarks/questions/forms.jsonl --graph gold --neo4j ... [-v]

Of paths the share of questions whose first answer is right (hits@1) is told, over a graph of kgpipe's own as over any.
With `asked` every row of the answer counts, and abstaining is told apart from being wrong.
Rows are compared as multisets. A third of ZOGRASCOPE's templates is held out by a hash of the template's number and is
only read with --held-out. Without --linked the entities of ZOGRASCOPE's questions are given.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import gzip
import hashlib
import itertools
import json
import os
import random
import re
import statistics
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from kgpipe.graph.introspect import read_schema, told_schema
from kgpipe.graph.store import Store
from kgpipe.query import answer
from kgpipe.query.catalog import Catalog
from kgpipe.query.property_graph import PropertyGraph
from kgpipe.query.trees import Tree
from kgpipe.query.values import Match
from kgpipe.query.words import words
from kgpipe.schema import Schema


def described(schema: Schema, path: Path) -> Schema:
    """The schema with the descriptions of ZOGRASCOPE's graph_schema.json."""
    told = json.loads(path.read_text("utf-8"))
    relations = {}
    for name, r in schema.relations.items():
        if r.stored == "property":
            about = told["properties"].get(name, {}).get("description", "")
            relations[name] = dataclasses.replace(r, description=about)
        else:
            about = told["relations"][name]
            relations[name] = dataclasses.replace(
                r, description=about["description"], inverse=about["reverse_description"],
                symmetric=about["domain"] == about["range"],
            )  # fmt: skip
    return dataclasses.replace(schema, relations=relations)


def is_held_out(template: str) -> bool:
    return int(hashlib.sha1(template.encode()).hexdigest(), 16) % 3 == 0


def zograscope(folder: Path, *, held_out: bool) -> list[dict[str, Any]]:
    with gzip.open(folder / "train.csv.gz", "rt", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if is_held_out(r["template_id"]) == held_out]
    for r in rows:
        r["question"], r["cypher"] = r["nl"], r["mr"]
        r["construct"] = f"{r['type']} {r['num_nodes']}"
    return rows


def given(row: dict[str, Any]) -> list[Match]:
    """The entities of a question as matches: `x0.Crime.date:1/08/2017 = 1/08/2017` a line."""
    found = words(row["question"])
    lower = [w.lower for w in found]
    matches = []
    for line in row["entities"].splitlines():
        head, _, text = line.rpartition(" = ")
        m = re.match(r"x\d+\.(\w+)\.(\w+):(.*)$", head.strip())
        if not m:
            continue
        wanted = [w.lower for w in words(text)]
        at = next((i for i in range(len(lower)) if wanted and lower[i : i + len(wanted)] == wanted), None)
        if at is None and wanted:  # said in another form: "burglaries"
            at = next((i for i, w in enumerate(lower) if w.startswith(wanted[0][: max(4, len(wanted[0]) - 2)])), 0)
            forms = zip(lower[at:], wanted, strict=False)
            wanted = list(itertools.takewhile(lambda pair: pair[0][:3] == pair[1][:3], forms))
        matches.append(Match(at or 0, (at or 0) + max(1, len(wanted)), m[1], m[2], m[3].strip(), 1.0))
    return matches


def same(rows: list[list[Any]], gold: list[list[Any]]) -> bool:
    return _bag(rows) == _bag(gold)


def _bag(rows: list[list[Any]]) -> Counter:
    def plain(v: Any) -> Any:
        if isinstance(v, dict):
            v = v.get("properties", v)
        if isinstance(v, float):
            v = round(v, 6)
            v = int(v) if v == int(v) else v
        return v

    return Counter(json.dumps([plain(v) for v in row], sort_keys=True, ensure_ascii=False) for row in rows)


def gold_graph(cypher: str) -> Any:
    """The query graph of a ZOGRASCOPE query in one form: what is asked, and the rooted tree below it."""
    nodes: dict[str, tuple[str, str]] = {}
    edges: set[tuple[str, str, str]] = set()
    for match in re.finditer(r"MATCH (.*?)(?=\s+MATCH|\s+RETURN)", cypher, re.DOTALL):
        parts = re.split(r"-\[:(\w+)\]-", match[1].strip())
        names = []
        for node in parts[::2]:
            m = re.match(r"\((\w+):(\w+)(?: WHERE \w+\.(\w+) = \"(.*)\")?\)$", node.strip(), re.DOTALL)
            nodes[m[1]] = (m[2], f"{m[3]}={m[4]}" if m[3] else "")
            names.append(m[1])
        edges |= {(a, r, b) for a, r, b in zip(names, parts[1::2], names[1:], strict=False)}
    ending = re.search(r"RETURN (.*)$", cypher, re.DOTALL)[1]
    root = re.search(r"x\d+", ending)[0]
    key = re.match(r"x\d+\.(\w+)", ending)
    order = re.search(r"ORDER BY x\d+\.(\w+) (\w+)", ending)
    asked = (key[1] if key else "", "COUNT" in ending, (order[1], order[2].lower()) if order else None)
    return asked, _rooted(root, "", nodes, edges)


def tree_graph(tree: Tree, catalog: Catalog) -> Any:
    """The same form of a tree."""
    nodes = {
        str(i): (n.type, ",".join(f"{c.key}={c.value}" for c in n.conditions)) for i, n in enumerate(tree.nodes)
    }  # fmt: skip
    edges = {(str(a), catalog.links[link].relation, str(b)) for a, b, link in tree.edges}
    return (tree.key, tree.output == "count", tree.order and tree.order[:2]), _rooted(str(tree.root), "", nodes, edges)


def _rooted(at: str, parent: str, nodes: dict[str, tuple[str, str]], edges: set[tuple[str, str, str]]) -> Any:
    below = []
    for a, r, b in edges:
        other = b if a == at else a if b == at else ""
        if other and other != parent:
            below.append((r, _rooted(other, at, nodes, edges)))
    return (*nodes[at], tuple(sorted(below)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["zograscope", "file", "paths", "asked"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--neo4j", required=True)
    parser.add_argument("--user", default="neo4j")
    parser.add_argument("--password", default=os.environ.get("NEO4J_PASSWORD", ""))
    parser.add_argument("--described", type=Path, help="graph_schema.json with descriptions, for questions of a file")
    parser.add_argument("--graph", help="of the questions of a file only those over this graph")
    parser.add_argument("--linked", action="store_true")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument(
        "--most-nodes", type=int, help="of a tree; without it 3 for ZOGRASCOPE, else 4, as `kgpipe ask`"
    )
    parser.add_argument("-n", type=int, default=300)
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    options.most_nodes = options.most_nodes or (3 if options.what == "zograscope" else 4)
    with Store(options.neo4j, options.user, options.password) as store:
        zog = options.what == "zograscope"
        if zog:
            questions = zograscope(options.path, held_out=options.held_out)
            random.Random(0).shuffle(questions)
            questions = questions[: options.n]
        else:
            questions = [json.loads(line) for line in options.path.read_text("utf-8").splitlines()]
            questions = [q for q in questions if not options.graph or q["graph"] == options.graph][: options.n]
        if options.what == "paths":
            hits_at_1(questions, store, options)
            return
        if options.what == "asked":
            as_asked(questions, store, options)
            return
        schema = read_schema(store)
        if options.described:
            schema = described(schema, options.described)
        with contextlib.closing(PropertyGraph(store, schema=schema, most_nodes=options.most_nodes)) as graph:
            report(questions, graph, store, options)


def hits_at_1(questions: list[dict[str, Any]], store: Store, options: argparse.Namespace) -> None:
    """Asks as `kgpipe ask` does, by the engine that the graph is for, at no threshold."""
    own = told_schema(store)
    graph = None if own else PropertyGraph(store, most_nodes=options.most_nodes)
    right, total, seconds = Counter(), Counter(), []
    for row in questions:
        began = time.perf_counter()
        found = (
            answer.ask(row["question"], store, own, threshold=0.0) if own else graph.ask(row["question"], threshold=0.0)
        )
        seconds.append(time.perf_counter() - began)
        first = found.answers[0][0] if found.answers else None
        hit = [first] in row["answers"] or [name_of(first)] in row["answers"]
        total[row["construct"]] += 1
        right[row["construct"]] += hit
        if options.v and not hit:
            print("-", row["question"], "\n    gold", row["answers"][:3], "got", first, "\n    ", found.understood)
    for construct in sorted(total):
        print(f"{construct:24} {right[construct]:4} of {total[construct]:4}")
    n = sum(total.values())
    print(
        f"hits@1 {sum(right.values())}/{n} = {sum(right.values()) / n:.3f}; median {statistics.median(seconds):.2f} s"
    )


def as_asked(questions: list[dict[str, Any]], store: Store, options: argparse.Namespace) -> None:
    """Asks a graph of kgpipe's own as `kgpipe ask` does, at its threshold: all rows right, wrong, or abstained."""
    own = told_schema(store)
    if own is None:
        raise SystemExit("`asked` is for a graph that kgpipe built; ask another one with `file`.")
    outcomes: dict[str, Counter] = defaultdict(Counter)
    seconds = []
    for row in questions:
        began = time.perf_counter()
        found = answer.ask(row["question"], store, own)
        seconds.append(time.perf_counter() - began)
        rows = [list(values) for values in found.answers]
        outcome = "abstained" if found.source != "graph" else "right" if same(rows, row["answers"]) else "wrong"
        outcomes[row["construct"]][outcome] += 1
        if options.v and outcome != "right":
            print(
                "-",
                outcome,
                row["question"],
                "\n    gold",
                row["answers"][:3],
                "got",
                rows[:3],
                "\n    ",
                found.understood,
            )
    for construct, counts in [*sorted(outcomes.items()), ("all", sum(outcomes.values(), Counter()))]:
        print(f"{construct:24}", ", ".join(f"{counts[k]} {k}" for k in ("right", "wrong", "abstained")))
    print(f"median {statistics.median(seconds):.2f} s")


def name_of(value: Any) -> Any:
    """The name of a node; the text of a literal."""
    return next((value[k] for k in ("name", "title", "text") if k in value), None) if isinstance(value, dict) else value


def report(questions: list[dict[str, Any]], graph: PropertyGraph, store: Store, options: argparse.Namespace) -> None:
    right: Counter = Counter()
    total: Counter = Counter()
    in_five = exact = 0
    seconds = []
    by = defaultdict(list)
    for row in questions:
        question = row["question"]
        nodes = "nl" in row or "pole" in str(row["id"])
        gold = row.get("answers")
        if gold is None:
            _, gold = store.read(row["cypher"], max_rows=None)
        began = time.perf_counter()
        wording, matches = (question, given(row)) if "nl" in row and not options.linked else graph.read(question)
        settled = graph.settle(wording, matches, nodes=nodes, distinct="nl" not in row)
        seconds.append(time.perf_counter() - began)
        hits = [same(s.rows, gold) for s in settled]
        construct = row["construct"]
        total[construct] += 1
        right[construct] += bool(hits and hits[0])
        in_five += any(hits[:5])
        if "nl" in row and settled:
            exact += tree_graph(settled[0].found.tree, graph.catalog) == gold_graph(row["cypher"])
        by[construct].append(bool(hits and hits[0]))
        if options.v and not (hits and hits[0]):
            print("-", question)
            print("    gold", " ".join(row["cypher"].split()))
            print("    named", [(m.type, m.key, m.value) for m in matches])
            for s, hit in list(zip(settled, hits, strict=True))[:4]:
                told = " ".join(f"{k}={v:.2f}" for k, v in s.found.features.items())
                print(f"    {'OK' if hit else '  '} {s.score:.2f} {s.found.said} ({len(s.rows)})\n         {told}")
    n = sum(total.values())
    for construct in sorted(total):
        print(f"{construct:24} {right[construct]:4} of {total[construct]:4}")
    print(f"all {sum(right.values())}/{n} = {sum(right.values()) / n:.3f}; in the first five {in_five / n:.3f}; exact graph {exact / n:.3f}; "
          f"median {statistics.median(seconds):.2f} s, p95 {sorted(seconds)[int(0.95 * len(seconds))]:.2f} s")  # fmt: skip


if __name__ == "__main__":
    main()
