"""The schema of a running database: of our own graphs as they were built, of others' from what they hold."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from kgpipe import schema as schemas
from kgpipe.errors import StoreError
from kgpipe.graph import cypher
from kgpipe.graph.store import Store
from kgpipe.schema import EntityType, RelationType, Schema, in_words

SCAN_S = 300
"""Longest time that reading the properties of a large database may take."""

_log = logging.getLogger(__name__)


def read_schema(store: Store) -> Schema:
    """Entity types, relation types and literal properties of the database; StoreError when it is empty.

    A graph that kgpipe built tells the schema it was built with. In any other, labels are entity types (a label
    whose nodes all bear a wider one has it as parent), relationship types are relations with the labels of their
    ends, and properties are relations to a literal type with `stored: property`.
    """
    if told := told_schema(store):
        return told
    _, nodes = store.read(cypher.NODE_PROPERTIES, timeout_s=SCAN_S, max_rows=None)
    if not nodes:
        raise StoreError(f"The database at {store.uri} is empty: it has no schema. Load a graph first.")
    labels = sorted({label for row in nodes for label in row[0]})
    ends = {}
    for [kind] in store.read(cypher.RELATIONSHIP_TYPES, max_rows=None)[1]:
        _, [counts] = store.read(cypher.count_ends(kind, labels), timeout_s=SCAN_S)
        starts, targets = ({label: n for label, n in zip(labels, side, strict=True) if n} for side in counts)
        if starts or targets:  # a type whose last relationship was deleted is still listed
            ends[kind] = (starts, targets)
    return infer(nodes, ends)


def told_schema(store: Store) -> Schema | None:
    """The schema that kgpipe built the graph with; None for a graph that it did not build."""
    _, rows = store.read(cypher.OWN_SCHEMA)
    return schemas.from_json(rows[0][0]) if rows and rows[0][0] else None


def loaded(store: Store) -> str:
    """What changes with every load of a graph that kgpipe built; empty while one runs, and for any other graph."""
    _, rows = store.read(cypher.LOADED)
    return rows[0][0] or "" if rows else ""


def infer(nodes: Iterable[list[Any]], ends: dict[str, tuple[dict[str, int], dict[str, int]]]) -> Schema:
    """The schema behind rows (labels, property or None, Neo4j's names of its types) and, for each relationship
    type, how many start and end at each label.
    """  # fmt: skip
    nodes = [(frozenset(labels), key, types or ()) for labels, key, types in nodes]
    parents = _parents({labels for labels, _, _ in nodes})
    entities = {label: EntityType(label, in_words(label), parent=parents[label]) for label in sorted(parents)}
    relations = {
        kind: RelationType(kind, in_words(kind), domain=_widest(starts, parents), range=_widest(targets, parents))
        for kind, (starts, targets) in sorted(ends.items())
    }
    held: dict[str, tuple[dict[str, int], set[str]]] = {}
    for labels, key, types in nodes:
        if key is not None:
            domain, kinds = held.setdefault(key, ({}, set()))
            for label in labels:
                domain[label] = domain.get(label, 0) + 1
            kinds |= {_kind(t) for t in types}
    literals = {
        kind: _free(kind.capitalize(), entities) for kind in sorted(set().union(*(k for _, k in held.values())))
    }
    for key, (domain, kinds) in sorted(held.items()):
        if key in relations:
            _log.warning("property %s has the name of a relationship type and is left out of the schema", key)
            continue
        range_ = tuple(literals[kind] for kind in sorted(kinds))
        relations[key] = RelationType(
            key, in_words(key), domain=_widest(domain, parents), range=range_, stored="property"
        )
    entities |= {label: EntityType(label, kind, literal=kind) for kind, label in literals.items()}
    return Schema("database", entities=entities, relations=relations)


def _parents(sets: set[frozenset[str]]) -> dict[str, str]:
    """For every label the narrowest other label that all its nodes bear and others too; empty without one."""
    where = {label: {labels for labels in sets if label in labels} for labels in sets for label in labels}
    found = {}
    for label, held in where.items():
        wider = [other for other, theirs in where.items() if held < theirs]
        found[label] = min(wider, key=lambda other: (len(where[other]), other), default="")
    return found


def _widest(counts: dict[str, int], parents: dict[str, str]) -> tuple[str, ...]:
    """The labels without those that say nothing more: a parent as frequent as its child, a child of one that is not."""
    found = {label for label in counts if not any(counts[c] == counts[label] for c in counts if parents[c] == label)}
    return tuple(sorted(label for label in found if not _ancestors(label, parents) & found))


def _ancestors(label: str, parents: dict[str, str]) -> set[str]:
    found = set()
    while label := parents[label]:
        found.add(label)
    return found


def _kind(neo4j_type: str) -> str:
    """Literal kind of a property type, such as `Long`, `LocalDateTime` or `StringArray`."""
    bare = neo4j_type.removesuffix("Array")
    if bare in ("Long", "Integer", "Double", "Float"):
        return "number"
    return "date" if bare in ("Date", "DateTime", "LocalDateTime", "ZonedDateTime") else "text"


def _free(label: str, taken: Iterable[str]) -> str:
    while label in taken:
        label += "Value"
    return label
