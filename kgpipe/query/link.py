"""What a question speaks of: entities, types, dates and numbers of the graph, and the form of the answer that is asked for."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.distance import DamerauLevenshtein

from kgpipe import literals, names
from kgpipe.errors import InputError
from kgpipe.query.frame import DAY_OR_MONTH, EXTREMES, days_of
from kgpipe.query.words import AUXILIARY, FUNCTION, LIGHT, PREPOSITION, Word, content_stems, one_line, words
from kgpipe.schema import Schema, in_words

if TYPE_CHECKING:
    from kgpipe.graph.store import Store
    from kgpipe.models.embed import Embedder

WHOLE = 0.9
"""Score from which a text is the whole name of an entity, or an alias."""
LONGEST_NAME = 8
"""Words of the longest span that is looked up as a name."""
MOST_WORDS = 60
"""Words of a question that are read; what comes after them is not a question any more."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that a span may name."""

    uid: str
    type: str
    name: str
    score: float
    read_from: str = ""
    """The words as they stand in the question, where they are spelled otherwise than any name."""
    part: bool = False
    """Whether the words are only part of its name: a family name that others may have, also where it is an alias."""

    @property
    def whole(self) -> bool:
        """Whether the words are the name of the entity, or an alias."""
        return self.score >= WHOLE

    def rivals(self, other: Candidate) -> bool:
        """Whether the words may as well mean the other: both are called so, or the words are part of either's name."""
        return (self.whole and other.whole) or (self.part and other.part)


@dataclass(frozen=True, slots=True)
class EntitySpan:
    """Words [start, end) of the question and the entities they may name, best first."""

    start: int
    end: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class TypeSpan:
    """Words [start, end) that are the label or a synonym of an entity type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class ValueSpan:
    """Words [start, end) that say a date or number, with the comparison before it (=, <, >)."""

    start: int
    end: int
    kind: str
    operator: str
    value: str
    given: bool = False
    """Whether the caller said what the words mean."""


@dataclass(frozen=True)
class Linked:
    """A question with what was found in it."""

    question: str
    words: tuple[Word, ...]
    entities: tuple[EntitySpan, ...] = ()
    values: tuple[ValueSpan, ...] = ()
    unknown: tuple[str, ...] = ()
    """Capitalised names in the question that the graph does not know."""

    @functools.cached_property
    def content(self) -> tuple[int, ...]:
        """Indexes of the words outside names and values that carry content."""
        taken = {i for s in (*self.entities, *self.values) for i in range(s.start, s.end)}
        return tuple(
            i for i, w in enumerate(self.words) if i not in taken and w.lower not in FUNCTION and w.lower not in LIGHT
        )


class Vocabulary:
    """The words and sentence vectors of a schema's types and relations, made once."""

    def __init__(self, schema: Schema, embedder: Embedder) -> None:
        self.schema = schema
        self.embedder = embedder
        self.types = list(schema.entities)
        self.relations = [r for r in schema.relations if schema.relations[r].stored == "relationship"]
        self.type_phrases = {e.name: (e.label, *e.synonyms) for e in schema.entities.values()}
        self.relation_phrases = {
            name: tuple(dict.fromkeys((r.label, *r.synonyms, in_words(r.inverse), in_words(r.name)))) for name, r in
            schema.relations.items()
        }  # fmt: skip
        self.relation_phrases = {n: tuple(p for p in ps if p) for n, ps in self.relation_phrases.items()}
        self.relation_stems = {s for ps in self.relation_phrases.values() for p in ps for s in content_stems(p)}
        self.type_stems = {s for ps in self.type_phrases.values() for p in ps for s in content_stems(p)}
        self._vectors: dict[str, np.ndarray] = {}
        self.vectors([*PERSON, *PLACE, *(p for ps in self.type_phrases.values() for p in ps)])

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (n, width) of short texts, from memory where they were asked before."""
        new = [t for t in dict.fromkeys(texts) if t not in self._vectors]
        if new:
            if len(self._vectors) > 50_000:  # a long-lived process must not grow without bound
                self._vectors.clear()
                new = list(dict.fromkeys(texts))
            for text, vector in zip(new, encoded(new, self.embedder), strict=True):
                self._vectors[text] = vector
        return np.stack([self._vectors[t] for t in texts]) if texts else np.zeros((0, 1), np.float32)

    def likeness(self, entity_type: str, examples: Sequence[str]) -> float:
        """How close the type, or one of its parents, is in meaning to the example words, 0 to 1."""
        phrases = [p for t in self.schema.ancestors(entity_type) for p in self.type_phrases.get(t, ())]
        return scaled(float((self.vectors(phrases) @ self.vectors(examples).T).max()), 0.45, 0.85) if phrases else 0.0


def encoded(texts: Sequence[str], embedder: Embedder, *, exact: bool = False) -> np.ndarray:
    """Unit vectors (n, width) of a few short texts, on one thread; `exact` in fp32.

    Threads gain nothing on a handful of short texts, and on a busy machine waiting for each other costs them seconds.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return embedder.encode(texts, exact=exact)
    finally:
        torch.set_num_threads(before)


PERSON = ("person", "human being")
PLACE = ("place", "location", "city")
_vocabularies: dict[tuple[str, int], Vocabulary] = {}


def vocabulary(schema: Schema, embedder: Embedder) -> Vocabulary:
    """The vocabulary of a schema, made once a process and embedder."""
    key = (schema.fingerprint, id(embedder))
    if key not in _vocabularies:
        _vocabularies[key] = Vocabulary(schema, embedder)
    return _vocabularies[key]


def scaled(value: float, low: float, high: float) -> float:
    """The value as 0 at `low`, 1 at `high`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def link(
    question: str, store: Store, known: Vocabulary, *, entities: Sequence[dict[str, Any]] = (), meant: frozenset[str] = frozenset(),
) -> Linked:  # fmt: skip
    """The question linked to the graph; with `entities` given ({"text", "label"?, "value"?}) no names are searched.

    A name that may be that of an entity in `meant` (uids) is.
    """
    found = tuple(words(question)[:MOST_WORDS])
    types = _types(found, known)
    values = _values(question, found)
    lost: list[str] = []
    if entities:
        spans, given, lost = _given(question, found, entities, store, known)
        values = (*given, *(v for v in values if not any(v.start < g.end and g.start < v.end for g in given)))
    else:
        spans = _entities(found, types, values, store, known)
    spans = tuple(replace(s, candidates=_meant(s.candidates, meant)) for s in spans)
    values = tuple(v for v in values if not any(v.start < s.end and s.start < v.end for s in spans))
    linked = Linked(question, found, spans, values)
    if not entities and (respelled := _respelled(linked, store, known)):
        spans = tuple(replace(s, candidates=_meant(s.candidates, meant)) for s in respelled)
        linked = Linked(question, found, spans, values)
    return replace(linked, unknown=(*lost, *_unknown(linked, known)))


def _types(found: tuple[Word, ...], known: Vocabulary) -> tuple[TypeSpan, ...]:
    stems = {content_stems(p): t for t, ps in reversed(known.type_phrases.items()) for p in ps}
    spans: list[TypeSpan] = []
    for length in (4, 3, 2, 1):
        for start in range(len(found) - length + 1):
            end = start + length
            key = tuple(w.stem for w in found[start:end])
            taken = any(start < s.end and s.start < end for s in spans)
            if not taken and key in stems and not known.schema.is_literal(stems[key]):
                spans.append(TypeSpan(start, end, stems[key]))
    return tuple(sorted(spans, key=lambda s: s.start))


_COMPARE = {
    "<": {"before", "until", "under", "below", "earlier than", "less than", "fewer than", "older than"},
    ">": {"after", "since", "over", "above", "later than", "more than", "newer than"},
}


def _values(question: str, found: tuple[Word, ...]) -> tuple[ValueSpan, ...]:
    spans = []
    for literal in literals.find(question):
        inside = [i for i, w in enumerate(found) if w.start < literal.end and literal.start < w.end]
        if not inside:
            continue
        start, end = inside[0], inside[-1] + 1
        before = [w.lower for w in found[max(0, start - 2) : start]]
        operator = next((o for o, cues in _COMPARE.items() if {*before[-1:], " ".join(before)} & cues), "=")
        spans.append(ValueSpan(start, end, literal.kind, operator, literal.value))
    for match in DAY_OR_MONTH.finditer(question):
        inside = [i for i, w in enumerate(found) if w.start < match.end() and match.start() < w.end]
        days = days_of(match)
        if inside and not any(s.start <= i < s.end for s in spans for i in inside):
            spans.append(ValueSpan(inside[0], inside[-1] + 1, "date", "=", days[0]))
    return tuple(sorted(spans, key=lambda s: s.start))


def _entities(
    found: tuple[Word, ...], types: tuple[TypeSpan, ...], values: tuple[ValueSpan, ...], store: Store, known: Vocabulary
) -> tuple[EntitySpan, ...]:
    ranges = [
        (i, j) for i in range(len(found)) for j in range(i + 1, min(len(found), i + LONGEST_NAME) + 1)
        if _may_name(found[i:j])
    ]  # fmt: skip
    texts = {(i, j): " ".join([w.text for w in found[i : j - 1]] + [_unpossessed(found[j - 1])]) for i, j in ranges}
    singular = {
        text: text[:-1] for text in texts.values()
        if len(text) > 3 and text.endswith("s") and not text.endswith("ss") and re.search(r"(?:^| )[A-Z0-9][^ ]*$", text)
    }  # fmt: skip
    rows = _search(store, known, list(dict.fromkeys((*texts.values(), *singular.values()))))
    lower_question = not any(c.isupper() for w in found[1:] for c in w.text)
    matches: list[EntitySpan] = []
    for i, j in ranges:
        if any(v.start <= i and j <= v.end for v in values) and not any(c.isalpha() for c in texts[i, j]):
            continue
        found_rows = rows.get(texts[i, j], ())
        candidates = _candidates(texts[i, j], found_rows, lower_question)
        if not candidates and (one := singular.get(texts[i, j])):  # "Turing Awards"
            exact = _candidates(one, rows.get(one, ()), lower_question, least=MISSPELT)
            candidates = [replace(c, score=c.score - 0.03) for c in exact]
        plain = all(not any(c.isupper() or c.isdigit() for c in w.text) for w in found[i:j])
        if plain and all(_is_type_word(k, types) or found[k].stem in known.relation_stems for k in range(i, j)):
            continue  # "computer" asks for computers, also when something is called so
        if candidates:
            matches.append(EntitySpan(i, j, tuple(candidates)[:4]))
    chosen: list[EntitySpan] = []
    for match in sorted(
        matches, key=lambda m: (-(m.candidates[0].score >= 0.9), -(m.end - m.start), -m.candidates[0].score)
    ):
        if not any(match.start < c.end and c.start < match.end for c in chosen):
            chosen.append(match)
    return tuple(sorted(chosen, key=lambda m: m.start))


def named(
    texts: Sequence[str], store: Store, known: Vocabulary, *, lower_question: bool = False, meant: frozenset[str] = frozenset(),
) -> dict[str, tuple[Candidate, ...]]:  # fmt: skip
    """For each text the entities that it names as a whole, best first: `the C language` is C, of that type if there is one."""
    variants = {text: _variants(text, known) for text in texts if len(text) <= LONGEST_TEXT}
    rows = _search(store, known, list(dict.fromkeys(v for vs in variants.values() for v, _ in vs)))
    found = {}
    for text, choices in variants.items():
        for variant, wanted in choices:
            candidates = _candidates(variant, rows.get(variant, ()), lower_question, least=LEAST_NAME)
            fitting = [c for c in candidates if wanted and known.schema.family(c.type) == known.schema.family(wanted)]
            if candidates:
                found[text] = _meant(tuple(fitting or candidates)[:4], meant)
                break
        else:
            named_like = lower_question or any(c.isupper() for c in text)
            if named_like and (candidates := _misspelt(choices[0][0], store, known)):
                found[text] = _meant(candidates, meant)
    return found


def _meant(candidates: tuple[Candidate, ...], meant: frozenset[str]) -> tuple[Candidate, ...]:
    return tuple(c for c in candidates if c.uid in meant) or candidates


LONGEST_TEXT = 120
"""Characters of a text that may be a name as a whole."""
LEAST_NAME = 0.8
"""Score from which a text names an entity as a whole: its name, an alias, or the end of its name."""


def _variants(text: str, known: Vocabulary) -> list[tuple[str, str]]:
    """The text, and without articles and the words of a type before or after it, as (text, type)."""
    bare = re.sub(r"^(?:the|a|an)\s+", "", text.strip(), flags=re.IGNORECASE)
    found = tuple(words(bare)[:MOST_WORDS])
    out = [(bare, "")]
    for span in _types(found, known):
        if span.start == 0 and span.end < len(found):
            out.append((bare[found[span.end].start :], span.type))
        elif span.end == len(found) and span.start > 0:
            out.append((bare[: found[span.start - 1].end], span.type))
    return [(v, t) for v, t in out if v]


def _candidates(
    text: str, rows: Sequence[dict[str, Any]], lower_question: bool, *, least: float = 0.5
) -> list[Candidate]:  # fmt: skip
    """The entities that a text may name, best first; none that is named much less surely than the first."""
    most = max((r["degree"] for r in rows), default=0)
    found = [
        Candidate(
            r["uid"], r["type"], r["name"], score - _LITTLE_KNOWN * (1 - r["degree"] / max(most, 1)),
            part=set(names.normalise(text).split()) < set(names.normalise(r["name"]).split()),
        )
        for r in rows if (score := _score(text, r, lower_question)) > least
    ]  # fmt: skip
    found.sort(key=lambda c: (-c.score, -len(c.name), c.uid))
    return [c for c in found if c.score > found[0].score - 0.15]


_LITTLE_KNOWN = 0.03
"""Taken off an entity of which the graph says nothing beside one of the same name of which it says much."""


def _is_type_word(index: int, types: tuple[TypeSpan, ...]) -> bool:
    return any(t.start <= index < t.end for t in types)


def _unpossessed(word: Word) -> str:
    return re.sub(r"['’]s?$", "", word.text)


_COMPARATIVE = frozenset("more most less least fewer fewest".split()) | frozenset(EXTREMES)


def _may_name(span: Sequence[Word]) -> bool:
    """Whether a name may begin and end so: not with a function word in lower case."""
    first, last = span[0], span[-1]
    if any(w.possessive for w in span[:-1]):
        return len(span) > 2 and span[0].text[0].isupper()  # "Moore's law", not "X's wife"
    if len(span) == 1:
        return first.lower not in FUNCTION and first.lower not in LIGHT and first.lower not in _COMPARATIVE
    return (
        not (first.text.islower() and first.lower in FUNCTION)
        and last.lower not in FUNCTION
        and (first.lower not in _ASKERS and first.lower not in AUXILIARY)
    )


def _search(store: Store, known: Vocabulary, texts: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """`entities_with`, each row with its `type`."""
    found = entities_with(store, texts)
    for rows in found.values():
        for row in rows:
            row["type"] = type_of(row["labels"], known.schema)
    return found


def entities_with(store: Store, texts: Sequence[str], *, query: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """Entities whose name or alias holds the words of each text in order, best first, by text.

    Rows are {"uid", "name", "aliases", "labels", "degree"}. With `query`, a Lucene query, that is searched instead.
    """
    from kgpipe.graph.store import ENTITY_INDEX

    columns, rows = store.read(
        "UNWIND $texts AS text CALL db.index.fulltext.queryNodes($index, text.query, {limit: 25}) YIELD node, score "
        "WHERE node:Entity RETURN text.text AS text, node.uid AS uid, node.name AS name, node.aliases AS aliases, "
        "labels(node) AS labels, COUNT { (node)--() } AS degree",
        {"index": ENTITY_INDEX, "texts": [{"text": t, "query": query or _phrase_query(t)} for t in texts]},
        max_rows=None,
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for values in rows:
        row = dict(zip(columns, values, strict=True))
        found.setdefault(row.pop("text"), []).append(row)
    return found


def _phrase_query(text: str) -> str:
    """The text as one Lucene phrase: between quotes, with what is special there escaped."""
    return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'


def type_of(labels: Sequence[str], schema: Schema) -> str:
    """The most specific type of the schema among a node's labels; empty when there is none."""
    known = [name for name in labels if name in schema.entities]
    return max(known, key=lambda name: len(schema.ancestors(name)), default="")


def _score(text: str, row: dict[str, Any], lower_question: bool) -> float:
    """How surely the text names the entity: 1 its name, less for aliases, other word orders and parts of names."""
    key = names.normalise(text)
    if not key:
        return 0.0
    best = 0.0
    for name in (row["name"], *(row["aliases"] or ())):
        other = names.normalise(name)
        mine, theirs = key.split(), other.split()
        if key == other:
            # Short names are case-sensitive: "it" is not IT, "c" is not C
            same_case = len(key) > 3 or text == name or lower_question
            score = (1.0 if name == row["name"] else 0.97) if same_case else 0.0
        elif sorted(set(mine) - _NAME_GLUE) == sorted(set(theirs) - _NAME_GLUE):
            score = 0.93
        elif (text[:1].isupper() or lower_question) and len(key) > 2 and set(mine) < set(theirs):
            share = len(key) / len(other)
            score = 0.86 if theirs[-len(mine) :] == mine and len(theirs) <= len(mine) + 2 else 0.5 + 0.3 * share
        else:
            score = 0.0
        best = max(best, score)
    return best


_NAME_GLUE = {"of", "the", "and", "for", "de", "von"}


def _given(
    question: str, found: tuple[Word, ...], entities: Sequence[dict[str, Any]], store: Store, known: Vocabulary
) -> tuple[tuple[EntitySpan, ...], tuple[ValueSpan, ...], list[str]]:
    """Spans of the entities and literals that the caller names, looked up by their value, and the texts not found."""
    spans, values, lost = [], [], []
    texts = [(one_line(str(e["text"])), one_line(str(e.get("value") or e["text"])), e.get("label")) for e in entities]
    rows = _search(store, known, [value for _, value, _ in texts])
    for text, value, label in texts:
        position = question.casefold().find(text.casefold())
        inside = [
            i for i, w in enumerate(found) if position >= 0 and w.start < position + len(text) and position < w.end
        ]
        if not inside:
            raise InputError(f'"{text}" does not stand in the question. Give the words as they stand there.')
        where = (inside[0], inside[-1] + 1)
        if known.schema.is_literal(str(label)):
            kind = known.schema.entities[str(label)].literal
            values.append(ValueSpan(*where, kind, "=", literals.parse(value, kind) or value, given=True))
            continue
        candidates = [
            Candidate(r["uid"], r["type"], r["name"], score) for r in rows.get(value, ())
            if (score := _score(value, r, True)) > 0.9 and (not label or label in r["labels"])
        ]  # fmt: skip
        if candidates:
            spans.append(EntitySpan(*where, tuple(sorted(candidates, key=lambda c: (-c.score, c.uid))[:4])))
        else:
            lost.append(text)
    return tuple(spans), tuple(values), lost


_ASKERS = {"who", "whom", "whose", "when", "where", "which", "what", "how", "why"}


def _unknown(linked: Linked, known: Vocabulary) -> tuple[str, ...]:
    """Runs of capitalised words that nothing in graph or schema explains."""
    return tuple(" ".join(linked.words[i].text for i in run) for run in _unknown_runs(linked, known))


def _unknown_runs(linked: Linked, known: Vocabulary) -> list[list[int]]:
    runs: list[list[int]] = []
    for i in linked.content:
        word = linked.words[i]
        name_like = any(c.isupper() for c in word.text[:1]) or any(c.isdigit() for c in word.text)
        if i == 0 or not name_like or word.stem in known.relation_stems | known.type_stems:
            continue
        if runs and i == runs[-1][-1] + 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


MOST_RESPELLED = 8
"""Spans of one question that are looked up as misspelt names."""
MISSPELT = 0.9
"""Score of a misspelt name, less `A_MISTAKE` for each wrong letter."""
A_MISTAKE = 0.03


def _respelled(linked: Linked, store: Store, known: Vocabulary) -> tuple[EntitySpan, ...]:
    """The names of the question with those that are no name, but for a mistake in spelling; empty when there is none.

    Looked up are words that nothing explains, with and without the capitalised words beside them. In a
    question without capitals, which do not tell what is a name, all words that are no words of the schema.
    """
    weak = {i for s in linked.entities if s.candidates[0].score < MISSPELT for i in range(s.start, s.end)}
    firm = {i for s in linked.entities for i in range(s.start, s.end)} - weak
    schema_stems = known.relation_stems | known.type_stems
    if any(c.isupper() for w in linked.words for c in w.text):
        unknown = _unknown_runs(linked, known)
        open_ = {i for run in unknown for i in run}
        open_ |= {i for i in weak if linked.words[i].text[:1].isupper()}
    elif firm:
        return ()
    else:
        open_ = {i for i in (*linked.content, *weak) if linked.words[i].stem not in schema_stems}
        unknown = [[i] for i in linked.content if i in open_]
    beside = open_ | {i for i, w in enumerate(linked.words) if i and w.text[:1].isupper() and w.lower not in FUNCTION}
    tried: list[tuple[int, int]] = []
    for run in unknown:
        low, high = run[0], run[-1]
        while low - 1 in beside and not linked.words[low - 1].possessive:
            low -= 1
        while high + 1 in beside and not linked.words[high].possessive:
            high += 1
        tried += [(i, j) for i in range(low, run[0] + 1) for j in range(high + 1, run[-1], -1) if j - i <= LONGEST_NAME]
    spans = list(linked.entities)
    found = False
    for i, j in sorted(dict.fromkeys(tried), key=lambda t: t[0] - t[1])[:MOST_RESPELLED]:
        if found and any(s.start < j and i < s.end and s.candidates[0].read_from for s in spans):
            continue
        text = " ".join([w.text for w in linked.words[i : j - 1]] + [_unpossessed(linked.words[j - 1])])
        if candidates := _misspelt(text, store, known):
            spans = [s for s in spans if s.end <= i or j <= s.start]
            spans.append(EntitySpan(i, j, candidates))
            found = True
    return tuple(sorted(spans, key=lambda s: s.start)) if found else ()


def _misspelt(text: str, store: Store, known: Vocabulary) -> tuple[Candidate, ...]:
    """The entities whose name or alias is the text but for a mistake or two, those with the fewest only."""
    parts = re.findall(r"\w+", text.lower())
    if not parts or len(parts) > LONGEST_NAME or max(map(len, parts)) < 5:
        return ()
    query = " ".join(f"+{p}~{2 if len(p) >= 9 else 1}" if len(p) >= 5 and p.isalpha() else f'+"{p}"' for p in parts)
    rows = entities_with(store, [text], query=query).get(text, [])
    found: list[tuple[int, int, dict[str, Any]]] = []
    for row in rows:
        ways = [w for name in (row["name"], *(row["aliases"] or ())) if (w := mistakes(text, name))]
        if ways:
            found.append((*min(ways), row))
    fewest = min((f[:2] for f in found), default=(0, 0))
    best = sorted((f for f in found if f[:2] == fewest), key=lambda f: (-f[2]["degree"], f[2]["uid"]))
    most = max((f[2]["degree"] for f in best), default=0)
    return tuple(
        Candidate(
            row["uid"], type_of(row["labels"], known.schema), row["name"],
            MISSPELT - A_MISTAKE * wrong - 0.02 * partly - _LITTLE_KNOWN * (1 - row["degree"] / max(most, 1)), text,
        )
        for wrong, partly, row in best[:4]
    )  # fmt: skip


def mistakes(text: str, name: str) -> tuple[int, int] | None:
    """Wrong letters of a text that means the name or its end, and whether only its end; None when it means something else.

    One letter in a word of five to eight, two in longer ones, never the first; a word that only ends otherwise is another
    word (France, Frances) unless a word beside it is right.
    """
    mine, theirs = names.normalise(text).split(), names.normalise(name).split()
    for part, partly in ((theirs, 0), (theirs[-len(mine) :], 1)):
        if len(part) != len(mine) or len(theirs) > len(mine) + 2:
            continue
        some_right = any(a == b and len(a) > 1 for a, b in zip(mine, part, strict=True))
        wrong = [_wrong(a, b, some_right) for a, b in zip(mine, part, strict=True)]
        if all(w is not None for w in wrong) and 0 < sum(w or 0 for w in wrong) <= 2:
            return sum(w or 0 for w in wrong), partly
    return None


def _wrong(a: str, b: str, some_right: bool) -> int | None:
    """Edits between two words, None for too many."""
    if a == b:
        return 0
    longest = max(len(a), len(b))
    if longest < 5 or a[:1] != b[:1] or any(c.isdigit() for c in a + b):
        return None
    if (a.startswith(b) or b.startswith(a)) and not some_right:
        return None
    distance = DamerauLevenshtein.distance(a, b)
    return distance if distance <= (2 if longest >= 9 else 1) else None


__all__ = [
    "Candidate",
    "EntitySpan",
    "Linked",
    "PREPOSITION",
    "TypeSpan",
    "ValueSpan",
    "Vocabulary",
    "link",
    "vocabulary",
]
