"""Query trees over a property graph: grown around the values that a question names, ranked by what its words ask for.

A tree has typed nodes with conditions on their properties, joined by links of the catalog; one node is asked for, or
one of its properties, a count, an average. Trees grow by one link or one condition at a time in a beam; the score is a
linear sum over features that hold for any schema.
"""

from __future__ import annotations

import heapq
import math
import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from kgpipe.query.catalog import Catalog, is_name_key, noun_stems
from kgpipe.query.events import Parts, events_said, governed, part_of
from kgpipe.query.frame import LAST, PARTICIPLES, Frame, Number, dates, frame, is_compared
from kgpipe.query.grammar import PARTICIPLE, anchor_is_subject, is_participle
from kgpipe.query.link import encoded, scaled
from kgpipe.query.plain import JOINT
from kgpipe.query.values import Match, is_id
from kgpipe.query.words import BE, FUNCTION, INDEFINITE, LIGHT, PREPOSITION, ROLES, SYNONYMS, Word, words
from kgpipe.schema import in_words
from kgpipe.stems import stem

WIDTH = 250
"""Partial trees kept at each step."""
MOST_STEPS = 4
"""For each partial tree kept, the steps that are looked at; many lead to the same tree."""
BUDGET_S = 1.5
"""Time for growing; what is complete by then is ranked."""
ASTRAY = 0.6
"""What a partial tree loses of its promise when a link's word stands nearer to another value than to those at its end, or when the
link joins things that no joint of the sentence lets belong together."""
BOTH_PARTS = 1.0
"""What the promise of a partial tree gains by the second of the two things that take part in an event."""
CLAIMED = 0.6
"""What a word that belongs to a longer phrase still says for links that have only the word."""
NAMED = 0.95
"""From how much a head noun names a type."""
SPOKEN = 0.7
"""From how much a word must speak for a link to ask for it."""
MOST_EMBEDDED = 12
"""Candidates whose words are compared as sentence vectors."""
SLIP = 1e-9
"""By how much two sums of the same numbers may differ."""
WEIGHTS = {
    "another": -4.4, "attached": 2.2, "chain": 1.3, "coverage": 2.3, "denied": 3.7, "direction": 1.2, "dropped": -4.0, "edges": 2.7,
    "extra": -0.4, "frequent": 0.7, "head": 4.0, "idle": -0.4, "known": -3.6, "lacking": -0.7, "least": 2.0, "merged": -3.0, "near": 1.4, "order": 2.1,
    "outward": 1.6, "part": 5.0, "passing": 0.3, "placed": 1.0, "rooted": 1.1, "shared": 2.4, "size": -2.1, "uncovered": -3.0, "unmet": -1.7,
    "values": 2.4, "whole": 8.0,
}  # fmt: skip
"""Weight of each feature, as `benchmarks/tree_weights.py` fits them; `denied`, `merged` and `part` by hand, as few questions need them."""
MOST_THINGS, MOST_PLACES = 12, 60
"""Things of a question that are given nodes, and ways to do so that are compared."""
OPERATORS = {
    "=": "", "<>": "other than ", ">": "more than ", "<": "less than ", ">=": "at least ", "<=": "at most ", "between": "between ",
    "CONTAINS": "containing ", "STARTS WITH": "starting with ", "ENDS WITH": "ending with ",
}  # fmt: skip
"""How comparisons are said."""
ASKERS = {"who": "person people", "whom": "person people", "where": "place location address", "when": "date time year", "old": "age",
          "long": "duration length", "much": "price amount cost", "tall": "height", "expensive": "price"}  # fmt: skip
ALSO_ASKED = {"who": "organization company", "whom": "organization company", "where": "organization company school"}
"""What else may answer, less likely: who bought it, where she studied."""


WIDER = 0.85
"""How much of what speaks for a type speaks for the one above it, of which what it says may be known no closer."""
_WITH_NOUN = (
    ("share shares sharing shared", "home homes house household residence roof apartment flat address place", "lives with"),
    ("make makes making made", "film films movie movies", "directed"),
)  # fmt: skip
"""Verbs that mean something else where one of the nouns is in the question."""
_HOMES = frozenset(_WITH_NOUN[0][1].split())
_SHARING = frozenset(_WITH_NOUN[0][0].split())
VAGUE = frozenset(
    "linked connected tied related associated involving involved included belonging corresponding connection connections ties".split()
)
"""Words for any link."""
ANYTHING = frozenset("something anything thing things".split())
ALIKE = frozenset(
    "same together else also too likewise colleague colleagues coworker coworkers co-worker co-workers fellow fellows co-founder "
    "co-founders cofounder cofounders co-author co-authors classmate classmates collaborator collaborators collaborated".split()
)
"""Words for what two things have in common: one relation of both to a third."""
OTHERS = frozenset("other another else".split())
"""Words for what is not the thing itself that was named."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Property `key` of a node compares with `value`; `span` is the index of the words that say so.

    With a `uid` the node is the one of that uid, which `value` names.
    """

    key: str
    operator: str
    value: Any
    span: int
    upper: Any = None
    score: float = 1.0
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """Any node of the type that meets the conditions."""

    type: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes and edges (subject node, object node, link); `root` is asked for, `key` names its property, "" for itself.

    `output` is node, count, exists, avg or sum; `order` is (property, "desc" or "asc", its node). With `most` (the sign)
    the root is ranked by `measure`: (count, avg or sum; node; its property). With `group` the output is given for each
    node there. The edge `absent` must not be. A condition on the key "#" compares how many nodes there are.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int, int], ...] = ()
    root: int = 0
    key: str = ""
    output: str = "node"
    order: tuple[str, str, int] | None = None
    most: int = 0
    measure: tuple[str, int, str] | None = None
    group: int = -1
    absent: int = -1
    limit: int = 1
    apart: bool = False
    """Whether two nodes of it must be two nodes of the graph, also where the catalog does not say so of all."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A tree with its score and features."""

    tree: Tree
    score: float
    features: dict[str, float]
    said: str = ""


@dataclass(frozen=True)
class Asked:
    """A question with its words, what they name and the form of its answer."""

    question: str
    words: tuple[Word, ...]
    spans: tuple[tuple[int, int], ...]
    """Words [start, end) of each value or number."""
    choices: tuple[tuple[tuple[str, Condition], ...], ...]
    """For each span the (type, condition) it may be."""
    frame: Frame
    content: tuple[int, ...]
    """Indexes of the words that ask for parts of the graph; of a whole phrase of a relation the first."""
    parts: Mapping[str, Parts] = field(default_factory=dict)
    """For types of events what is said of the parts that things play in them."""
    phrases: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Relations of which a whole phrase of several words begins at a word."""


Held = Mapping[Any, frozenset[tuple[str, bool, str]]]
"""Relations that what a condition names has in the graph, as (relation, whether as its subject, type of the other end)."""


def identity(entity_type: str, condition: Condition | Match) -> Any:
    """What is named by a condition on nodes of a type, or by a match: the uid, or type, property and value."""
    return condition.uid or (entity_type, condition.key, condition.value)


def asked(question: str, matches: Sequence[Match], catalog: Catalog) -> Asked:
    """The question with its frame; matches over the same words are readings of one span."""
    found = tuple(words(question))
    matches = [m for m in matches if not _no_value(found, question, m)]
    spans: list[tuple[int, int]] = []
    choices: list[list[tuple[str, Condition]]] = []
    for m in matches:
        if (m.start, m.end) not in spans:
            spans.append((m.start, m.end))
            choices.append([])
        at = spans.index((m.start, m.end))
        choices[at].append((m.type, Condition(m.key, m.operator, m.value, at, score=m.score, uid=m.uid)))
    taken = frozenset(i for s in spans for i in range(*s))
    dated = dates(found, question, taken)
    in_dates = frozenset(i for start, end, *_ in dated for i in range(start, end))
    made = frame(found, question, taken | in_dates, catalog.nouns, catalog.type_nouns, catalog.openings)
    for n in made.texts:
        texts = [
            (t, Condition(key, n.operator, n.value, len(spans), score=0.8))
            for t in catalog.types for key, x in catalog.attributes[t].items() if x.kind == "text"
        ]  # fmt: skip
        if texts:
            spans.append((n.start, n.end))
            choices.append(texts)
    for n in made.numbers:
        at = len(spans)
        years = 1000 <= n.value <= 2100 and (n.upper is None or n.upper <= 2100)
        numeric = [
            (t, Condition(key, n.operator, _plain(n.value), at, _plain(n.upper), 0.9 if years == (x.kind == "year") else 0.4))
            for t in catalog.types for key, x in catalog.attributes[t].items()
            if (x.kind == "number" or (x.kind == "year" and years)) and not is_id(key)
        ]  # fmt: skip
        numeric += [
            (t, _in_years(key, n, at))
            for t in catalog.types for key, x in catalog.attributes[t].items() if years and x.kind == "date" and x.iso
        ]  # fmt: skip
        before = found[n.start - 1].stem if n.start else ""
        numeric += [
            (t, Condition(key, "=", _plain(n.value), at, score=0.9))
            for t in catalog.types for key, x in catalog.attributes[t].items()
            if x.kind in ("number", "year") and is_id(key) and n.operator == "="
            and before in {s for p in catalog.type_phrases(t) for s in noun_stems(p)}
            and {s for p in catalog.type_phrases(t) for s in noun_stems(p)} & set(noun_stems(in_words(key)))
        ]  # fmt: skip
        following = {w.stem for w in found[n.end : n.end + 2]}
        numeric += [
            (t, Condition("#", n.operator, _plain(n.value), at, _plain(n.upper), 0.9))
            for t in catalog.types
            if t not in catalog.relationships and n.operator != "=" and following & {s for p in catalog.type_phrases(t) for s in noun_stems(p)}
        ]  # fmt: skip
        if numeric:
            spans.append((n.start, n.end))
            choices.append(numeric)
    for span in dict.fromkeys((start, end) for start, end, *_ in dated):
        days = [
            (t, Condition(key, operator, value, len(spans), score=0.9))
            for start, end, operator, value in dated if (start, end) == span
            for t in catalog.types for key, x in catalog.attributes[t].items() if x.kind == "date" and x.iso
        ]  # fmt: skip
        if days:
            spans.append(span)
            choices.append(days)
    for i, w in enumerate(found):
        flags = [
            (t, Condition(key, "=", made.negated < 0, len(spans)))
            for t in catalog.types for key, x in catalog.attributes[t].items()
            if x.kind == "flag" and i not in taken and w.stem in {s for p in catalog.attribute_phrases(key) for s in noun_stems(p)}
        ]  # fmt: skip
        if flags:
            spans.append((i, i + 1))
            choices.append(flags)
    content = tuple(
        i for i, w in enumerate(found)
        if i not in taken and i not in made.frame_words
        and (w.lower not in FUNCTION or w.lower in INDEFINITE or w.lower == made.asker == "where")
        and not any(a <= i < b for a, b in spans)
    )  # fmt: skip
    whole = _whole_phrases(found, question, content, taken, catalog)
    inside = {i for _, rest in whole.values() for i in rest}
    for i in sorted(_attribute_words(found, catalog)):
        if i - 1 in inside:  # knows the phone number of
            inside.add(i)
    if any(_WITH_NOUN[0][2] in p for phrases in catalog.phrases.values() for p in phrases):
        inside |= {
            i for i, w in enumerate(found)
            if w.lower in _HOMES and i not in taken and _SHARING & {x.lower for x in found[max(0, i - 3) : i]}
        }  # fmt: skip
    content = tuple(i for i in content if i not in inside)
    phrases = {i: frozenset(relations) for i, (relations, _) in whole.items()}
    read = Asked(question, found, tuple(spans), tuple(map(tuple, choices)), made, content, phrases=phrases)
    return replace(read, parts=events_said(read, catalog))


def _no_value(found: Sequence[Word], question: str, match: Match) -> bool:
    """Whether a match is no value: a number that is compared or says how many are wanted, how long, where it lies."""
    bare = found[match.start].text
    if match.operator != "=" or match.end - match.start > 1:
        return False
    if bare in _LYING and is_name_key(match.key):
        return True  # where it lies, no officer Lie
    if match.start and found[match.start - 1].lower == "how" and bare == bare.lower() and not bare.isdigit():
        return True  # how long
    if not bare.isdigit():
        return False
    before = [w.lower for w in found[max(0, match.start - 2) : match.start]]
    counts = len(bare) <= 2 and (not before or before[-1] in ("top", "first", "which", "what", "the", "bottom"))
    return counts or is_compared(question[: found[match.start].start])


def _in_years(key: str, n: Number, span: int) -> Condition:
    """The comparison of a date, as a text that begins with the year, with years."""
    low, high = str(int(n.value)), str(int(n.value if n.upper is None else n.upper)) + LAST
    if n.operator == "between":
        return Condition(key, "between", low, span, high, 0.9)
    if n.operator == "=":
        return Condition(key, "STARTS WITH", low, span, score=0.9)
    return Condition(key, n.operator, high if n.operator in (">", "<=") else low, span, score=0.9)


def _plain(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value


@dataclass
class Evidence:
    """How much each content word (and the head, and the asker) speaks for each part of the catalog, 0 to 1."""

    types: dict[str, np.ndarray]
    links: dict[tuple[int, bool], np.ndarray]
    attributes: dict[str, np.ndarray]
    clauses: dict[tuple[int, bool], float]
    """Nearness of the nearest window of the question to the link read forwards or backwards, 0 to 1 among all links."""
    head_types: dict[str, float]
    head_links: dict[tuple[int, bool], float]
    """How well the head noun names the node at that end of a link: director, actor."""
    head_attributes: dict[str, float]
    vector: np.ndarray = field(default_factory=lambda: np.zeros(1))


def weigh(a: Asked, catalog: Catalog) -> Evidence:
    """The evidence of the words of a question."""
    f = a.frame
    texts = [a.words[i].lower for i in a.content]
    after = [a.words[i + 1].lower if i + 1 < len(a.words) else "" for i in a.content]
    wider = [f"{t} {x}" if x in PREPOSITION else t for t, x in zip(texts, after, strict=True)]
    head = _head_text(a, catalog)
    windows = _windows(a)
    asker, also = ASKERS.get(f.asker, ""), ALSO_ASKED.get(f.asker, "thing")
    vectors = encoded([a.question, *windows], catalog.embedder)
    n = len(texts)
    meant = [_meant(a.words, i) or catalog.compounds.get(a.words[i].stem, "") for i in a.content]
    synonyms = [m or t for m, t in zip(meant, texts, strict=True)]
    in_short = catalog.short_vectors([head or "thing", asker or "thing", also, *texts, *wider, *synonyms])
    head_vector, asker_vector, also_vector = in_short[:3]
    per_word, with_preposition, by_synonym = np.split(in_short[3:], 3)
    meant_stems = [noun_stems(m) if m else () for m in meant]
    stems = [a.words[i].stem for i in a.content]

    def near(phrases: Sequence[str], low: float = 0.35, high: float = 0.8, *, together: bool = False) -> np.ndarray:
        """`together`: the last word of a phrase must stand beside a word before it, as "phone" alone is no phone call."""
        if not n:
            return np.zeros(0)
        table = catalog.vectors(phrases).T
        near_by = np.maximum(np.maximum(per_word @ table, with_preposition @ table), by_synonym @ table).max(1)
        soft = 0.85 * np.clip((near_by - low) / (high - low), 0, 1)
        for p in phrases:
            inside = noun_stems(p)
            for w, s in enumerate(stems):
                if s in inside:
                    around = stems
                    if together and s != inside[-1]:
                        around = [x.stem for x in a.words[max(0, a.content[w] - 2) : a.content[w] + 3]]
                    soft[w] = max(soft[w], 0.6 + 0.4 * sum(x in around for x in inside) / len(inside))
                elif shared := sum(x in inside for x in meant_stems[w]):
                    soft[w] = max(soft[w], 0.5 + 0.4 * shared / max(len(inside), len(meant_stems[w])))
        return soft

    types = {t: near(catalog.type_phrases(t), together=True) for t in catalog.types}
    person = catalog.vectors(["person people"])[0]
    for t, speaks in types.items():
        human = scaled(float((catalog.vectors(catalog.type_phrases(t)) @ person).max()), 0.3, 0.75)
        for w, i in enumerate(a.content):
            if a.words[i].lower in INDEFINITE:
                speaks[w] = max(speaks[w], 0.95 * human)
    for w, i in enumerate(a.content):
        for t in _agents(a.words[i], catalog):
            types[t][w] = max(types[t][w], 0.8)
    for t in catalog.types:
        for wider in catalog.wider(t):
            types[wider] = np.maximum(types[wider], WIDER * types[t])
    keys = sorted({k for t in catalog.types for k in catalog.attributes[t]})
    attributes = {k: near(catalog.attribute_phrases(k)) for k in keys} | {"#": np.zeros(n)}
    links = {key: near(phrases) for key, phrases in catalog.phrases.items()}
    for w, i in enumerate(a.content):
        if i in a.phrases:  # who knows the phone of A need not know A
            for (link, _), speaks in links.items():
                speaks[w] = 1.0 if catalog.links[link].relation in a.phrases[i] else CLAIMED * speaks[w]
    for w, i in enumerate(a.content):
        if a.words[i].lower in VAGUE:
            for speaks in links.values():
                speaks[w] = max(speaks[w], 0.4)
    raw = {}
    for key, clauses in catalog.clauses.items():
        raw[key] = float((catalog.vectors(clauses) @ vectors[1:].T).max()) if windows else 0.0
    low, high = min(raw.values(), default=0.0), max(raw.values(), default=1.0)
    clauses = {key: scaled(v, low, max(high, low + 0.05)) for key, v in raw.items()}
    head_stems = noun_stems(head) if head else ()
    acting = bool(f.head) and bool(_agents(a.words[f.head[-1]], catalog))

    def of_head(phrases: Sequence[str], *, soft: bool = True) -> float:
        best = 0.0
        if head:
            best = 0.0 if not soft else 0.85 * scaled(float((catalog.vectors(phrases) @ head_vector).max()), 0.3, 0.85)
            last = head_stems[-1] if head_stems else ""
            for p in phrases:
                inside = noun_stems(p)
                shared = sum(s in inside for s in head_stems)
                if shared:
                    exact = 0.5 + 0.5 * shared / max(len(inside), 1)
                    best = max(best, exact if last in inside else 0.75 * exact)
        if asker:
            weight = 0.8 if not head else 0.5
            table = catalog.vectors(phrases)
            best = max(best, weight * scaled(float((table @ asker_vector).max()), 0.25, 0.7))
            if f.asker in ALSO_ASKED:
                best = max(best, 0.75 * weight * scaled(float((table @ also_vector).max()), 0.25, 0.7))
        return best

    head_types = {t: of_head(catalog.type_phrases(t)) for t in catalog.types}
    for t in catalog.types:
        for wider in catalog.wider(t):
            head_types[wider] = max(head_types[wider], WIDER * head_types[t])
    of_attributes = {k: of_head(catalog.attribute_phrases(k), soft=not acting) for k in keys}
    named = [noun_stems(p) for k in keys for p in catalog.attribute_phrases(k)]
    whole = {inside for inside in named if len(inside) > 1 and set(inside) <= set(head_stems)}
    for k in keys if whole else ():  # "email address" is no address
        if not whole & {noun_stems(p) for p in catalog.attribute_phrases(k)}:
            of_attributes[k] *= 0.5
    return Evidence(
        types, links, attributes, clauses, head_types,
        {key: of_head(phrases) if head else 0.0 for key, phrases in catalog.phrases.items()},
        of_attributes,
        vectors[0],
    )  # fmt: skip


def _whole_phrases(
    found: Sequence[Word], question: str, content: Sequence[int], valued: Collection[int], catalog: Catalog
) -> dict[int, tuple[set[str], set[int]]]:
    """Relations whose phrase stands in the question, articles and values aside, by the phrase's first word; and its other words.

    Phrases of two words or more that lead to their object by a preposition: knows the phone of.
    """
    relations: dict[tuple[str, ...], set[str]] = {}
    for (link, _), phrases in catalog.phrases.items():
        for phrase in phrases:
            if phrase.split()[-1] in PREPOSITION and len(inside := noun_stems(phrase)) > 1:
                relations.setdefault(inside, set()).add(catalog.links[link].relation)
    whole: dict[int, tuple[set[str], set[int]]] = {}
    taken: set[int] = set()
    for inside in sorted(relations, key=lambda stems: (-len(stems), stems)):
        for w in range(len(content) - len(inside) + 1):
            at = content[w : w + len(inside)]
            between = {found[i].lower for i in range(at[0], at[-1]) if i not in valued and i not in at}
            text = question[found[at[0]].start : found[at[-1]].end]
            if (
                tuple(found[i].stem for i in at) == inside
                and between <= _DETERMINERS
                and "," not in text
                and not taken & set(at)
            ):
                whole[at[0]] = (relations[inside], set(at[1:]))
                taken |= set(at)
    return whole


def _head_text(a: Asked, catalog: Catalog) -> str:
    """The head noun with what stands before it, in words of the schema: of "zip code" and "postcode" the post code."""
    said = ["person" if a.words[i].lower in INDEFINITE else a.words[i].lower for i in a.frame.head]
    whole = [catalog.compounds.get(a.words[i].stem, word) for i, word in zip(a.frame.head, said, strict=True)]
    usual = {word: meant for word in whole[:-1] if " " not in (meant := SYNONYMS.get(word, word))}
    return " ".join([*(usual.get(word, word) for word in whole[:-1]), *whole[-1:]])


def _meant(found: Sequence[Word], i: int) -> str:
    """What a word means that sentence vectors do not tell, "" for most words."""
    around = {w.lower for w in found}
    for verbs, nouns, meant in _WITH_NOUN:
        if found[i].lower in verbs.split() and around & set(nouns.split()):
            return meant
    return SYNONYMS.get(found[i].lower, "")


_NAMING = frozenset("named called surnamed known titled labelled labeled marked".split())
_HUMANS = frozenset("man men woman women guy guys lady ladies gentleman gentlemen".split())
_LIGHT = (LIGHT | {"where"}) - INDEFINITE
_RELATIVE = frozenset("who whom whose which that where".split())
_INDEFINITE_STEMS = frozenset(map(stem, INDEFINITE))
_LIVING = frozenset("live lives living lived reside resides residing".split())
_ANY = frozenset("those others".split())
_POINTING = frozenset("this that these those such".split())
_THEY = frozenset("they them their he him his she her".split())
_DETERMINERS = frozenset("a an the one some any his her its their this that".split())
_LYING = frozenset("lie lies lying sit sits sitting situated".split())
_APPOSITIVE = _NAMING | frozenset("with whose is the a an has have having bearing carrying holding as".split())


@dataclass
class Mention:
    """A thing that a question speaks of: the spans of its values, and the types it may have."""

    spans: set[int]
    kinds: set[str]
    start: float
    end: int
    keys: set[str] = field(default_factory=set)
    anyone: bool = False
    """Said as someone, those, people: it may prove to be of another type."""
    again: Mention | None = None
    """What it takes up that was told before the question: that person, their, those crimes."""


def mentions(a: Asked, evidence: Evidence, catalog: Catalog) -> list[Mention]:
    """The things that a question speaks of, in order.

    A value is one thing with the noun that it stands by ("people named Rose", "Pontiac vehicles", "calls on 3 May"). Someone,
    who, and nouns for a role (friends, a relative, residents) are things of their own.
    """
    real = [t for t in catalog.types if t not in catalog.relationships]
    humans = {t for t in real if catalog.human(t)}
    word_of = {i: w for w, i in enumerate(a.content)}
    span_of = {i: k for k, (s, e) in enumerate(a.spans) for i in range(s, e)}
    attributes = _attribute_words(a.words, catalog)
    found: list[Mention] = []

    def beside(i: int) -> bool:
        return bool(found) and found[-1].end == i and not a.words[i - 1].possessive and not _parted(a, i)

    verb = _main_verb(a)
    happens = {i: event for event, parts in a.parts.items() for i in parts.called}
    typed = {w for t in real for p in catalog.type_phrases(t) for w in p.lower().split()}
    labels = [(catalog.schema.relations[x.relation].label.lower(), x.object) for x in catalog.links]
    objects: dict[str, set[str]] = {}
    """For nouns that relations are called by the types of their objects: employer, employers."""
    for w in a.words:
        if not is_participle(w.lower):
            called = {(label, t) for label, t in labels if w.lower in (label, f"{label}s")}
            verb_like = {t for label, t in called if w.lower == label and re.search(r"[^s]s$", label)}  # knows, owns
            objects[w.lower] = {t for _, t in called} & set(real) - verb_like

    def possessed(i: int) -> float:
        """Where a noun counts as said: "A's company" is the company of A."""
        k = span_of.get(i - 1, -1) if i and a.words[i - 1].possessive else -1
        return a.spans[k][0] - 0.5 if k >= 0 else i

    if a.frame.asker in ("who", "whom", "whose") and humans:
        at = next(i for i, w in enumerate(a.words) if w.lower == a.frame.asker)
        if not _predicate(a, at):
            kinds = {t for t in real if evidence.head_types[t] >= 0.5} if not a.frame.head else set()
            found.append(Mention(set(), humans | kinds, at, -9))
    elif a.frame.asker == "where":
        likely = max(evidence.head_types[t] for t in real)
        kinds = {t for t in real if evidence.head_types[t] >= max(0.4, likely - 0.1)}
        if kinds:
            at = next(i for i, w in enumerate(a.words) if w.lower == "where")
            found.append(Mention(set(), kinds, at, -9))
    elif a.frame.open:
        found.append(Mention(set(), set(real), a.frame.start, -9))
    i = 0
    while i < len(a.words):
        lower = a.words[i].lower
        if i in span_of:
            k, (_, end) = span_of[i], a.spans[span_of[i]]
            i = end
            kinds = {t for t, c in a.choices[k] if c.key != "#"} & set(real)
            if not kinds:
                continue
            keys = {c.key for _, c in a.choices[k]}
            hosts = [
                m for m in reversed(found)
                if (m.kinds & kinds or m.anyone) and not m.keys & keys and (m.end >= 0 or a.frame.asker != "where")
            ]  # fmt: skip
            # of "calls to a phone on 3 May" a phone may be a phone call, but the calls are nothing else
            host = next((m for m in hosts if m.kinds <= kinds), hosts[0] if hosts else None)
            if host is not None and host.end == a.spans[k][0] and a.words[host.end - 1].lower in ANYTHING:
                host = None  # anything that A designed
            if (
                host is not None
                and host.end >= 0
                and (
                    _begins_another(a, host.end, a.spans[k][0])
                    or (_plays_another(a, host.end, a.spans[k][0]) and not host.kinds <= a.parts.keys())
                    or (JOINT in a.question and any(_parted(a, x) for x in range(host.end, a.spans[k][0] + 1)))
                )
            ):
                host = None
            if host is not None and (
                all(map(is_name_key, keys)) or host.anyone or any(_loops(t, catalog) for t in host.kinds & kinds)
            ):
                between = range(host.end, a.spans[k][0])
                if (
                    host.end < 0
                    or not all(
                        a.words[x].lower in _APPOSITIVE
                        or (x in word_of and max(evidence.attributes[key][word_of[x]] for key in keys) >= 0.55)
                        for x in between
                    )
                    or (host.spans and len(between) > 1 and not any(x in word_of for x in between))
                ):
                    host = None
            if host is None:
                found.append(Mention({k}, kinds, a.spans[k][0], end, keys))
            else:
                host.spans.add(k)
                host.kinds = host.kinds & kinds or kinds
                host.anyone = False
                host.keys |= keys
                host.end = end
                found.append(found.pop(next(x for x, m in enumerate(found) if m is host)))
            continue
        if i in happens:  # was called, rang up
            found.append(Mention(set(), {happens[i]}, i, i + 1))
            i += 1
            continue
        if lower in ("one", "ones", "another") and found and _stands_for_noun(a, i):  # a call at noon and one at night
            articled = [m for m in found if m.start >= 1 and a.words[math.ceil(m.start) - 1].lower in ("a", "an")]
            stood_for = max(articled or found, key=lambda m: m.start)
            found.append(Mention(set(), set(stood_for.kinds), i, i + 1))
            i += 1
            continue
        w = word_of.get(i)
        if w is not None and (lower in ANYTHING or i in a.frame.head[-1:]):
            ends = {
                x.object
                for k, x in enumerate(catalog.links)
                if _says(lower, catalog.phrases[k, True]) and not is_agent(lower)
            }
            kinds = set(real) if lower in ANYTHING else ends & set(real)  # something; the birthplace
            if kinds:
                found.append(Mention(set(), kinds, i, i + 1))
                i += 1
                continue
        if lower in ("those", "these") and i + 1 == len(a.words):  # which are those
            i += 1
            continue
        asking = lower == "where" and any(m.start == i for m in found)  # it is a thing already
        if w is None or i == verb or i in attributes or asking or (lower in _NAMING and i + 1 in span_of):
            i += 1
            continue
        before = a.words[i - 1].lower if i else ""
        if objects.get(lower):  # A's employer
            found.append(Mention(set(), objects[lower], possessed(i), i + 1))
            i += 1
            continue
        agents = _agents(a.words[i], catalog)
        strength = {t: float(evidence.types[t][w]) for t in (agents & set(real) or real)}
        best = max(strength.values(), default=0.0)
        kinds = {t for t, x in strength.items() if x >= 0.6 and x >= best - 0.15}
        if (is_participle(lower) and lower not in typed) or lower in _LYING or _is_past(a, i):
            kinds = set()  # where it is located: not a location
        kinds |= {wider for t in kinds for wider in catalog.wider(t)}
        attribute = max((float(v[w]) for v in evidence.attributes.values()), default=0.0)
        if lower in _HUMANS and humans:
            found.append(Mention(set(), set(humans), possessed(i), i + 1))
        elif lower in ROLES and lower not in INDEFINITE and (lower[:6] != "member" or before == "family"):
            if before not in BE and before not in ("become", "became") and humans:
                if beside(i) and not found[-1].spans:
                    found[-1].end, found[-1].anyone = i + 1, False
                else:
                    found.append(Mention(set(), set(humans), possessed(i), i + 1))
        elif kinds and (best >= attribute - 0.1 or agents):
            host = found[-1] if beside(i) or _is_said_of(a, found, i) else None
            if host is not None and host.kinds & kinds:  # "Pontiac vehicles", "phone calls", "home was the scene"
                host.kinds &= kinds
                host.end = i + 1
            elif beside(i) and not found[-1].spans and a.words[i - 1].lower not in ROLES:  # a compound: its last noun
                found[-1] = Mention(set(), kinds, i, i + 1)
            else:
                top = {t for t in kinds if strength[t] == best}
                host = next(
                    (m for m in found if m.spans and m.kinds & top and not any(_loops(t, catalog) for t in top)), None
                )
                if host is not None and (_begins_another(a, host.end, i) or _plays_another(a, host.end, i)):
                    host = None
                if host is None:
                    found.append(Mention(set(), kinds, possessed(i), i + 1, anyone=lower in _ANY))
        elif attribute < 0.5 and i not in a.frame.head and _is_noun(a, i):
            found.append(Mention(set(), _ends(w, evidence, catalog) & set(real) or set(real), possessed(i), i + 1))
        i += 1
    head = a.frame.head[-1] if a.frame.head and a.frame.output in ("node", "count") else -1
    said = {i for m in found for i in range(math.ceil(m.start), m.end)}
    value = next((m for m in sorted(found, key=lambda m: m.start) if m.start > head), None)
    named = (
        value is not None
        and value.spans
        and all(w.lower in _APPOSITIVE for w in a.words[head + 1 : math.ceil(value.start)])
    )
    # not a verb that the head took along, nor the noun by which a value stands: cases marked Closed
    if head >= 0 and not said & set(a.frame.head) and not is_participle(a.words[head].lower) and not named:
        rated = {t: evidence.head_types[t] for t in real}
        best = max(rated.values(), default=0.0)
        if max(evidence.head_attributes.values(), default=0.0) < max(0.5, best) or _asks_nodes(a, best):
            kinds = {t for t, x in rated.items() if x >= max(0.3, best - 0.1)}
            found.append(Mention(set(), kinds or set(real), head, head + 1))
    found += _numbers(a, found, catalog)
    return _taken_up(a, sorted(found, key=lambda m: m.start), humans)


def _numbers(a: Asked, found: Sequence[Mention], catalog: Catalog) -> list[Mention]:
    """Things that take part in an event, said by the noun of their property: the numbers that A called."""
    said = {i for m in found for i in range(math.ceil(m.start), m.end)}
    said |= {i for s in a.spans for i in range(*s)}
    attributes = _attribute_words(a.words, catalog)
    more = []
    kinds = {
        x.object if x.subject == catalog.parts[i][0] else x.subject
        for i, x in enumerate(catalog.links) if catalog.parts.get(i, ("",))[0] in a.parts
    }  # fmt: skip
    phrases = [p for t in kinds for key in catalog.attributes[t] for p in catalog.attribute_phrases(key)]
    nouns = {noun for p in phrases for noun in noun_stems(p)[-1:]}
    for i, w in enumerate(a.words):
        start = i
        while start - 1 in attributes:
            start -= 1
        before, after = (a.words[x].lower if 0 <= x < len(a.words) else "" for x in (start - 1, i + 1))
        free = w.stem in nouns and i not in said and i + 1 not in said | attributes
        if free and before in _DETERMINERS | {"which", "what"} and after != "of":
            more.append(Mention(set(), set(kinds), start, i + 1))
    return more


def _taken_up(a: Asked, found: list[Mention], humans: Collection[str]) -> list[Mention]:
    """The things, with those of the question that take up one that was told before it, and pronouns that do."""
    joint = a.question.find(JOINT)
    told = next((i for i, w in enumerate(a.words) if joint >= 0 and w.start > joint), len(a.words))
    before = [m for m in found if m.start >= told]
    if not before:
        return found
    for m in found:
        i = math.ceil(m.start)
        if i >= told or m.spans or m.end < 0:
            continue
        last = a.words[m.end - 1]
        pointed = a.words[i - 1 - (i > 1 and a.words[i - 1].lower == "same")].lower if i else ""
        if pointed in _POINTING:
            alike = [n for n in before if n.kinds & m.kinds and n.end > 0]
            noun = [n for n in alike if a.words[n.end - 1].stem == last.stem or last.stem in _stems(a, n)]
            anyone = [n for n in alike if not n.spans or _stems(a, n) & _INDEFINITE_STEMS]
            anyone = anyone if last.lower in INDEFINITE | _HUMANS else []
            m.again = next(iter([*noun, *anyone]), None)
    held = {i for m in found for i in range(math.ceil(m.start), m.end)}
    people = next((m for m in before if m.kinds & set(humans)), None)
    for i, w in enumerate(a.words[:told]):
        if w.lower in _THEY and i not in held and people is not None:
            found.append(Mention(set(), set(people.kinds), i, i + 1, again=people))
    return sorted(found, key=lambda m: m.start)


def _stems(a: Asked, m: Mention) -> set[str]:
    return {w.stem for w in a.words[math.ceil(m.start) : m.end]}


def _asks_nodes(a: Asked, typed: float) -> bool:
    """Whether a head that names a type and a property wants nodes, by how well it names the type: which postcodes saw, not the
    postcode of."""
    following = a.words[a.frame.head[-1] + 1 :] if a.frame.head else ()
    return bool(following) and typed >= NAMED and following[0].lower != "of"


def _predicate(a: Asked, at: int) -> bool:
    """Whether a question word at a place is nobody but the noun behind it: "who is the founder of A".

    "Who was the founder of A married to" asks for another one.
    """
    lower = [w.lower for w in a.words]
    if lower[at] != "who" or not (
        lower[at + 1 : at + 2] and lower[at + 1] in BE and lower[at + 2 : at + 3] in (["the"], ["all"])
    ):
        return False
    last = len(lower) - 1 - (lower[-1] in PREPOSITION)
    apart = is_participle(lower[last]) and not any(start <= last < end for start, end in a.spans)
    return not apart or bool({"who", "that", "which", "whose", "where"} & set(lower[at + 1 :]))


def _is_said_of(a: Asked, found: Sequence[Mention], i: int) -> bool:
    """Whether a noun says what the thing before it is: whose home was the scene."""
    between = [w.lower for w in a.words[max(0, found[-1].end) : i]] if found else []
    return len(between) == 2 and between[0] in BE and between[1] in ("a", "an", "the")


def _plays_another(a: Asked, end: int, i: int) -> bool:
    """Whether a verb of an event stands between, or the word for a part in it: the phone used to call N; her phone to N."""
    return any(
        x in parts.verbs or (a.words[x].lower in ("from", "to", "by") and governed(a, parts, x, [(end - 1, end)]))
        for parts in a.parts.values() for x in range(end, i)
    )  # fmt: skip


def _parted(a: Asked, i: int) -> bool:
    """Whether a mark stands before a word."""
    return i > 0 and bool(re.search(r"[,;:.!?—–⸺]", a.question[a.words[i - 1].end : a.words[i].start]))


def _begins_another(a: Asked, end: int, i: int) -> bool:
    """Whether a noun at a word speaks of another thing of its kind: a theft and (also) an offence; not only A but also a B."""
    lower = [w.lower for w in a.words[end:i] if w.lower != "also"]
    joints = [x for x, w in enumerate(lower) if w in ("and", "but", "or")]
    return any(lower[x + 1 : x + 2] in (["a"], ["an"], ["another"]) and len(lower) <= x + 4 for x in joints)


def _stands_for_noun(a: Asked, i: int) -> bool:
    """Whether "one" is said for the noun before it: and one at, also one from; not one of."""
    before = a.words[i - 1].lower if i else ""
    following = a.words[i + 1].lower if i + 1 < len(a.words) else ""
    first = before in ("and", "or", "also", *OTHERS) or a.words[i].lower == "another"
    return first and following in PREPOSITION - {"of"}


def _is_past(a: Asked, i: int) -> bool:
    """Whether a word is a verb that looks like a noun: wrote; have been working."""
    lower = a.words[i].lower
    return lower in PARTICIPLE or (lower.endswith("ing") and bool(BE & {w.lower for w in a.words[max(0, i - 2) : i]}))


def _is_noun(a: Asked, i: int) -> bool:
    """Whether a word is a noun for a thing by what stands around it: the N of, the N that, A's N."""
    lower = a.words[i].lower
    if lower in LIGHT | ALIKE | VAGUE | OTHERS or is_participle(lower) or not i or a.words[i - 1].lower in PREPOSITION:
        return False
    after = a.words[i + 1].lower if i + 1 < len(a.words) else ""
    owned = a.words[i - 1].possessive and any(end == i for _, end in a.spans)
    owned |= "whose" in {w.lower for w in a.words[max(0, i - 2) : i]} and after not in PREPOSITION
    the = {"the", "a", "an"} & {w.lower for w in a.words[max(0, i - 2) : i]}
    followed = after in ("of", "that", "which", "who", "whose", "where", "by") or is_participle(after)
    return owned or (bool(the) and followed)


def _ends(w: int, evidence: Evidence, catalog: Catalog) -> set[str]:
    """The types at either end of the links that a content word speaks for."""
    return {
        t for (k, _), speaks in evidence.links.items() if speaks[w] >= 0.6 for t in (catalog.links[k].subject, catalog.links[k].object)
    }  # fmt: skip


def _main_verb(a: Asked) -> int:
    """The verb at the end of a question with do, did or does, where a preposition may follow it; -1 without one."""
    helper = next((i for i, w in enumerate(a.words) if w.lower in ("do", "does", "did")), -1)
    last = len(a.words) - 1
    if last > 0 and a.words[last].lower in PREPOSITION:
        last -= 1
    if not 0 <= helper < last - 1 or any(start <= last < end for start, end in a.spans):
        return -1
    if any(last in parts.nouns for parts in a.parts.values()):
        return -1
    before = a.words[last - 1].lower
    return -1 if before in PREPOSITION | _DETERMINERS or before in ("other", "another") else last


def _loops(entity_type: str, catalog: Catalog) -> bool:
    """Whether a link leads from nodes of the type to nodes of the same type."""
    return any(x.subject == x.object == entity_type for x in catalog.links)


def _attribute_words(found: Sequence[Word], catalog: Catalog) -> set[int]:
    """Words of names of properties that have several words: phone number, last name."""
    phrases = {
        noun_stems(p) for t in catalog.types for key in catalog.attributes[t] for p in catalog.attribute_phrases(key)
    }  # fmt: skip
    stems = [w.stem for w in found]
    return {
        x for i in range(len(stems)) for n in (2, 3) if tuple(stems[i : i + n]) in phrases for x in range(i, min(i + n, len(stems)))
    }  # fmt: skip


def is_agent(noun: str) -> bool:
    """Whether a noun in lower case looks like one for who does something."""
    return bool(re.search(r"(?:er|or|ress)s?$", noun))


def _says(noun: str, phrases: Sequence[str]) -> bool:
    """Whether a noun, of one or several, is one of the phrases."""
    return noun in phrases or (noun.endswith("s") and noun[:-1] in phrases)


def _agents(word: Word, catalog: Catalog) -> set[str]:
    """Types at the subject of the links that an agent noun names: actors act, a supplier supplies."""
    if not re.search(r"(?:er|or|ress|ee)s?$", word.lower):
        return set()
    meant = {word.stem, *noun_stems(SYNONYMS.get(word.lower, ""))} - {""}
    found = {
        x.subject for i, x in enumerate(catalog.links)
        if not x.half and any(meant & set(noun_stems(p)) for p in catalog.phrases[i, True])
        and word.stem not in {s for t in (x.subject, x.object) for p in catalog.type_phrases(t) for s in noun_stems(p)}
    }  # fmt: skip
    return {t for t in found if catalog.human(t)} if word.lower in ROLES else found


def _windows(a: Asked) -> list[str]:
    """Stretches of the question of three to six words, values replaced by nothing."""
    kept = [
        w.lower for i, w in enumerate(a.words)
        if not any(s <= i < e for s, e in a.spans) and i not in a.frame.frame_words
    ]  # fmt: skip
    found = [" ".join(kept[i : i + size]) for size in (3, 5) for i in range(max(1, len(kept) - size + 1))]
    return list(dict.fromkeys(t for t in found if t))[:60]


_Step = tuple[int, Condition] | tuple[int, int, bool, str]
"""A condition on a node, or a node to which a link (read forwards or not) leads to a new node of a type."""


@dataclass(frozen=True, slots=True)
class _Grown:
    """A partial tree with its promise and the spans that stand in it."""

    promise: float
    tree: Tree
    used: frozenset[int]


def _stepped(tree: Tree, used: frozenset[int], step: _Step) -> tuple[Tree, frozenset[int]]:
    if len(step) == 2:
        i, condition = step
        node = tree.nodes[i]
        conditions = tuple(sorted((*node.conditions, condition), key=lambda c: c.key))
        nodes = (*tree.nodes[:i], Node(node.type, conditions), *tree.nodes[i + 1 :])
        return Tree(nodes, tree.edges), used | {condition.span}
    i, link, forward, other = step
    j = len(tree.nodes)
    return Tree((*tree.nodes, Node(other)), (*tree.edges, (i, j, link) if forward else (j, i, link))), used


@dataclass(frozen=True, slots=True)
class _Draft:
    """A candidate with the features that are known of it so far."""

    tree: Tree
    found: dict[str, float]
    given: list[float]
    """How much the word that is given to each edge, node and property speaks for it."""
    words_of: list[int]
    """That word, -1 where it does not speak for it."""
    outward: dict[int, int]
    """For each node how many edges lead there from the root."""
    linked: list[int]
    """Properties that are relationships in the database, by where they stand in `given`."""


class Search:
    """The trees of one question."""

    def __init__(
        self, question: Asked, catalog: Catalog, *, most_nodes: int = 4, weights: dict[str, float] | None = None,
        held: Held | None = None,
    ) -> None:  # fmt: skip
        """`held` says which relations the nodes have that a condition is of, by `identity`."""
        self.held = held or {}
        self.reached: dict[tuple[Any, int, bool], set[str]] = {}
        self.asked = question
        self.catalog = catalog
        self.most_nodes = most_nodes
        self.weights = weights or WEIGHTS
        self.evidence = weigh(question, catalog)
        self.mentions = mentions(question, self.evidence, catalog)
        number = {id(m): x for x, m in enumerate(self.mentions)}
        self.meant = [number[id(m.again or m)] for m in self.mentions]
        """For each thing the one that it is: another where it takes that up."""
        self.said_as = [[y for y, z in enumerate(self.meant) if z == x] for x in range(len(self.mentions))]
        """For each thing where it is said."""
        self.thing = {span: x for x, m in enumerate(self.mentions) for span in m.spans}
        """For each span which of the things it is said of."""
        self.naming = {span for span in self.thing if any(map(self._names, question.choices[span]))}
        """Spans that may name something."""
        ends = [0, *(m.end for m in self.mentions)]
        self.conjoined, self.parted = self._joints(ends)
        ends_of = [frozenset((x.subject, x.object)) for x in catalog.links]
        pairs: Counter[frozenset[str]] = Counter()
        for x, ends in zip(catalog.links, ends_of, strict=True):
            pairs[ends] += x.count
        self.rivals = Counter(ends_of)
        """How many links join two types."""
        self.mutual = frozenset(x for x in range(len(catalog.links)) if catalog.symmetric(x))
        self.frequency = [x.count / pairs[ends] for x, ends in zip(catalog.links, ends_of, strict=True)]
        e = self.evidence
        taken = {i for span in question.spans for i in range(*span)}
        lower = ["" if i in taken else w.lower for i, w in enumerate(question.words)]
        self.alike = any(
            w in ALIKE and not (w == "together" and before in _LIVING) for before, w in pairwise(["", *lower])
        )
        self.alike |= ("with", "whom") in pairwise(lower)
        self.elided = any(
            a in ("and", "or") and (b in PREPOSITION or (b in ALIKE and c in PREPOSITION))
            for a, b, c in zip(lower, lower[1:], [*lower[2:], ""], strict=False)
        )
        """Whether one word asks for two links: friends with A and with B."""
        self.others = self._others(lower)
        self.typed = max(v for t, v in e.head_types.items() if t not in catalog.relationships)
        """How well the head names a type of nodes."""
        self.agentive = max(self.typed, *e.head_attributes.values()) < 0.9
        """Whether it names neither a type nor a property, as nouns for who does something."""
        self.heavy = np.array([0.3 if question.words[i].lower in _LIGHT else 1.0 for i in question.content])
        """How much each content word counts."""
        self.total = float(self.heavy.sum())
        self.positions = (np.arange(len(self.heavy)) / max(1, len(self.heavy)))[:, None]
        """Where each of them stands, 0 to 1, as a column."""
        self.speaks = [np.maximum(e.links[link, True], e.links[link, False]) for link in range(len(catalog.links))]
        """How much each content word speaks for a link, whichever way it is read."""
        self.types_held = {t: 0.9 * speaks for t, speaks in e.types.items()}
        """How much it speaks for a type where something else stands for the node too: its name, or the question."""
        self.clauses = [max(e.clauses[link, True], e.clauses[link, False]) for link in range(len(catalog.links))]
        self.edge_promise = [self._edge(link) - 0.5 for link in range(len(catalog.links))]
        self.free_promise = {
            t: 0.8 * float(max(e.types[t].max(initial=0.0), e.head_types[t])) - 0.5 for t in catalog.types
        }
        """What a link, and a node without conditions, add to the promise of a partial tree."""
        self.spoken = [bool(speaks.max(initial=0.0) >= SPOKEN) for speaks in self.speaks]
        """Links that a word asks for: they are followed also where the graph has none, as that may be the answer."""
        self.nearest = [self._nearest(link) for link in range(len(catalog.links))]
        self.places = {
            catalog.links[link].object
            for (link, forward), phrases in catalog.phrases.items()
            if forward and any(phrase.split()[-1] in ("in", "at") for phrase in phrases)
        }
        """Types of what something may be in or at."""
        self.parts = self._parts()
        """For types of events what each thing plays in it, and what is asked for (-1)."""
        self.deadline = time.monotonic() + BUDGET_S

    def _parts(self) -> dict[str, dict[int, int]]:
        """For types of events the part that each thing plays, and -1, what is asked for, where it is no such thing."""
        things = [(math.ceil(m.start), max(m.end, math.ceil(m.start) + 1)) for m in self.mentions]
        at = dict(enumerate(things))
        if head := self.asked.frame.head:
            at[-1] = (head[0], head[-1] + 1)
        found = {}
        for event, parts in self.asked.parts.items():
            played = {x: part_of(self.asked, parts, span, things) for x, span in at.items()}
            for x, (start, end) in enumerate(things):
                if head and not played[x] and start <= head[-1] and head[0] < end:
                    played[x] = played[-1]
            found[event] = {x: p for x, p in played.items() if p and (x < 0 or self.mentions[x].kinds != {event})}
        return found

    def _nearest(self, link: int) -> set[int]:
        """The spans that stand nearest to the words that ask for a link."""
        spans, speaks = range(len(self.asked.spans)), self.speaks[link]
        found: set[int] = set()
        for word in (i for w, i in enumerate(self.asked.content) if speaks[w] >= SPOKEN):
            gap = {span: self._gap(word, span) for span in spans}
            found |= {span for span in spans if gap[span] == min(gap.values())}
        return found

    def _joints(self, ends: Sequence[int]) -> tuple[list[bool], list[bool]]:
        """For each thing: whether and (or a comma, and then and) stands before it, so that it need not belong to the one before
        it; and whether it cannot, as something else is said there of what both belong to: "lives with A and knows B".
        """
        words, conjoined, parted = self.asked.words, [], []
        for x, (before, m) in enumerate(zip(ends, self.mentions, strict=False)):
            start = math.ceil(m.start)
            at = next((i for i in range(max(0, before), start) if words[i].lower in ("and", "or", "but")), -1)
            conjoined.append(at >= 0)
            follows = words[at + 1].lower if at + 1 < start else ""
            parted.append(x > 1 and at == before and bool(follows) and follows not in _DETERMINERS)
        for x, (before, m) in enumerate(zip(ends, self.mentions, strict=False)):
            if not 0 < before < len(words) or not any(conjoined[x + 1 :]) or conjoined[x]:
                continue
            first = words[before]
            if "," in self.asked.question[words[before - 1].end : first.start] and first.lower not in _RELATIVE:
                conjoined[x] = True
                parted[x] = x > 1 and before < m.start and first.lower not in _DETERMINERS
        for x, m in enumerate(self.mentions):
            before = max(ends[: x + 1])
            if x > 1 and 0 < before < m.start and self._resumes(before) and not self._in_clause(x - 1):
                conjoined[x] = parted[x] = True
        return conjoined, parted

    def _in_clause(self, x: int) -> bool:
        """Whether a thing is the subject of a relative clause: whose suspects are; that an inspector is investigating."""
        m = self.mentions[x]
        lower, start = [w.lower for w in self.asked.words], math.ceil(m.start)
        before = start - 1 - (start > 0 and lower[start - 1] in ("a", "an", "the"))
        return bool(_RELATIVE & set(lower[max(0, before) : max(0, m.end)]))

    def _resumes(self, i: int) -> bool:
        """Whether a word is the verb of the main clause, behind a thing that belongs to its subject: "which friends of A know B"."""
        word = self.asked.words[i]
        after = self.asked.words[i + 1 : i + 2]
        if word.lower in BE:
            return True
        if word.lower in ("have", "has", "had") and after:
            return not is_participle(after[0].lower) and after[0].lower not in PARTICIPLES | BE
        described = (
            is_participle(word.lower) or word.lower.endswith("ing") or _is_past(self.asked, i)
        )  # known by; living at
        following = self.asked.words[i + 1].lower if i + 1 < len(self.asked.words) else ""
        if i not in self.asked.content or described or word.lower in ROLES or following in PREPOSITION:  # familiar with
            return False
        w = self.asked.content.index(i)
        speaks = max((float(x[w]) for x in self.evidence.links.values()), default=0.0)
        return speaks >= SPOKEN > max(float(x[w]) for x in self.evidence.types.values())

    def _others(self, lower: Sequence[str]) -> set[str] | None:
        """The types of which the question asks for another one than one that it speaks of; None when it does not."""
        e, a = self.evidence, self.asked
        at = next(
            (i for i, w in enumerate(lower) if w in OTHERS or (w == "different" and lower[max(0, i - 1)] == "a")), -1
        )  # fmt: skip
        if at < 0:
            return None
        if at and lower[at] == "else" and lower[at - 1] in ("who", "whom"):
            return {t for t in e.types if t not in self.catalog.relationships and self.catalog.human(t)}
        for i in range(at + 1, min(at + 4, len(lower))):
            if i in a.content:
                speaks = {
                    t: float(v[a.content.index(i)]) for t, v in e.types.items() if t not in self.catalog.relationships
                }
                best = max(speaks.values(), default=0.0)
                return {t for t, x in speaks.items() if x >= max(0.6, best - 0.15)}
        return set()

    def ranked(self) -> list[Scored]:
        """The best `MOST_EMBEDDED` candidates, best first, all compared as sentences."""
        drafts = [draft for tree in self.complete() for draft in self._drafts(tree)]
        most = [self._at_most(draft) for draft in drafts]
        found: dict[Any, tuple[tuple[float, int, int], Scored]] = {}
        least: list[float] = []  # scores of the best so far, as a heap; one that is numbered otherwise may score more
        for x in sorted(range(len(drafts)), key=lambda x: -most[x]):
            if len(least) == MOST_EMBEDDED and most[x] < least[0]:
                break
            tree = drafts[x].tree
            features = self._finished(drafts[x])
            one = Scored(tree, self._sum(features), features)
            place = (-one.score, len(tree.nodes), x)
            key = canonical(tree, self.mutual)
            if key in found and found[key][0] < place:
                continue
            if key not in found:
                heapq.heappush(least, one.score)
                if len(least) > MOST_EMBEDDED:
                    heapq.heappop(least)
            found[key] = place, one
        kept = [one for _, one in sorted(found.values(), key=lambda f: f[0])[:MOST_EMBEDDED]]
        if not kept:
            return []
        texts = [said(s.tree, self.catalog) for s in kept]
        near = self.catalog_vectors(texts) @ self.evidence.vector
        out = []
        for s, text, cosine in zip(kept, texts, near, strict=True):
            features = s.features | {"whole": scaled(float(cosine), 0.2, 0.95)}
            out.append(Scored(s.tree, self._sum(features), features, text))
        return sorted(out, key=lambda s: (-s.score, len(s.tree.nodes), s.said))

    def catalog_vectors(self, texts: Sequence[str]) -> np.ndarray:
        return encoded(texts, self.catalog.embedder)

    def _sum(self, features: dict[str, float]) -> float:
        return sum(self.weights.get(name, 0.0) * value for name, value in features.items())

    def complete(self) -> list[Tree]:
        """Trees in which every span stands, or all but one where none has every one."""
        a = self.asked
        n_spans = len(a.choices)
        starts: list[tuple[Tree, frozenset[int]]] = []
        for span, choice in enumerate(a.choices):
            starts += [(Tree((Node(t, (c,)),)), frozenset([span])) for t, c in choice]
        if not n_spans:
            starts += [(Tree((Node(t),)), frozenset()) for t in self.catalog.types if self.catalog.sizes[t]]
        beam = {
            canonical(tree, self.mutual, rooted=False): _Grown(self._promise(tree, used), tree, used)
            for tree, used in starts
        }
        done: dict[Any, tuple[Tree, int]] = {}
        for _ in range(n_spans + self.most_nodes):
            for key, grown in beam.items():
                done.setdefault(key, (grown.tree, len(grown.used)))
            steps = (
                (grown.promise + gain, number, grown, step)
                for number, grown in enumerate(beam.values()) for gain, step in self._steps(grown.tree, grown.used)
            )  # fmt: skip
            best = heapq.nlargest(MOST_STEPS * WIDTH, steps, key=lambda s: (s[0], -s[1]))
            following: dict[Any, _Grown] = {}
            for promise, _, grown, step in best:
                tree, used = _stepped(grown.tree, grown.used, step)
                key = canonical(tree, self.mutual, rooted=False)
                if key not in following and key not in done:
                    following[key] = _Grown(promise, tree, used)
                    if len(following) == WIDTH:
                        break
            if not following or time.monotonic() > self.deadline:
                break
            beam = following
        most = max((n for _, n in done.values()), default=0)
        return [tree for tree, n in done.values() if n >= max(most, n_spans - 1) or n == n_spans]

    def _steps(self, tree: Tree, used: frozenset[int]) -> Iterator[tuple[float, _Step]]:
        """What may be added to a tree, with what it adds to its promise: a condition, or a link to a new node."""
        for span, choice in enumerate(self.asked.choices):
            if span in used:
                continue
            for t, condition in choice:
                for i, node in enumerate(tree.nodes):
                    if node.type == t and all(c.key != condition.key for c in node.conditions):
                        free = 0.0 if node.conditions else self.free_promise[t]
                        merged = 2.0 * any(self._apart(c.span, span) for c in node.conditions)
                        astray = sum(self._astray(link, (span,)) for s, o, link in tree.edges if i in (s, o))
                        astray += sum(
                            self._split(c.span, span)
                            for s, o, _ in tree.edges
                            if i in (s, o)
                            for c in tree.nodes[s + o - i].conditions
                        )
                        yield 2.0 + condition.score - free - merged - astray, (i, condition)
        reified = self.catalog.relationships
        n_reified = sum(n.type in reified for n in tree.nodes)
        full = len(tree.nodes) - n_reified >= self.most_nodes
        if (full and not n_reified) or n_reified > 1:
            return
        for i, node in enumerate(tree.nodes):
            for link, forward in self.catalog.around[node.type]:
                found = self.catalog.links[link]
                other = found.object if forward else found.subject
                to = self._reached(node, link, forward)
                if to is not None and (
                    other not in to if to and other not in reified else not (to or self.spoken[link])
                ):
                    continue
                if (full or n_reified) and (other in reified) == bool(n_reified):
                    continue
                if (
                    (link, forward) in self.catalog.single
                    and self.asked.frame.output != "exists"
                    and any(x == link and i == (a if forward else b) for a, b, x in tree.edges)
                ):
                    continue
                if found.half and any(
                    self.catalog.links[x].half == found.half
                    for a, b, x in tree.edges
                    if i in (a, b) and node.type in reified
                ):
                    continue
                astray = self._astray(link, [c.span for c in node.conditions]) + self._stray(node, other)
                astray -= self._second(tree, i, link)
                yield self.edge_promise[link] + self.free_promise[other] - astray, (i, link, forward, other)

    def _astray(self, link: int, spans: Collection[int]) -> float:
        """What a link loses of its promise at a node with values of these spans, where its word stands nearer to another value."""
        return ASTRAY if spans and self.nearest[link] and not self.nearest[link] & set(spans) else 0.0

    def _stray(self, node: Node, other: str) -> float:
        """What a link loses of its promise from a node with values to a type when no thing of that type may belong to what they name."""
        here = {self.thing[c.span] for c in node.conditions if c.span in self.thing}
        there = [x for x, m in enumerate(self.mentions) if other in m.kinds and x not in here]
        if not here or not there:
            return 0.0
        return 0.0 if any(self._belong(x, y) for x in here for y in there) else ASTRAY

    def _second(self, tree: Tree, i: int, link: int) -> float:
        """What a link gains by joining the other end to an event, where the question speaks of both."""
        event, part = self.catalog.parts.get(link, ("", 0))
        if tree.nodes[i].type != event or len(set(self.parts.get(event, {}).values())) < 2:
            return 0.0
        return BOTH_PARTS * any(
            self.catalog.parts.get(x, ("", part))[1] != part for a, b, x in tree.edges if i in (a, b)
        )

    def _split(self, span: int, other: int) -> float:
        """The same of a link between the nodes of two values."""
        x, y = self.thing.get(span, -1), self.thing.get(other, -1)
        return 0.0 if -1 in (x, y) or x == y or self._belong(x, y) else ASTRAY

    def _names(self, choice: tuple[str, Condition]) -> bool:
        """Whether a condition on nodes of a type may name one: not a date or a number."""
        t, c = choice
        attribute = self.catalog.attributes[t].get(c.key)
        return c.operator == "=" and (bool(c.uid) or (attribute is not None and attribute.kind == "text"))

    def _apart(self, span: int, other: int) -> bool:
        """Whether two spans name two things."""
        return {span, other} <= self.naming and self.thing[span] != self.thing[other]

    def _reached(self, node: Node, link: int, forward: bool) -> set[str] | None:
        """The types of what has the relation of a link to what a condition of the node names; None where that is not known."""
        known = next((x for c in node.conditions if (x := identity(node.type, c)) in self.held), None)
        if known is None:
            return None
        if (known, link, forward) not in self.reached:
            ways = (True, False) if self.catalog.symmetric(link) else (forward,)
            relation = self.catalog.links[link].relation
            self.reached[known, link, forward] = {t for r, way, t in self.held[known] if r == relation and way in ways}
        return self.reached[known, link, forward]

    def _promise(self, tree: Tree, used: frozenset[int]) -> float:
        """What orders partial trees: evidence of edges and types, less size."""
        score = 2.0 * len(used) + sum(c.score for n in tree.nodes for c in n.conditions)
        score += sum(self.edge_promise[link] for _, _, link in tree.edges)
        return score + sum(self.free_promise[node.type] for node in tree.nodes if not node.conditions)

    def _edge(self, link: int) -> float:
        return float(0.5 * self.speaks[link].max(initial=0.0) + 0.5 * self.clauses[link])

    def outputs(self, tree: Tree) -> Iterator[Tree]:
        """The tree with each thing that may be asked of it, and, where the question negates, without what it denies."""
        f = self.asked.frame
        for made in self._outputs(tree if self.others is None else replace(tree, apart=True)):
            if made.output == "count" or made.output in ("avg", "sum"):
                groups = self._groups(made)
                if groups:
                    yield from (replace(made, group=g) for g in groups)
                    continue
            yield made
            if f.negated < 0:
                continue
            distance = _distances(made, made.root)
            for k, (s, o, link) in enumerate(made.edges):
                if self.catalog.links[link].half:
                    continue
                outer = s if distance[s] > distance[o] else o
                if outer != made.root and sum(outer in (a, b) for a, b, _ in made.edges) == 1:
                    yield replace(made, absent=k)
            for i, node in enumerate(made.nodes):
                flipped = tuple(
                    replace(c, operator="<>")
                    if c.operator == "=" and 0 < self.asked.spans[c.span][0] - f.negated <= 3 else c
                    for c in node.conditions
                )  # fmt: skip
                if flipped != node.conditions:
                    nodes = (*made.nodes[:i], Node(node.type, flipped), *made.nodes[i + 1 :])
                    yield replace(made, nodes=nodes)

    def _within(self, tree: Tree, root: int) -> bool:
        """Whether of the root of a question for a place nothing is known but that it lies in one.

        "Where is A?" never wants what lies in A. Edges to things that the question does not speak of do not count.
        """
        lower = [w.lower for w in self.asked.words]
        asks_place = self.asked.frame.asker == "where" or lower[-1:] == ["in"] or any(
            a == "in" and b in ("which", "what") for a, b in pairwise(lower)
        )  # fmt: skip
        entity_type = tree.nodes[root].type
        named = bool(self.asked.frame.head) and self.evidence.head_types[entity_type] >= NAMED
        if not asks_place or (named and entity_type not in self.places):
            return False  # which things did they take part in
        inside = {
            k for k, (s, _, link) in enumerate(tree.edges)
            if s == root and any(phrase.split()[-1] in ("in", "at") for phrase in self.catalog.phrases[link, True])
        }  # fmt: skip
        said_so = {t for m in self.mentions[1:] if not m.spans for t in m.kinds}
        beside = (s + o - root for k, (s, o, _) in enumerate(tree.edges) if root in (s, o) and k not in inside)
        return bool(inside) and all(
            not tree.nodes[i].conditions
            and tree.nodes[i].type not in said_so
            and sum(i in edge[:2] for edge in tree.edges) == 1
            for i in beside
        )

    def _groups(self, tree: Tree) -> list[int]:
        """Nodes of the type that stands after each, per, every."""
        at = self.asked.frame.group
        if at < 0 or at not in self.asked.content:
            return []
        word = self.asked.content.index(at)
        return [
            i for i, node in enumerate(tree.nodes) if i != tree.root and self.evidence.types[node.type][word] >= 0.5
        ]  # fmt: skip

    def _outputs(self, tree: Tree) -> Iterator[Tree]:
        f = self.asked.frame
        if f.output == "exists":
            yield replace(tree, root=0, output="exists")
            return
        for root, node in enumerate(tree.nodes):
            if f.output == "node" and self._within(tree, root):
                continue
            if self.others is not None and any(
                c.key == self.catalog.name_keys[node.type] and c.operator == "=" for c in node.conditions
            ):
                continue
            attributes = self.catalog.attributes[node.type]
            bare = [i for i, n in enumerate(tree.nodes) if n.type in self.catalog.relationships and not n.conditions]
            if bare and bare != [root] and not f.aggregate:
                continue  # a relationship without condition says no more than the link
            timeless = f.asker == "when" and f.output == "node" and self.evidence.head_types[node.type] < 0.5
            happened = node.type in self.parts and not self.asked.parts[node.type].nouns  # only a verb: who called
            if happened and f.asker in ("who", "whom", "whose"):
                continue
            keys = [""] if bare != [root] and not timeless and not happened else []
            fixed = {c.key for c in node.conditions if c.operator == "="}
            if f.output in ("avg", "sum"):
                for key, x in attributes.items():
                    if x.kind == "number" and not is_id(key) and self._measure_fit(key) > 0.15:
                        yield replace(tree, root=root, key=key, output=f.output)
                continue
            if f.output == "node" or f.output == "count":
                rated = {k: self._key_fit(node.type, k) for k in attributes if k not in fixed}
                best = sorted(rated, key=lambda k: -rated[k])
                keys += [
                    k for k in best[:3]
                    if not is_id(k) and rated[k] > 0.25 and not (timeless and attributes[k].kind in ("text", "flag") and rated[k] < 0.5)
                ]  # fmt: skip
            for key in keys:
                output = f.output
                if output == "count" and key:
                    if is_id(key) or (attributes[key].kind != "number" and self.typed > 0.9):
                        continue
                    if (
                        attributes[key].kind == "number"
                    ):  # "how many units are in stock" asks for a number that the graph holds
                        total = any(w.lower == "total" for w in self.asked.words)
                        output = "sum" if total else "node"
                made = replace(tree, root=root, key=key, output=output)
                if f.aggregate and output == "node" and not key:
                    for i, other in enumerate(tree.nodes):
                        numeric = [k for k, x in self.catalog.attributes[other.type].items() if x.kind == "number"]
                        rated = sorted((k for k in numeric if not is_id(k)), key=lambda k: -self._measure_fit(k))[:2]
                        sign = f.most or f.extreme[0]
                        for k in rated if i != root else ():
                            yield replace(made, most=sign, measure=(f.aggregate, i, k), limit=f.limit)
                elif f.extreme and output == "node":
                    for i in self._extreme_nodes(tree, root):
                        kind = tree.nodes[i].type
                        for order in self._orders(kind):
                            yield replace(made, order=(order, self._direction(kind, order), i), limit=f.limit)
                elif f.most and output == "node":
                    for counted in self._neighbours(tree, root):
                        yield replace(made, most=f.most, measure=("count", counted, ""), limit=f.limit)
                    for order in self._orders(node.type, numbers=True):
                        yield replace(made, order=(order, "desc" if f.most > 0 else "asc", root), limit=f.limit)
                else:
                    yield made

    def _key_fit(self, entity_type: str, key: str) -> float:
        f = self.asked.frame
        timed = f.asker == "when" or any(self.asked.words[i].lower in ("year", "date", "day") for i in f.head)
        if timed and self.catalog.attributes[entity_type][key].kind in ("year", "date"):
            return 0.55 + 0.45 * float(self.evidence.attributes[key].max(initial=0.0))
        if not f.head and not f.asker and f.head_value < 0:
            return 0.9 * float(self.evidence.attributes[key].max(initial=0.0))
        return self.evidence.head_attributes[key]

    def _extreme_nodes(self, tree: Tree, root: int) -> list[int]:
        """The nodes that a superlative may order: what is asked for, and those of the type that the next word names."""
        after = self.asked.frame.extreme[2] + 1
        if after not in self.asked.content:
            return [root]
        word = self.asked.content.index(after)
        return [root, *(
            i for i, node in enumerate(tree.nodes)
            if i != root and self.evidence.types[node.type][word] >= 0.6 and not any(c.uid for c in node.conditions)
        )]  # fmt: skip

    def _orders(self, entity_type: str, *, numbers: bool = False) -> list[str]:
        """The properties of a type by which a superlative may order, the likeliest two; dates where it is of time or names them."""
        kinds = ("number",) if numbers else ("number", "year", "date")
        scores = {
            key: self._order_fit(key) + (0.25 if x.kind != "number" and self._of_time() else 0.0)
            for key, x in self.catalog.attributes[entity_type].items()
            if x.kind in kinds and not is_id(key)
            and (x.kind == "number" or self._of_time() or self._measure_fit(key) >= SPOKEN)
        }  # fmt: skip
        return sorted((k for k in scores if scores[k] > 0.1), key=lambda k: -scores[k])[:2]

    def _measure_fit(self, key: str) -> float:
        return max(self.evidence.attributes[key].max(initial=0.0), self.evidence.head_attributes[key])

    def _of_time(self, *glosses: str) -> bool:
        f = self.asked.frame
        return bool(f.extreme) and f.extreme[1] in (glosses or ("age", "date time year"))

    def _direction(self, entity_type: str, key: str) -> str:
        """The oldest has the greatest age but the least date."""
        sign = self.asked.frame.extreme[0]
        if self.asked.frame.extreme[1] == "age" and self.catalog.attributes[entity_type][key].kind in ("year", "date"):
            sign = -sign
        return "desc" if sign > 0 else "asc"

    def _order_fit(self, key: str) -> float:
        f = self.asked.frame
        gloss = f.extreme[1] if f.extreme else "number"
        phrases = self.catalog.attribute_phrases(key)
        vector = self.catalog.vectors([gloss])[0]
        fit = scaled(float((self.catalog.vectors(phrases) @ vector).max()), 0.2, 0.7)
        if any(set(noun_stems(p)) & set(noun_stems(gloss)) for p in phrases):
            fit = max(fit, 0.9 if gloss.split()[0] in " ".join(phrases).lower().split() else 0.75)
        return max(fit, self.evidence.attributes[key].max(initial=0.0), self.evidence.head_attributes[key])

    def _neighbours(self, tree: Tree, root: int) -> list[int]:
        distance = _distances(tree, root)
        return [i for i in range(len(tree.nodes)) if i != root and distance[i] <= 3 and not tree.nodes[i].conditions]

    def features(self, tree: Tree) -> dict[str, float]:
        """The features of one candidate."""
        return self._finished(self._drafted(tree, self._common(tree)))

    def _drafts(self, tree: Tree) -> Iterator[_Draft]:
        """A tree with each thing that may be asked of it."""
        common = self._common(tree)
        yield from (self._drafted(candidate, common) for candidate in self.outputs(tree))

    def _common(self, tree: Tree) -> dict[str, float]:
        """The features that do not depend on what is asked of a tree."""
        present = {cond.span for node in tree.nodes for cond in node.conditions}
        values = [0.5 * cond.score + 0.5 * self._named(cond) for node in tree.nodes for cond in node.conditions]
        return {
            "frequent": mean([self.frequency[link] for *_, link in tree.edges]),
            "values": mean(values),
            "another": bool(self.others) and sum(node.type in self.others for node in tree.nodes) < 2,
            "dropped": len(self.asked.choices) - len(present),
            "merged": sum(
                any(self._apart(cond.span, before.span) for before in node.conditions[:x])
                for node in tree.nodes
                for x, cond in enumerate(node.conditions)
            ),
            "lacking": sum(
                set() in (self._reached(tree.nodes[s], link, True), self._reached(tree.nodes[o], link, False))
                for s, o, link in tree.edges
            ),
        }

    def _drafted(self, tree: Tree, common: dict[str, float]) -> _Draft:
        """What is cheap to know of a candidate; `_finished` adds the rest, and mends what events change."""
        a, e, c = self.asked, self.evidence, self.catalog
        fit = self._head(tree)
        inner = tree.key or tree.output == "exists"
        columns = [self.speaks[link] for _, _, link in tree.edges]
        n_edges = len(columns)
        for i, node in enumerate(tree.nodes):
            full = not node.conditions and (i != tree.root or inner)
            columns.append(e.types[node.type] if full else self.types_held[node.type])
        held = [(i, cond.key) for i, node in enumerate(tree.nodes) for cond in node.conditions]
        held += [(tree.root, tree.key)] if tree.key else []
        order = [(tree.order[2], tree.order[0])] if tree.order else []
        held += [x for x in order if not self._linked(tree, *x) or (x not in held and self._of_time("date time year"))]
        columns += [e.attributes[key] for _, key in held]
        n_words = len(a.content)
        outward = _distances(tree, tree.root)
        given, word_of = [0.0] * len(columns), [-1] * len(columns)
        if n_words and columns:
            matrix = np.array(columns).T
            # of two nodes of one type, and of two links of one relation, the outer one takes the later word
            depth = [max(outward[s], outward[o]) for s, o, _ in tree.edges]
            depth += [outward[i] for i in range(len(tree.nodes))] + [0] * len(held)
            later = np.array(depth, float) * self.positions
            rows, cols = linear_sum_assignment(-(matrix + 0.01 * later))
            taken = matrix[rows, cols]
            covered = np.zeros(n_words)
            covered[rows] = taken
            covered = np.maximum(covered, 0.4 * matrix.max(1))
            for row, col, speaks in zip(rows.tolist(), cols.tolist(), taken.tolist(), strict=True):
                given[col], word_of[col] = speaks, row
            for w, i in enumerate(a.content):
                if i in a.frame.head:
                    covered[w] = max(covered[w], fit)
            uncovered = float(((1 - covered) * self.heavy).sum())
            coverage = 1 - uncovered / self.total
        else:
            coverage, uncovered = 0.5, 0.0
        twins = self._twins(tree)
        shared = [(k, x) for k, x, named, unsaid in twins if self.alike and unsaid and not named]
        for k, x, named, _ in twins:
            if named or self.alike or self.elided:  # one word asks for both: founded by A and B, the employer of both
                given[k] = given[x] = max(given[k], given[x])
        words_of = [a.content[w] if g >= 0.3 else -1 for w, g in zip(word_of, given, strict=True)]
        fixed = tree.nodes[tree.root]
        known = fixed.conditions and not tree.key and tree.output == "node" and any(
            cond.key == c.name_keys[fixed.type] for cond in fixed.conditions
        )  # fmt: skip
        found = common | {
            "coverage": coverage,
            "uncovered": uncovered,
            "head": fit,
            "known": bool(known),
            "order": self._ordered(tree),
            "size": len(tree.nodes) + 0.5 * (bool(tree.key) and self._linked(tree, tree.root, tree.key)),
            "shared": bool(shared) if self.alike else 0.5,
            "denied": self._denied(tree, words_of[:n_edges]),
        }
        linked = [len(columns) - len(held) + x for x, (i, key) in enumerate(held) if self._linked(tree, i, key)]
        draft = _Draft(tree, found, given, words_of, outward, linked)
        found |= self._worded(draft)
        return draft

    def _worded(self, draft: _Draft) -> dict[str, float]:
        """The features of how far words ask for links and nodes."""
        tree, given = draft.tree, draft.given
        n_edges = len(tree.edges)
        edges = [0.5 * g + 0.5 * self.clauses[link] for g, (_, _, link) in zip(given, tree.edges, strict=False)]
        edges += [given[x] for x in draft.linked]
        idle, wordless = 0.0, set()
        for g, (s, o, _) in zip(given, tree.edges, strict=False):
            if g < 0.3:
                wordless |= {s, o}
                idle += 0.3 + 0.7 * (1 - 1 / max(1, self.rivals[frozenset((tree.nodes[s].type, tree.nodes[o].type))]))
        passing = sum(
            given[n_edges + i] < 0.3
            for i in wordless
            if not tree.nodes[i].conditions and (i != tree.root or tree.output == "exists")
        )
        return {"edges": mean(edges), "least": min(edges, default=0.5), "idle": idle, "passing": passing}

    def _at_most(self, draft: _Draft) -> float:
        """What the score of a candidate can come to when it is finished: each open feature at the better end of its range.

        No end is known where the question speaks of events, which raise features that are known already.
        """
        tree = draft.tree
        if self.parts:
            return math.inf
        n_nodes = sum(n.type not in self.catalog.relationships for n in tree.nodes)
        n_things = sum(m.again is None for m in self.mentions)
        several = len({c.span for n in tree.nodes for c in n.conditions}) > 1
        ends = dict.fromkeys(("attached", "placed", "rooted", "outward", "direction"), (0.0, 1.0)) | {
            "near": (0.0, 1.0) if several else (0.5, 0.5),
            "chain": (0.0, 1.0) if len(tree.edges) > 1 else (0.5, 0.5),
            "unmet": (max(0, n_things - n_nodes), n_things),
            "extra": (max(0, n_nodes - n_things), n_nodes),
            "part": (0.5, 0.5),
        }
        open_ = sum(max(w * low, w * high) for name, (low, high) in ends.items() if (w := self.weights.get(name)))
        return self._sum(draft.found) + open_ + SLIP

    def _finished(self, draft: _Draft) -> dict[str, float]:
        tree, found, given, words_of = draft.tree, dict(draft.found), draft.given, draft.words_of
        n_edges = len(tree.edges)
        unmet, extra, attached, placed, things, rooted = self._things(tree, words_of[:n_edges])
        part, told, implied = self._played(tree, things)
        if told or implied:
            given = list(given)
            for k in told:  # by "from" and "to"
                given[k] = max(given[k], SPOKEN)
            for k, (s, o, _) in enumerate(tree.edges):
                if {s, o} & implied:
                    given[k] = max(given[k], 0.5)
            found |= self._worded(replace(draft, given=given))
            found["size"] -= 0.8 * len(implied)
        said_at = {i: min(self.mentions[y].start for y in self.said_as[x]) for i, x in things.items()}
        found |= {
            "unmet": unmet,
            "extra": extra - len(implied),
            "attached": attached,
            "placed": placed,
            "rooted": rooted,
            "outward": self._outward(tree, draft.outward, words_of[n_edges:], said_at),
            "near": self._near(tree, words_of[:n_edges]),
            "chain": self._chained(tree, draft.outward, words_of[:n_edges]),
            "direction": self._forward(tree, words_of[:n_edges]),
            "part": part,
        }
        return {name: float(value) for name, value in found.items()}  # none of numpy, which JSON cannot hold

    def _twins(self, tree: Tree) -> list[tuple[int, int, bool, bool]]:
        """Pairs of edges of one relation that join two things to the same third one; whether both things are named, and whether
        the third is neither asked for nor named itself.

        Pairs of which neither holds are there only where the question leaves a word out: friends with A and with B.
        """
        found = []
        for k, (s, o, link) in enumerate(tree.edges):
            for x, (s2, o2, link2) in enumerate(tree.edges[:k]):
                if self.catalog.links[link].relation != self.catalog.links[link2].relation or not (s == s2 or o == o2):
                    continue
                middle, ends = (o, (s, s2)) if o == o2 else (s, (o, o2))
                named = all(tree.nodes[i].conditions for i in ends)
                unsaid = middle != tree.root and not tree.nodes[middle].conditions
                if named or unsaid or self.elided:
                    found.append((k, x, named, unsaid))
        return found

    def _linked(self, tree: Tree, i: int, key: str) -> bool:
        """Whether a property is a relationship in the database."""
        attribute = self.catalog.attributes[tree.nodes[i].type].get(key)
        return attribute is not None and attribute.linked

    def _played(self, tree: Tree, things: Mapping[int, int]) -> tuple[float, list[int], set[int]]:
        """Share of the parts in events that the question speaks of and the tree has, less where a node has the wrong one; the
        links that join an event to what the question says plays that part; and the nodes that only lead there (her phone).
        """
        said = {(event, part) for event, parts in self.parts.items() for part in parts.values()}
        had: dict[tuple[str, int], float] = {}
        told, implied, against = [], set(), False
        for k, (s, o, link) in enumerate(tree.edges):
            event, part = self.catalog.parts.get(link, ("", 0))
            if event not in self.parts:
                continue
            centre, end = (s, o) if tree.nodes[s].type == event else (o, s)
            wanted = self._part_at(tree, end, centre, things, self.parts[event])
            if not wanted:
                had[event, part] = max(0.5, had.get((event, part), 0.0))
            elif wanted == part:
                had[event, part] = 1.0
                told.append(k)
                if end not in things and not tree.nodes[end].conditions and end != tree.root:
                    implied.add(end)
            against |= wanted not in (0, part)
        share = sum(had.get(x, 0.0) for x in said) / len(said) - 0.5 * against if said else 0.5
        return share, told, implied

    def _part_at(self, tree: Tree, i: int, event: int, things: Mapping[int, int], parts: Mapping[int, int]) -> int:
        """The part of a node beside an event, told by what is said of it and of the nodes next to it; 0 where nothing is, another
        number where they are said to play both.
        """
        found: set[int] = set()
        for node in {i} | {a + b - i for a, b, _ in tree.edges if i in (a, b)} - {event}:
            mine = {parts[x] for x in self.said_as[things[node]] if x in parts} if node in things else set()
            named = {self.thing[c.span] for c in tree.nodes[node].conditions if c.span in self.naming}
            mine |= {parts[x] for x in named if x in parts}  # those who called A: not A
            mine |= {parts[-1]} if node == tree.root and -1 in parts else set()
            kind, given = tree.nodes[node].type, set(things.values())
            if not mine and node in things:  # said twice: somebody was called; who was it
                mine = {p for x, p in parts.items() if x >= 0 and x not in given and kind in self.mentions[x].kinds}
                mine = mine if len(mine) == 1 else set()
            found |= mine
        return found.pop() if len(found) == 1 else 2 * len(found)

    def _denied(self, tree: Tree, at: Sequence[int]) -> float:
        """Whether the tree denies something when the question does, best what is said after the negation."""
        negated = self.asked.frame.negated
        if negated < 0:
            return 0.5
        if tree.absent >= 0:
            return 1.0 if at[tree.absent] > negated or at[tree.absent] < 0 else 0.5
        return 0.8 if any(c.operator == "<>" for n in tree.nodes for c in n.conditions) else 0.0

    def _things(self, tree: Tree, at: Sequence[int]) -> tuple[float, float, float, float, dict[int, int], float]:
        """How many things the question speaks of have no node of their own, how many nodes are no such thing, `_attached`,
        for each node that is one which, and whether the root is what the question word or the head noun asks for.

        Of the ways to give nodes to things the one is taken that the order of the words fits best; of a question that
        speaks of very many, the first `MOST_THINGS` and `MOST_PLACES` ways are looked at.
        """
        nodes = [i for i, n in enumerate(tree.nodes) if n.type not in self.catalog.relationships]
        if not self.mentions:
            return 0.0, float(len(nodes)), 0.5, 0.5, {}, 0.5
        held = {i: {c.span for c in tree.nodes[i].conditions} for i in nodes}
        options = [
            [i for i in nodes if (m.spans & held[i] if m.spans else tree.nodes[i].type in m.kinds)]
            if m.again is None else []
            for m in self.mentions[:MOST_THINGS]
        ]  # fmt: skip
        n_things = sum(m.again is None for m in self.mentions)
        edges = [(s, o, w) for (s, o, _), w in zip(tree.edges, at, strict=True) if s in held and o in held]
        head = self.asked.frame.head[-1] if self.asked.frame.head else -1
        best, chosen = (-1.0, -1.0, 0.0, 0.0, False), dict[int, int]()
        seen = 0

        def visit(m: int, place: dict[int, int]) -> None:
            nonlocal best, chosen, seen
            if seen == MOST_PLACES:
                return
            if m == len(options):
                seen += 1
                attached, placed = self._attached(edges, place)
                named = sum(1.0 if self.mentions[x].spans or not held[i] else 0.9 for i, x in place.items())
                asked_for = self.said_as[place[tree.root]] if tree.root in place else []
                rooted = any(x == 0 or self.mentions[x].start <= head < self.mentions[x].end for x in asked_for)
                score = sum(
                    self.weights.get(name, 0.0) * x
                    for name, x in (("attached", attached), ("placed", placed), ("rooted", rooted))
                )
                if self.parts:
                    score += self.weights.get("part", 0.0) * self._played(tree, place)[0]
                found = (named, score, attached, placed, rooted)
                if found > best:
                    best, chosen = found, place
                return
            free = [i for i in options[m] if i not in place]
            for i in free:
                visit(m + 1, place | {i: m})
            if not free or len(free) < len(options[m]):
                visit(m + 1, place)

        visit(0, {})
        unmet, extra = n_things - math.ceil(best[0]), len(nodes) - math.ceil(best[0])
        asking = self.asked.frame.asker or self.asked.frame.open or head >= 0
        likely = max((self.evidence.head_types.get(t, 0.0) for t in self.mentions[0].kinds), default=0.0)
        fits = self.evidence.head_types[tree.nodes[tree.root].type] / likely if likely and head < 0 else 1.0
        return float(unmet), float(extra), best[2], best[3], chosen, float(best[4]) * min(1.0, fits) if asking else 0.5

    def _attached(self, edges: Sequence[tuple[int, int, int]], place: dict[int, int]) -> tuple[float, float]:
        """Shares of edges that join things said one after the other, and of those whose word stands between or after them, not in
        the noun of another thing.
        """
        joined, placed = [], []
        for s, o, word in edges:
            if s not in place or o not in place:
                continue
            joined.append(float(self._belong(place[s], place[o])))
            if word >= 0:
                noun = next(
                    (self.meant[x] for x, m in enumerate(self.mentions) if m.start <= word < m.end), place[s]
                )  # a housemate
                between = any(
                    self.mentions[i].start <= word < (self.mentions[j + 1].start if j + 1 < len(self.mentions) else len(self.asked.words))
                    for i, j in (sorted((x, y)) for x in self.said_as[place[s]] for y in self.said_as[place[o]])
                )  # fmt: skip
                to = self._object(word)
                placed.append(float(noun in (place[s], place[o]) and between and to in (-1, place[s], place[o])))
        return mean(joined), mean(placed)

    def _object(self, word: int) -> int:
        """The thing that follows a word for a link, with no more than articles and prepositions between: relative of A, lives with A."""
        words = self.asked.words
        for x, m in enumerate(self.mentions):
            start = math.ceil(m.start)
            if start <= word or m.end < 0:
                continue
            between = range(word + 1, start)
            plain = all(
                words[i].lower in _DETERMINERS | PREPOSITION - {"by"} or words[i].lower in _HOMES for i in between
            )
            joined = any(words[i].lower in PREPOSITION for i in between) and not any(
                _parted(self.asked, i) for i in (*between, start)
            )
            return self.meant[x] if plain and joined else -1
        return -1

    def _belong(self, x: int, y: int) -> bool:
        """Whether of two things one may belong to the other, wherever they are said."""
        return any(self._joinable(*sorted((i, j))) for i in self.said_as[x] for j in self.said_as[y] if i != j)

    def _joinable(self, i: int, j: int) -> bool:
        """Whether a thing may belong to an earlier one: the next one, or by and; who knows A, lives with B and ... all are who."""
        if j == i + 1:
            return not self.parted[j]
        first = j
        while self.parted[first] and self.parted[first - 1]:
            first -= 1
        return self.conjoined[j] and (first == j or i < first - 1)

    def _outward(self, tree: Tree, distance: dict[int, int], at: Sequence[int], things: dict[int, float]) -> float:
        """Share of edges whose outer node is said after the inner one; `things` says where nodes that are things are said."""
        a = self.asked
        place = {}
        for i, node in enumerate(tree.nodes):
            spans = [a.spans[c.span][0] for c in node.conditions]
            if spans:
                place[i] = max(spans)
            elif i in things:
                place[i] = things[i]
            elif i < len(at) and at[i] >= 0:
                place[i] = at[i]
        if a.frame.head:
            place[tree.root] = a.frame.head[-1]
        elif a.frame.asker or a.frame.head_value >= 0:
            place[tree.root] = a.frame.head_value
        verdicts = []
        for s, o, _ in tree.edges:
            inner, outer = (s, o) if distance[s] < distance[o] else (o, s)
            if inner in place and outer in place:
                verdicts.append(1.0 if place[inner] < place[outer] else 0.0)
        return mean(verdicts)

    def _near(self, tree: Tree, at: Sequence[int]) -> float:
        """Share of edges whose word stands nearest to a value at one of their ends, or beyond."""
        where = {cond.span: i for i, node in enumerate(tree.nodes) for cond in node.conditions}
        if len(where) < 2:
            return 0.5
        verdicts = []
        for (s, o, _), word in zip(tree.edges, at, strict=True):
            if word < 0:
                continue
            gap = {span: self._gap(word, span) for span in where}
            nearest = min(gap.values())
            ends = {where[span] for span, g in gap.items() if g == nearest}
            verdicts.append(1.0 if ends & {s, o} else 0.0)
        return mean(verdicts)

    def _chained(self, tree: Tree, outward: dict[int, int], at: Sequence[int]) -> float:
        """Share of pairs of edges, one beyond the other, whose words stand in that order: from what is asked for outwards."""
        a = self.asked
        last = max(at, default=-1)
        helpers = ("do", "does", "did")
        if 0 <= last == len(a.words) - 1 and is_participle(a.words[last].lower):
            helpers = (*helpers, *BE)  # "where was the wife of A born"
        helper = next((i for i, w in enumerate(a.words) if w.lower in helpers), -1)
        place = list(at)
        if 0 <= helper < last == max(a.content) and all(last >= end for _, end in a.spans):
            place = [helper if word == last else word for word in at]  # "which films did people who ... direct"
        verdicts = []
        for k, (s, o, _) in enumerate(tree.edges):
            for x, (s2, o2, _) in enumerate(tree.edges):
                shared = {s, o} & {s2, o2}
                if k == x or place[k] < 0 or place[x] < 0 or len(shared) != 1:
                    continue
                middle = shared.pop()
                inner = s if o == middle else o
                if outward[inner] < outward[middle]:
                    verdicts.append(1.0 if place[k] < place[x] else 0.0)
        return mean(verdicts)

    def _gap(self, word: int, span: int) -> float:
        """Words between a word and a span; a name after its verb is a little nearer than one before."""
        start, end = self.asked.spans[span]
        if start > word:
            between = {w.lower for w in self.asked.words[word + 1 : start]}
            return 0.5 if between <= PREPOSITION | {"the", "a", "an"} else start - word - 0.5
        return word - end + 1

    def _forward(self, tree: Tree, at: Sequence[int]) -> float:
        """Whether the grammar agrees with the direction of links between nodes of one type."""
        verdicts = []
        for (s, o, link), word in zip(tree.edges, at, strict=True):
            found = self.catalog.links[link]
            alike = self.catalog.schema.family(found.subject) == self.catalog.schema.family(found.object)
            head = self.asked.frame.head
            who = [i for i, w in enumerate(self.asked.words) if w.lower in ("who", "whom") and not head][:1]
            if word > 0 and (
                is_agent(self.asked.words[word].lower) or self.asked.words[word - 1].lower in ("the", "a", "an")
            ):
                who = []  # a noun, as in "the founder of", is not what is done
            if self.catalog.symmetric(link) or word < 0 or not (alike or (who and tree.root in (s, o))):
                continue
            known = [(end, self.asked.spans[c.span]) for end in (s, o) for c in tree.nodes[end].conditions]
            if tree.root in (s, o) and (not alike or not known):
                at_root = head or who
                known = [(tree.root, (at_root[0], at_root[-1] + 1))] if at_root else []
            phrases = self.catalog.phrases[link, True]
            said_so = self.asked.words[word]
            phrase = next((p for p in phrases if said_so.lower in p.split()), "")
            phrase = phrase or next((p for p in phrases if said_so.stem in noun_stems(p)), phrases[0])
            for end, span in known:
                inverse = self.catalog.schema.relations[found.relation].inverse
                wanted = anchor_is_subject(self.asked, word, span, phrase, inverse, self._acts(span))
                if wanted is None and not {w.lower for w in self.asked.words[word : span[0]]} & {"by", "of"}:
                    wanted = span[1] <= word  # the subject stands before its verb
                if wanted is not None:
                    verdicts.append(1.0 if wanted == (end == s) else 0.0)
        return mean(verdicts)

    def _acts(self, span: tuple[int, int]) -> bool | None:
        """Whether what is asked for at a span cannot be who acts: "for whom did she work", "which firm did she found"."""
        lower = [w.lower for w in self.asked.words]
        start = span[0] - (span[0] > 0 and lower[span[0] - 1] in ("which", "what"))
        asker = start < span[0] or (span[1] - span[0] == 1 and lower[start] in ("who", "whom"))
        before = start and lower[start - 1] in PREPOSITION and lower[start - 1] != "by"
        return False if asker and (before or lower[span[1] : span[1] + 1] in (["do"], ["does"], ["did"])) else None

    def _named(self, condition: Condition) -> float:
        """Whether words next to a value name its property."""
        e, a = self.evidence, self.asked
        start, end = a.spans[condition.span]
        near = [e.attributes[condition.key][w] for w, i in enumerate(a.content) if start - 4 <= i <= end + 2]
        return float(max(near, default=0.0))

    def _head(self, tree: Tree) -> float:
        """How well what is returned fits the head noun and question word."""
        e, f = self.evidence, self.asked.frame
        node = tree.nodes[tree.root]
        if tree.output == "exists":
            return 0.5
        if not f.head and f.head_value >= 0:  # "how many Police Constables"
            if tree.key:
                return 0.1
            holder = next((i for i, n in enumerate(tree.nodes) if self._holds(n, f.head_value)), -1)
            named = holder >= 0 and any(
                c.key == self.catalog.name_keys[tree.nodes[holder].type] for c in tree.nodes[holder].conditions
            )
            beside = any({a, b} == {holder, tree.root} for a, b, _ in tree.edges)
            return (0.0 if named else 1.0) if holder == tree.root else (0.8 if beside and named else 0.1)
        if not f.head and f.asker not in ASKERS:
            return 0.9 * float(e.attributes[tree.key].max(initial=0.0)) if tree.key else 0.4
        if tree.key:
            kind = self.catalog.attributes[node.type][tree.key].kind
            if f.asker == "where" and kind != "text":
                return 0.1
            wants_time = f.asker == "when" or any(self.asked.words[i].lower in ("year", "date", "day") for i in f.head)
            if wants_time:
                verb = e.attributes[tree.key].max(initial=0.0)
                return 0.55 + 0.45 * verb if kind in ("year", "date") else 0.6 * e.head_attributes[tree.key]
            if kind == "date" and f.head:
                text = " ".join(self.asked.words[i].lower for i in f.head)
                return e.head_attributes[tree.key] * (1.0 if text in self.catalog.attribute_phrases(tree.key) else 0.5)
            if kind == "text" and e.head_types[node.type] < self.typed and _asks_nodes(self.asked, self.typed):
                return 0.8 * e.head_attributes[tree.key]
            named_by = set(noun_stems(self.catalog.label(node.type))) & set(
                noun_stems(self.catalog.attribute_phrases(tree.key)[0])
            )
            if named_by and f.output == "node":
                return 0.85 * e.head_attributes[tree.key]  # the email address of an email is the email
            return e.head_attributes[tree.key] * (1.0 if f.asker in ("when", "old", "long", "much") or f.head else 0.6)
        if f.asker in ("when", "old", "long", "much", "tall", "expensive"):
            return 0.2 * e.head_types[node.type]
        fit = e.head_types[node.type]
        if self.agentive:  # no type or property: an agent noun, as in "directors"
            noun = " ".join(self.asked.words[i].lower for i in f.head)
            for a, b, link in tree.edges:
                label = self.catalog.schema.relations[self.catalog.links[link].relation].label.lower()
                called = _says(noun, (label,))  # the object: the doctoral advisor
                if tree.root in (a, b) and link in self.mutual:
                    fit = max(fit, 0.95 * max(e.head_links[link, True], float(called)))
                elif tree.root == a and not called:
                    fit = max(fit, 0.95 * e.head_links[link, True])
                elif tree.root == b:
                    named = called or (_says(noun, self.catalog.phrases[link, True]) and not is_agent(noun))
                    fit = max(fit, 0.95 if named else 0.475 * e.head_links[link, False])  # the birthplace
        name = self.catalog.name_keys[node.type]
        if name:
            fit = max(fit, 0.9 * e.head_attributes[name])
        for condition in node.conditions:  # "Which Inspectors", "how many shoplifting cases"
            start, end = self.asked.spans[condition.span]
            at = f.head[0] if f.head else -1
            if at >= 0 and start - 1 <= at <= end:
                fit = max(fit, 0.5)
        return fit

    def _holds(self, node: Node, word: int) -> bool:
        spans = [self.asked.spans[c.span] for c in node.conditions]
        return any(start <= word < end for start, end in spans)

    def _ordered(self, tree: Tree) -> float:
        if tree.order:
            return self._order_fit(tree.order[0])
        if tree.measure:
            _, i, key = tree.measure
            return (
                float(self._measure_fit(key))
                if key
                else float(self.evidence.types[tree.nodes[i].type].max(initial=0.0))
            )
        return 0.5 if not (self.asked.frame.extreme or self.asked.frame.most) else 0.0


def mean(values: Sequence[float]) -> float:
    """Their mean; a half of none."""
    return float(sum(values)) / len(values) if values else 0.5


def _distances(tree: Tree, root: int) -> dict[int, int]:
    found, queue = {root: 0}, [root]
    while queue:
        i = queue.pop(0)
        for a, b, _ in tree.edges:
            for x, y in ((a, b), (b, a)):
                if x == i and y not in found:
                    found[y] = found[x] + 1
                    queue.append(y)
    return found


def canonical(tree: Tree, mutual: Collection[int], *, rooted: bool = True) -> Any:
    """The same for trees that differ only in the numbering of their nodes (and, unless `rooted`, in what is asked).

    Links that are `mutual` have no direction.
    """

    def at(i: int, parent: int) -> tuple:
        node = tree.nodes[i]
        conditions = tuple((c.key, c.operator, str(c.value), c.uid, c.span) for c in node.conditions)
        below = []
        for k, (a, b, link) in enumerate(tree.edges):
            if a == i and b != parent:
                below.append((link, True, k == tree.absent, at(b, i)))
            elif b == i and a != parent:
                below.append((link, link in mutual, k == tree.absent, at(a, i)))
        marks = (
            bool(tree.measure) and i == tree.measure[1], i == tree.group, bool(tree.order) and i == tree.order[2]
        )  # fmt: skip
        return (node.type, conditions, marks, tuple(sorted(below)))

    if not rooted:
        return min(at(i, -1) for i in range(len(tree.nodes)))
    measure = tree.measure and (tree.measure[0], tree.measure[2])
    return (at(tree.root, -1), tree.key, tree.output, tree.order and tree.order[:2], tree.most, measure, tree.limit)


def said(tree: Tree, catalog: Catalog) -> str:
    """The tree in words."""

    def node(i: int, parent: int) -> str:
        n = tree.nodes[i]
        text = catalog.label(n.type).lower()
        for c in n.conditions:
            if c.key == "#":
                text = f"{OPERATORS[c.operator]}{c.value}{f' and {c.upper}' if c.upper is not None else ''} {text}"
                continue
            if c.uid and c.operator == "=":
                text += f" {c.value}"
                continue
            operator = OPERATORS[c.operator]
            upper = f" and {c.upper}" if c.upper is not None else ""
            text += f" with {catalog.attribute_phrases(c.key)[0]} {operator}{c.value}{upper}".replace(LAST, "")
        parts = []
        for k, (a, b, link) in enumerate(tree.edges):
            no = "not " if k == tree.absent else ""
            if a == i and b != parent:
                parts.append(f"{no}{catalog.phrases[link, True][0]} {node(b, i)}")
            elif b == i and a != parent:
                r = catalog.schema.relations[catalog.links[link].relation]
                if r.inverse or r.symmetric:
                    parts.append(f"{no}{catalog.phrases[link, False][0]} {node(a, i)}")
                else:
                    parts.append(f"that {no}{node(a, i)} {catalog.phrases[link, True][0]}")
        return text + (" " + " and ".join(parts) if parts else "")

    body = node(tree.root, -1)
    if tree.group >= 0:
        body += f" for each {catalog.label(tree.nodes[tree.group].type).lower()}"
    key = catalog.attribute_phrases(tree.key)[0] if tree.key else ""
    if tree.output == "count":
        return f"how many {f'{key} of ' if key else ''}{body}"
    if tree.output == "exists":
        return f"is there {body}"
    start = f"{key} of {body}" if key else body
    if tree.output in ("avg", "sum"):
        return f"{'average' if tree.output == 'avg' else 'total'} {start}"
    if tree.order:
        order = catalog.attribute_phrases(tree.order[0])[0]
        of = "" if tree.order[2] == tree.root else f" of the {catalog.label(tree.nodes[tree.order[2]].type).lower()}"
        start += f" with the {'greatest' if tree.order[1] == 'desc' else 'least'} {order}{of}"
    if tree.measure:
        function, i, measured = tree.measure
        what = (
            f"{function} {catalog.attribute_phrases(measured)[0]}"
            if measured
            else catalog.label(tree.nodes[i].type).lower()
        )
        start += f" with the {'most' if tree.most > 0 else 'least'} {what}"
    return start if tree.limit == 1 else f"{tree.limit} {start}"


__all__ = ["Asked", "Condition", "Node", "Scored", "Search", "Tree", "asked", "canonical", "said"]
