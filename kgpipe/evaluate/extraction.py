"""Extractions against annotated records, and resolved facts against the gold facts of documents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgpipe.errors import InputError
from kgpipe.evaluate.gold import Names, measures, read_rows
from kgpipe.pipeline import workspace_schema
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

Record = dict[str, Any]


def extraction(
    predictions: Iterable[Record], gold: Sequence[Record], *, schema: Schema | None = None
) -> dict[str, Any]:
    """Strict scores of predictions (the shape that `kgpipe extract` writes) against records with offsets.

    `relations` and `entities` are micro-averaged: a relation is right with both spans and its type, an
    entity with its span and type. `text2kgbench` is that benchmark's measure, see there. With a schema,
    names of predicted types are read as their labels, for gold that has labels. Records without a
    prediction count as empty and are `not_predicted`.
    """
    made = {str(p["id"]): p for p in predictions}
    unknown = sorted(set(made) - {str(record["id"]) for record in gold})
    if unknown:
        raise InputError(
            f'{len(unknown)} predictions have an id that the gold lacks, as "{unknown[0]}". Predict the same records.'
        )
    empty: Record = {"mentions": [], "relations": []}
    pairs = [(_labelled(made.get(str(record["id"]), empty), schema), record) for record in gold]
    relations = [_count(_relations(p), _relations(g)) for p, g in pairs]
    entities = [_count(_mentions(p), _mentions(g)) for p, g in pairs]
    types = sorted({r["type"] for side in pairs for part in side for r in part["relations"]})
    return {
        "records": len(gold),
        "not_predicted": sum(str(record["id"]) not in made for record in gold),
        "relations": _summed(relations),
        "entities": _summed(entities),
        "text2kgbench": text2kgbench(pairs),
        "by_relation": {
            t: _summed([_count(_relations(p, t), _relations(g, t)) for p, g in pairs]) for t in types
        },
    }  # fmt: skip


def text2kgbench(pairs: Iterable[tuple[Record, Record]]) -> dict[str, float]:
    """Means over all sentences of the precision, recall and F1 of triples, for (prediction, gold record) pairs.

    Follows src/evaluation/run_eval.py of github.com/cenguix/Text2KGBench: predicted triples whose relation
    no gold triple of that sentence has are left out; a triple is its three strings without spaces and
    underscores, in lower case; a sentence without predictions counts 0. Gold ends are the strings of the
    source (`name` where the text writes it otherwise), predicted ends the text of their spans; `f1_surface`
    takes the text of the span for both. The benchmark prints a mean for each ontology and their mean; this
    is the mean over sentences.
    """
    totals = [0.0, 0.0, 0.0, 0.0]
    n_sentences = 0
    for prediction, record in pairs:
        n_sentences += 1
        asked = {r["type"] for r in record["relations"]}
        kept = [r for r in prediction["relations"] if r["type"] in asked]
        given = {_triple(r, prediction["mentions"], record["text"]) for r in kept}
        named = {_triple(r, record["mentions"], record["text"], named=True) for r in record["relations"]}
        surface = {_triple(r, record["mentions"], record["text"]) for r in record["relations"]}
        found = sentence_scores(given, named)
        totals = [t + v for t, v in zip(totals, (*found, sentence_scores(given, surface)[2]), strict=True)]
    means = [round(t / n_sentences, 4) if n_sentences else 0.0 for t in totals]
    return dict(zip(("precision", "recall", "f1", "f1_surface"), means, strict=True)) | {"sentences": n_sentences}


def facts(workspace: Workspace, gold_facts_file: Path | str, aliases_file: Path | str | None = None) -> dict[str, Any]:
    """Precision, recall and F1 of the resolved facts of some documents against all facts of these documents.

    The gold is JSONL {document, subject, relation, object, sentence}, where `document` is the end of the
    document's uri (`eniac.html`, `languages.jsonl#3`). A predicted fact belongs to every document in which it
    has evidence. Ends agree when a name of the entity and the gold name agree up to normalising and the
    alias file; dates and numbers when their normalised values are equal, so dates need equal precision.
    Symmetric relations may be either way round. Facts that match one gold fact count once.
    """
    schema = workspace_schema(workspace)
    names = Names(aliases_file)
    gold = read_rows(gold_facts_file, ("document", "subject", "relation", "object"))
    for row in gold:
        if row["relation"] not in schema.relations:
            known = ", ".join(schema.relations)
            raise InputError(f'{gold_facts_file}: relation "{row["relation"]}" is not in the schema; known: {known}.')
    documents = _documents(workspace, sorted({row["document"] for row in gold}))
    expected: dict[str, list[Record]] = defaultdict(list)
    for row in gold:
        if row not in expected[documents[row["document"]]]:
            expected[documents[row["document"]]].append(row)
    predicted = _predicted(workspace, set(expected), names)
    right: dict[str, int] = defaultdict(int)
    n_predicted: dict[str, int] = defaultdict(int)
    n_gold: dict[str, int] = defaultdict(int)
    missed, wrong = [], []
    for document, rows in expected.items():
        matched: set[int] = set()
        for fact in predicted.get(document, []):
            relation = schema.relations[fact["relation"]]
            agreeing = {i for i, row in enumerate(rows) if _agree(fact, row, names, relation.symmetric)}
            matched |= agreeing
            if not agreeing:
                n_predicted[fact["relation"]] += 1
                wrong.append({k: fact[k] for k in ("document", "subject", "relation", "object", "sentence")})
        for i, row in enumerate(rows):
            n_gold[row["relation"]] += 1
            right[row["relation"]] += i in matched
            n_predicted[row["relation"]] += i in matched
            if i not in matched:
                missed.append(row)
    return {
        "documents": len(expected),
        **measures(sum(right.values()), sum(n_predicted.values()), sum(n_gold.values())),
        "by_relation": {t: measures(right[t], n_predicted[t], n_gold[t]) for t in sorted({*n_gold, *n_predicted})},
        "missed": missed,
        "wrong": wrong,
    }


def _labelled(prediction: Record, schema: Schema | None) -> Record:
    if schema is None:
        return prediction
    labels = {e.name: e.label for e in schema.entities.values()}
    relations = {r.name: r.label for r in schema.relations.values()}
    return {
        **prediction,
        "mentions": [{**m, "type": labels.get(m["type"], m["type"])} for m in prediction["mentions"]],
        "relations": [{**r, "type": relations.get(r["type"], r["type"])} for r in prediction["relations"]],
    }


def _mentions(record: Record) -> set[tuple[Any, ...]]:
    return {(m["start"], m["end"], m["type"]) for m in record["mentions"]}


def _relations(record: Record, only: str = "") -> set[tuple[Any, ...]]:
    spans = [(m["start"], m["end"]) for m in record["mentions"]]
    return {
        (spans[r["head"]], r["type"], spans[r["tail"]]) for r in record["relations"] if not only or r["type"] == only
    }


def judged(gold: Sequence[Record], predictions: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
    """The scores of all predicted relations of the records, and 1 for each that is right, between any mentions, else 0."""
    scores, right = [], []
    for record, made in zip(gold, predictions, strict=True):
        stated = related_spans(record)
        for r in made["relations"]:
            head, tail = (made["mentions"][r[end]] for end in ("head", "tail"))
            scores.append(r["score"])
            right.append(((head["start"], head["end"]), r["type"], (tail["start"], tail["end"])) in stated)
    return np.array(scores, float), np.array(right, float)


def expected_calibration_error(scores: np.ndarray, right: np.ndarray, *, n_bins: int = 10) -> float:
    """Mean distance of score and share of right ones over bins of equal width, weighed by size (Guo et al. 2017)."""
    bins = np.minimum((scores * n_bins).astype(int), n_bins - 1)
    gaps = [
        (bins == i).mean() * abs(scores[bins == i].mean() - right[bins == i].mean())
        for i in range(n_bins)
        if (bins == i).any()
    ]
    return round(float(sum(gaps)), 4)


def related_spans(record: Record) -> set[tuple[Any, ...]]:
    """Relations of an annotated record as ((start, end), type, (start, end)) between any mentions of their entities."""
    members: dict[Any, list[tuple[int, int]]] = defaultdict(list)
    own = []
    for i, m in enumerate(record["mentions"]):
        own.append(m["entity"] if m.get("entity") is not None else ("", i))
        members[own[-1]].append((m["start"], m["end"]))
    return {
        (head, r["type"], tail)
        for r in record["relations"]
        for head in members[own[r["head"]]]
        for tail in members[own[r["tail"]]]
    }


def _count(predicted: set[tuple[Any, ...]], gold: set[tuple[Any, ...]]) -> tuple[int, int, int]:
    return len(predicted & gold), len(predicted), len(gold)


def _summed(counts: list[tuple[int, int, int]]) -> dict[str, float | int]:
    return measures(*(sum(column) for column in zip(*counts, strict=True))) if counts else measures(0, 0, 0)


def _triple(relation: Record, mentions: list[Record], text: str, *, named: bool = False) -> str:
    ends = [mentions[relation["head"]], mentions[relation["tail"]]]
    subject, object_ = ((named and m.get("name")) or text[m["start"] : m["end"]] for m in ends)
    return triple_text(subject, relation["type"], object_)


def triple_text(subject: str, relation: str, object_: str) -> str:
    """A triple as Text2KGBench compares it: one string without spaces and underscores, in lower case."""
    return "".join(re.sub(r"(_|\s+)", "", part).lower() for part in (subject, relation, object_))


def sentence_scores(given: set[str], gold: set[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of the triples of one sentence; all 0 without predictions or without gold."""
    if not given or not gold:
        return 0.0, 0.0, 0.0
    right = len(given & gold)
    precision, recall = right / len(given), right / len(gold)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def _documents(workspace: Workspace, named: list[str]) -> dict[str, str]:
    """Uid of the document whose uri ends with each name; InputError when none or several do."""
    uris = {row["uri"]: row["uid"] for row in workspace.read("documents", ["uid", "uri"]).to_pylist()}
    found = {}
    for name in named:
        matching = [uid for uri, uid in uris.items() if uri == name or uri.endswith(f"/{name}")]
        if len(matching) != 1:
            raise InputError(
                f'The gold names document "{name}", which {len(matching)} documents of {workspace.path} match. '
                "Build the workspace from the corpus that the gold is of."
            )
        found[name] = matching[0]
    return found


def _predicted(workspace: Workspace, documents: set[str], names: Names) -> dict[str, list[Record]]:
    """The facts with evidence in each of the documents, with the names that their ends may stand for."""
    entities = {e["uid"]: e for e in workspace.read("entities", ["uid", "name", "aliases"]).to_pylist()}
    literals = {v["uid"]: v["value"] for v in workspace.read("literals", ["uid", "value"]).to_pylist()}
    rows = {f["uid"]: f for f in workspace.read("facts").to_pylist()}
    uris = {d["uid"]: d["uri"] for d in workspace.read("documents", ["uid", "uri"]).to_pylist()}
    keys = {uid: names.keys(e["name"], *e["aliases"]) for uid, e in entities.items()}
    found: dict[str, dict[str, Record]] = defaultdict(dict)
    for evidence in workspace.read("evidence", ["fact", "document", "sentence"]).to_pylist():
        if evidence["document"] not in documents:
            continue
        fact = rows[evidence["fact"]]
        object_ = fact["object"]
        found[evidence["document"]].setdefault(
            fact["uid"],
            {
                "document": uris[evidence["document"]],
                "subject": entities[fact["subject"]]["name"],
                "relation": fact["type"],
                "object": literals[object_] if fact["literal"] else entities[object_]["name"],
                "sentence": evidence["sentence"],
                "subject_keys": keys[fact["subject"]],
                "object_keys": frozenset() if fact["literal"] else keys[object_],
                "literal": fact["literal"],
            },
        )
    return {document: list(of.values()) for document, of in found.items()}


def _agree(fact: Record, row: Record, names: Names, symmetric: bool) -> bool:
    if fact["relation"] != row["relation"]:
        return False
    subject, object_ = names.keys(row["subject"]), names.keys(row["object"])
    if fact["literal"]:
        return bool(fact["subject_keys"] & subject) and names.same(fact["object"], row["object"])
    straight = fact["subject_keys"] & subject and fact["object_keys"] & object_
    return bool(straight or (symmetric and fact["subject_keys"] & object_ and fact["object_keys"] & subject))
