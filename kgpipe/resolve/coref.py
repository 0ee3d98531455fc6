"""Coreference inside a document by rule: pronouns and phrases such as `the company` to the name they stand for."""

from __future__ import annotations

import bisect
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kgpipe import names
from kgpipe.resolve.cluster import Link, Name
from kgpipe.schema import Schema

PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself"), "male"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "female"),
    **dict.fromkeys(("it", "its", "itself"), "thing"),
    **dict.fromkeys(("they", "them", "their", "theirs", "themselves"), "any"),
}
"""Pronouns that may stand for a name, and of what kind it then is."""

REACH = 8
"""Sentences before a pronoun in which its name is looked for."""

_OTHER_PRONOUNS = frozenset(
    "i me my mine myself we us our ours ourselves you your yours who whom whose which that this these those what one "
    "someone somebody anyone everyone others another both all some many several each none former latter here there where when".split()
)
_DETERMINER = re.compile(
    r"(?:the|this|that|these|those|its|his|her|their|our|my|a|an|one|another|some|any|each)\s+", re.I
)


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """One mention of a document with what resolution needs to know of it; `name` is the normalised surface."""

    uid: str
    document: str
    passage: str
    start: int
    end: int
    type: str
    family: str
    score: float
    surface: str
    name: str


def is_pronoun(surface: str) -> bool:
    """Whether the text names nothing by itself in any document, such as `she` or `who`."""
    word = surface.strip().lower()
    return word in PRONOUNS or word in _OTHER_PRONOUNS


def is_phrase(surface: str) -> bool:
    """Whether the text is a determiner and common nouns, such as `the company` or `its first computer`."""
    match = _DETERMINER.match(surface)
    rest = surface[match.end() :] if match else ""
    return bool(rest) and rest == rest.lower() and not any(c.isdigit() for c in rest) and rest.isascii()


def names_nothing(span: NamedSpan, people: frozenset[str]) -> bool:
    """Whether the mention is a pronoun or phrase, or a person written without any capital letter."""
    if is_pronoun(span.surface) or is_phrase(span.surface):
        return True
    return span.family in people and span.surface.isascii() and span.surface == span.surface.lower()


def antecedents(
    spans: Sequence[NamedSpan], text: str, title: str, sentence_starts: Sequence[int], schema: Schema
) -> dict[str, str]:
    """Uid of every mention of one document that names nothing to the uid of the name it stands for, or to "".

    Each goes to the earlier name of its type family with the most salience, if that is enough; a later one counts
    only in the same sentence (`When he came, Turing ...`). Pure: depends on the mentions, not on their order.
    """
    people = schema.people
    ordered = sorted(spans, key=lambda s: (s.start, s.end, s.type))
    context = Context(text, sentence_starts, [s for s in ordered if not names_nothing(s, people)], title, people)
    found: dict[str, str] = {}
    recent: dict[str, tuple[int, str]] = {}
    for span in ordered:
        if not names_nothing(span, people):
            continue
        kind = kind_of(span)
        best, best_score = "", LEAST
        for candidate in context.candidates(span):
            if _suits(candidate, span, kind, people, schema):
                value = salience(clues(candidate, span, context, recent))
                if value >= best_score:
                    best, best_score = candidate.uid, value
        found[span.uid] = best
        if best and kind:
            recent[kind] = (context.sentence(span.start), context.keys[best])
    return found


def kind_of(span: NamedSpan) -> str:
    """male, female, thing or any for a pronoun that may stand for a name; empty for every other mention."""
    return PRONOUNS.get(span.surface.strip().lower(), "")


class Context:
    """What the clues of all pronouns of one document share."""

    def __init__(
        self, text: str, starts: Sequence[int], named: Sequence[NamedSpan], title: str, people: frozenset[str]
    ) -> None:
        self.text, self.starts, self.named, self.people = text, starts, named, people
        self.title = f" {names.normalise(title)} " if title else ""
        self.keys = {span.uid: self._key(span) for span in named}
        self.count = Counter(self.keys.values())
        self.places = [span.start for span in named]

    def _key(self, span: NamedSpan) -> str:
        return names.person(span.surface).surname if span.family in self.people else span.name

    def key(self, span: NamedSpan) -> str:
        """What the forms of one name share inside a document: a person's surname, else the name."""
        return self.keys[span.uid]

    def within(self, start: int, end: int) -> Sequence[NamedSpan]:
        """The names that begin from `start` up to `end`."""
        return self.named[bisect.bisect_left(self.places, start) : bisect.bisect_left(self.places, end)]

    def candidates(self, span: NamedSpan) -> Sequence[NamedSpan]:
        """The names of the sentence of a mention and of the REACH before it."""
        here = self.sentence(span.start)
        first = self.starts[max(0, here - REACH)] if self.starts else 0
        last = self.starts[here + 1] if here + 1 < len(self.starts) else len(self.text)
        return self.within(first, last)

    def sentence(self, place: int) -> int:
        """Number of the sentence that holds this offset."""
        return max(0, bisect.bisect_right(self.starts, place) - 1)


_BEFORE = re.compile(r"(\w+)\W*$")
_AFTER = re.compile(r"\W{0,3}(\w+)")
_CLAUSE = re.compile(r"[,;:()—]|\b(?:and|but|that|who|which|when|while|because|after|before|as|if|though|although)\b")
_PREPOSITIONS = frozenset(
    "of to with by for in at from on against between under over about into than like through towards upon near".split()
)
_IN_PHRASE = re.compile(rf"\b(?:{'|'.join(sorted(_PREPOSITIONS))})\s+(?:the\s+)?$", re.IGNORECASE)
_VERBS = frozenset("is was has had were are did does would could can may might will became said also then who".split())
_SUBJECTS = frozenset("he she it they".split())
_OBJECTS = frozenset("him them".split())


def clues(
    candidate: NamedSpan, pronoun: NamedSpan, context: Context, recent: Mapping[str, tuple[int, str]]
) -> dict[str, float]:
    """What speaks for and against a name as the thing a pronoun means, by the names of WEIGHTS.

    `recent` is kind of pronoun to (sentence, key of the name) where that kind was last resolved.
    """
    text = context.text
    word = pronoun.surface.strip().lower()
    kind = kind_of(pronoun)
    here, there = context.sentence(pronoun.start), context.sentence(candidate.start)
    later = candidate.start > pronoun.start
    key = context.key(candidate)
    between = {
        context.key(s)
        for s in context.within(candidate.end, pronoun.start)
        if s.family == candidate.family and context.key(s) != key
    }
    before = _BEFORE.search(text, max(0, candidate.start - 20), candidate.start)
    after = _AFTER.match(text, candidate.end)
    follows = after.group(1) if after else ""
    owner = text[candidate.end : candidate.end + 1] in ("'", "’")
    verb = not owner and (follows in _VERBS or (len(follows) > 2 and re.fullmatch("[a-z]+(ed|s)", follows) is not None))
    objective = word in _OBJECTS or (word == "her" and not _possessive_her(text, pronoun.end))
    same_clause = here == there and not later and not _CLAUSE.search(text, candidate.end, pronoun.start)
    gender = names.gender(candidate.surface)
    last = recent.get(kind)
    found = {
        "same sentence": here == there,
        "one sentence before": here - there == 1,
        "more sentences": max(0, min(here - there, 8) - 1),
        "names between": min(len(between), 4),
        "begins sentence": candidate.start - context.starts[there] < 4 if context.starts else False,
        "after preposition": bool(before) and before.group(1).lower() in _PREPOSITIONS,
        "before verb": verb,
        "subject like it": verb and word in _SUBJECTS,
        "object in clause": objective and same_clause,
        "titled": bool(context.title) and f" {key} " in context.title,
        "often named": math.log1p(context.count[key]),
        "goes on": bool(last) and last[1] == key and here - last[0] <= 2,
        "gender fits": bool(gender) and gender == kind,
        "gender differs": bool(gender) and kind in ("male", "female") and gender != kind,
        "later": later,
    }
    return {name: float(value) for name, value in found.items()}


WEIGHTS = {
    "same sentence": 1.4, "one sentence before": 0.2, "more sentences": -0.45, "names between": -0.35,
    "begins sentence": 0.45, "after preposition": -0.55, "before verb": 0.6, "subject like it": 0.45,
    "object in clause": -2.5, "titled": 1.5, "often named": 0.3, "goes on": 2.0, "gender fits": 0.4,
    "gender differs": -2.5, "later": -1.2,
}  # fmt: skip
"""Fitted on GAP (development) and GUM (train) by softmax over the candidates, then rounded; by hand those of gender
(GAP's candidates share one), of continuation (the fit saw no wrong ones) and of objects."""
LEAST = 0.3
"""Salience below which a mention is left out."""


def salience(found: Mapping[str, float]) -> float:
    """The weighted sum of the clues."""
    return sum(WEIGHTS[name] * value for name, value in found.items())


def _possessive_her(text: str, end: int) -> bool:
    """Whether `her` owns what follows: a word that is no preposition, article or conjunction."""
    after = re.match(r" ([A-Za-z]+)", text[end : end + 30])
    return bool(after) and after.group(1).lower() not in _PREPOSITIONS | {"the", "a", "an", "and", "as", "that", "but"}


def _suits(candidate: NamedSpan, span: NamedSpan, kind: str, people: frozenset[str], schema: Schema) -> bool:
    if candidate.family != span.family or (not kind and is_pronoun(span.surface)):
        return False
    human = candidate.family in people
    if (kind in ("male", "female") and people and not human) or (kind in ("thing", "any") and human):
        return False
    if candidate.end > span.start and not kind:
        return False
    return bool(kind) or _called(span.surface, candidate.type, schema)


def _called(phrase: str, entity_type: str, schema: Schema) -> bool:
    """Whether the last word of `the company` is what the schema calls the type or one of its parents."""
    head = names.normalise(phrase).split()[-1]
    for known in schema.ancestors(entity_type):
        if entity := schema.entities.get(known):
            words = (entity.name, entity.label, *entity.synonyms)
            if any(names.normalise(word).split()[-1] == head for word in words):
                return True
    return False


_BRACKET = re.compile(
    r"\s*[(\[（]\s*(?:the |or |abbreviated |short |hence )?[\"“']?([A-Z][\w.&/-]{1,10}?)s?[\"”']?\s*[,;)\]）]"
)
_ADVERB = (
    r"(?:also|better|best|commonly|formerly|later|originally|previously|generally|popularly|widely|often|usually|"
    r"sometimes|then|soon|first|now|still|always)\s+"
)
_SAYS = (
    r"(?:known (?:simply )?(?:as|by)|called|named|renamed(?: to| as| itself)?|abbreviated(?: as| to)?|nicknamed|dubbed|"
    r"abbreviation (?:of|for)|short for|stands for|aka|a\.k\.a\.|born|née)\s+(?:the\s+)?[\"“']?"
)
_ALSO = re.compile(
    r"[\"”')）]?\s*(?:[(（][^()]{1,30}[)）]\s*)?(?P<break>[,(]?)\s*"
    r"(?P<verb>(?:which|who|that)\s+(?:\w+\s+){0,5}?|(?:(?:was|is|were|are|later|and|now)\s+){0,3})"
    rf"(?P<adverb>{_ADVERB})?(?P<says>{_SAYS})"
)
_OR = re.compile(r"[\"”']?\s*(?:,\s*or|\s[(（]\s*(?:later|formerly|now|originally|or)?)\s*(?:the\s+)?[\"“']?")
_NAME_WAS = re.compile(
    rf"\b(?:(?P<be>he|she|it)\s+(?:was|is|became|had been)\s+(?:{_ADVERB})?{_SAYS}"
    r"|(?P<own>his|her|its)\s+(?:\w+\s+){0,2}name\s+(?:was|is)\s+"
    r"(?:the\s+)?[\"“']?|(?:called|named|nicknamed|dubbed|christened|renamed)\s+(?P<object>it|him|her)\s+(?:the\s+)?[\"“']?)$",
    re.IGNORECASE,
)
Key = tuple[str, str, str]


def introduced(
    named: Sequence[NamedSpan], text: str, title: str, sentence_starts: Sequence[int], schema: Schema
) -> list[tuple[Key, Key, Link]]:
    """Links between names of one family that a document itself states, with ends as (document, family, name).

    `Full Name (FN)`, `Augusta Ada Byron, better known as Ada Lovelace`, `She was born Grace Murray`.
    `named` are the mentions of one document that name something.
    """
    people = schema.people
    ordered = sorted(named, key=lambda s: (s.start, s.end, s.uid))
    context = Context(text, sentence_starts, ordered, title, people)
    families: dict[str, list[str]] = {}
    for span in ordered:
        families.setdefault(span.name, []).append(span.family)
    by_start: dict[int, list[NamedSpan]] = {}
    for span in ordered:
        by_start.setdefault(span.start, []).append(span)
    found: dict[tuple[Key, Key], Link] = {}

    def add(short: tuple[str, str], long: NamedSpan, reason: str, *, shortens: bool) -> None:
        if short != (long.family, long.name):
            link = Link(0, 0, 0.97, reason, shortens=shortens, stated=True)
            found.setdefault(((long.document, *short), (long.document, long.family, long.name)), link)

    for span in ordered:
        inside = re.search(r"[(\[（]\s*([A-Z][\w.&/-]{1,10})\s*[)\]）]$", span.surface)
        if bracket := inside or _BRACKET.match(text, span.end):
            short = names.normalise(bracket.group(1))
            full = re.sub(r"\s*[(\[（].*", "", span.surface) or span.surface
            fits = names.abbreviates(bracket.group(1), names.clean(full)) or (
                names.is_acronym(bracket.group(1)) and names.half_abbreviates(bracket.group(1), full)
            )
            if fits and span.family not in people and short in families:
                # its initials in brackets are the thing itself, whatever type the extractor gave them
                sure = span.family not in families[short] and bracket.group(1).upper() in names.acronyms(full)
                for family in families[short] if sure else [span.family] * (span.family in families[short]):
                    if family not in people:
                        add((family, short), span, "introduced in brackets", shortens=True)
        if (match := _ALSO.match(text, span.end)) and _is_said_of(span, match, text):
            for other in by_start.get(match.end(), ()):
                maiden = (
                    match["says"].startswith("née") and other.family in people and not names.person(other.surface).full
                )
                if other.family == span.family and not maiden and not _contains(other.name, span.name):
                    add((other.family, other.name), span, "the text says so", shortens=False)
        if match := _OR.match(text, span.end):
            for other in by_start.get(match.end(), ()):
                closed = text[other.end : other.end + 2].strip()[:1] in (")", "）", ",")
                if other.family == span.family and closed and span.name.split()[0] == other.name.split()[0]:
                    add((other.family, other.name), span, "another form beside it", shortens=False)
        if match := _NAME_WAS.search(text, max(0, span.start - 60), span.start):
            group = next(g for g in ("be", "own", "object") if match.group(g))
            pronoun = replace(span, start=match.start(group), end=match.end(group), surface=match.group(group))
            options = [
                (salience(clues(c, pronoun, context, {})), -c.start, c)
                for c in context.candidates(pronoun)
                if not _contains(span.name, c.name)
                and c.start < pronoun.start
                and _suits(c, pronoun, kind_of(pronoun), people, schema)
            ]
            value, _, candidate = max(options, key=lambda o: o[:2], default=(0.0, 0, span))
            if value >= LEAST:
                add((span.family, span.name), candidate, "the text says so", shortens=False)
    return [(a, b, link) for (a, b), link in sorted(found.items(), key=lambda item: item[0])]


def _contains(name: str, other: str) -> bool:
    """Whether all words of one are in the other: Harvard, where it was called the Harvard Mark I."""
    one, two = set(name.split()), set(other.split())
    return one <= two or two <= one


_CAPITALS = r"[^\W\d_a-z][\w.’'-]*(?:(?:[ -]| (?:and|of|for|the|de|von|van) )[^\W\d_a-z][\w.’'-]*){0,7}"
_KNOWN_AS_THIS = re.compile(
    rf"({_CAPITALS}),?\s+(?:who (?:is|was)\s+)?{_ADVERB}(?:known|called)\s+(?:as\s+)?(?:the\s+)?$"
)
_THIS_KNOWN_AS = re.compile(
    rf",?\s+(?:(?:{_ADVERB}|who (?:is|was)\s+)+(?:known as|called)|born|née)\s+(?:the\s+)?({_CAPITALS})"
)


def unread(named: Sequence[NamedSpan], text: str, people: frozenset[str]) -> dict[str, set[str]]:
    """Uid of a mention to other names that the text gives it there and that the extractor has not marked.

    `Electronic Numerical Integrator and Computer (ENIAC)` with only ENIAC marked, or the other way round, and
    `Augusta Ada Byron, better known as Ada Lovelace`.
    """
    found: dict[str, set[str]] = {}
    for span in named:
        others: set[str] = set()
        if span.family in people:
            before = _KNOWN_AS_THIS.search(text, max(0, span.start - 120), span.start)
            after = _THIS_KNOWN_AS.match(text, span.end)
            others = {m.group(1) for m in (before, after) if m and " " in m.group(1)}
        else:
            if names.is_acronym(span.surface) and text[max(0, span.start - 2) : span.start] in (" (", "（", "\n("):
                others.add(_expansion(span.surface, text[max(0, span.start - 120) : span.start - 1]))
            bracket = _BRACKET.match(text, span.end)
            if (
                bracket
                and not names.is_acronym(span.surface)
                and bracket.group(1).upper() in names.acronyms(span.surface)
            ):
                others.add(bracket.group(1))
        if others := {names.clean(o) for o in others if o} - {span.surface}:
            found[span.uid] = others
    return found


def _expansion(short: str, before: str) -> str:
    """The shortest run of words at the end of a text whose initials are the abbreviation; empty when there is none."""
    letters = "".join(c for c in short if c.isalnum()).upper()
    words = re.split(r"\n\s*\n|[.;:!?]\s", before)[-1].split()
    for n in range(2, min(len(words), 2 * len(letters)) + 1):
        run = " ".join(words[-n:])
        if run[0].isupper() and letters in names.acronyms(run):
            return run
    return ""


def _is_said_of(span: NamedSpan, match: re.Match[str], text: str) -> bool:
    """Whether `called B` speaks of the name before it, and not of what that is part of: the bridge over the Tyne called B."""
    if match["adverb"]:
        return True
    inside = _IN_PHRASE.search(text, max(0, span.start - 20), span.start)
    return not inside and bool(match["break"] or match["verb"])


def married(found: Sequence[Name], schema: Schema) -> list[tuple[Key, Key, Link]]:
    """Links between the names that a person has in one document before and after taking a spouse's surname.

    Kathleen McNulty, of whom the text says that she married John Mauchly, is Kathleen Mauchly.
    """
    marriages = {
        side + r.name
        for r in schema.relations.values()
        if {"spouse", "married", "husband", "wife"} & {r.name.lower(), r.label.lower(), *map(str.lower, r.synonyms)}
        for side in ("", "-")
    }
    people = [(name, names.person(name.surface)) for name in found if name.person]
    links = []
    for one, own in people:
        surnames = {names.person(other).surname for kind, other in one.neighbours if kind in marriages} - {own.surname}
        for other, parts in people:
            if own.given and parts.given[:1] == own.given[:1] and len(own.given[0]) > 1 and parts.surname in surnames:
                ends = ((n.document, n.family, n.name) for n in (other, one))
                links.append((*ends, Link(0, 0, 0.85, "name of the spouse taken", stated=True)))
    return links
