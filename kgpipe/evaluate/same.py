"""Whether two builds made the same: tables and graph by content, uids of entities and scores aside.

An entity is its set of mentions, a fact its relation and its ends: uids of entities are carried over from
build to build, and the last digits of scores depend on which passages a batch held.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kgpipe.pipeline import workspace_schema
from kgpipe.records import content_id
from kgpipe.workspace import Workspace

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

Contents = dict[str, Counter[tuple[Any, ...]]]
"""Rows by table, or by label or relationship type, with how often each occurs."""

_COLUMNS = {
    "sources": ("uri", "version"),
    "documents": ("uid", "version", "source", "title", "language", "time", "metadata"),
    "duplicates": ("document", "representative", "reason"),
    "passages": ("uid",),
    "literals": ("uid",),
    "merges": ("a", "b", "reason", "decided_by"),
    "failures": ("stage", "key", "reason"),
}
_DROPPED = {"score", "run", "row"}
"""Properties that may differ: scores, the run's name, and the loader's hash over all of a row."""
_MARKER = "KgpipeWorkspace"


def tables(workspace: Workspace) -> Contents:
    """The content of every table of a workspace."""
    found: Contents = {
        name: Counter(tuple(row[c] for c in columns) for row in workspace.read(name, list(columns)).to_pylist())
        for name, columns in _COLUMNS.items()
    }
    for row in workspace.read("extractions").to_pylist():
        key = (row["passage"], row["fingerprint"], row["error"])
        for what in ("mentions", "relations"):
            found.setdefault(what, Counter()).update((*key, item["uid"], item.get("value", "")) for item in row[what])
        found.setdefault("extractions", Counter())[key] += 1
    keys = _keys(workspace)
    entities = workspace.read("entities").to_pylist()
    found["entities"] = Counter((keys[e["uid"]], e["type"], e["name"], *sorted(e["aliases"])) for e in entities)
    facts = workspace.read("facts").to_pylist()
    found["facts"] = Counter((keys[f["uid"]], f["type"], f["support"], f["sentence"], f["source"]) for f in facts)
    columns = ("uid", "document", "passage", "start", "end", "sentence", "extractor")
    evidence = workspace.read("evidence").to_pylist()
    found["evidence"] = Counter((keys[e["fact"]], *(e[c] for c in columns)) for e in evidence)
    return found


def graph(workspace: Workspace, store: Store) -> Contents:
    """The content of the workspace's graph, by labels of nodes and types of relationships."""
    keys = _keys(workspace)
    found: defaultdict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    _, nodes = store.read("MATCH (n) RETURN labels(n), properties(n)", max_rows=None)
    for labels, properties in nodes:
        if "Evidence" in labels:  # its fact says which ends it has
            properties = {name: value for name, value in properties.items() if name not in ("subject", "object")}
        if _MARKER not in labels:
            found[":".join(sorted(labels))][_content(properties, keys)] += 1
    cypher = "MATCH (a)-[r]->(b) RETURN a.uid, type(r), b.uid, properties(r)"
    symmetric = _symmetric(workspace)
    for start, kind, end, properties in store.read(cypher, max_rows=None)[1]:
        if properties.get("uid") not in keys:  # that of MENTIONS is made of the entity's
            properties.pop("uid", None)
        ends = [keys.get(uid, uid) for uid in (start, end)]
        found[kind][*(sorted(ends) if kind in symmetric else ends), *_content(properties, keys)] += 1
    return dict(found)


def differences(left: Contents, right: Contents, *, most: int = 3) -> list[str]:
    """One line for each table, label or type that differs, with a few of the rows; empty when all is the same."""
    lines = []
    for name in sorted({*left, *right}):
        a, b = left.get(name, Counter()), right.get(name, Counter())
        for side, extra in (("left", a - b), ("right", b - a)):
            if extra:
                shown = ", ".join(map(str, sorted(extra, key=repr)[:most]))
                lines.append(f"{name}: {extra.total()} of {(a if side == 'left' else b).total()} only {side}: {shown}")
    return lines


def fingerprint(contents: Contents) -> str:
    """Eight hexadecimal digits that agree when the contents do."""
    return content_id(*(repr((name, sorted(rows.items(), key=repr))) for name, rows in sorted(contents.items())))[:8]


def _keys(workspace: Workspace) -> dict[str, str]:
    """Uid of each entity and fact to a key that depends on mentions and relation types only."""
    entities = workspace.read("entities", ["uid", "mentions"]).to_pylist()
    keys = {row["uid"]: "entity " + content_id(*sorted(row["mentions"])) for row in entities}
    symmetric = _symmetric(workspace)
    for row in workspace.read("facts", ["uid", "subject", "type", "object"]).to_pylist():
        ends = [keys[row["subject"]], keys.get(row["object"], row["object"])]
        ends = sorted(ends) if row["type"] in symmetric else ends  # they stand in the order of uids, which may differ
        keys[row["uid"]] = "fact " + content_id(*ends, row["type"])
    return keys


def _symmetric(workspace: Workspace) -> set[str]:
    return {r.name for r in workspace_schema(workspace).relations.values() if r.symmetric}


def _content(properties: Mapping[str, Any], keys: Mapping[str, str]) -> tuple[Any, ...]:
    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(sorted(map(str, value)))
        return keys.get(value, value) if isinstance(value, str) else value

    return tuple(sorted((name, plain(value)) for name, value in properties.items() if name not in _DROPPED))
