"""How likely the first sentence from the text holds the answer: weights of `kgpipe/query/retrieve.py`, and how they do.

    .venv/bin/python benchmarks/text_answers.py questions redocred.dev.jsonl.gz FOLDER
    .venv/bin/python benchmarks/text_answers.py collect DOCUMENTS.jsonl QUESTIONS.jsonl SIGNS.jsonl [-n 500]
    .venv/bin/python benchmarks/text_answers.py fit SIGNS.jsonl [SIGNS.jsonl ...]

`questions` words a few facts of every document of Re-DocRED as questions, and one that it does not tell; FOLDER receives
documents.jsonl ({"id", "title", "text"}) and questions.jsonl ({"question", "gold": [[form, ...], ...]}). `collect` loads
passages of the documents into a Neo4j of its own, without the model, and writes what is known of every sentence of the
best ten passages. `fit` prints over five folds by question how often the first sentence holds every gold answer, by the
weights in force and by fitted ones, and how many are held at each likelihood.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from wiki import holds

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.graph import server
from kgpipe.graph.store import open_store
from kgpipe.models.embed import load_embedder
from kgpipe.query.retrieve import SURE, WEIGHTS, Passages, candidates, read, signs
from kgpipe.workspace import Workspace

WORDED = {
    "date of birth": "When was {} born? / In what year was {} born? / What is the birth date of {}?",
    "date of death": "When did {} die? / In which year did {} die?",
    "place of birth": "Where was {} born? / In which city was {} born? / What is the birthplace of {}?",
    "place of death": "Where did {} die?",
    "country of citizenship": "Which country is {} from? / What is the nationality of {}?",
    "publication date": "When was {} released? / In what year was {} published? / When did {} come out?",
    "inception": "When was {} founded? / In which year was {} established? / When was {} formed?",
    "performer": "Who recorded {}? / Which artist performed {}? / Who sang {}?",
    "record label": "Which label released {}? / On which record label was {} released?",
    "developer": "Who developed {}? / Which company developed {}?",
    "author": "Who wrote {}? / Who is the author of {}?",
    "director": "Who directed {}? / Who was the director of {}?",
    "composer": "Who composed {}?",
    "producer": "Who produced {}?",
    "founded by": "Who founded {}? / Who was the founder of {}?",
    "spouse": "Who is {} married to? / Whom did {} marry?",
    "father": "Who was the father of {}?",
    "sibling": "Who is a sibling of {}?",
    "educated at": "Where did {} study? / Which university did {} attend?",
    "employer": "Who did {} work for? / Which organisation employed {}?",
    "award received": "Which award did {} receive? / What prize did {} win?",
    "member of sports team": "Which team did {} play for?",
    "member of": "Which group is {} a member of? / Which band did {} belong to?",
    "member of political party": "Which party did {} belong to?",
    "headquarters location": "Where is {} based? / Where is the headquarters of {}?",
    "capital": "What is the capital of {}?",
    "owned by": "Who owns {}?",
    "parent organization": "Which company is {} a subsidiary of?",
    "manufacturer": "Who made {}? / Which company manufactured {}?",
    "located in the administrative territorial entity": "Where is {}? / In which state is {} located? / Which county is {} in?",
    "mouth of the watercourse": "Into what does {} flow?",
    "head of government": "Who was head of government of {}?",
    "religion": "What is the religion of {}?",
    "official language": "What is the official language of {}?",
    "publisher": "Who published {}?",
    "cast member": "Who starred in {}?",
    "league": "In which league does {} play?",
    "original network": "Which channel broadcast {}?",
    "conflict": "In which war did {} fight?",
    "genre": "What kind of music is {}?",
    "location": "Where did {} take place?",
    "followed by": "What followed {}?",
    "position held": "Which office did {} hold?",
}  # fmt: skip
"""Questions for a relation of Re-DocRED, by the name of its subject."""
OF_TYPE = {
    "date of birth": "person",
    "date of death": "person",
    "place of birth": "person",
    "place of death": "person",
    "spouse": "person",
    "father": "person",
    "educated at": "person",
    "publication date": "miscellaneous",
    "performer": "miscellaneous",
    "director": "miscellaneous",
    "inception": "organization",
    "founded by": "organization",
    "headquarters location": "organization",
    "award received": "person",
}  # fmt: skip
"""Relations that a document which is about such a thing may not tell."""
FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["questions", "collect", "fit"])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("-n", type=int, default=500, help="questions, chosen at random")
    options = parser.parse_args()
    if options.what == "questions":
        make(*options.files)
    elif options.what == "collect":
        collect(*options.files, n=options.n)
    else:
        fit([row for file in options.files for row in map(json.loads, file.read_text("utf-8").splitlines())])


def make(source: Path, folder: Path) -> None:
    rng = random.Random(0)
    documents, questions = [], []
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            title = row["source"].split(": ", 1)[1]
            documents.append({"id": row["id"], "title": title, "text": row["text"]})
            names: dict[int, list[str]] = defaultdict(list)
            kinds: dict[int, str] = {}
            for m in row["mentions"]:
                names[m["entity"]].append(row["text"][m["start"] : m["end"]])
                kinds[m["entity"]] = m["type"]
            told: dict[tuple[int, str], set[int]] = defaultdict(set)
            for r in row["relations"]:
                told[row["mentions"][r["head"]]["entity"], r["type"]].add(row["mentions"][r["tail"]]["entity"])
            about = {e for e, forms in names.items() if any(f.lower() in title.lower() for f in forms)}
            asked = [key for key in told if key[1] in WORDED and len(told[key]) <= 3]
            rng.shuffle(asked)
            asked.sort(key=lambda key: key[0] not in about)
            silent = [(e, r) for e in about for r, kind in OF_TYPE.items() if kinds[e] == kind and (e, r) not in told]
            for subject, relation in [*asked[:5], *rng.sample(silent, min(1, len(silent)))]:
                text = rng.choice(WORDED[relation].split(" / ")).format(max(names[subject], key=len))
                questions.append(
                    {"question": text, "gold": [sorted(set(names[o])) for o in told.get((subject, relation), ())]}
                )
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("documents", documents), ("questions", questions)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def collect(documents: Path, questions: Path, out: Path, *, n: int) -> None:
    asked = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    asked = random.Random(0).sample(asked, min(n, len(asked)))
    with tempfile.TemporaryDirectory() as folder:
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
