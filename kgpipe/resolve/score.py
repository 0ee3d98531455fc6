"""How well two names, or what two clusters say of themselves, fit one thing; every score comes with its reason."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from kgpipe import names

MERGE = 0.8
"""From this score on two names are taken for one thing."""
GREY = 0.6
"""From this score up to MERGE a pair waits in the review list."""
INITIALS, ONLY_BEARER = "initials", "only bearer of the surname"
"""Reasons of short forms that fit by chance the more often, the more names there are."""


@functools.lru_cache(maxsize=200_000)
def same(a: str, b: str, *, person: bool) -> tuple[float, str]:
    """Score and reason of two names that are one name written twice, (0, "") when they are not.

    `a` and `b` as in the text. Safe across documents: nothing here shortens a name.
    """
    if person:
        return _same_person(a, b)
    if names.normalise(a) == names.normalise(b):
        return 1.0, "same name"
    one, other = names.core(a), names.core(b)
    if one == other:
        return 0.95, "same name but for its legal form or a spelling"
    if one.replace(" ", "") == other.replace(" ", "") and not _runs_words_together(a, b):
        return 0.97, "same letters"
    if sorted(_content(one)) == sorted(_content(other)) and len(_content(one)) > 1:
        return 0.92, "same words in another order"
    return 0.0, ""


def _runs_words_together(a: str, b: str) -> bool:
    """Whether one of them writes as one word what the other parts by a space, as WorldWideWeb and World Wide Web.

    That is often a name made from another one; a hyphen or a digit at the place means nothing (PDP-11, PDP 11, PDP11).
    """
    short, long = sorted((names.normalise(a), names.normalise(b)), key=lambda n: (n.count(" "), n))
    parts = re.split(r"[\s,]+", max((a, b), key=lambda n: names.normalise(n) == long))
    return short.count(" ") < len(parts) - 1 and not any(c.isdigit() for c in short)


def _same_person(a: str, b: str) -> tuple[float, str]:
    one, other = names.person(a), names.person(b)
    if not (one.full and other.full):
        return 0.0, ""
    if names.normalise(a) == names.normalise(b):
        return 1.0, "same name"
    if one == other or (one.given, one.surname) == (other.given, other.surname) and one.generation == other.generation:
        return 0.98, "same name but for a title or the order of its parts"
    return 0.0, ""


def shortens(a: str, b: str, *, person: bool, nearby: bool, place: bool = False) -> tuple[float, str]:
    """Score and reason of `a` as a shorter or freer way to write the name `b`, (0, "") when it is none.

    `nearby` is whether both stand in one document, where people do call Alan Turing just Turing or Alan. Of places the
    longer name mostly is that of something else: the Scottsdale Center, Missouri River, Utah Territory.
    """
    if person:
        return _shortens_person(a, b, nearby)
    if names.is_acronym(a) and not names.is_acronym(b):
        letters = "".join(c for c in names.fold(a) if c.isalnum()).upper()
        if letters in names.acronyms(b):
            return _initials(letters, b, nearby), INITIALS
    one, other = names.core(a).split(), names.core(b).split()
    rest = other[len(one) :]
    if rest and other[: len(one)] == one:
        if all(word in names.GENERIC for word in rest):
            if place:
                return 0.7, "short form"
            known = nearby or all(word in _LEFT_OUT for word in rest)
            return (0.9 if nearby else 0.84 if known else 0.7) - 0.1 * (len(rest) > 1), "short form"
        if rest[0] == "of" and len(one) > 1:
            whole = one[-1] in _OFTEN_WHOLE  # Warsaw University is not that of Technology
            return (0.88 if nearby else 0.7 if whole else 0.82), "short form"
        if nearby and "," in b and one == names.core(b.rpartition(",")[0]).split():
            return 0.82, "without the place"
        if not _is_version(rest) and (nearby or len(one) > 1) and rest[0] not in names.FUNCTION_WORDS:
            return 0.62, "may be a short form"
    if nearby and other[:1] == ["university"] and "," in b and one == names.core(b.rpartition(",")[2]).split():
        return 0.85, "by the place"
    if one != other and "".join(one) == "".join(other):
        return 0.75, "words run together"
    if len(one) == len(other) > 0 and one != other:
        different = [(x, y) for x, y in zip(one, other, strict=True) if x != y]
        if len(different) == 1 and names.near(*different[0]) and not any(map(_is_version, map(list, different))):
            return (0.82 if nearby else 0.75), "one word spelled differently"
    return 0.0, ""


_LEFT_OUT = frozenset("university college institute technologies".split())
_OFTEN_WHOLE = frozenset("university college institute party union church republic".split())
_KNOWN = {
    "US": "united states", "USA": "united states", "UK": "united kingdom", "UN": "united nations", "EU": "european union",
    "DC": "district of columbia", "LA": "los angeles", "NY": "new york", "NYC": "new york",
}  # fmt: skip
"""Initials that everybody uses without a word about them: they mean nothing else unless a text says so."""


def _initials(letters: str, full: str, nearby: bool) -> float:
    """How sure initials are that no text has introduced: two letters say little outside their document."""
    if letters in _KNOWN:
        return (0.9 if nearby else 0.82) if names.core(full).startswith(_KNOWN[letters]) else 0.0
    if nearby:
        return 0.9
    if letters not in names.acronyms(names.core(full)):
        return 0.7  # one of the letters is that of Company or Inc.
    return 0.82 if len(letters) > 2 else 0.7


def qualifies(a: str, b: str, known: Mapping[str, set[str]], family: str, *, nearby: bool) -> tuple[float, str]:
    """Score and reason of `a` as `b` without the name of another kind of thing in front: Mark I and Harvard Mark I.

    `known` is name to the families that have it.
    """
    one, other = names.normalise(a).split(), names.normalise(b).split()
    before = other[: len(other) - len(one)]
    bare = len(one) == 1 and (not nearby or one[0] in names.GENERIC or _is_version(one) or a == a.lower())
    if before and not bare and other[len(before) :] == one:
        owner = " ".join(before)
        families = known.get(owner, set()) | (known.get(owner[:-1], set()) if owner.endswith("s") else set())
        if families - {family}:
            return (0.81 if nearby else 0.7), "without the name of its owner"
    return 0.0, ""


def _shortens_person(a: str, b: str, nearby: bool) -> tuple[float, str]:
    one, other = names.person(a), names.person(b)
    if {names.gender(a), names.gender(b)} == {"male", "female"}:
        return 0.0, ""
    if one.full and other.full:
        score = names.compare_persons(one, other)
        if not score:
            return 0.0, ""
        if nearby and score < MERGE:
            score = round(score + 0.04, 4)
        if len(one.given) > len(other.given) or (one.spelled_out and not other.spelled_out):
            return 0.0, ""  # the other way round
        if score > 0.95:
            return 0.95, "middle name left out"
        if not one.spelled_out or not other.spelled_out or score == 0.88:
            return score, "initials fit"
        return score, "a given name left out, short or spelled differently"
    if one.full or not other.full:
        return 0.0, ""
    if one.generation and other.generation and one.generation != other.generation:
        return 0.0, ""
    if one.surname == other.surname:
        return (0.95, "surname") if nearby else (0.82, ONLY_BEARER)
    if nearby and not one.particles and len(one.surname) > 1 and one.surname == other.given[0]:
        return 0.9, "given name"
    if nearby and len(other.given) > 1 and len(one.surname) > 2 and one.surname == other.given[-1]:
        return 0.8, "first of two surnames"
    return 0.0, ""


def contradict(a: str, b: str, *, person: bool) -> bool:
    """Whether two full names cannot be one thing's, whatever links them in between."""
    if person:
        one, other = names.person(a), names.person(b)
        return one.full and other.full and not names.compare_persons(one, other)
    one, other = _versions(a), _versions(b)
    return bool(one and other and one != other)


@functools.lru_cache(maxsize=200_000)
def _versions(name: str) -> frozenset[str]:
    return frozenset(word for word in names.normalise(name).split() if _is_version([word]))


def _is_version(words: list[str]) -> bool:
    return any(any(c.isdigit() for c in w) or w in _ROMAN or len(w) == 1 for w in words)


_ROMAN = frozenset(
    "".join(tens + ones).lower()
    for tens in ("", "x", "xx", "xxx", "xl", "l", "lx")
    for ones in ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
) - {""}


def _content(core: str) -> list[str]:
    return [w for w in core.split() if w not in names.FUNCTION_WORDS]


def values_agree(a: str, b: str) -> bool:
    """Whether two values of a functional relation can both be right: 1815 and 1815-12-10, London and West London."""
    if a == b or a.startswith(b) or b.startswith(a):
        return True
    decade_a, decade_b = a.rstrip("X"), b.rstrip("X")
    if (decade_a != a or decade_b != b) and (decade_a.startswith(decade_b) or decade_b.startswith(decade_a)):
        return True
    return bool(set(a.split()) & set(b.split())) and not a[:1].isdigit()
