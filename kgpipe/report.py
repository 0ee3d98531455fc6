"""What a workspace holds and how far its graph can be trusted, for `kgpipe stats`, the demo and the end of a run."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgpipe import schema as schemas
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

EXAMPLES = 10
"""Examples of each kind in a report."""
BINS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 999), (1_000, 9_999), (10_000, None))
"""Borders of the groups in which supports and sizes are counted, both included."""


def statistics(workspace: Workspace) -> dict[str, Any]:
    """Counts of documents, passages, entities, facts and evidence, then by type, language and failure.

    `skipped` names the documents whose language the extractor does not read, as {language: [uri]}.
    """
    documents = workspace.read("documents", ["uid", "uri", "language"]).to_pylist()
    duplicates = {
        row["document"] for row in workspace.read("duplicates").to_pylist() if row["document"] != row["representative"]
    }
    with_passages = set(workspace.read("passages", ["document"]).column(0).to_pylist())
    skipped: dict[str, list[str]] = {}
    for row in documents:
        if row["uid"] not in with_passages and row["uid"] not in duplicates:
            skipped.setdefault(row["language"] or "unknown", []).append(row["uri"])
    entities = workspace.read("entities", ["type"]).column(0).to_pylist()
    facts = workspace.read("facts", ["type"]).column(0).to_pylist()
    decided = workspace.read("merges", ["decided_by"]).column(0).to_pylist()
    extractions = workspace.read("extractions", ["error"]).column(0).to_pylist()
    return {
        "documents": len(documents),
        "duplicates": len(duplicates),
        "passages": workspace.read("passages", ["uid"]).num_rows,
        "extracted": len(extractions),
        "entities": len(entities),
        "facts": len(facts),
        "evidence": workspace.read("evidence", ["uid"]).num_rows,
        "literals": workspace.read("literals", ["uid"]).num_rows,
        "merges": sum(by != "review" for by in decided),
        "merges_to_review": sum(by == "review" for by in decided),
        "entities_by_type": dict(Counter(entities).most_common()),
        "facts_by_relation": dict(Counter(facts).most_common()),
        "languages": dict(Counter(row["language"] or "unknown" for row in documents).most_common()),
        "skipped": skipped,
        "failures": [
            {k: row[k] for k in ("stage", "key", "reason")} for row in workspace.read("failures").to_pylist()
        ],
    }  # fmt: skip


def report(workspace: Workspace) -> dict[str, Any]:
    """`statistics`, and what a person wants to know before trusting the graph, with at most EXAMPLES of each kind:

    support: {group of numbers of sentences: facts}; scores: {tenth: facts};
    entities_without_facts: {n, by_type: {type: [without, all]}, most_mentioned: [{uid, name, type, mentions}]};
    rules: {functional: [{relation, subjects, broken, examples: [{subject, values: [[value, support]]}]}],
    types: [{relation, facts, broken, examples: [{subject, subject_type, object, object_type}]}]};
    left_out: {reason: statements that the last resolution kept out of the graph};
    components: {n, largest, largest_share, sizes: {group of numbers of entities: components}};
    biggest_merges: [{uid, name, type, names, mentions, documents, aliases}];
    merges_by_reason: {reason: n}; weakest_merges, waiting_merges: [{a, b, reason, score}].
    """
    schema = _schema(workspace)
    entities, facts = workspace.read("entities"), workspace.read("facts")
    literals = workspace.read("literals", ["uid", "type", "value"])
    names = dict(zip(*(entities.column(c).to_pylist() for c in ("uid", "name")), strict=True))
    names |= dict(zip(*(literals.column(c).to_pylist() for c in ("uid", "value")), strict=True))
    types = {uid: t for table in (entities, literals) for uid, t in zip(
        table.column("uid").to_pylist(), table.column("type").to_pylist(), strict=True
    )}  # fmt: skip
    return statistics(workspace) | {
        "support": _grouped(facts.column("support").to_pylist()),
        "scores": _tenths(facts.column("score").to_pylist()),
        "entities_without_facts": _without_facts(entities, facts),
        "rules": {
            "functional": _functional(facts, schema, names),
            "types": _misfits(facts, schema, names, types),
        },
        "left_out": _left_out(workspace),
        "components": _components(entities, facts),
        "biggest_merges": _biggest_merges(workspace, entities),
        **_merges(workspace),
    }


def _schema(workspace: Workspace) -> Schema:
    kept = workspace.state("schema")
    return schemas.from_json(kept["json"]) if kept else Schema("none")


def _grouped(numbers: Iterable[int]) -> dict[str, int]:
    """How many of the numbers are in each group of BINS, without empty groups."""
    found: Counter[str] = Counter()
    for number, n in Counter(numbers).items():
        low, high = next((low, high) for low, high in BINS if high is None or number <= high)
        found[f"{low}" if low == high else f"{low:,}+" if high is None else f"{low:,}-{high:,}"] += n
    order = [f"{low}" if low == high else f"{low:,}+" if high is None else f"{low:,}-{high:,}" for low, high in BINS]
    return {group: found[group] for group in order if found[group]}


def _tenths(scores: Iterable[float]) -> dict[str, int]:
    """How many of the scores are in each tenth that holds any, and those between."""
    found = Counter(min(int(score * 10 + 1e-9), 9) for score in scores)
    return {f"{i / 10:.1f}-{(i + 1) / 10:.1f}": found[i] for i in range(min(found, default=0), 10) if found}


def _without_facts(entities: pa.Table, facts: pa.Table) -> dict[str, Any]:
    said = pa.chunked_array([*facts.column("subject").chunks, *facts.column("object").chunks], pa.string())
    silent = entities.filter(pc.invert(pc.is_in(entities.column("uid"), said)))
    every, without = (Counter(table.column("type").to_pylist()) for table in (entities, silent))
    mentions = pc.list_value_length(silent.column("mentions"))
    counted = silent.select(["uid", "name", "type"]).append_column("mentions", mentions)
    most = counted.sort_by([("mentions", "descending"), ("uid", "ascending")]).slice(0, EXAMPLES)
    return {
        "n": silent.num_rows,
        "by_type": {kind: [without[kind], n] for kind, n in every.most_common()},
        "most_mentioned": most.to_pylist(),
    }


def compatible(a: str, b: str) -> bool:
    """Whether one value may be a rounder way to say the other, as 1906 is of 1906-12-09 and 194X of 1943."""
    a, b = a.rstrip("X"), b.rstrip("X")
    return a.startswith(b) or b.startswith(a)


def _functional(facts: pa.Table, schema: Schema, names: dict[str, str]) -> list[dict[str, Any]]:
    """For each functional relation the subjects with values that cannot all be right."""
    found = []
    for relation in schema.relations.values():
        if not relation.functional:
            continue
        values: dict[str, list[list[Any]]] = defaultdict(list)
        for row in facts.filter(pc.equal(facts.column("type"), relation.name)).to_pylist():
            values[row["subject"]].append([names[row["object"]], row["support"], row["literal"]])
        broken = []
        for subject, said in sorted(values.items()):
            said.sort(key=lambda v: (-v[1], v[0]))
            pairs = ((a, b) for i, a in enumerate(said) for b in said[i + 1 :])
            if any(not (a[2] and b[2] and compatible(a[0], b[0])) for a, b in pairs):
                broken.append({"subject": names[subject], "values": [[v, n] for v, n, _ in said]})
        broken.sort(key=lambda b: (-sum(n for _, n in b["values"]), b["subject"]))
        found.append(
            {
                "relation": relation.name, "subjects": len(values), "broken": len(broken), "examples": broken[:EXAMPLES],
            }
        )  # fmt: skip
    return found


def _misfits(
    facts: pa.Table, schema: Schema, names: dict[str, str], types: dict[str, str]
) -> list[dict[str, Any]]:  # fmt: skip
    """For each relation of the graph the facts whose ends are of types that domain and range do not allow."""
    found = []
    for kind, n in Counter(facts.column("type").to_pylist()).most_common():
        relation = schema.relations.get(kind)
        rows = facts.filter(pc.equal(facts.column("type"), kind)).select(["subject", "object"]).to_pylist()
        broken = [
            {
                "subject": names[row["subject"]], "subject_type": types[row["subject"]],
                "object": names[row["object"]], "object_type": types[row["object"]],
            }
            for row in rows
            if relation is None
            or not schema.fits(types[row["subject"]], relation.domain)
            or not schema.fits(types[row["object"]], relation.range)
        ]  # fmt: skip
        found.append({"relation": kind, "facts": n, "broken": len(broken), "examples": broken[:EXAMPLES]})
    return found


def _left_out(workspace: Workspace) -> dict[str, int]:
    """What the last resolution found and kept out of the graph, by reason."""
    runs = workspace.read("runs", ["stage", "started", "counts", "error"])
    done = runs.filter(pc.and_(pc.equal(runs.column("stage"), "resolve"), pc.equal(runs.column("error"), "")))
    for counts in reversed(done.sort_by("started").column("counts").to_pylist()):
        found = {k: v for k, v in json.loads(counts).items() if "left_out" in k}
        if found:  # a run with nothing to do counts nothing
            return {k.removeprefix("left_out_").replace("_left_out", ""): v for k, v in sorted(found.items())}
    return {}


def _components(entities: pa.Table, facts: pa.Table) -> dict[str, Any]:
    """Entities that facts join to each other, directly or over others; values such as dates join nothing."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = entities.num_rows
    if not n:
        return {"n": 0, "largest": 0, "largest_share": 0.0, "sizes": {}}
    links = facts.filter(pc.invert(facts.column("literal")))
    uids = entities.column("uid").combine_chunks()
    ends = [pc.index_in(links.column(c), uids).to_numpy().astype(np.int64) for c in ("subject", "object")]
    n_components, label = connected_components(
        coo_array((np.ones(len(ends[0]), np.int8), tuple(ends)), shape=(n, n)), directed=False
    )
    sizes = np.bincount(label)
    largest = int(sizes.max())
    return {
        "n": n_components, "largest": largest, "largest_share": round(largest / n, 4), "sizes": _grouped(sizes.tolist()),
    }  # fmt: skip


def _biggest_merges(workspace: Workspace, entities: pa.Table) -> list[dict[str, Any]]:
    """The entities with most different names: where a wrong merge would be worst."""
    n_names = pc.add(pc.list_value_length(entities.column("aliases")), 1)  # an alias differs from the name
    counted = entities.append_column("names", n_names).filter(pc.greater(n_names, 1))
    rows = counted.sort_by([("names", "descending"), ("uid", "ascending")]).slice(0, EXAMPLES).to_pylist()
    wanted = pa.array([mention for row in rows for mention in row["mentions"]], pa.string())
    extractions = workspace.read("extractions", ["document", "mentions"])
    mentions = extractions.column("mentions").combine_chunks()
    owners = pa.table(
        {
            "mention": pc.struct_field(pc.list_flatten(mentions), "uid"),
            "document": extractions.column("document").take(pc.list_parent_indices(mentions)),
        }
    )
    owners = owners.filter(pc.is_in(owners.column("mention"), wanted))
    document = dict(zip(*(owners.column(c).to_pylist() for c in ("mention", "document")), strict=True))
    return [
        {
            **{key: row[key] for key in ("uid", "name", "type", "names")}, "mentions": len(row["mentions"]),
            "documents": len({document[m] for m in row["mentions"] if m in document}), "aliases": row["aliases"],
        }
        for row in rows
    ]  # fmt: skip


def _merges(workspace: Workspace) -> dict[str, Any]:
    rows = workspace.read("merges").to_pylist()
    made = sorted((r for r in rows if r["decided_by"] != "review"), key=lambda r: (r["score"], r["uid"]))
    waiting = sorted((r for r in rows if r["decided_by"] == "review"), key=lambda r: (-r["score"], r["uid"]))

    def shown(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"a": r["name_a"], "b": r["name_b"], "reason": r["reason"], "score": r["score"]} for r in found[:EXAMPLES]
        ]

    return {
        "merges_by_reason": dict(Counter(r["reason"] for r in made).most_common()),
        "weakest_merges": shown(made),
        "waiting_merges": shown(waiting),
    }


def top_facts(workspace: Workspace, n_facts: int = 10, *, spread: bool = True) -> list[dict[str, Any]]:
    """The facts with most support, then highest score, in words and with their best sentence.

    With `spread`, no relation takes more than a third of the list, so that it shows the breadth of the graph.
    """
    names = {row["uid"]: row["name"] for row in workspace.read("entities", ["uid", "name"]).to_pylist()}
    values = {row["uid"]: row["value"] for row in workspace.read("literals", ["uid", "value"]).to_pylist()}
    chosen: list[dict[str, Any]] = []
    taken: Counter[str] = Counter()
    rows = workspace.read("facts").to_pylist()
    for row in sorted(rows, key=lambda r: (-r["support"], -r["score"], r["uid"])):
        if spread and taken[row["type"]] >= max(1, n_facts // 3):
            continue
        taken[row["type"]] += 1
        chosen.append(
            {
                "subject": names[row["subject"]],
                "relation": row["type"],
                "object": values[row["object"]] if row["literal"] else names[row["object"]],
                "support": row["support"],
                "score": row["score"],
                "sentence": row["sentence"],
                "source": row["source"],
            }
        )
        if len(chosen) == n_facts:
            break
    return chosen
