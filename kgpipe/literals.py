"""Text to normalised literals: dates as ISO with the precision that the text gives, numbers with their unit.

The value of a date is `1815-12-10`, `1943-05`, `1943`, or `194X` for a decade; of a number `18000` or `30 t`. Days are
read before months only where the month is written as a word; `03/04/1950` is ambiguous and left alone.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sept sep", "october oct", "november nov", "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = r"(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>1\d{3}|20\d{2})"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?P<year>1\d{{3}}|20\d{{2}})-(?P<month>0[1-9]|1[0-2])-{_DAY}\b",
        rf"\b{_DAY}(?:\s+of)?\s+{_MONTH},?\s+(?:of\s+)?{_YEAR}\b",
        rf"\b{_MONTH}\s+{_DAY},?\s+{_YEAR}\b",
        rf"\b{_MONTH},?\s+(?:of\s+)?{_YEAR}\b",
    )
)
_DECADE = re.compile(r"\b(?P<decade>1\d\d|20\d)0['’]?s\b")
_BARE_YEAR = re.compile(rf"(?<![\d.,/:#$£€-])\b{_YEAR}\b(?![\d/]|[.,]\d|-\w)")
_BEFORE_YEAR = re.compile(
    r"(?:\b(?:in|since|by|from|until|till|to|of|during|before|after|around|about|circa|year|early|late|mid|and|or|spring|"
    r"summer|autumn|fall|winter|between|through|for|the|its|his|her|christmas)|[(\[,;–—-]|\bc\.|^)\s*$",
    re.IGNORECASE,
)
_AFTER_YEAR = re.compile(
    r"\s*(?:$|[.,;:)\]!?–—\"”’]|(?:and|or|to|until|by|as|at|for|with|when|where|he|she|it|they|the)\b)"
)

_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_UNITS = {
    "m": ("m", "metre", "metres", "meter", "meters"), "km": ("km", "kilometre", "kilometres", "kilometer", "kilometers"),
    "cm": ("cm", "centimetre", "centimetres", "centimeters"), "mm": ("mm", "millimetre", "millimetres", "millimeters"),
    "ft": ("ft", "foot", "feet"), "in": ("inch", "inches"), "mi": ("mi", "mile", "miles"),
    "km2": ("km2", "km²", "square kilometres", "square kilometers"), "sq mi": ("square miles",),
    "m2": ("m2", "m²", "square metres", "square meters"), "sq ft": ("square feet",),
    "t": ("t", "ton", "tons", "tonne", "tonnes"), "kg": ("kg", "kilogram", "kilograms"), "g": ("g", "gram", "grams"),
    "lb": ("lb", "lbs", "pound", "pounds"), "W": ("watt", "watts"), "kW": ("kW", "kilowatt", "kilowatts"),
    "MW": ("MW", "megawatt", "megawatts"), "Hz": ("Hz", "hertz"), "kHz": ("kHz", "kilohertz"),
    "MHz": ("MHz", "megahertz"), "GHz": ("GHz", "gigahertz"), "bit": ("bit", "bits"), "B": ("byte", "bytes"),
    "kB": ("kB", "KB", "kilobyte", "kilobytes"), "MB": ("MB", "megabyte", "megabytes"),
    "GB": ("GB", "gigabyte", "gigabytes"), "words": ("words",), "s": ("s", "second", "seconds"),
    "ms": ("ms", "millisecond", "milliseconds"), "us": ("microsecond", "microseconds", "µs"),
    "min": ("minute", "minutes"), "h": ("hour", "hours"), "d": ("day", "days"), "wk": ("week", "weeks"),
    "mo": ("month", "months"), "yr": ("year", "years"), "%": ("%", "percent", "per cent"),
    "USD": ("dollar", "dollars", "US dollars"), "GBP": ("pounds sterling",), "EUR": ("euro", "euros"),
}  # fmt: skip
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}
_CURRENCY = {"$": "USD", "US$": "USD", "£": "GBP", "€": "EUR"}
_WORDS = {
    word: value
    for value, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        1,
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_UNIT = "|".join(re.escape(word) for word in sorted(_UNIT_OF, key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?<![\w.,/:–-])(?P<currency>US\$|[$£€])?\s?(?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?:[\s-](?P<scale>{'|'.join(_SCALES)})\b)?(?:[\s-]?(?P<unit>{_UNIT})(?![\w²]))?(?![\w/–-]|[.,:]\d)"
)
_WORD_NUMBER = re.compile(
    rf"\b(?P<word>{'|'.join(_WORDS)})(?:[\s-](?P<scale>{'|'.join(_SCALES)}))?[\s-](?P<unit>{_UNIT})\b", re.IGNORECASE
)
_NAME_BEFORE = re.compile(r"[A-Z][\w.&-]*\s$")


@dataclass(frozen=True, slots=True)
class Found:
    """A literal in a text: `text[start:end]` says `value`."""

    start: int
    end: int
    kind: str
    value: str


def find(text: str) -> list[Found]:
    """Dates and numbers of a text in order, without overlap; dates win over numbers."""
    found: list[Found] = []
    taken = bytearray(len(text) + 1)

    def add(start: int, end: int, kind: str, value: str | None) -> None:
        if value and not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Found(start, end, kind, value))

    for pattern in _DATES:
        for match in pattern.finditer(text):
            add(*match.span(), "date", _iso(match.groupdict()))
    for match in _DECADE.finditer(text):
        add(*match.span(), "date", f"{match['decade']}X")
    for match in _BARE_YEAR.finditer(text):
        if _is_year(text, *match.span()):
            add(*match.span(), "date", match["year"])
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - 64) : match.start()]
        if match["currency"] or match["unit"] or not _NAME_BEFORE.search(before):
            add(*match.span(), "number", _number(match))
    for match in _WORD_NUMBER.finditer(text):
        scale = _SCALES.get((match["scale"] or "").lower(), 1)
        add(*match.span(), "number", _with_unit(_WORDS[match["word"].lower()] * scale, _UNIT_OF.get(match["unit"])))
    return sorted(found, key=lambda f: f.start)


def parse(text: str, kind: str) -> str | None:
    """The value that the whole text says as a literal of that kind (date, number, text), or None."""
    text = text.strip()
    if kind == "text":
        return text or None
    if kind == "date" and re.fullmatch(_YEAR, text):
        return text
    whole = [f for f in find(text) if f.kind == kind]
    if len(whole) == 1 and re.fullmatch(r"[\s.,]*(?:(?:in|on|c\.|circa|the|about)\s+)?", text[: whole[0].start], re.I):
        return whole[0].value if not text[whole[0].end :].strip(" .,") else None
    return None


def _is_year(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 24) : start], text[end : end + 12]
    if _BEFORE_YEAR.search(before):
        return not re.match(rf"\s(?:{_UNIT}|people|men|women|copies|tubes|valves|pages)\b", after)
    return bool(_AFTER_YEAR.match(after)) and not _NAME_BEFORE.search(before)


def _iso(parts: dict[str, str | None]) -> str | None:
    month = parts["month"] or ""
    number = int(month) if month.isdigit() else _MONTHS[month.lower()]
    if not parts.get("day"):
        return f"{parts['year']}-{number:02}"
    try:
        return datetime.date(int(parts["year"] or 0), number, int(parts["day"] or 0)).isoformat()
    except ValueError:  # 31 February says no date
        return None


def _number(match: re.Match[str]) -> str:
    value = float(match["number"].replace(",", "")) * _SCALES.get(match["scale"] or "", 1)
    return _with_unit(value, _CURRENCY.get(match["currency"] or "") or _UNIT_OF.get(match["unit"] or ""))


def _with_unit(value: float, unit: str | None) -> str:
    plain = f"{value:.10f}".rstrip("0").rstrip(".")
    return f"{plain} {unit}" if unit else plain
