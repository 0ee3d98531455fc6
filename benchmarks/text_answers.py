"""How likely the first sentence from the text holds the answer: weights of `kgpipe/query/retrieve.py`, and how they do.

    .venv/bin/python benchmarks/text_answers.py collect ARTICLES.jsonl.gz benchmarks/wiki_development.jsonl SIGNS.jsonl
    .venv/bin/python benchmarks/text_answers.py fit SIGNS.jsonl [SIGNS.jsonl ...]

`collect` loads passages of the articles ({"title", "text"} a line) that the questions ({"title", "question", "gold":
[[form, ...], ...]}) are about into a Neo4j of its own, without the model, and writes what is known of every sentence that is
read for a question. `fit` prints over five folds by question how often the first sentence holds every gold answer, by the
weights in force and by fitted ones, and how many are held at each likelihood.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from wiki import chosen, holds

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.graph import server
from kgpipe.graph.store import open_store
from kgpipe.models.embed import load_embedder
from kgpipe.query.retrieve import SURE, WEIGHTS, Passages, candidates, read, signs
from kgpipe.workspace import Workspace

FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["collect", "fit"])
    parser.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    if options.what == "collect":
        collect(*options.files)
    else:
        fit([row for file in options.files for row in map(json.loads, file.read_text("utf-8").splitlines())])


def collect(articles: Path, questions: Path, out: Path) -> None:
    asked = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        documents = chosen(articles, {row["title"] for row in asked}, Path(folder) / "articles.jsonl")
        config = configuration.load(workspace=Path(folder) / "workspace", neo4j="")
        workspace = Workspace(config.workspace)
        pipeline.prepare(workspace, [documents], schema="general")
        try:
            for stage in pipeline.STAGES:
                if stage.name != "extract":
                    pipeline.run_stage(stage.name, config, workspace=workspace)
            with open_store(config, workspace) as store, out.open("w", encoding="utf-8") as lines:
                passages = Passages(store, load_embedder(), workspace)
                for row in asked:
                    lines.write(json.dumps(collected(row, passages)) + "\n")
        finally:
            server.stop(config.workspace / "neo4j")


def collected(row: dict[str, Any], passages: Passages) -> dict[str, Any]:
    """What is known of the sentences that are read for a question."""
    ranked = read(row["question"], candidates(row["question"], passages))
    found = [
        {"held": holds(c.text, row["gold"]), "sign": sign, **{name: getattr(c, name) for name in WEIGHTS}}
        for c, sign in zip(ranked, signs(row["question"], ranked), strict=True)
    ]
    return {"question": row["question"], "found": found}


def fit(rows: list[dict[str, Any]]) -> None:
    rows = [row for row in rows if row["found"]]
    random.Random(0).shuffle(rows)
    held = [np.array([f["held"] for f in row["found"]], float) for row in rows]
    parts = [np.array([[f[name] for name in WEIGHTS] for f in row["found"]]) for row in rows]
    print(f"{len(rows)} questions; some sentence holds the answer of {sum(h.any() for h in held)}")
    print(f"the first does, by the weights in force: {sum(h[0] for h in held):.0f}")
    said = [row["found"][0]["sign"] for row in rows]
    hits, likely, first, weights, logits = 0.0, np.zeros(len(rows)), np.zeros(len(rows)), [], []
    for fold in range(FOLDS):
        train = [i for i in range(len(rows)) if i % FOLDS != fold]
        w = best([(parts[i], held[i]) for i in train if held[i].any()])
        scores = [part @ w for part in parts]
        share = [1 / np.exp(score - score.max()).sum() for score in scores]
        sure = np.array(
            [[p if name == "share" else row[name] for name in SURE] for p, row in zip(share, said, strict=True)]
        )
        right = np.array([h[int(np.argmax(score))] for h, score in zip(held, scores, strict=True)])
        v = logistic(sure[train], right[train])
        weights.append(w)
        logits.append(v)
        for i in range(fold, len(rows), FOLDS):
            hits, first[i] = hits + right[i], right[i]
            likely[i] = 1 / (1 + math.exp(-sure[i] @ v))
    print(f"by weights of the other folds: {hits:.0f}")
    print("weights  ", dict(zip(WEIGHTS, np.mean(weights, 0).round(2), strict=True)))
    print("logits   ", dict(zip(SURE, np.mean(logits, 0).round(2), strict=True)))
    for least in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7):
        chosen = likely >= least
        print(f"likelihood {least} and more: {first[chosen].sum():.0f} hold it, {(1 - first[chosen]).sum():.0f} do not")
    bins = np.minimum((likely * 5).astype(int), 4)
    error = sum(abs(likely[bins == b].sum() - first[bins == b].sum()) for b in range(5)) / len(rows)
    print(f"expected calibration error {error:.3f}")


def best(data: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Weights under which the softmax over the sentences of a question puts most on those that hold the answer."""

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = 0.0, np.zeros_like(w)
        for x, y in data:
            p = np.exp(x @ w - (x @ w).max())
            p /= p.sum()
            total -= math.log((p * y).sum() + 1e-12)
            slope -= x.T @ (p * y / ((p * y).sum() + 1e-12) - p)
        return total / len(data) + 1e-3 * w @ w, slope / len(data) + 2e-3 * w

    return minimize(loss, np.ones(len(WEIGHTS)), jac=True, method="L-BFGS-B").x


def logistic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return minimize(lambda v: np.mean(np.logaddexp(0, x @ v) - y * (x @ v)) + 1e-3 * v @ v, np.zeros(x.shape[1])).x


if __name__ == "__main__":
    main()
