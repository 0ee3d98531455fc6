"""The sentences that state facts of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kgpipe.errors import StoreError

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

MOST_SENTENCES = 3
"""Sentences cited for one fact."""
FACT_ROWS = (
    "WITH DISTINCT r, startNode(r) AS s, endNode(r) AS o\n"
    "RETURN r.uid AS uid, s.uid AS subject_uid, s.name AS subject, type(r) AS relation, o.uid AS object_uid, "
    "CASE WHEN o:Literal THEN o.text ELSE o.name END AS object, r.support AS support, "
    "r.score AS score, r.sentence AS sentence, r.source AS source ORDER BY subject, relation, object"
)
"""The end of a query that returns facts, where `r` are their relationships."""


def sentences_of(facts: Sequence[dict[str, Any]], store: Store, *, most: int = MOST_SENTENCES) -> list[dict[str, Any]]:
    """The sentences that state the facts, best first within each; the edge's own sentence where no Evidence node is."""
    if not facts:
        return []
    columns, rows = store.read(
        "UNWIND $facts AS fact MATCH (e:Evidence {fact: fact}) "
        "OPTIONAL MATCH (e)-[:IN]->(p:Passage)-[:PART_OF]->(d:Document) "
        "RETURN e.fact AS fact, e.sentence AS sentence, d.title AS document, d.uri AS uri, e.start AS start, e.end AS end, "
        "e.score AS score ORDER BY fact, score DESC, uri, start",
        {"facts": [f["uid"] for f in facts]},
        max_rows=None,
    )
    by_fact: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        sentence = dict(zip(columns, row, strict=True))
        by_fact.setdefault(sentence["fact"], []).append(sentence)
    cited = []
    for fact in facts:
        found = by_fact.get(fact["uid"], [])
        if not found and fact["sentence"]:
            found = [{"fact": fact["uid"], "sentence": fact["sentence"], "document": "", "uri": fact["source"] or "",
                      "start": None, "end": None, "score": fact["score"]}]  # fmt: skip
        cited.extend(found[:most])
    return cited


def check_filled(store: Store) -> None:
    """StoreError when the graph holds no entity."""
    _, rows = store.read("MATCH (e:Entity) RETURN count(e)")
    if not rows[0][0]:
        raise StoreError(f"The graph at {store.uri} is empty: nothing can be asked. Run: kgpipe build FOLDER")


def listed(values: Sequence[str]) -> str:
    """Values as a sentence, the first twelve of them."""
    if len(values) > 12:
        return f"{', '.join(values[:12])} and {len(values) - 12} more."
    return f"{values[0]}." if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}."
