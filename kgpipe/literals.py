"""Text to normalised literals: dates as ISO with the precision that the text gives, numbers with their unit.

The value of a date is `1815-12-10`, `1943-05`, `1943`, `194X` for a decade and `18XX` for a century, as in EDTF; years
before Christ count as in ISO 8601, where 44 BC is `-0043`. `c. 1850`, `late 1850` and `summer 1850` are 1850. A range
is its two ends. The value of a number is `18000` or `30 t`. What is ambiguous (03/04/1950) or says no year is no date.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

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
_ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first".split(),
        1,
    )
}


def _month(suffix: str = "") -> str:
    return rf"(?P<month{suffix}>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"


def _day(suffix: str = "") -> str:
    return rf"(?P<day{suffix}>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"


_ERA = r"(?P<era>BCE?\b|B\.\s?C\.(?:\s?E\.)?)"
_YEAR = r"(?P<year>1\d{3}|20\d{2})"
_ANY_YEAR = (
    rf"(?:(?P<old>\d{{1,4}})\s?(?:{_ERA}|(?:AD|CE)\b)|{_YEAR}\b|"
    r"(?P<early>[1-9]\d\d)(?=\s?(?:[);–—-]|[.,](?!\d)|$|\b(?:in|at|and|to|until)\b)))"
)
_TO = r"(?P<to>\s?(?:[–—-]|\b(?:to|until|till|and|or)\b)\s?)"
_OF = r"(?:\s+of)?[\s-]+"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # two days or months that share what follows: the first group ends where the first date ends
        rf"\b(?P<first>{_day('1')}){_TO}{_day()}{_OF}{_month()},?\s+{_ANY_YEAR}",
        rf"\b(?P<first>{_day('1')}{_OF}{_month('1')}){_TO}{_day()}{_OF}{_month()},?\s+{_ANY_YEAR}",
        rf"\b(?P<first>{_month('1')}\s+{_day('1')}){_TO}(?:{_month()}\s+)?{_day()},?\s+{_ANY_YEAR}",
        rf"\b(?P<first>{_month('1')}){_TO}{_month()}\s+{_ANY_YEAR}",
        # one
        rf"(?<![\w/-]){_YEAR}-(?P<month>0[1-9]|1[0-2])-{_day()}(?=\b|T\d)(?![/-])",
        rf"(?<![\w/-]){_YEAR}/(?P<month>0[1-9]|1[0-2])/{_day()}\b(?![/-])",
        rf"\b{_day()}{_OF}{_month()},?[\s-]+(?:of\s+)?{_ANY_YEAR}",
        rf"\b{_month()}\s+{_day()},?\s+{_ANY_YEAR}",
        rf"\b{_month()},?\s+(?:of\s+)?{_ANY_YEAR}",
    )
)
_FIGURES = re.compile(r"(?<![\w./-])(\d\d?)([/.-])(\d\d?)\2(1\d{3}|20\d\d)(?![\w/-])")
_NO_YEAR = re.compile(
    rf"\b(?:{_day('1')}(?:\s+of)?\s+{_month('1')}|{_month('2')}\s+{_day('2')})(?![\w-])", re.IGNORECASE
)
_CENTURY = re.compile(
    rf"\b(?:(?P<first>\d{{1,2}})(?:st|nd|rd|th)(?:{_TO}))?(?P<last>\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(_ORDINALS)})"
    rf"[\s-](?-i:centur(?:y|ies)\b)(?:\s{_ERA})?",
    re.IGNORECASE,
)
_DECADE = re.compile(r"\b(?P<decade>1\d\d|20\d)0['’]?s\b")
_SHORT_DECADE = re.compile(r"(?<=\bthe )['’‘](?P<decade>[2-9])0s\b")
_ERA_YEARS = re.compile(
    rf"\b(?:(?P<first>\d{{1,4}}){_TO})?(?P<last>\d{{1,4}})\s?(?:{_ERA}|(?:AD|CE)\b)|\bA\.?D\.?\s?(?P<ad>\d{{1,4}})\b|"
    r"(?:(?<=\bthe year )|(?<=\b[Ii]n )(?=\d+, [^\d]))(?P<plain>[1-9]\d\d)\b(?!,\d)"
)
_YEARS = re.compile(
    r"(?<![\w.,/:#$£€-])(?P<first>1\d{3}|20\d\d)\s?(?P<to>[–/-])\s?(?P<last>1\d{3}|20\d\d|\d\d)(?![\w/-]|[.,]\d)"
)
_BARE_YEAR = re.compile(rf"(?:(?<![\d.,/:#$£€-])|(?<=\bmid-))\b{_YEAR}\b(?![\d/]|[.,]\d|-\w)")
_BEFORE_YEAR = re.compile(
    r"(?:\b(?:in|since|by|from|until|till|to|of|during|before|after|around|about|circa|year|early|late|mid|and|or|spring|"
    r"summer|autumn|fall|winter|between|through|for|the|its|his|her|christmas|born|died|q[1-4])|[(\[,;–—-]|\bc\.|\bca\.|^)"
    r"\s*$",
    re.IGNORECASE,
)
_AFTER_YEAR = re.compile(
    r"\s*(?:$|[.,;:)\]!?–—\"”’]|(?:and|or|to|until|by|as|at|for|with|when|where|he|she|it|they|the)\b)"
)
_NOT_DATED = re.compile(r"\s(?:is|was|has|had|can|could|ran|used|itself)\b")

_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SHORT_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "M": 10**6, "bn": 10**9, "B": 10**9, "tn": 10**12}
_UNITS = {
    "m": ("m", "metre", "metres", "meter", "meters"),
    "km": ("km", "kilometre", "kilometres", "kilometer", "kilometers"),
    "cm": ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    "mm": ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    "um": ("µm", "μm", "micrometre", "micrometres", "micrometer", "micrometers", "micron", "microns"),
    "nm": ("nm", "nanometre", "nanometres", "nanometer", "nanometers"),
    "ly": ("light-year", "light-years", "light years"),
    "ft": ("ft", "foot", "feet"), "in": ("inch", "inches"), "yd": ("yd", "yard", "yards"),
    "mi": ("mi", "mile", "miles"),
    "nmi": ("nautical mile", "nautical miles"),
    "km2": ("km2", "km²", "square kilometre", "square kilometres", "square kilometer", "square kilometers"),
    "m2": ("m2", "m²", "square metre", "square metres", "square meter", "square meters"),
    "m3": ("m3", "m³", "cubic metre", "cubic metres", "cubic meter", "cubic meters"),
    "sq mi": ("sq mi", "square mile", "square miles"), "sq ft": ("sq ft", "square foot", "square feet"),
    "ha": ("ha", "hectare", "hectares"), "acre": ("acre", "acres"),
    "l": ("l", "litre", "litres", "liter", "liters"), "ml": ("ml", "millilitre", "millilitres", "milliliters"),
    "gal": ("gallon", "gallons"), "bbl": ("barrel", "barrels"),
    "t": ("t", "ton", "tons", "tonne", "tonnes"), "kg": ("kg", "kilogram", "kilograms"), "g": ("g", "gram", "grams"),
    "mg": ("mg", "milligram", "milligrams"), "lb": ("lb", "lbs", "pound", "pounds"), "oz": ("oz", "ounce", "ounces"),
    "W": ("W", "watt", "watts"), "kW": ("kW", "kilowatt", "kilowatts"), "MW": ("MW", "megawatt", "megawatts"),
    "GW": ("GW", "gigawatt", "gigawatts"), "hp": ("hp", "horsepower"),
    "kWh": ("kWh", "kilowatt-hour", "kilowatt-hours", "kilowatt hours"), "MWh": ("MWh", "megawatt hours"),
    "V": ("V", "volt", "volts"), "kV": ("kV", "kilovolt", "kilovolts"), "dB": ("dB", "decibel", "decibels"),
    "Hz": ("Hz", "hertz"), "kHz": ("kHz", "kilohertz"), "MHz": ("MHz", "megahertz"), "GHz": ("GHz", "gigahertz"),
    "bit": ("bit", "bits"), "B": ("byte", "bytes"), "kB": ("kB", "KB", "kilobyte", "kilobytes"),
    "MB": ("MB", "megabyte", "megabytes"), "GB": ("GB", "gigabyte", "gigabytes"), "TB": ("TB", "terabyte", "terabytes"),
    "kbit": ("kbit", "kilobit", "kilobits"), "Mbit": ("Mbit", "megabit", "megabits"),
    "Gbit": ("Gbit", "gigabit", "gigabits"),
    "kbit/s": ("kbit/s", "kbps", "kilobits per second"), "Mbit/s": ("Mbit/s", "Mbps", "megabits per second"),
    "Gbit/s": ("Gbit/s", "Gbps", "gigabits per second"), "words": ("words",),
    "km/h": ("km/h", "kmh", "kph", "kilometres per hour", "kilometers per hour"), "m/s": ("m/s", "metres per second"),
    "mph": ("mph", "miles per hour"), "kn": ("knot", "knots"), "rpm": ("rpm", "revolutions per minute"),
    "°C": ("°C", "degrees Celsius", "degrees centigrade"), "°F": ("°F", "degrees Fahrenheit"),
    "K": ("kelvin", "kelvins"),
    "°": ("°",),
    "s": ("s", "second", "seconds"), "ms": ("ms", "millisecond", "milliseconds"),
    "us": ("microsecond", "microseconds", "µs", "μs"), "ns": ("ns", "nanosecond", "nanoseconds"),
    "min": ("min", "minute", "minutes"), "h": ("h", "hour", "hours"), "d": ("day", "days"), "wk": ("week", "weeks"),
    "mo": ("month", "months"), "yr": ("year", "years"), "%": ("%", "percent", "per cent"),
    "USD": ("dollar", "dollars", "US dollar", "US dollars", "USD"), "GBP": ("pounds sterling", "GBP"),
    "EUR": ("euro", "euros", "EUR"), "JPY": ("yen", "JPY"), "CHF": ("Swiss francs", "CHF"),
    "INR": ("rupee", "rupees", "INR"),
    "CNY": ("yuan", "CNY"),
}  # fmt: skip
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}
_CURRENCY = {
    "US$": "USD", "USD": "USD", "$": "USD", "£": "GBP", "GBP": "GBP", "€": "EUR", "EUR": "EUR", "¥": "JPY", "₹": "INR",
    "CHF": "CHF",
}  # fmt: skip
_WORDS = {
    word: value
    for value, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        1,
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_MULTIPLES = {"hundred": 100, "dozen": 12} | _SCALES

_UNIT = "|".join(re.escape(word) for word in sorted(_UNIT_OF, key=len, reverse=True))
_SCALE = "|".join(_SCALES)
_SHORT = "|".join(sorted(_SHORT_SCALES, key=len, reverse=True))
_MONEY = "|".join(re.escape(word) for word in sorted(_CURRENCY, key=len, reverse=True))
_FIGURE = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})+|\d+(?:\.\d+)?"


def _amount(suffix: str = "") -> str:
    """Figure, scale and unit; no backtracking into a unit that is read, for `5 GB/day` is no 5 and no 5 GB.

    Atomic groups, as possessive quantifiers of Python 3.11.2 do not go back over a unit that fails (the 21st).
    """
    return (
        rf"(?P<number{suffix}>{_FIGURE})(?>(?:[\s-](?P<scale{suffix}>{_SCALE})\b|"
        rf"(?P<short{suffix}>(?(currency)\s?(?:{_SHORT})|\s?[mbt]n)(?!\w)))?)"
        rf"(?>(?:[\s-]?(?P<unit{suffix}>{_UNIT})(?![\w²³]))?)"
    )


_SIGNED = rf"(?<![\w.,/:°–-])(?:(?P<sign>[-−]|minus\s)(?=\d))?(?P<currency>(?:{_MONEY})\s?)?"
_NUMBER = re.compile(rf"{_SIGNED}{_amount()}(?(unit)(?!/|-[\dA-Z])|(?![\w/–-]|[.,:]\d|\s?[ap]\.?m\b))")
_NUMBERS = re.compile(
    rf"{_SIGNED}{_amount()}(?P<to>\s?[–—-]\s?|\s(?:to|and|or)\s)(?:{_MONEY})?{_amount('2')}(?![\w/–-]|[.,:]\d)"
)
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_MULTIPLE = "|".join(sorted(_MULTIPLES, key=len, reverse=True))
_WORD_NUMBER = re.compile(
    rf"(?<![\w-])(?:(?P<half>half\s+an?)|(?P<one>an?)(?=\s(?:{_MULTIPLE})\b)|(?:{_WORD}))"
    rf"(?:(?:[\s-]|(?:(?<=hundred)|(?<=thousand)|(?<=million))\sand\s)(?:{_WORD}|{_MULTIPLE})\b)*"
    rf"(?P<more>\sand\sa\shalf)?(?:\s(?P<scale>{_SCALE}))?(?:[\s-](?P<unit>{_UNIT}))?(?(unit)(?!\w)|(?![\w-]))",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"([A-Z][\w.&-]*)\s$")
_NO_NAME = frozenset(
    "A About After All Almost An And Approximately Around As At Between But By Every For From Her His In Its Just "
    "Less More Nearly No Of On Only Or Over Some Than That The Their There These They This Those To Under Until "
    "Was We Were What When With Within".split()
)
_LOOSE = re.compile(
    r"[\s.,]*(?:(?:(?:in|on|of|c\.|ca\.|circa|the|about|around|approximately|some|over|under|nearly|almost|more than|"
    r"less than|at least|at most|up to|early|mid|late|year|spring|summer|autumn|fall|winter|"
    r"(?:sun|mon|tues|wednes|thurs|fri|satur)day),?[\s-]*)*)",
    re.IGNORECASE,
)
"""What may stand before a literal that is the whole of a text."""
_VALUE = {
    "date": re.compile(r"-?\d{4}(?:-\d\d(?:-\d\d)?)?|-?(?:\d{3}X|\d\dXX)"),
    "number": re.compile(rf"-?\d+(?:\.\d+)?(?: (?:{'|'.join(map(re.escape, _UNITS))}))?"),
}


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
    for kind, literals in (("date", _dates(text)), ("number", _numbers(text))):
        for start, end, value in literals:
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                if value:
                    found.append(Found(start, end, kind, value))
    return sorted(found, key=lambda f: f.start)


def parse(text: str, kind: str) -> str | None:
    """The value that the whole text says as a literal of that kind (date, number, text), or None.

    What is a value already stays as it is, if it is a possible one.
    """
    text = text.strip()
    if kind == "text":
        return text or None
    if _VALUE[kind].fullmatch(text) and (kind == "number" or _possible(text)):
        return text
    whole = [f for f in find(text) if f.kind == kind]
    if kind == "number" and not whole and (word := _WORD_NUMBER.fullmatch(text)):
        return _in_words(word)
    if len(whole) == 1 and _LOOSE.fullmatch(text[: whole[0].start]):
        return whole[0].value if not text[whole[0].end :].strip(" .,") else None
    return None


def _dates(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Start, end and value, the surest first; a value of None says that nothing else is to be read there."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            if parts.get("first"):
                yield from _two(match, parts)
            elif value := _iso(parts):  # the month and the year of an impossible day may still be read
                yield *match.span(), value
    for match in _FIGURES.finditer(text):
        one, sign, other, year = match.groups()
        days = {(int(other), int(one))} if sign == "." else {(int(other), int(one)), (int(one), int(other))}
        values = {_iso({"year": year, "month": str(m), "day": str(d)}) for m, d in days} - {None}
        yield *match.span(), values.pop() if len(values) == 1 else None
    for match in _NO_YEAR.finditer(text):
        if (match["month1"] or match["month2"])[0].isupper():
            yield *match.span(), None
    for match in _CENTURY.finditer(text):
        last = match["last"].lower()
        yield match.start("last"), match.end(), _century(_ORDINALS.get(last) or int(last[:-2]), match["era"])
        if match["first"]:
            yield match.start(), match.end("first") + 2, _century(int(match["first"]), match["era"])
    for match in _DECADE.finditer(text):
        old = match["decade"] < "200" and match["decade"][2] == "0"  # the 1800s are a century, the 2000s ten years
        yield *match.span(), match["decade"][:2] + "XX" if old else match["decade"] + "X"
    for match in _SHORT_DECADE.finditer(text):
        yield *match.span(), f"19{match['decade']}X"
    for match in _ERA_YEARS.finditer(text):
        if match["ad"] or match["plain"]:
            yield *match.span(), _year(match["ad"] or match["plain"], None)
            continue
        yield match.start("last"), match.end(), _year(match["last"], match["era"])
        if match["first"]:
            yield *match.span("first"), _year(match["first"], match["era"])
    for match in _YEARS.finditer(text):
        if not _after_name(text, match.start()):
            yield from _years(match)
    for match in _BARE_YEAR.finditer(text):
        if _is_year(text, *match.span()):
            yield *match.span(), match["year"]


def _two(match: re.Match[str], parts: dict[str, str | None]) -> Iterator[tuple[int, int, str | None]]:
    """Two dates of which the second says the year, and the month where the first says none."""
    month, month1 = parts["month"] or parts.get("month1"), parts.get("month1") or parts["month"]
    yield match.end("to"), match.end(), _iso(parts | {"month": month})
    yield *match.span("first"), _iso(parts | {"month": month1, "day": parts.get("day1")})


def _years(match: re.Match[str]) -> Iterator[tuple[int, int, str | None]]:
    first, last, short = int(match["first"]), int(match["last"]), len(match["last"]) == 2
    if not short:
        if match["to"] != "/" and last >= first:
            yield *match.span("first"), match["first"]
            yield *match.span("last"), match["last"]
    elif last > first % 100 and (last > 12 or match["to"] != "-" or last == first % 100 + 1):
        yield *match.span("first"), match["first"]
        yield *match.span("last"), str(first - first % 100 + last)
    elif match["to"] == "-" and 1 <= last <= 12 and match.end("first") + 1 == match.start("last"):
        yield *match.span(), f"{match['first']}-{last:02}"


def _after_name(text: str, start: int) -> bool:
    """Whether a word in capitals stands before, of which the number may be a part: Apollo 11."""
    found = _CAPITAL.search(text, max(0, start - 64), start)
    return bool(found) and found.group(1) not in _NO_NAME


def _is_year(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 24) : start], text[end : end + 12]
    if _BEFORE_YEAR.search(before):
        if before.lower().endswith("the ") and _NOT_DATED.match(after):
            return False  # the 1401 was a machine
        return not re.match(rf"\s(?:{_UNIT}|people|men|women|copies|tubes|valves|pages)\b", after)
    return bool(_AFTER_YEAR.match(after)) and not _after_name(text, start)


def _iso(parts: dict[str, str | None]) -> str | None:
    month = parts["month"] or ""
    number = int(month) if month.isdigit() else _MONTHS[month.lower()]
    if not parts.get("day") and re.fullmatch("[A-Z]{3}", month):
        return None  # the DEC 1090
    year = _year(parts["year"] or parts.get("old") or parts.get("early") or "", parts.get("era"))
    if year is None or not 1 <= number <= 12:
        return None
    if not parts.get("day"):
        return f"{year}-{number:02}"
    value = f"{year}-{number:02}-{int(parts['day'] or 0):02}"
    return value if _possible(value) else None


def _possible(value: str) -> bool:
    """Whether the month and the day of a value exist: 31 February says no date."""
    year, *rest = value.removeprefix("-").split("-")
    if not rest:
        return True
    try:
        datetime.date(2000 if value.startswith("-") or year == "0000" else int(year), *map(int, [*rest, "1"][:2]))
    except ValueError:
        return False
    return True


def _year(figures: str, era: str | None) -> str | None:
    year = int(figures)
    if not era or year < 1:
        return f"{year:04}" if year else None
    return f"-{year - 1:04}" if year > 1 else "0000"


def _century(number: int, era: str | None) -> str | None:
    return f"{'-' if era else ''}{number - 1:02}XX" if 1 <= number <= 21 else None


def _numbers(text: str) -> Iterator[tuple[int, int, str | None]]:
    for match in _NUMBERS.finditer(text):
        between = re.search(r"\b(?:between|from)\s$", text[max(0, match.start() - 8) : match.start()], re.IGNORECASE)
        measured = any(match[g] for g in ("currency", "scale2", "short2", "unit2"))
        if measured and (between or not re.fullmatch(r"\s(?:and|or)\s", match["to"])):
            unit = match["unit"] or match["unit2"]
            scale = match["scale"] or match["scale2"], match["short"] or match["short2"]
            yield match.start(), match.start("to"), _value(match, "", scale, unit)
            yield match.end("to"), match.end(), _value(match, "2", (match["scale2"], match["short2"]), match["unit2"])
    for match in _NUMBER.finditer(text):
        if match["currency"] or match["unit"] or not _after_name(text, match.start()):
            yield *match.span(), _value(match, "", (match["scale"], match["short"]), match["unit"])
    for match in _WORD_NUMBER.finditer(text):
        value = _in_words(match)
        small = match["unit"] is None and match.group().lower() in _WORDS and _WORDS[match.group().lower()] <= 10
        named = match.group()[0].isupper() and not re.match(r"\s+[a-z]", text[match.end() : match.end() + 9])
        if value and not small and not named and match.group().lower() != "one day":  # "one of two" counts nothing
            yield *match.span(), value


def _value(match: re.Match[str], suffix: str, scale: tuple[str | None, str | None], unit: str | None) -> str:
    value = Decimal(re.sub(r"[^\d.]", "", match[f"number{suffix}"]))
    value *= _SCALES.get(scale[0] or "", 1) * _SHORT_SCALES.get((scale[1] or "").strip(), 1)
    currency = _CURRENCY.get((match["currency"] or "").strip())
    return _with_unit(-value if match["sign"] and not suffix else value, currency or _UNIT_OF.get(unit or ""))


def _in_words(match: re.Match[str]) -> str | None:
    """The value of a number in words; None for words that are no number together: nineteen forty."""
    end = match.start("unit") if match["unit"] else match.end()
    words = re.split(r"[\s-]+", match.string[match.start() : end].lower().replace(" and a half", " ½").strip(" -"))
    total, current = Decimal(0), Decimal(0)
    for word in words:
        if word in ("half", "½"):
            current += Decimal("0.5")
        elif word in ("a", "an"):
            current = current or Decimal(1)
        elif word in _WORDS:
            room = 10 if _WORDS[word] < 10 else 100
            if current % room or current % 100 == 10:
                return None
            current += _WORDS[word]
        elif word != "and":
            if not 0 < current < 1000 or (word == "hundred" and current >= 100):
                return None
            current *= _MULTIPLES[word]
            if word in _SCALES:
                total, current = total + current, Decimal(0)
    if words[0] == "half" and len(words) < 3 and not match["unit"]:
        return None
    return _with_unit(total + current, _UNIT_OF.get(match["unit"] or ""))


def _with_unit(value: Decimal, unit: str | None) -> str:
    plain = f"{value:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return f"{plain} {unit}" if unit else plain
