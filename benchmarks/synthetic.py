"""Workspaces of random tables with the degrees of real graphs: a few entities have very many facts (power law).

    .venv/bin/python benchmarks/synthetic.py FOLDER --entities 20000 [--plain]

Five facts an entity, a fifth of them with a date as object; the whole model adds 1.2 sentences a fact as evidence, four
sentences a passage, ten passages a document, and the mentions in them. `--plain` makes entities, literals and facts only.
Nothing is read or extracted: the tables are those that the stage `load` finds.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from kgpipe import schema as schemas
from kgpipe.records import Document, Evidence, Extraction, Literal, Mention, Passage, Relation, content_id
from kgpipe.workspace import Workspace

SCHEMA = schemas.parse("""
name: synthetic
entities:
  Person: {}
  Organization: {}
  Company: {is: Organization}
  Place: {}
  Date: {literal: date}
relations:
  WORKED_FOR: {domain: [Person], range: [Organization]}
  MET: {domain: [Person], range: [Person]}
  FOUNDED: {}
  LOCATED_IN: {}
  PART_OF: {}
  MENTIONS: {}
  SUPPLIES: {}
  HAPPENED_ON: {range: [Date]}
""")
TYPES = ("Person", "Organization", "Company", "Place")
RELATIONS = tuple(name for name in SCHEMA.relations if name != "HAPPENED_ON")
FACTS_AN_ENTITY, EVIDENCE_A_FACT, SENTENCES_A_PASSAGE, PASSAGES_A_DOCUMENT = 5, 1.2, 4, 10
DOCUMENTS_A_FILE = 200


def make(
    folder: Path, n_entities: int, *, evidence: bool = True, seed: int = 0, names: Sequence[str] | None = None
) -> Workspace:
    """A new workspace in the folder; the same for the same numbers. `names` of the entities, else their types and numbers."""
    rng = np.random.default_rng(seed)
    workspace = Workspace(folder)
    workspace.set_state("schema", {"name": SCHEMA.name, "json": SCHEMA.to_json()})
    uids = [content_id("entity", seed, n) for n in range(n_entities)]
    types = [TYPES[n] for n in rng.integers(len(TYPES), size=n_entities)]
    names = names or [f"{kind} {n}" for n, kind in enumerate(types)]
    dates = list(
        dict.fromkeys(f"{1500 + n // 365}-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(0, 365 * 500, 7))
    )  # a date twice would be two facts of one uid
    literals = {date: Literal("Date", date, "date") for date in dates}
    facts = _facts(rng, n_entities, len(dates))
    ends = [(uids[s], RELATIONS[r] if r < len(RELATIONS) else "HAPPENED_ON", o) for s, r, o in facts]
    rows = []
    for subject, relation, o in ends:
        literal = relation == "HAPPENED_ON"
        object_ = literals[dates[o]].uid if literal else uids[o]
        rows.append((content_id("fact", subject, relation, object_), subject, relation, object_, literal))
    shown = [dates[o] if r == len(RELATIONS) else names[o] for _, r, o in facts]
    sentences = [
        f"{names[s]} {row[2].lower().replace('_', ' ')} {shown[n]}, as its annual report of that year says."
        for n, ((s, _, _), row) in enumerate(zip(facts, rows, strict=True))
    ]
    n_said = np.ones(len(rows), dtype=np.int64)
    mentions: dict[str, list[str]] = defaultdict(list)
    said: list[Evidence] = []
    if evidence:
        more = rng.zipf(2.2, size=len(rows)).clip(max=50)  # most facts are said once, few often
        extra = rng.permutation(np.repeat(np.arange(len(rows)), more - 1))[: int(len(rows) * (EVIDENCE_A_FACT - 1))]
        np.add.at(n_said, extra, 1)
        order = rng.permutation(np.concatenate([np.arange(len(rows)), extra]))
        at_end = [types[o] if not row[4] else "Date" for (_, _, o), row in zip(facts, rows, strict=True)]
        starts = [(types[s], names[s]) for s, _, _ in facts]
        said = _texts(workspace, order, rows, sentences, starts, list(zip(at_end, shown, strict=True)), mentions)
    used = {row[3] for row in rows if row[4]}
    tables = {
        "entities": [
            {"uid": u, "type": t, "name": n, "aliases": [n.upper()] if k % 3 == 0 else [], "mentions": mentions[u]}
            for k, (u, t, n) in enumerate(zip(uids, types, names, strict=True))
        ],
        "merges": [],
        "literals": [literal for literal in literals.values() if literal.uid in used],
        "facts": pa.table({
            **{c: [row[n] for row in rows] for n, c in enumerate(("uid", "subject", "type", "object", "literal"))},
            "support": n_said, "score": np.round(rng.uniform(0.5, 1, len(rows)), 4),
            "sentence": sentences, "source": [f"file:///synthetic/{n % 5000}.txt" for n in range(len(rows))],
        }),
        "evidence": said,
    }  # fmt: skip
    workspace.snapshot("resolution", tables, inputs=f"{n_entities} {evidence} {seed}")
    return workspace


def _facts(rng: np.random.Generator, n_entities: int, n_dates: int) -> list[tuple[int, int, int]]:
    """(subject, relation, object) by number; how often an entity occurs falls with the power 0.8 of its rank."""
    n_facts = n_entities * FACTS_AN_ENTITY
    weights = np.cumsum(np.arange(1, n_entities + 1) ** -0.8)
    numbered = rng.permutation(n_entities)
    found = np.empty((0, 3), dtype=np.int64)
    while len(found) < n_facts:
        size = n_facts + n_facts // 5
        subjects, objects = (
            numbered[np.searchsorted(weights, rng.uniform(0, weights[-1], size)).clip(max=n_entities - 1)]
            for _ in range(2)
        )
        relations = np.minimum(rng.zipf(1.5, size) - 1, len(RELATIONS) - 1)
        is_date = rng.uniform(size=size) < 0.2
        relations[is_date] = len(RELATIONS)
        objects[is_date] = rng.integers(n_dates, size=is_date.sum())
        made = np.stack([subjects, relations, objects], axis=1)[(subjects != objects) | is_date]
        found = np.unique(np.concatenate([found, made]), axis=0)
    return [tuple(row) for row in rng.permutation(found)[:n_facts].tolist()]


def _texts(workspace, order, rows, sentences, starts, ends, mentions) -> list[Evidence]:
    """Commits documents, passages and extractions that say the facts in that order; returns the evidence."""
    said: list[Evidence] = []
    per_document = SENTENCES_A_PASSAGE * PASSAGES_A_DOCUMENT
    documents, passages, extractions = [], [], []
    for number, first in enumerate(range(0, len(order), per_document)):
        of_document = order[first : first + per_document]
        document = Document(
            f"file:///synthetic/{number}.txt", " ".join(sentences[f] for f in of_document), language="en"
        )
        documents.append(document)
        uid, version = document.uid, document.version
        at = 0
        for begin in range(0, len(of_document), SENTENCES_A_PASSAGE):
            of_passage = of_document[begin : begin + SENTENCES_A_PASSAGE]
            text = " ".join(sentences[f] for f in of_passage)
            passage = Passage(uid, version, at, at + len(text), text)
            passages.append(passage)
            key = passage.uid
            found, relations = [], []
            for f in of_passage:
                sentence, (kind, name), (end_kind, end) = sentences[f], starts[f], ends[f]
                tail = at + sentence.index(f" {end},") + 1
                pair = (Mention(at, at + len(name), kind, 0.9),
                        Mention(tail, tail + len(end), end_kind, 0.9, end if end_kind == "Date" else ""))  # fmt: skip
                relations.append(Relation(len(found), rows[f][2], len(found) + 1, 0.9))
                found += pair
                mentions[rows[f][1]].append(pair[0].uid(key))
                if not rows[f][4]:
                    mentions[rows[f][3]].append(pair[1].uid(key))
                fact, subject, relation, object_, _ = rows[f]
                said.append(Evidence(
                    content_id("relation", key, at, fact), fact, relation, subject, object_, uid, key, at,
                    at + len(sentence), sentence, "encoder", 0.9,
                ))  # fmt: skip
                at += len(sentence) + 1
            extractions.append(Extraction(key, "f", uid, tuple(found), tuple(relations)))
        if len(documents) == DOCUMENTS_A_FILE or first + per_document >= len(order):
            for table, records in (("documents", documents), ("passages", passages), ("extractions", extractions)):
                workspace.commit(table, records)
                records.clear()
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--plain", action="store_true", help="entities, literals and facts only")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    make(given.folder, given.entities, evidence=not given.plain, seed=given.seed)


if __name__ == "__main__":
    main()
