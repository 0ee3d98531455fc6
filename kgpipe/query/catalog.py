"""What a property graph holds, as asking needs it: attributes and links of every type, their phrases and vectors."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgpipe.graph.store import quoted
from kgpipe.query.link import encoded
from kgpipe.query.words import FUNCTION, content_stems, words
from kgpipe.schema import Schema, in_words
from kgpipe.stems import stem

if TYPE_CHECKING:
    from kgpipe.graph.store import Store
    from kgpipe.models.embed import Embedder

SOURCE, TARGET = 1, -1
"""What the other end of a link is in an event: the caller or the called."""
GIVING = frozenset(
    "send sends sending sent pay pays paying paid make makes making made place places placing placed give gives giving gave".split()
)
GETTING = frozenset("receive receives receiving received get gets getting got".split())
"""Verbs of who begins an event, and of whom it comes to."""
_SOURCE = GIVING | frozenset("from source origin departure sender payer giver maker".split())
_TARGET = GETTING | frozenset("to target destination arrival receiver recipient payee beneficiary".split())
_AGENT = re.compile(r"(.+?)(er|or|ed|ee)")
_NAME = re.compile(r"name|title", re.IGNORECASE)
SCAN_S = 300
"""Longest time that reading the links of a large database may take."""
SAMPLE = 300
"""Values from which the kind of a property is told."""
UNIQUE = 0.98
"""Share of distinct values from which a property may name its node."""
MOST_WORDS = 20_000
"""Words and pairs of words of questions whose vectors are kept."""
FEW = 50
"""With fewer relationships it may be chance that no node has two of a kind."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[/.]\d{1,2}[/.]\d{4}|\d{4}/\d\d/\d\d")
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_NAME_KEY = re.compile(r"(^|_)(name|title|label)$|(Name|Title)$")


@dataclass(frozen=True, slots=True)
class Link:
    """`count` relationships lead from nodes of type `subject` to nodes of type `object`.

    A relation with properties of its own is a type too, so that a tree may put conditions on it: its node stands for
    the relationship, and two halves ("subject", "object") join it to the nodes at its ends.
    """

    subject: str
    relation: str
    object: str
    count: int
    half: str = ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """Kind of a property: text, number, year, date, flag or other; `as_text` where numbers are kept as texts, `iso` for dates that begin with the year.

    With `linked` the value is that of a node at the end of a relationship, as kgpipe keeps dates and numbers.
    """

    kind: str
    as_text: bool = False
    iso: bool = False
    linked: bool = False


class Catalog:
    """Types, attributes and links that the database really has, within a schema; phrases are embedded once."""

    distinct_nodes = False
    """Whether two nodes of a tree must be two nodes of the graph; else only relationships are told apart, as in Cypher."""
    indexed = ""
    """Label of all nodes that have a uid, under which it is indexed."""

    def __init__(self, schema: Schema, store: Store, embedder: Embedder) -> None:
        self.schema = schema
        self.embedder = embedder
        self.types = self._types(store)
        self.attributes: dict[str, dict[str, Attribute]] = {t: {} for t in self.types}
        """For each type its properties."""
        self._read_attributes(store)
        self.relationships: dict[str, dict[str, Attribute]] = self._relationship_attributes(store)
        """Relations with properties of their own."""
        self.attributes |= self.relationships
        self.types += tuple(self.relationships)
        self.links = self._links(store)
        self.links += _halves(self.links, self.relationships)
        self.around: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        """For each type the links at it: (index into `links`, whether the type is the subject)."""
        for i, found in enumerate(self.links):
            self.around[found.subject].append((i, True))
            if not self.symmetric(i):
                self.around[found.object].append((i, False))
        self.sizes, self.name_keys = self._sizes_and_keys(store)
        """Nodes of each type; the property that names its nodes, empty where none does."""
        self.single = self._single(store)
        """(link, whether read forwards) that join each node at their beginning to one other node at most."""
        self._vectors: dict[str, np.ndarray] = {}
        self._short: dict[str, np.ndarray] = {}
        self.phrases = {
            (i, forward): self._phrases(i, forward) for i in range(len(self.links)) for forward in (True, False)
        }
        """For each link read forwards and backwards, the phrases that say it."""
        real = [t for t in self.types if t not in self.relationships]
        self.compounds = _compounds(
            p
            for t in self.types
            for ps in (self.type_phrases(t), *map(self.attribute_phrases, self.attributes[t]))
            for p in ps
        )
        """For stems of words written as one, the words for a type or property of which they are made: postcode, post code."""
        self.type_nouns = frozenset(s for t in real for p in self.type_phrases(t) for s in noun_stems(p))
        self.type_nouns |= _compounds(p for t in real for p in self.type_phrases(t)).keys()
        """Stems of the words for types of nodes."""
        self.nouns = (
            self.type_nouns
            | self.compounds.keys()
            | {
                s
                for t in self.types
                for k in self.attributes[t]
                for p in self.attribute_phrases(k)
                for s in noun_stems(p)
            }
        )
        """Stems of the words for types of nodes and for properties."""
        named = (words(p) for t in self.types for k in self.attributes[t] for p in self.attribute_phrases(k))
        self.openings = frozenset((found[0].lower, found[1].stem) for found in named if len(found) > 1)
        """The first two words of the names of properties, of the second the stem: last outcome."""
        self.verbs = frozenset(s for ps in self.phrases.values() for p in ps for s in content_stems(p)) - self.nouns
        """Stems of the other words by which links are said."""
        self.parts = _parts(self)
        """For links of events with two parts to play: the type of the event, and whether the other end is its `SOURCE` or `TARGET`."""
        self.clauses = {key: self._clauses(*key) for key in self.phrases}
        phrases = [self.type_phrases(t) for t in self.types]
        phrases += [self.attribute_phrases(key) for t in self.types for key in self.attributes[t]]
        phrases += [*self.phrases.values(), *self.clauses.values()]
        self.vectors([p for ps in phrases for p in ps])  # at once is many times faster than one by one

    def _types(self, store: Store) -> tuple[str, ...]:
        return tuple(name for name, e in self.schema.entities.items() if not e.literal)

    def _relationship_attributes(self, store: Store) -> dict[str, dict[str, Attribute]]:
        return _relationship_attributes(self.schema, store)

    def _links(self, store: Store) -> tuple[Link, ...]:
        return _links(self.schema, store)

    def _sizes_and_keys(self, store: Store) -> tuple[dict[str, int], dict[str, str]]:
        return _sizes_and_keys(self, store)

    def _single(self, store: Store) -> frozenset[tuple[int, bool]]:
        return frozenset(
            (i, forward)
            for i in range(len(self.links)) for forward in (True, False)
            if not self.symmetric(i) and _is_single(self, i, forward, store)
        )  # fmt: skip

    def _read_attributes(self, store: Store) -> None:
        for relation in self.schema.relations.values():
            if relation.stored != "property":
                continue
            for t in self.types:
                if self.schema.fits(t, relation.domain):
                    prop = f"n.{quoted(relation.name)}"
                    _, rows = store.read(f"MATCH (n:{quoted(t)}) WHERE {prop} IS NOT NULL RETURN {prop} LIMIT {SAMPLE}")
                    if rows:
                        self.attributes[t][relation.name] = kind_of([row[0] for row in rows])

    def symmetric(self, link: int) -> bool:
        """Whether the link reads the same from both ends."""
        found = self.links[link]
        return not found.half and self.schema.relations[found.relation].symmetric and found.subject == found.object

    def label(self, entity_type: str) -> str:
        """The label of a type as words."""
        known = self.schema.entities.get(entity_type) or self.schema.relations[entity_type]
        return known.label

    def type_phrases(self, entity_type: str) -> tuple[str, ...]:
        """Label, description when short, and synonyms of a type."""
        e = self.schema.entities.get(entity_type) or self.schema.relations[entity_type]
        return tuple(dict.fromkeys(p for p in (e.label, *e.synonyms, _short(e.description)) if p))

    def wider(self, entity_type: str) -> list[str]:
        """The types of the catalog above a type."""
        return [t for t in self.schema.ancestors(entity_type)[1:] if t in self.attributes]

    def human(self, entity_type: str) -> bool:
        """Whether the nodes of a type are people."""
        person = self.vectors(["person people"])[0]
        return float((self.vectors(self.type_phrases(entity_type)) @ person).max()) >= 0.6

    def attribute_phrases(self, key: str) -> tuple[str, ...]:
        """Label, description when short, and synonyms of a property."""
        r = self.schema.relations.get(key)
        if r is None:  # of a relationship
            return (in_words(key),)
        return tuple(dict.fromkeys(p for p in (_short(r.description), r.label, *r.synonyms) if p))

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (n, width) of phrases of the schema, each embedded once."""
        return self._kept(texts, self._vectors, exact=False)

    def short_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """The same of words of questions, in fp32, so that what is read with them does not matter; some thousands are kept."""
        if len(self._short) > MOST_WORDS:
            self._short = {}
        return self._kept(texts, self._short, exact=True)

    def _kept(self, texts: Sequence[str], kept: dict[str, np.ndarray], *, exact: bool) -> np.ndarray:
        missing = [t for t in dict.fromkeys(texts) if t not in kept]
        if missing:
            kept.update(zip(missing, encoded(missing, self.embedder, exact=exact), strict=True))
        return np.stack([kept[t] for t in texts])

    def _phrases(self, link: int, forward: bool) -> tuple[str, ...]:
        r = self.schema.relations[self.links[link].relation]
        if forward or r.symmetric:
            return tuple(dict.fromkeys(p for p in (_short(r.description), r.label, *r.synonyms) if p))
        return tuple(dict.fromkeys(p for p in (in_words(r.inverse), r.label, *r.synonyms) if p))

    def _clauses(self, link: int, forward: bool) -> tuple[str, ...]:
        found = self.links[link]
        a, b = self.label(found.subject), self.label(found.object)
        if not forward:
            a, b = b, a
        return tuple(f"{a} {p} {b}".lower() for p in self.phrases[link, forward])


def _is_single(catalog: Catalog, link: int, forward: bool, store: Store) -> bool:
    x = catalog.links[link]
    here, there = (x.subject, x.object) if forward else (x.object, x.subject)
    if x.half or not FEW <= x.count <= catalog.sizes[here]:
        return False
    left, right = ("-", "->") if forward else ("<-", "-")
    pattern = f"(n){left}[:{quoted(x.relation)}]{right}(:{quoted(there)})"
    _, rows = store.read(f"MATCH (n:{quoted(here)}) WHERE COUNT {{ {pattern} }} > 1 RETURN 1 LIMIT 1", timeout_s=SCAN_S)
    return not rows


def _parts(catalog: Catalog) -> dict[int, tuple[str, int]]:
    """The links of types of events: those from which two relations with opposed words lead to one other type.

    The caller and the called of a call, from and to; or a message that was sent and received.
    """
    between: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, x in enumerate(catalog.links):
        if x.subject != x.object and not x.half:
            between[x.subject, x.object].append(i)
    found = {}
    for (subject, other), links in between.items():
        labels = {i: [w.lower for w in words(catalog.schema.relations[catalog.links[i].relation].label)] for i in links}
        roots = {m[1] for label in labels.values() if (m := _AGENT.fullmatch(label[-1] if label else ""))}
        paired = {
            r
            for r in roots
            if len({x[-1] for x in labels.values() if x and _AGENT.fullmatch(x[-1]) and x[-1].startswith(r)}) > 1
        }
        signs = {i: _sign(labels[i], catalog.phrases[i, True], paired) for i in links}
        verbs = {bool((GIVING | GETTING) & set(labels[i])) for i in links if signs[i]}
        if {SOURCE, TARGET} <= set(signs.values()) and len(verbs) == 1:
            found |= {i: (other if True in verbs else subject, sign) for i, sign in signs.items() if sign}
    return found


def _sign(label: Sequence[str], phrases: Sequence[str], paired: Collection[str]) -> int:
    """What a label, and where it does not tell all phrases of a relation, say that its other end is; 0 where neither tells.

    `paired` are what caller and called have in common.
    """
    if (m := _AGENT.fullmatch(label[-1] if label else "")) and m[1] in paired:
        return SOURCE if m[2] in ("er", "or") else TARGET
    for tokens in (set(label), {w.lower for p in phrases for w in words(p)}):
        source, target = len(_SOURCE & tokens), len(_TARGET & tokens)
        if source != target:
            return SOURCE if source > target else TARGET
    return 0


def is_name_key(key: str) -> bool:
    """Whether a property holds names, by its own name."""
    return bool(_NAME.search(key))


def kind_of(values: Sequence[Any]) -> Attribute:
    """The kind that all of the values have."""
    if all(isinstance(v, bool) for v in values):
        return Attribute("flag")
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return Attribute("year" if all(v == int(v) and 1000 <= v <= 2100 for v in values) else "number")
    texts = [v for v in values if isinstance(v, str)]
    if len(texts) < len(values):
        return Attribute("other")
    if all(_NUMBER.fullmatch(v) for v in texts):
        years = all(v.isdigit() and 1000 <= int(v) <= 2100 for v in texts)
        return Attribute("year" if years else "number", as_text=True)
    if all(_DATE.match(v) for v in texts):
        return Attribute("date", iso=all(_ISO.match(v) for v in texts))
    if sum(bool(_ISO.match(v)) for v in texts) >= 0.9 * len(texts):  # Northwind says NULL where there is no date
        return Attribute("date", iso=True)
    return Attribute("text")


def _relationship_attributes(schema: Schema, store: Store) -> dict[str, dict[str, Attribute]]:
    found: dict[str, dict[str, Attribute]] = {}
    for r in schema.relations.values():
        if r.stored == "relationship" and r.name not in schema.entities:
            _, rows = store.read(f"MATCH ()-[r:{quoted(r.name)}]->() RETURN properties(r) LIMIT {SAMPLE}")
            values: dict[str, list[Any]] = defaultdict(list)
            for [held] in rows:
                for key, value in held.items():
                    values[key].append(value)
            if values:
                found[r.name] = {key: kind_of(v) for key, v in sorted(values.items())}
    return found


def _halves(links: Sequence[Link], relationships: dict[str, dict[str, Attribute]]) -> tuple[Link, ...]:
    found = {}
    for link in links:
        if link.relation in relationships:
            found[link.subject, link.relation, link.relation, "subject"] = link.count
            found[link.relation, link.relation, link.object, "object"] = link.count
    return tuple(Link(a, r, b, n, half) for (a, r, b, half), n in found.items())


def _short(description: str) -> str:
    return description if description and len(description.split()) <= 8 else ""


def _compounds(phrases: Iterable[str]) -> dict[str, str]:
    found = {p: p.lower().split() for p in phrases}
    return {stem("".join(parts)): p for p, parts in found.items() if len(parts) == 2 and all(map(str.isalpha, parts))}


@functools.lru_cache(maxsize=100_000)
def noun_stems(phrase: str) -> tuple[str, ...]:
    """Stems of a phrase without function words; the phrase itself where nothing else is in it."""
    return content_stems(phrase) or tuple(w for w in phrase.lower().split() if w not in FUNCTION)


def _links(schema: Schema, store: Store) -> tuple[Link, ...]:
    """Every combination of types that a relation joins, each end by its narrowest type, most frequent first."""
    relations = {r.name: r for r in schema.relations.values() if r.stored == "relationship"}
    _, rows = store.read(
        "MATCH (a)-[r]->(b) RETURN labels(a) AS a, type(r) AS r, labels(b) AS b, count(*) AS n",
        timeout_s=SCAN_S,
        max_rows=None,
    )
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for left, relation, right, n in rows:
        if relation in relations:
            for a in _narrowest(left, schema):
                for b in _narrowest(right, schema):
                    counts[a, relation, b] += n
    found = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Link(*ends, n) for ends, n in found)


def _narrowest(labels: Sequence[str], schema: Schema) -> list[str]:
    known = [label for label in labels if label in schema.entities]
    wider = {a for label in known for a in schema.ancestors(label)[1:]}
    return [label for label in known if label not in wider]


def _sizes_and_keys(catalog: Catalog, store: Store) -> tuple[dict[str, int], dict[str, str]]:
    sizes, keys = {}, {}
    for t in catalog.types:
        pattern = f"()-[n:{quoted(t)}]->()" if t in catalog.relationships else f"(n:{quoted(t)})"
        _, [[n]] = store.read(f"MATCH {pattern} RETURN count(n)", timeout_s=SCAN_S)
        sizes[t] = n
        keys[t] = ""
        if t in catalog.relationships:
            continue
        likely = sorted((k for k in catalog.attributes[t] if _NAME_KEY.search(k)), key=lambda k: (len(k), k))
        for key in likely:
            _, [[held, distinct]] = store.read(
                f"MATCH (n:{quoted(t)}) RETURN count(n.{quoted(key)}), count(DISTINCT n.{quoted(key)})",
                timeout_s=SCAN_S,
            )
            if n and held >= UNIQUE * n and distinct >= UNIQUE * held:
                keys[t] = key
                break
    return sizes, keys
