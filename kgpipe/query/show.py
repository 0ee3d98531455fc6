"""An entity's facts and where they are said, for `kgpipe show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kgpipe import names
from kgpipe.errors import InputError
from kgpipe.query.answer import MOST_SENTENCES, check_filled, sentences_of
from kgpipe.query.compile import value_of
from kgpipe.query.link import entities_with, type_of
from kgpipe.query.words import one_line, words
from kgpipe.schema import Schema

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

MOST_FACTS = 1_000
"""Facts of one entity that are shown."""


def show(entity: str, store: Store, schema: Schema) -> dict[str, Any]:
    """The entity as {"uid", "type", "name", "aliases", "facts": [{"subject", "relation", "object", "evidence", ...}]}.

    `entity` is a name, an alias or a uid. InputError lists the candidates of an ambiguous name with their uids, and
    the nearest names for an unknown one.
    """
    found = _find(entity, store, schema)
    columns, rows = store.read(
        "MATCH (a:Entity {uid: $uid})-[r]-(x) WHERE type(r) IN $relations "
        "WITH DISTINCT r, startNode(r) AS s, endNode(r) AS o "
        "RETURN r.uid AS uid, s.name AS subject, type(r) AS relation, "
        f"CASE WHEN o:Literal THEN {value_of('o')} ELSE o.name END AS object, s.uid AS subject_uid, o.uid AS object_uid, "
        "r.support AS support, r.score AS score, r.sentence AS sentence, r.source AS source "
        "ORDER BY s.uid <> $uid, relation, object, subject LIMIT $most",
        {"uid": found["uid"], "relations": list(schema.relations), "most": MOST_FACTS},
    )
    facts = [dict(zip(columns, row, strict=True)) for row in rows]
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
