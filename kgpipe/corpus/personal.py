"""Masking of personal data: e-mail addresses, phone numbers, card and identity numbers with checksums, IP addresses.

Phone numbers by phonenumbers (Google's libphonenumber), checksums by python-stdnum. A name is no such data here.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kgpipe.records import Mark

_LIKE_PHONE = re.compile(r"(?:\+\s?)?\(?\d(?:[ \u00a0().\-/\u2010-\u2015]{0,4}\d){6,}")
_AROUND = 12
"""Characters around what looks like a phone number that tell whether it is one (and its extension)."""
_EMAIL = re.compile(r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?![\w-])")
_CARD = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-]|\.\d)")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:)?(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_IDENTITY = (
    (re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])"), "iban"),
    (re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), "us.ssn"),
    (re.compile(r"(?<![\w-])\d{17}[\dXx](?![\w-])"), "cn.ric"),
    (re.compile(r"(?<![\w-])\d{8}-?[A-Za-z](?![\w-])"), "es.dni"),
    (re.compile(r"(?<![\w-])[XYZxyz]-?\d{7}-?[A-Za-z](?![\w-])"), "es.nie"),
    (re.compile(r"(?<![\w-])[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?![\w-])"), "it.codicefiscale"),
    (re.compile(r"(?<![\w-])[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}(?![\w-])"), "fr.nir"),
    (re.compile(r"(?<![\w-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])"), "br.cpf"),
    (re.compile(r"(?<![\w-])\d{4} \d{4} \d{4}(?![\w-]| \d)"), "in_.aadhaar"),
    (re.compile(r"(?<![\w-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![\w-])"), "de.idnr"),
)  # fmt: skip
"""How a number is written, and the module of stdnum that checks it."""


def _emails(text: str, region: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _EMAIL.finditer(text))


def _phones(text: str, region: str) -> Iterator[tuple[int, int]]:
    import phonenumbers

    at = 0
    for like in _LIKE_PHONE.finditer(text):  # the library's own search is 50 times slower
        start, end = max(at, like.start() - _AROUND), like.end() + 2 * _AROUND
        for match in phonenumbers.PhoneNumberMatcher(text[start:end], region, max_tries=1_000_000):
            if start + match.start >= at:
                at = start + match.end
                yield start + match.start, at


def _cards(text: str, region: str) -> Iterator[tuple[int, int]]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if digits[0] in "23456" and len(set(digits)) > 1 and luhn.is_valid(digits):
            yield match.span()


def _identities(text: str, region: str) -> Iterator[tuple[int, int]]:
    import importlib

    for pattern, name in _IDENTITY:
        valid = importlib.import_module(f"stdnum.{name}").is_valid
        yield from (match.span() for match in pattern.finditer(text) if valid(match[0]))


def _addresses(text: str, region: str) -> Iterator[tuple[int, int]]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            try:
                ipaddress.ip_interface(match[0])
            except ValueError:
                continue
            if match[0] != "::":
                yield match.span()


FINDERS: dict[str, Callable[[str, str], Iterator[tuple[int, int]]]] = {
    "email": _emails, "card": _cards, "identity": _identities, "ip": _addresses, "phone": _phones,
}  # fmt: skip
"""By kind: text and region to spans. Where two overlap, the one named first here stands."""


def found(text: str, *, kinds: Sequence[str], region: str = "US") -> list[tuple[int, int, str]]:
    """The spans of personal data as (start, end, kind), in order and disjoint."""
    spans: list[tuple[int, int, str]] = []
    for kind, finder in FINDERS.items():
        if kind in kinds:
            blanked = _blanked(text, spans)
            spans += [(start, end, kind) for start, end in finder(blanked, region)]
            spans = _disjoint(spans)
    return spans


def _blanked(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, _ in spans:
        parts += [text[at:start], "\n" * (end - start)]
        at = end
    return "".join([*parts, text[at:]])


def _disjoint(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def masked(
    text: str, marks: tuple[Mark, ...] = (), *, kinds: Sequence[str], region: str = "US"
) -> tuple[str, tuple[Mark, ...], Counter[str]]:
    """The text with `[email]` and so on in place of what was found, its marks moved along, and how many of each kind."""
    spans = found(text, kinds=kinds, region=region)
    parts: list[str] = []
    borders: list[tuple[int, int, int]] = []  # old start and end, new end
    at = length = 0
    for start, end, kind in spans:
        mask = f"[{kind}]"
        parts += [text[at:start], mask]
        length += start - at
        borders.append((start, end, length + len(mask)))
        length += len(mask)
        at = end
    parts.append(text[at:])

    def moved(offset: int) -> int:
        shift = 0
        for start, end, new_end in borders:
            if offset <= start:
                break
            if offset < end:
                return new_end
            shift = new_end - end
        return offset + shift

    new = tuple(Mark(moved(mark.start), moved(mark.end), mark.kind, mark.label) for mark in marks)
    return "".join(parts), new, Counter(kind for _, _, kind in spans)


def masked_values(value: Any, *, kinds: Sequence[str], region: str = "US") -> tuple[Any, Counter[str]]:
    """A text, or every text within lists and dicts, masked; numbers are looked at as they are written."""
    counts: Counter[str] = Counter()

    def walk(item: Any) -> Any:
        if isinstance(item, dict):
            return {walk(key): walk(each) for key, each in item.items()}
        if isinstance(item, list | tuple):
            return [walk(each) for each in item]
        if isinstance(item, str) or (isinstance(item, int) and not isinstance(item, bool)):
            text, _, n = masked(str(item), kinds=kinds, region=region)
            counts.update(n)
            return text if n or isinstance(item, str) else item
        return item

    return walk(value), counts
