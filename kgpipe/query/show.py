"""An entity's facts and where they are said, for `kgpipe show` and for questions like `What do we know about X?`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kgpipe import names
from kgpipe.errors import InputError
from kgpipe.query import guard
from kgpipe.query.cite import MOST_SENTENCES, check_filled, listed, sentences_of
from kgpipe.query.link import entities_with, type_of
from kgpipe.query.words import PREPOSITION, one_line, words
from kgpipe.schema import Schema, in_words

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

MOST_FACTS = 1_000
"""Facts of one entity that are shown."""
MOST_TOLD = 60
"""Facts that answer `What do we know about X?`."""


_PATTERN = (
    "MATCH (a:Entity)-[r]-(x) WHERE a.uid IN $uids AND type(r) IN $relations "
    "WITH DISTINCT a, r, startNode(r) AS s, endNode(r) AS o "
)
_OBJECT = "CASE WHEN o:Literal THEN o.text ELSE o.name END AS object"
_ORDER = "ORDER BY a.uid, s.uid <> a.uid, relation, support DESC, object, subject"
FACTS = (
    f"{_PATTERN}RETURN a.uid AS about, r.uid AS uid, s.name AS subject, type(r) AS relation, {_OBJECT}, "
    "s.uid AS subject_uid, o.uid AS object_uid, r.support AS support, r.score AS score, r.sentence AS sentence, "
    f"r.source AS source {_ORDER} LIMIT $most"
)
"""The facts about entities by $uids."""
ROWS = f"{_PATTERN}RETURN s.name AS subject, type(r) AS relation, {_OBJECT}, r.support AS support {_ORDER} LIMIT $most"
"""The same facts as what is read of them."""


def _of(uids: Sequence[str], schema: Schema) -> dict[str, Any]:
    return {"uids": list(uids), "relations": list(schema.relations)}


def grouped(facts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Facts of one entity (`about` is its uid) by relation: what it does before what is done to it, most supported first."""
    most: dict[tuple[bool, str], int] = {}
    for fact in facts:
        group = (fact["subject_uid"] != fact["about"], fact["relation"])
        most[group] = max(most.get(group, 0), fact["support"])

    def place(fact: dict[str, Any]) -> tuple[Any, ...]:
        passive = fact["subject_uid"] != fact["about"]
        group = (passive, -most[passive, fact["relation"]], fact["relation"])
        return (*group, -fact["support"], str(fact["object"]), str(fact["subject"]))

    return sorted(facts, key=place)


def about(
    uids: Sequence[str], store: Store, schema: Schema
) -> tuple[str, dict[str, Any], list[str], list[list[Any]], list[dict[str, Any]]]:
    """Cypher, parameters, columns and rows of the best facts of entities, and these facts, entity after entity, grouped."""
    params = {**_of(uids, schema), "most": MOST_TOLD}
    columns, rows = guard.run(ROWS, params, store)
    names_, found = guard.run(FACTS, params, store)
    facts = [dict(zip(names_, row, strict=True)) for row in found]
    by_entity = [grouped([f for f in facts if f["about"] == uid]) for uid in uids]
    return ROWS, params, columns, rows, [fact for group in by_entity for fact in group]


def summary(name: str, entity_type: str, facts: Sequence[dict[str, Any]], schema: Schema) -> list[str]:
    """The facts of one entity in a few lines, one a relation: `  place of birth: London`."""
    label = schema.entities[entity_type].label if entity_type in schema.entities else "no type"
    groups: dict[str, list[str]] = {}
    for fact in facts:
        passive = fact["subject_uid"] != fact["about"]
        other = str(fact["subject" if passive else "object"])
        values = groups.setdefault(_said(fact["relation"], passive, schema), [])
        if other not in values:
            values.append(other)
    return [f"{name} ({label}):"] + [f"  {said}: {listed(values)}" for said, values in groups.items()]


def _said(relation: str, passive: bool, schema: Schema) -> str:
    """What stands before the other end of a fact: its label, or for the object what the inverse is called."""
    found = schema.relations[relation]
    if not passive or found.symmetric:
        return found.label
    if found.inverse:
        return in_words(found.inverse)
    return f"{found.label} it" if found.label.split()[-1] in PREPOSITION else f"{found.label} of"


def phrase(fact: dict[str, Any], schema: Schema) -> str:
    """A fact as what tells its entity (`about`) from another: `designed Unix`."""
    passive = fact["subject_uid"] != fact["about"]
    return f"{_said(fact['relation'], passive, schema)} {fact['subject' if passive else 'object']}"


def show(entity: str, store: Store, schema: Schema) -> dict[str, Any]:
    """The entity as {"uid", "type", "name", "aliases", "facts": [{"subject", "relation", "object", "evidence", ...}]}.

    `entity` is a name, an alias or a uid. InputError lists the candidates of an ambiguous name with their uids, and
    the nearest names for an unknown one.
    """
    found = _find(entity, store, schema)
    columns, rows = store.read(FACTS, {**_of([found["uid"]], schema), "most": MOST_FACTS})
    facts = grouped([dict(zip(columns, row, strict=True)) for row in rows])
    by_fact: dict[str, list[dict[str, Any]]] = {}
    for sentence in sentences_of(facts, store):
        by_fact.setdefault(sentence["fact"], []).append(sentence)
    return {**found, "facts": [{**fact, "evidence": by_fact.get(fact["uid"], [])} for fact in facts]}


def lines(found: dict[str, Any]) -> list[str]:
    """The entity as lines for people."""
    also = f", also {', '.join(found['aliases'])}" if found["aliases"] else ""
    out = [f"{found['name']} ({found['type'] or 'no type'}){also}  uid {found['uid']}"]
    if not found["facts"]:
        out.append("  No fact is known.")
    for fact in found["facts"]:
        out.append(f"{fact['subject']} -[{fact['relation']}]-> {fact['object']}  (support {fact['support']})")
        for cited in fact["evidence"][:MOST_SENTENCES]:
            out.append(f'    "{" ".join(cited["sentence"].split())}"')
            out.append(f"      {cited['document']} {cited['uri']}".rstrip())
    return out


def _find(entity: str, store: Store, schema: Schema) -> dict[str, Any]:
    wanted = one_line(entity)
    if not wanted:
        raise InputError('No entity is named. Give a name or uid, for example: kgpipe show "Grace Hopper"')
    check_filled(store)
    columns, rows = store.read(
        "MATCH (e:Entity {uid: $uid}) RETURN e.uid AS uid, e.name AS name, e.aliases AS aliases, labels(e) AS labels",
        {"uid": wanted},
    )
    rows = [dict(zip(columns, row, strict=True)) for row in rows]
    near: list[dict[str, Any]] = []
    if not rows:
        near = entities_with(store, [wanted[:200]]).get(wanted[:200], [])
        for same in (
            lambda r: r["name"] == wanted,
            lambda r: names.normalise(r["name"]) == names.normalise(wanted),
            lambda r: any(names.normalise(a) == names.normalise(wanted) for a in r["aliases"] or ()),
        ):
            rows = [r for r in near if same(r)]
            if rows:
                break
    if len(rows) > 1:
        listed = "; ".join(f"{r['name']} ({type_of(r['labels'], schema)}) {r['uid']}" for r in rows[:10])
        raise InputError(f'"{wanted}" names {len(rows)} entities: {listed}. Give the uid of one.')
    if not rows:
        near = near or _similar(wanted, store)
        hint = f" Similar: {'; '.join(r['name'] for r in near[:5])}." if near else ""
        raise InputError(f'Nothing in the graph is called "{wanted[:200]}".{hint} Give one of its names, or a uid.')
    row = rows[0]
    return {
        "uid": row["uid"],
        "type": type_of(row["labels"], schema),
        "name": row["name"],
        "aliases": row["aliases"] or [],
    }


def _similar(wanted: str, store: Store) -> list[dict[str, Any]]:
    """Entities with names that are spelled nearly so, or share a word, best first."""
    from rapidfuzz import fuzz

    parts = [w.lower for w in words(wanted)[:8]]
    found = entities_with(store, [wanted[:200]], query=" ".join(f"{p}~" for p in parts if p.isalnum()) or None)
    rows = {r["uid"]: r for group in found.values() for r in group}
    return sorted(rows.values(), key=lambda r: -fuzz.WRatio(r["name"], wanted))
