"""Query trees over graphs that kgpipe built: types with their parents, dates and numbers at nodes of their own."""

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
from kgpipe.query.frame import LAST
from kgpipe.query.link import Linked
from kgpipe.query.settle import Settled, agreement
from kgpipe.query.tree_cypher import facts_cypher, tree_cypher
from kgpipe.query.trees import Condition, Held, Scored, Search, Tree, asked
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
MOST_NODES = 4
MOST_RUN = 5
"""Query trees that are run against the graph."""
MOST_FACTS = 100
"""Facts that are fetched for one answer."""
ALIKE = 1.0
"""How much less well a tree may say the question and still be a reading of it."""
MOST_READINGS = 4
SURE = {"share": 3.21, "empty": -6.86, "score": 0.065, "uncovered": -2.21, "names": 1.52, "": -2.51}
"""Weights of the confidence in logits, as `benchmarks/confidence.py` fits them."""
_catalogs: dict[tuple[str, str, int], OwnCatalog] = {}


class OwnCatalog(Catalog):
    """What a graph of ours holds. A node counts with its type and with every parent of it.

    Relations to literals are attributes of their subjects. Facts have no conditions of their own.
    """

    distinct_nodes = True
    indexed = UNTYPED

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

    def _single(self, store: Store) -> frozenset[tuple[int, bool]]:
        return frozenset()  # that the texts name one says nothing

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
    """The entities that a question names, as nodes of their narrowest types, and the dates and numbers that were given."""
    return [
        Match(span.start, span.end, catalog.narrowest(c.type), NAME, c.name, c.score, c.uid)
        for span in linked.entities for c in span.candidates
    ] + [
        Match(v.start, v.end, t, key, v.value, 1.0, operator="STARTS WITH")
        for v in linked.values if v.given
        for t in catalog.types for key, x in catalog.attributes[t].items() if x.linked and x.kind == v.kind
    ]  # fmt: skip


def held(linked: Linked, store: Store) -> Held:
    """The relations of the entities that a question may name."""
    uids = [c.uid for span in linked.entities for c in span.candidates]
    _, rows = store.read(
        "UNWIND $uids AS uid MATCH (a:Entity {uid: uid})-[r]-(b) "
        "RETURN uid, collect(DISTINCT [type(r), startNode(r) = a, labels(b)]) AS held",
        {"uids": uids},
    )
    return {uid: frozenset((r, out, t) for r, out, labels in found for t in labels) for uid, found in rows}


def ranked(linked: Linked, catalog: OwnCatalog, store: Store) -> list[Scored]:
    """The trees of a question, best first."""
    made = asked(linked.question, matches(linked, catalog), catalog)
    # what is asked to be may not be: then nothing is known of where to look
    relations = {} if made.frame.output == "exists" else held(linked, store)
    search = Search(made, catalog, held=relations)
    search.most_nodes = min(MOST_NODES, max(len(linked.entities) + 2, len(search.mentions)))
    return search.ranked()


def together(settled: Sequence[Settled], linked: Linked, catalog: OwnCatalog) -> list[Settled]:
    """The best tree, and those that differ from it only in which thing of one name the question speaks of.

    A thing that another one's name names less surely, or whose tree says the question less well, is not meant: then
    grammar or type decided.
    """
    if not settled:
        return []
    best = settled[0]
    known = {c.uid: c for span in linked.entities for c in span.candidates}
    found = [best]
    for other in settled[1:]:
        if other.found.score < best.found.score - ALIKE or _shape(other.tree, catalog) != _shape(best.tree, catalog):
            continue
        ours, theirs = meant_by(best), meant_by(other)
        if any(theirs == meant_by(one) for one in found) or not (other.rows or best.tree.output == "exists"):
            continue
        pairs = [
            (known[uid], known[theirs[span]])
            for span, uid in ours.items()
            if theirs[span] != uid and uid in known  # else a date in figures, whose first may be day or month
        ]
        # "No" for everybody of a family name is no answer about the one who is meant
        whole = best.tree.output != "exists" or all(b.whole for _, b in pairs)
        if whole and all(a.rivals(b) for a, b in pairs):
            found.append(other)
    return found[:MOST_READINGS]


def _shape(tree: Tree, catalog: OwnCatalog) -> Any:
    """The tree without what its names stand for, and without types, of which one thing may have fewer around it."""

    def at(i: int, parent: int) -> tuple:
        node = tree.nodes[i]
        conditions = tuple((c.key, c.operator, "" if _may_differ(c) else str(c.value), c.span) for c in node.conditions)
        below = [
            (catalog.links[link].relation, a == i, k == tree.absent, at(b if a == i else a, i))
            for k, (a, b, link) in enumerate(tree.edges) if i in (a, b) and parent not in (a, b)
        ]  # fmt: skip
        return conditions, tuple(sorted(below))

    return at(tree.root, -1), tree.key, tree.output, tree.order and tree.order[:2], tree.most, tree.limit


def likely(settled: Sequence[Settled], linked: Linked) -> float:
    """How likely the best candidate is right: a logistic function of `signs`."""
    return _likely(signs(settled, linked), settled[0].found, linked) if settled else 0.0


def most_likely(ranked: Sequence[Scored], linked: Linked) -> float:
    """How likely the best of the trees that may be run can come to be right, if all that it finds speaks for it."""
    signs_of = ({"share": 1.0, "empty": 0.0, **_signs(found, linked)} for found in ranked[:MOST_RUN])
    return max((_likely(s, found, linked) for s, found in zip(signs_of, ranked, strict=False)), default=0.0)


def _likely(signs: dict[str, float], best: Scored, linked: Linked) -> float:
    """Nothing is sure of why something is, of what the graph does not know, and what is named is no answer about itself.

    What somebody did is no one relation ("What did A's father do?").
    """
    if not linked.words or linked.unknown or best.features["known"] or linked.words[0].lower == "why":
        return 0.0
    if linked.words[0].lower == "what" and linked.words[-1].lower in ("do", "done"):
        return 0.0
    logit = sum(SURE[name] * value for name, value in signs.items())
    return round(1 / (1 + math.exp(-logit)), 4)


def signs(settled: Sequence[Settled], linked: Linked) -> dict[str, float]:
    """What tells whether the best candidate is right: its score, its rivals, and what it leaves out."""
    best = settled[0]
    # that there are none is told of what has others of the kind; of what has none it is only not known
    none = not best.rows or (best.tree.output == "count" and best.rows[0][0] == 0 and best.found.features["lacking"])
    empty = none and best.tree.output in ("node", "count") and best.tree.absent < 0
    return {"share": agreement(settled), "empty": float(empty), **_signs(best.found, linked)}


def _signs(best: Scored, linked: Linked) -> dict[str, float]:
    taken = set(_meant_by(best.tree).values())
    named = [c.score for span in linked.entities for c in span.candidates if c.uid in taken]
    return {"score": best.score, "uncovered": best.features["uncovered"], "names": min(named, default=1.0), "": 1.0}


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer rests on: its facts, and (name or value, uid) of what is told or counted."""

    facts: list[dict[str, Any]]
    pairs: list[tuple[str, str]]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.pairs]

    @property
    def truth(self) -> float:
        """How likely it is true: of one answer the surest fact of each relation, of several a fact by and large.

        A fact's score is the calibrated probability that it was read right. What is counted for each of many, or only
        said to be so, is by and large true as well.
        """
        scores = [1.0 if fact["score"] is None else fact["score"] for fact in self.facts]
        if not scores:
            return 1.0
        if len(self.pairs) != 1:
            return sum(scores) / len(scores)
        best: dict[str, float] = {}
        for fact, score in zip(self.facts, scores, strict=True):
            best[fact["relation"]] = max(score, best.get(fact["relation"], 0.0))
        return math.prod(best.values())


def told(best: Settled, catalog: OwnCatalog, store: Store) -> Told:
    """What the answer of a tree rests on; among many answers the facts of the first."""
    tree = best.tree
    pairs = best.pairs or []
    if best.pairs is None and tree.output != "exists" and tree.group < 0 and tree.output not in ("avg", "sum"):
        cypher, params = tree_cypher(dataclasses.replace(tree, output="node"), catalog, uids=True)
        _, pairs = guard.run(cypher, params, store)
    named = [(str(name), uid) for name, uid in pairs]
    cypher, params = facts_cypher(tree, catalog)
    if not cypher:
        return Told([], named)
    columns, rows = guard.run(f"{cypher} LIMIT {MOST_FACTS}", params | {"answers": pairs[:MOST_FACTS] or None}, store)
    return Told([dict(zip(columns, row, strict=True)) for row in rows], named)


def meant(settled: Settled) -> set[str]:
    """The uids of the entities that a tree takes the names of the question for, and its dates."""
    return set(meant_by(settled).values())


def meant_by(settled: Settled) -> dict[int, str]:
    """For each span that names an entity the uid that the tree takes it for, for one that says a date the date."""
    return _meant_by(settled.tree)


def _meant_by(tree: Tree) -> dict[int, str]:
    return {c.span: c.uid or c.value.rstrip(LAST) for node in tree.nodes for c in node.conditions if _may_differ(c)}


def _may_differ(condition: Condition) -> bool:
    """Whether a condition may be one of several that the same words mean: an entity, or a day."""
    return bool(condition.uid) or (isinstance(condition.value, str) and condition.operator != "=")
