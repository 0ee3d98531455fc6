"""Fits the weights of the features of query trees (`kgpipe.query.trees.WEIGHTS`) on questions with known answers.

    python benchmarks/tree_weights.py collect benchmarks/questions/paths_wordings.jsonl --graph movies \\
        --neo4j bolt://... --password ... --out movies.jsonl
    python benchmarks/tree_weights.py collect ZOGRASCOPE --described graph_schema.json -n 80 --neo4j ... --out pole.jsonl
    python benchmarks/tree_weights.py fit movies.jsonl pole.jsonl [--penalty 0.1]

`collect` runs the best trees of each question and writes their features, whether they find nothing, and whether their rows
are right; of ZOGRASCOPE only templates that are not held out. `fit` maximises the likelihood of the right trees of a
question among all that were run, by a penalty on how far each weight is from today's (in standard deviations of its
feature), and prints the share of questions whose best tree is right: today, over five folds, and by file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from questions_over_graphs import described, given, name_of, same, zograscope
from scipy.optimize import minimize

from kgpipe.graph.introspect import read_schema, told_schema
from kgpipe.graph.store import Store
from kgpipe.models.embed import load_embedder
from kgpipe.query import own
from kgpipe.query import settle as settling
from kgpipe.query.answer import vocabulary
from kgpipe.query.link import link
from kgpipe.query.plain import plain
from kgpipe.query.property_graph import PropertyGraph
from kgpipe.query.trees import MOST_EMBEDDED, WEIGHTS

EMPTY = "(empty)"
FOLDS = 5


def questions(options: argparse.Namespace) -> list[dict[str, Any]]:
    if options.path.is_dir():
        rows = zograscope(options.path, held_out=False)
        random.Random(0).shuffle(rows)
        return rows[: options.n]
    rows = [json.loads(line) for line in options.path.read_text("utf-8").splitlines()]
    return [r for r in rows if not options.graph or r.get("graph") == options.graph][: options.n]


def run(rows: list[dict[str, Any]], store: Store, options: argparse.Namespace) -> Iterator[list[dict[str, Any]]]:
    """For each question its trees that were run."""
    settling.REACH = np.inf  # also those far below the best
    schema = told_schema(store)
    if schema is not None:
        embedder = load_embedder()
        known, catalog = vocabulary(schema, embedder), own.own_catalog(store, schema, embedder)
    else:
        told = described(read_schema(store), options.described) if options.described else None
        graph = PropertyGraph(store, schema=told, most_nodes=options.most_nodes or (3 if options.path.is_dir() else 4))
    for row in rows:
        gold = row["answers"] if "answers" in row else store.read(row["cypher"], max_rows=None)[1]
        nodes = "nl" in row
        if schema is not None:
            linked = link(row["question"], store, known)
            if (wording := plain(row["question"], catalog, own.matches(linked, catalog))) != row["question"]:
                linked = link(wording, store, known)
            settled = settling.settle(own.ranked(linked, catalog, store), catalog, store, most=MOST_EMBEDDED)
        else:
            wording, matches = (row["question"], given(row)) if nodes else graph.read(row["question"])
            ranked = graph.ranked(wording, matches)
            settled = settling.settle(ranked, graph.catalog, store, most=MOST_EMBEDDED, nodes=nodes, distinct=not nodes)
        by_name = "hops" in row and "graph" in row  # the files of paths
        names = {str(a[0]) for a in gold} if by_name else None
        yield [
            {
                "said": s.found.said,
                "features": s.found.features | {EMPTY: float(s.score < s.found.score)},
                "right": same(s.rows, gold) if names is None else {str(name_of(r[0])) for r in s.rows} == names,
            }
            for s in settled
        ]


def fit(files: list[Path], penalty: float) -> None:
    data = [(file.name, json.loads(line)) for file in files for line in file.read_text("utf-8").splitlines()]
    names = sorted({name for _, trees in data for t in trees for name in t["features"]})
    start = np.array([-settling.EMPTY if name == EMPTY else WEIGHTS.get(name, 0.0) for name in names])
    asked = [
        (
            np.array([[t["features"].get(name, 0.0) for name in names] for t in trees]).reshape(-1, len(names)),
            np.array([t["right"] for t in trees], dtype=bool),
        )
        for _, trees in data
    ]
    scale = np.concatenate([x for x, _ in asked]).std(0) + 1e-6

    def hits(weights: np.ndarray, which: list[int]) -> list[bool]:
        return [bool(len(asked[i][1])) and bool(asked[i][1][np.argmax(asked[i][0] @ weights)]) for i in which]

    def fitted(which: list[int]) -> np.ndarray:
        used = [asked[i] for i in which if asked[i][1].any() and not asked[i][1].all()]

        def loss(moved: np.ndarray) -> tuple[float, np.ndarray]:
            weights, total, slope = start + moved / scale, 0.0, np.zeros(len(names))
            for x, right in used:
                z = x @ weights
                share = np.exp(z - z.max())
                share /= share.sum()
                of_right = share[right].sum() + 1e-12
                total -= np.log(of_right)
                slope += x.T @ (share - np.where(right, share / of_right, 0))
            return total / len(used) + penalty * moved @ moved / 2, slope / scale / len(used) + penalty * moved

        return start + minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x / scale

    order = list(range(len(data)))
    random.Random(0).shuffle(order)
    held = np.zeros(len(data))
    for fold in range(FOLDS):
        out = order[fold::FOLDS]
        held[out] = hits(fitted([i for i in order if i not in out]), out)
    today = np.array(hits(start, list(range(len(data)))))
    for file in [*dict.fromkeys(name for name, _ in data), ""]:
        of = [i for i, (name, _) in enumerate(data) if not file or name == file]
        print(f"{file or 'all':30} {len(of):4} today {today[of].mean():.3f}, fitted over folds {held[of].mean():.3f}")
    for name, before, after in zip(names, start, fitted(order), strict=True):
        print(f"{name:12} {before:6.2f} {after:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("collect")
    collect.add_argument("path", type=Path, help="a file of questions, or the folder of ZOGRASCOPE")
    collect.add_argument("--neo4j", required=True)
    collect.add_argument("--user", default="neo4j")
    collect.add_argument("--password", required=True)
    collect.add_argument("--graph")
    collect.add_argument("--described", type=Path)
    collect.add_argument(
        "--most-nodes",
        type=int,
        help="of a tree over a graph that kgpipe did not build (default: 3 for ZOGRASCOPE, else 4)",
    )
    collect.add_argument("-n", type=int, default=1_000)
    collect.add_argument("--out", type=Path, required=True)
    fitting = commands.add_parser("fit")
    fitting.add_argument("files", nargs="+", type=Path)
    fitting.add_argument("--penalty", type=float, default=0.1)
    options = parser.parse_args()
    if options.command == "fit":
        fit(options.files, options.penalty)
        return
    with (
        contextlib.closing(Store(options.neo4j, options.user, options.password)) as store,
        options.out.open("w") as out,
    ):
        for trees in run(questions(options), store, options):
            out.write(json.dumps(trees) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
