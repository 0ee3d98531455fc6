"""Which names are worth comparing: those that share a key, within one type family; never all pairs."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from kgpipe import names

Item = tuple[int, str, frozenset[str]]
"""(number, family, keys) of a name."""

WIDEST = 400
"""A key with more names than this tells nothing and is left out."""


@functools.lru_cache(maxsize=200_000)
def keys_of_same(name: str, *, person: bool) -> frozenset[str]:
    """Keys that two ways to write one whole name share."""
    if person:
        parts = names.person(name)
        key = f"p:{' '.join(parts.given)}:{parts.surname}:{parts.generation}"
        return frozenset({key} if parts.full else ())
    core = names.core(name)
    words = sorted(w for w in core.split() if w not in names.FUNCTION_WORDS)
    found = {f"n:{names.normalise(name)}", f"c:{core.replace(' ', '')}"}
    return frozenset(found | ({f"w:{' '.join(words)}"} if words else set()))


@functools.lru_cache(maxsize=200_000)
def keys_of_short(name: str, *, person: bool) -> frozenset[str]:
    """Keys under which a name looks for the longer names that it may stand for."""
    if person:
        parts = names.person(name)
        if not parts.full:
            return frozenset({f"s:{parts.surname}", f"f:{parts.surname}"})
        return frozenset(_given_keys(parts))
    found = {f"h:{names.core(name)}", *_spelling_keys(name)}
    if names.is_acronym(name):
        found.add("a:" + "".join(c for c in names.fold(name) if c.isalnum()).upper())
    return frozenset(found | {f"t:{names.normalise(name)}"})


@functools.lru_cache(maxsize=200_000)
def keys_of_long(name: str, *, person: bool) -> frozenset[str]:
    """Keys under which a name is found by the shorter ones that may stand for it."""
    if person:
        parts = names.person(name)
        if not parts.full:
            return frozenset()
        return frozenset({f"s:{parts.surname}", f"f:{parts.given[0]}", f"f:{parts.given[-1]}", *_given_keys(parts)})
    words = names.core(name).split()
    found = {f"h:{' '.join(words[:n])}" for n in range(1, len(words))} | _spelling_keys(name)
    found |= {f"a:{a}" for a in names.acronyms(name)}
    whole = names.normalise(name).split()
    return frozenset(found | {f"t:{' '.join(whole[n:])}" for n in range(1, len(whole))})


def _given_keys(parts: names.PersonName) -> set[str]:
    return {f"g:{letter}:{parts.surname}" for given in parts.given for letter in names.given_initials(given)}


def _spelling_keys(name: str) -> set[str]:
    words = names.core(name).split()
    if len(words) == 1:
        return {f"e:{words[0][:4]}"} if len(words[0]) > 6 else set()
    return {f"e:{i}:{' '.join(words[:i] + ['*'] + words[i + 1 :])}" for i, w in enumerate(words) if len(w) > 4}


def pairs(short: Iterable[Item], long: Iterable[Item]) -> Iterator[tuple[int, int]]:
    """Pairs (short, long) of different numbers that share a family and a key, each once, in order.

    Both sides are (number, family, keys).
    """
    table: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, family, keys in long:
        for key in keys:
            table[family, key].append(number)
    found: set[tuple[int, int]] = set()
    for number, family, keys in short:
        for key in keys:
            others = table.get((family, key), ())
            if len(others) <= WIDEST:
                found.update((number, other) for other in others if other != number)
    yield from sorted(found)


def stars(items: Sequence[Item]) -> Iterator[tuple[int, int]]:
    """For every family and key, its first number with each other one: enough to join all that share it."""
    table: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, family, keys in sorted(items, key=lambda item: item[0]):
        for key in keys:
            table[family, key].append(number)
    found = {(numbers[0], other) for numbers in table.values() for other in numbers[1:] if other != numbers[0]}
    yield from sorted(found)
