"""Fits the confidence of query trees over a graph of ours: `SURE` in `kgpipe/query/own.py`.

    .venv/bin/python benchmarks/confidence.py collect signs.jsonl benchmarks/questions/*.jsonl --neo4j bolt://... --password ...
    .venv/bin/python benchmarks/confidence.py fit signs.jsonl

`collect` adds one line a question over the gold facts: what `signs` says of the best tree, and whether its rows are those of
the question's Cypher in that database. A database with a part of the facts (`gold_graph.py --share 0.6`) gives questions that
have no answer. `fit` prints weights, and over five folds by question how many are answered at each threshold, rightly and
wrongly, and the expected calibration error over five bins.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from kgpipe.graph.introspect import told_schema
from kgpipe.graph.store import Store
from kgpipe.models.embed import load_embedder
from kgpipe.query import own
from kgpipe.query.link import link, vocabulary
from kgpipe.query.settle import settle

FOLDS = 5
STRENGTH = 1.0
"""Of the prior that keeps weights small."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["collect", "fit"])
    parser.add_argument("signs", type=Path)
    parser.add_argument("questions", type=Path, nargs="*")
    parser.add_argument("--neo4j")
    parser.add_argument("--user", default="neo4j")
    parser.add_argument("--password", default=os.environ.get("NEO4J_PASSWORD", ""))
    options = parser.parse_args()
    if options.what == "fit":
        fit([json.loads(line) for line in options.signs.read_text("utf-8").splitlines()])
        return
    with (
        Store(options.neo4j, options.user, options.password) as store,
        options.signs.open("a", encoding="utf-8") as out,
    ):
        collect(options.questions, store, out)


def collect(files: list[Path], store: Store, out: Any) -> None:
    schema, embedder = told_schema(store), load_embedder()
    if schema is None:
        raise SystemExit("This is no graph that kgpipe built. Load one with benchmarks/gold_graph.py.")
    known, catalog = vocabulary(schema, embedder), own.own_catalog(store, schema, embedder)
    right = total = 0
    for row in (json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()):
        if row.get("graph") != "gold":
            continue
        linked = link(row["question"], store, known)
        settled = settle(own.ranked(linked, catalog, store), catalog, store, most=own.MOST_RUN)
        if not settled:
            continue
        wanted = rows_of(store.read(row["cypher"])[1])
        correct = bool(wanted) and rows_of(settled[0].rows) == wanted
        out.write(json.dumps({"id": row["id"], "right": correct, **own.signs(settled, linked)}) + "\n")
        total, right = total + 1, right + correct
    print(f"{right} of {total} best trees are right")


def rows_of(rows: list[list[Any]]) -> Counter[str]:
    """The distinct rows, values as texts."""
    return Counter({json.dumps([str(v) for v in row]) for row in rows})


def fit(found: list[dict[str, Any]]) -> None:
    names = [name for name in found[0] if name not in ("id", "right", "")]
    x = np.array([[row[name] for name in names] for row in found], float)
    y = np.array([row["right"] for row in found], float)
    fold = np.array([int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % FOLDS for row in found])
    sure = np.zeros(len(y))
    for k in range(FOLDS):
        weights, bias = fitted(x[fold != k], y[fold != k])
        sure[fold == k] = 1 / (1 + np.exp(-(x[fold == k] @ weights + bias)))
    for threshold in (0.5, 0.62, 0.7, 0.8):
        over = sure >= threshold
        print(
            f"at {threshold}: {int(y[over].sum())} right, {int((1 - y[over]).sum())} wrong, {int(y[~over].sum())} right ones lost"
        )
    bins = np.minimum((sure * 5).astype(int), 4)
    error = sum(abs(sure[bins == b].sum() - y[bins == b].sum()) for b in range(5)) / len(y)
    print(f"{len(y)} questions, {int(y.sum())} right; calibration error {error:.3f}")
    weights, bias = fitted(x, y)
    print(
        {
            name: round(float(w), 2 if abs(w) >= 0.5 else 3)
            for name, w in zip([*names, ""], [*weights, bias], strict=True)
        }
    )


def fitted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias of a logistic regression, by gradient descent over standardised columns."""
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z, w, bias = (x - mean) / scale, np.zeros(x.shape[1]), 0.0
    for _ in range(5_000):
        miss = 1 / (1 + np.exp(-(z @ w + bias))) - y
        w -= 0.1 * (z.T @ miss + STRENGTH * w) / len(y)
        bias -= 0.1 * miss.mean()
    return w / scale, bias - float((w * mean / scale).sum())


if __name__ == "__main__":
    main()
