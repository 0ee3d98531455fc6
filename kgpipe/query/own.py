"""Query trees over graphs that kgpipe built: types with their parents, dates and numbers at nodes of their own.

They read what query graphs cannot say: superlatives, ranks, thresholds, negation, a count for each.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgpipe.graph.introspect import loaded
from kgpipe.query import guard
from kgpipe.query.catalog import SCAN_S, Attribute, Catalog, Link
from kgpipe.query.link import Linked, Vocabulary
from kgpipe.query.settle import Settled, agreement, settle
from kgpipe.query.tree_cypher import facts_cypher, tree_cypher
from kgpipe.query.trees import Asked, Search, asked
from kgpipe.query.values import Match
from kgpipe.schema import Schema, in_words

if TYPE_CHECKING:
    from kgpipe.graph.store import Store
    from kgpipe.models.embed import Embedder

UNTYPED = "Entity"
"""Stands for the type of entities that have none: the label of all."""
NAME = "name"
MOST_CLAUSES = 3
"""Phrases of a relation that are compared as clauses."""
MOST_RUN = 8
"""Query trees that are run against the graph."""
MOST_FACTS = 100
"""Facts that are fetched for one answer."""
SURE = {"share": 4.7, "score": 0.214, "uncovered": -2.1, "unknown": -2.1, "names": 1.6, "empty": -6.6, "": -6.0}
"""Weights of the confidence in logits, as `benchmarks/confidence.py` fits them."""
_catalogs: dict[tuple[str, str, int], OwnCatalog] = {}


class OwnCatalog(Catalog):
    """What a graph of ours holds. A node counts with its type and with every parent of it.

    Relations to literals are attributes of their subjects. Facts have no conditions of their own.
    """

    distinct_nodes = True

    def _types(self, store: Store) -> tuple[str, ...]:
        _, rows = store.read(
            "MATCH (n:Entity) RETURN labels(n) AS labels, count(*) AS n", timeout_s=SCAN_S, max_rows=None
        )
        self._sizes: dict[str, int] = defaultdict(int)
        for labels, n in rows:
            for t in self._all(labels):
                self._sizes[t] += n
        return tuple(sorted(self._sizes))

    def _all(self, labels: Sequence[str]) -> list[str]:
        return [t for t in labels if t in self.schema.entities] or [UNTYPED]

    def narrowest(self, entity_type: str) -> str:
        """The type as which the catalog knows entities of a type: itself, or what stands for none."""
        return (
            next((t for t in self.schema.ancestors(entity_type) if t in self._sizes), UNTYPED)
            if entity_type
            else UNTYPED
        )

    def _read_attributes(self, store: Store) -> None:
        _, rows = store.read(
            "MATCH (a:Entity)-[r]->(b:Literal) RETURN labels(a) AS a, type(r) AS r, labels(b) AS b, count(*) AS n "
            "ORDER BY n DESC",
            timeout_s=SCAN_S, max_rows=None,
        )  # fmt: skip
        for t in self.types:
            self.attributes[t][NAME] = Attribute("text")
        for labels, relation, ends, _ in rows:
            kind = next((self.schema.entities[t].literal for t in ends if self.schema.is_literal(t)), "")
            if relation in self.schema.relations and kind:
                for t in self._all(labels):
                    self.attributes[t].setdefault(relation, Attribute(kind, iso=kind == "date", linked=True))

    def _relationship_attributes(self, store: Store) -> dict[str, dict[str, Attribute]]:
        return {}

    def _links(self, store: Store) -> tuple[Link, ...]:
        _, rows = store.read(
            "MATCH (a:Entity)-[r]->(b:Entity) RETURN labels(a) AS a, type(r) AS r, labels(b) AS b, count(*) AS n",
            timeout_s=SCAN_S, max_rows=None,
        )  # fmt: skip
        counts: dict[tuple[str, str, str], int] = defaultdict(int)
        for left, relation, right, n in rows:
            if relation in self.schema.relations:
                for a in self._all(left):
                    for b in self._all(right):
                        counts[a, relation, b] += n
        return tuple(Link(*ends, n) for ends, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def _sizes_and_keys(self, store: Store) -> tuple[dict[str, int], dict[str, str]]:
        return dict(self._sizes), dict.fromkeys(self.types, NAME)

    def label(self, entity_type: str) -> str:
        return "thing" if entity_type == UNTYPED else super().label(entity_type)

    def type_phrases(self, entity_type: str) -> tuple[str, ...]:
        """Label and synonyms, also those of the types below it that the graph does not have."""
        if entity_type == UNTYPED:
            return ("thing",)
        entities = self.schema.entities
        below = [t for t in entities if t not in self._sizes and entity_type in self.schema.ancestors(t)]
        return tuple(
            dict.fromkeys(p for t in (entity_type, *below) for p in (entities[t].label, *entities[t].synonyms) if p)
        )

    def attribute_phrases(self, key: str) -> tuple[str, ...]:
        return (NAME,) if key == NAME else self._of(key, in_words(key))

    def _clauses(self, link: int, forward: bool) -> tuple[str, ...]:
        """Clauses of the topmost types: those of every pair of types would say the same, at many times the price."""
        found = self.links[link]
        a, b = (self.label(self._top(t)) for t in (found.subject, found.object))
        if not forward:
            a, b = b, a
        return tuple(f"{a} {p} {b}".lower() for p in self.phrases[link, forward][:MOST_CLAUSES])

    def _top(self, entity_type: str) -> str:
        return entity_type if entity_type == UNTYPED else self.schema.family(entity_type)

    def _phrases(self, link: int, forward: bool) -> tuple[str, ...]:
        r = self.schema.relations[self.links[link].relation]
        return self._of(r.name, in_words(r.name) if forward or r.symmetric else in_words(r.inverse))

    def _of(self, relation: str, also: str) -> tuple[str, ...]:
        r = self.schema.relations[relation]
        return tuple(dict.fromkeys(p for p in (r.label, *r.synonyms, also) if p))


def own_catalog(store: Store, schema: Schema, embedder: Embedder) -> OwnCatalog:
    """The catalog of a graph of ours, made anew when the graph has changed."""
    _, [counts] = store.read("RETURN COUNT { () }, COUNT { ()-->() }")  # they tell while a load runs
    key = (store.uri, f"{loaded(store)} {schema.fingerprint} {counts}", id(embedder))
    if key not in _catalogs:
        _catalogs.clear()  # what was loaded before is asked no more
        _catalogs[key] = OwnCatalog(schema, store, embedder)
    return _catalogs[key]


def matches(linked: Linked, catalog: OwnCatalog) -> list[Match]:
    """The entities that a question names, as nodes of their narrowest types."""
    return [
        Match(span.start, span.end, catalog.narrowest(c.type), NAME, c.name, c.score, c.uid)
        for span in linked.entities for c in span.candidates
    ]  # fmt: skip


def held(linked: Linked, store: Store) -> dict[str, frozenset[tuple[str, bool]]]:
    """For the entities that a question may name, by uid, the relations they have, as (relation, whether as its subject)."""
    uids = [c.uid for span in linked.entities for c in span.candidates]
    _, rows = store.read(
        "UNWIND $uids AS uid MATCH (a:Entity {uid: uid})-[r]-() "
        "RETURN uid, collect(DISTINCT [type(r), startNode(r) = a]) AS held",
        {"uids": uids},
    )
    return {uid: frozenset(map(tuple, pairs)) for uid, pairs in rows}


def readings(linked: Linked, store: Store, known: Vocabulary) -> tuple[list[Settled], OwnCatalog] | None:
    """The best trees of a question, run, best first; None when query graphs can say what it asks."""
    if not linked.goes_beyond:
        return None
    catalog = own_catalog(store, known.schema, known.embedder)
    made = asked(linked.question, matches(linked, catalog), catalog)
    compared = any(n.operator != "=" for n in made.frame.numbers)
    if not (linked.beyond or made.frame.group >= 0 or compared):
        return None
    return settled_trees(made, linked, catalog, store), catalog


def settled_trees(made: Asked, linked: Linked, catalog: OwnCatalog, store: Store) -> list[Settled]:
    """The best trees of any question, run, best first."""
    # what is asked to be may not be: then nothing is known of where to look
    relations = {} if made.frame.output == "exists" else held(linked, store)
    search = Search(made, catalog, most_nodes=min(4, len(linked.entities) + 2), held=relations)
    return settle(search.ranked(), catalog, store, most=MOST_RUN)


def likely(settled: Sequence[Settled], linked: Linked) -> float:
    """How likely the best candidate is right: a logistic function of `signs`.

    Nothing is sure of why something is, and what is named is no answer to a question about it.
    """
    if not settled or not linked.words or settled[0].found.features["known"] or linked.words[0].lower == "why":
        return 0.0
    values = signs(settled, linked)
    return round(1 / (1 + math.exp(-sum(SURE[name] * value for name, value in values.items()))), 4)


def signs(settled: Sequence[Settled], linked: Linked) -> dict[str, float]:
    """What tells whether the best candidate is right: its score, its rivals, and what it leaves out."""
    best = settled[0]
    named = [c.score for span in linked.entities for c in span.candidates if c.uid in meant(best)]
    return {
        "share": agreement(settled),
        "score": best.found.score,
        "uncovered": best.found.features["uncovered"],
        "unknown": float(bool(linked.unknown)),
        "names": min(named, default=1.0),
        "empty": float(not best.rows and best.tree.output == "node" and best.tree.absent < 0),
        "": 1.0,
    }


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer rests on: its facts, and (name or value, uid) of what is told or counted."""

    facts: list[dict[str, Any]]
    pairs: list[tuple[str, str]]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.pairs]


def told(best: Settled, catalog: OwnCatalog, store: Store) -> Told:
    """What the answer of a tree rests on; among many answers the facts of the first."""
    tree = best.tree
    pairs: list[list[Any]] = []
    if tree.output != "exists" and tree.group < 0 and tree.output not in ("avg", "sum"):
        cypher, params = tree_cypher(dataclasses.replace(tree, output="node"), catalog, uids=True)
        _, pairs = guard.run(cypher, params, store)
    named = [(str(name), uid) for name, uid in pairs]
    cypher, params = facts_cypher(tree, catalog)
    if not cypher:
        return Told([], named)
    columns, rows = guard.run(f"{cypher} LIMIT {MOST_FACTS}", params | {"answers": pairs[:MOST_FACTS] or None}, store)
    return Told([dict(zip(columns, row, strict=True)) for row in rows], named)


def meant(settled: Settled) -> set[str]:
    """The uids of the entities that a tree takes the names of the question for."""
    return {c.uid for node in settled.tree.nodes for c in node.conditions if c.uid}
