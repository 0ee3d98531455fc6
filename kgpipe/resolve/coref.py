"""Coreference inside a document by rule: pronouns and phrases such as `the company` to the name they stand for."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kgpipe import names
from kgpipe.resolve.cluster import Link
from kgpipe.schema import Schema

PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself"), "male"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "female"),
    **dict.fromkeys(("it", "its", "itself"), "thing"),
    **dict.fromkeys(("they", "them", "their", "theirs", "themselves"), "any"),
}
"""Pronouns that may stand for a name, and of what kind it then is."""

_OTHER_PRONOUNS = frozenset(
    "i me my mine myself we us our ours ourselves you your yours who whom whose which that this these those what one "
    "someone somebody anyone everyone others another both all some many several each none former latter here there".split()
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


def person_families(schema: Schema) -> frozenset[str]:
    """The type families whose members are human beings, told by name, label and synonyms."""
    human = {"person", "people", "human", "human being", "individual"}
    return frozenset(
        schema.family(e.name)
        for e in schema.entities.values()
        if not e.literal and human & {e.name.lower(), e.label.lower(), *(s.lower() for s in e.synonyms)}
    )


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
    spans: Sequence[NamedSpan], title: str, sentence_starts: Sequence[int], schema: Schema
) -> dict[str, str]:
    """Uid of every mention of one document that names nothing to the uid of the name it stands for, or to "".

    Pure: depends on the mentions, not on their order.
    """
    people = person_families(schema)
    ordered = sorted(spans, key=lambda s: (s.start, s.end, s.type))
    named = [s for s in ordered if not names_nothing(s, people)]
    count = Counter((s.family, s.name) for s in named)
    title_name = names.normalise(title)
    found: dict[str, str] = {}
    for span in ordered:
        if not names_nothing(span, people):
            continue
        kind = PRONOUNS.get(span.surface.strip().lower(), "")
        best, best_score = "", 0.0
        for candidate in named:
            if candidate.end > span.start:
                break
            if not _suits(candidate, span, kind, people, schema):
                continue
            value = salience(
                distance=_sentence(sentence_starts, span.start) - _sentence(sentence_starts, candidate.start),
                first=_is_first(candidate, named, sentence_starts),
                titled=bool(candidate.name) and (f" {candidate.name} " in f" {title_name} "),
                mentions=count[candidate.family, candidate.name],
            )
            if value >= best_score and value > 0:
                best, best_score = candidate.uid, value
        found[span.uid] = best
    return found


def salience(*, distance: int, first: bool, titled: bool, mentions: int) -> float:
    """How likely a name `distance` sentences before is meant: 0 beyond five sentences."""
    if distance > 5:
        return 0.0
    return 1.0 / (1 + distance) + 0.35 * first + 0.3 * titled + 0.05 * min(mentions, 5)


def _suits(candidate: NamedSpan, span: NamedSpan, kind: str, people: frozenset[str], schema: Schema) -> bool:
    human = candidate.family in people
    if kind in ("male", "female") and people and not human:
        return False
    if kind == "thing" and human:
        return False
    if not kind and is_pronoun(span.surface):
        return False
    if kind:
        return candidate.family == span.family
    return candidate.family == span.family and _called(span.surface, candidate.type, schema)


def _called(phrase: str, entity_type: str, schema: Schema) -> bool:
    """Whether the last word of `the company` is what the schema calls the type or one of its parents."""
    head = names.normalise(phrase).split()[-1]
    for known in schema.ancestors(entity_type):
        if entity := schema.entities.get(known):
            words = (entity.name, entity.label, *entity.synonyms)
            if any(names.normalise(word).split()[-1] == head for word in words):
                return True
    return False


def _sentence(starts: Sequence[int], place: int) -> int:
    return max(0, bisect.bisect_right(starts, place) - 1)


def _is_first(candidate: NamedSpan, named: Sequence[NamedSpan], starts: Sequence[int]) -> bool:
    sentence = _sentence(starts, candidate.start)
    return not any(
        s.family == candidate.family and s.start < candidate.start and _sentence(starts, s.start) == sentence
        for s in named
    )


_BRACKET = re.compile(
    r"\s*[(\[（]\s*(?:the |or |abbreviated |short |hence )?[\"“']?([A-Z][\w.&/-]{1,10}?)s?[\"”']?\s*[,;)\]）]"
)
_ALSO = re.compile(
    r"[\"”']?\s*[,(]?\s*(?:(?:was|is|were|are|who|which|that|later|and|now|himself|herself|itself)\s+){0,3}"
    r"(?:(?:also|better|best|commonly|formerly|later|originally|previously|generally|popularly|widely|often|usually|"
    r"sometimes|originally|then|soon|first)\s+)?"
    r"(?:known (?:simply )?(?:as|by)|called|named|renamed(?: to| as| itself)?|abbreviated(?: as| to)?|nicknamed|"
    r"abbreviation (?:of|for)|short for|stands for|aka|a\.k\.a\.|born|née)\s+(?:the\s+)?[\"“']?"
)
Key = tuple[str, str, str]


def introduced(named: Sequence[NamedSpan], text: str) -> list[tuple[Key, Key, Link]]:
    """Links that the text itself states between names of one family: `Full Name (FN)`, `Ada King, known as Ada Lovelace`.

    `named` are the mentions of one document that name something, in order. Ends are (document, family, name).
    """
    present = {(s.family, s.name) for s in named}
    by_start: dict[int, list[NamedSpan]] = {}
    for span in named:
        by_start.setdefault(span.start, []).append(span)
    found: list[tuple[Key, Key, Link]] = []

    def add(short: NamedSpan, other_name: str, reason: str, *, shortens: bool) -> None:
        if other_name != short.name:
            one, other = (short.document, short.family, other_name), (short.document, short.family, short.name)
            found.append((one, other, Link(0, 0, 0.97, reason, shortens=shortens)))

    for span in named:
        inside = re.search(r"[(\[（]\s*([A-Z][\w.&/-]{1,10})\s*[)\]）]$", span.surface)
        after = inside or _BRACKET.match(text, span.end)
        if after:
            short = after.group(1)
            known = (span.family, names.normalise(short)) in present
            if known and names.abbreviates(short, names.clean(re.sub(r"[(\[（].*", "", span.surface)) or span.surface):
                add(span, names.normalise(short), "introduced in brackets", shortens=True)
        if match := _ALSO.match(text, span.end):
            for other in by_start.get(match.end(), ()):
                if other.family == span.family:
                    add(span, other.name, "the text says so", shortens=False)
    return found
