"""The form of the answer that a question asks for, from its cue words: output, order, comparison, negation."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kgpipe import literals
from kgpipe.query.words import AUXILIARY, BE, FUNCTION, PREPOSITION, Word

_NUMBER_WORDS = {w: i for i, w in enumerate("zero one two three four five six seven eight nine ten".split())}

EXTREMES: dict[str, tuple[int, str]] = {
    word: (sign, gloss)
    for sign, gloss, cues in (
        (1, "age", "oldest eldest"),  # the least where the property is a date or year
        (-1, "age", "youngest"),
        (-1, "date time year", "first earliest initial"),
        (1, "date time year", "last latest newest recent recently"),
        (1, "duration length time", "longest"),
        (-1, "duration length time", "shortest"),
        (1, "price cost", "priciest costliest dearest expensive"),
        (-1, "price cost", "cheapest"),
        (1, "size number", "biggest largest greatest highest maximum max top"),
        (-1, "size number", "smallest lowest minimum min fewest least"),
        (1, "height", "tallest"),
        (1, "weight", "heaviest"),
        (-1, "weight", "lightest"),
    )
    for word in cues.split()
}
"""Superlatives: +1 asks for the greatest value, -1 for the least, of a property that the gloss names."""
COMPARISONS = (
    (r"at least|no less than|no fewer than|or more|minimum of", ">="),
    (r"at most|no more than|or less|or fewer|up to|maximum of", "<="),
    (r"more than|greater than|larger than|higher than|bigger than|over|above|exceed\w*|after|later than|older than|longer than|"
     r"costlier than|newer than", ">"),
    (r"less than|fewer than|smaller than|lower than|under|below|before|earlier than|younger than|shorter than|cheaper than", "<"),
    (r"since", ">="),
    (r"until|by", "<="),
)  # fmt: skip
_OPERATORS = [(re.compile(rf"\b(?:{cue})(?: the year)?(?: \$)?\s*$"), op) for cue, op in COMPARISONS]
_AFTERWARDS = re.compile(r"^\s*(or (?:more|above|later|older)|or (?:less|fewer|below|earlier))")
LAST = "\uffff"
"""After every other letter: a date with it is after the last moment of what the date says."""
NEGATIONS = frozenset(
    "not never no without neither nor didn't doesn't don't isn't aren't wasn't weren't haven't hasn't".split()
)
_DID = frozenset("do does did has have had".split())
_MORE = frozenset("else all ever".split())
"""Words between what and did: what else did she write."""
PARTICIPLES = frozenset(
    "born built made written won led held given sold bought run known taught sung spoken drawn shot driven worn".split()
)
"""Those that do not end in -ed."""
_POLITE = re.compile(
    r"^(?:please |kindly )?(?:can|could|would|will) (?:you|i|we) |^(?:please )?(?:i want|i'd like|i need) "
)
_LIST = frozenset(
    "list show give find name tell identify provide display retrieve get return fetch look up me us all please what's".split()
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the question with how it is compared: words [start, end)."""

    start: int
    end: int
    operator: str
    value: float
    upper: float | None = None
    """For `between`, the greater bound."""


@dataclass(frozen=True, slots=True)
class Part:
    """Words [start, end) that a text CONTAINS, STARTS WITH or ENDS WITH, in lower case."""

    start: int
    end: int
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What the cue words of a question ask for."""

    output: str = "node"
    """node, count, exists, avg or sum."""
    asker: str = ""
    """who, where, when, old, long, much or empty."""
    head: tuple[int, ...] = ()
    """Indexes of the words of the noun phrase that is asked for, its last noun last."""
    head_value: int = -1
    """The word of a value that stands for what is asked for: "how many Police Constables"."""
    extreme: tuple[int, str, int] | None = None
    """(sign, gloss, word) of a superlative."""
    most: int = 0
    """+1 where what has the most of something is asked for, -1 for the fewest."""
    most_at: int = -1
    aggregate: str = ""
    """avg or sum where things are ranked by that of a property."""
    group: int = -1
    """The word after each, per or every; -1 without one."""
    limit: int = 1
    numbers: tuple[Number, ...] = ()
    texts: tuple[Part, ...] = ()
    """Parts of texts: "containing the word X", "starts with X"."""
    negated: int = -1
    """The word that negates, -1 without one."""
    open: bool = False
    """Whether what is asked for has no noun: "what did they develop"."""
    start: int = 0
    """The first word after "please list" and the like."""
    frame_words: frozenset[int] = frozenset()
    """Indexes of words that belong to the frame and ask for no part of the graph."""


def frame(
    found: Sequence[Word], question: str, taken: frozenset[int], nouns: frozenset[str], types: frozenset[str],
    openings: Collection[tuple[str, str]],
) -> Frame:  # fmt: skip
    """The frame of a question; `taken` are words that name values, `nouns` stems of types and properties, `types` of types.

    `openings` are the first two words of names of properties (the second as a stem), in which last is no superlative.
    """
    lower = [w.lower for w in found]
    text = " ".join(lower)
    used: set[int] = set()
    start = 0
    if polite := _POLITE.match(text):
        start = len(polite.group().split())
    while start < len(lower) and (
        lower[start] in _LIST or (lower[start] in ("the", "of", "a") and start and lower[start - 1] in _LIST)
    ):
        start += 1
    used |= set(range(start))
    texts = _texts(found, question)
    in_texts = {i for t in texts for i in range(t.start, t.end)}
    used |= in_texts | {
        i for i, w in enumerate(lower) if texts and w in ("word", "words", "letter", "letters", "phrase")
    }
    numbers = _numbers(found, question, taken | in_texts)
    used |= {i for n in numbers for i in range(n.start, n.end)}
    output, asker, anchor = "node", "", start
    if start < len(lower) and lower[start] in AUXILIARY and not polite:
        output = "exists"
        anchor = start + 1
    if m := _at(lower, ("how", "many")) or _at(lower, ("how", "often")):
        output, anchor = "count", m[1] + (lower[m[1] : m[1] + 1] == ["times"])
    elif (m := _number_of(found, nouns)) or (m := _at(lower, ("count", "of"))) or (m := _at(lower, ("total", "of"))):
        output, anchor = "count", m[1]
        if m[1] < len(lower) and lower[m[1]] in ("the", "all"):
            anchor += 1
    elif start < len(lower) and lower[start] == "count":
        output, anchor = "count", start + 1
    elif m := next(((i, i + 1) for i, w in enumerate(lower) if w == "count" and i not in taken), None):
        output, anchor = "count", -m[0]  # the noun stands before it
    if output == "count" and {"average", "mean"} & set(lower):
        output = "avg"
    elif (m := next((i for i, w in enumerate(lower) if w in ("average", "mean") and i not in taken), -1)) >= 0:
        output, anchor = "avg", m + 1
        used.add(m)
    elif (
        output == "node"
        and (m := next((i for i, w in enumerate(lower) if w in ("total", "sum", "combined") and i not in taken), -1))
        >= 0
    ):
        output, anchor = "sum", m + 1
        used.add(m)
    if output != "exists":
        for i in range(start, len(lower)):
            w = lower[i]
            if w in ("who", "whom", "whose", "where", "when") and i not in taken and output == "node":
                if i > start and lower[start] not in PREPOSITION and lower[start] not in ("tell", "exactly"):
                    break  # "officers who"
                asker, anchor = w, i + 1
                break
            if w in ("which", "what") and output == "node" and i <= start + 2:
                anchor = i + 1
                break
        if lower[start : start + 1] == ["how"] and start + 1 < len(lower):
            after = lower[start + 1]
            if after in ("old", "long", "much", "tall", "far", "expensive"):
                asker, anchor = after, start + 2
                used |= {start + 1}
    extreme, most, most_at = None, 0, -1
    for i, w in enumerate(lower):
        if i in taken:
            continue
        nxt = lower[i + 1] if i + 1 < len(lower) else ""
        if w in ("most", "fewest", "least") and nxt not in EXTREMES and not (i and lower[i - 1] in ("at",)):
            most, most_at = (1 if w == "most" else -1), i
            used.add(i)
        elif w in ("highest", "largest", "greatest", "lowest", "smallest") and nxt in ("number", "count"):
            most, most_at = (1 if w in ("highest", "largest", "greatest") else -1), i
            used |= {i, i + 1}
            if output == "count":
                output, anchor = "node", start
        elif w in EXTREMES and extreme is None and w not in ("top", "max", "min"):
            if i and lower[i - 1] == "at":
                continue  # at least
            if w in ("first", "last") and nxt in ("name", "names"):
                continue
            if nxt and (w, found[i + 1].stem) in openings:
                continue
            if w == "expensive" and i and lower[i - 1] == "least":
                extreme = (-1, EXTREMES[w][1], i)
            else:
                extreme = (*EXTREMES[w], i)
            used |= {i} | ({i - 1} if i and lower[i - 1] in ("most", "least") else set())
    if extreme and most and most_at == extreme[2] - 1:
        most, most_at = 0, -1
    limit = 1
    for i, w in enumerate(lower):
        if w in ("top", "first", "bottom") and i + 1 < len(lower):
            n = _count(lower[i + 1])
            if n:
                limit = n
                used |= {i, i + 1}
                numbers = tuple(x for x in numbers if x.start != i + 1)
                if w == "first" and extreme and extreme[2] == i:
                    extreme = None
    for i in {most_at, extreme[2] if extreme else -1} - {-1}:
        n = _count(lower[i - 1]) if i else 0
        if n and lower[i] != "first":
            limit = n
            used.add(i - 1)
            numbers = tuple(x for x in numbers if x.start != i - 1)
    if (extreme or most) and limit == 1:
        for i, w in enumerate(lower[:-1]):
            if (
                (n := _count(w))
                and found[i + 1].stem in types
                and i not in taken
                and i not in {x.start for x in numbers}
            ):
                limit = n  # "which three people"
                used.add(i)
    for x in numbers:
        after = found[x.end].stem if x.end < len(found) else ""
        if (extreme or most) and x.operator == "=" and x.value < 100 and after in types:
            limit = int(x.value)
            numbers = tuple(y for y in numbers if y is not x)
    negated = next(
        (
            i
            for i, w in enumerate(lower)
            if w in NEGATIONS
            and i not in taken
            and not (w == "no" and i + 1 < len(lower) and lower[i + 1] in ("more", "less", "fewer"))
            and not (w == "not" and lower[i + 1 : i + 2] == ["only"])
        ),
        -1,
    )
    aggregate = ""
    if (
        output in ("avg", "sum")
        and (extreme or most)
        and any(w in ("which", "what", "who") for w in lower[start : start + 3])
    ):
        aggregate, output = output, "node"
        which = next(i for i, w in enumerate(lower) if i >= start and w in ("which", "what", "who"))
        anchor, asker = which + 1, "who" if lower[which] == "who" else ""
    if "top" in lower and not extreme and not most and "top" not in {lower[i] for i in taken}:
        extreme = (1, "number", lower.index("top"))
    group = next((i + 1 for i, w in enumerate(lower[:-1]) if w in ("each", "per", "every") and i + 1 not in taken), -1)
    if group > 0:
        used.add(group - 1)
    head = () if output == "exists" else _noun(found, anchor, taken, nouns, used)
    if asker in ("who", "whom", "whose", "where", "when") and not any(found[i].stem in types for i in head):
        head = ()  # a verb
    following = lower[anchor : anchor + 2] if not asker and lower[anchor - 1 : anchor] == ["what"] else []
    what_did = following[:1] == ["else"] or bool(_DID & set(following[bool(_MORE & set(following[:1])) :][:1]))
    if asker in ("where", "when") or what_did:
        head = ()  # "where was the oldest person born", "what did the company develop"
    governed = anchor >= 2 and lower[anchor - 2] in PREPOSITION
    if asker in ("who", "whom") and lower[anchor : anchor + 1] and (lower[anchor] not in BE or governed):
        head = ()  # "who reviewed movies", "who does she know", "by whom was the company bought"
    if not asker and lower[start : start + 1] == ["what"] and len(head) == 1 and _is_verb(found[head[0]]):
        head = ()  # "what was designed by", "what influenced"
    of_what = governed and not asker and lower[anchor - 1] == "what" and anchor in taken
    if of_what:
        head = ()  # "of what is A the author"
    value = _value_at(found, anchor, taken) if not (asker or what_did or of_what or output == "exists") else -1
    if value >= 0 and head and head[0] == value + 1:
        value = -1  # "which Pontiac vehicles"
    elif value >= 0:
        head = ()
    return Frame(
        output,
        asker,
        head,
        value,
        extreme,
        most,
        most_at,
        aggregate,
        group,
        limit,
        numbers,
        texts,
        negated,
        output == "node" and not asker and not head and (lower[start : start + 1] == ["what"] or of_what),
        start,
        frozenset(used),
    )


def _is_verb(word: Word) -> bool:
    return word.lower in PARTICIPLES or (len(word.lower) > 4 and word.lower.endswith("ed"))


_ONE = frozenset("a an one someone somebody anyone anybody whoever".split())
"""Of what stands behind "the number of" there is one, so that it is not counted."""


def _at(lower: Sequence[str], pair: tuple[str, str]) -> tuple[int, int] | None:
    for i in range(len(lower) - 1):
        if (lower[i], lower[i + 1]) == pair:
            return i, i + 2
    return None


def _number_of(found: Sequence[Word], nouns: frozenset[str]) -> tuple[int, int] | None:
    """ "the number of", but not "the phone number of" nor "the number of somebody"."""
    lower = [w.lower for w in found]
    at = _at(lower, ("number", "of"))
    if at is None or (at[0] and found[at[0] - 1].stem in nouns):
        return None
    return None if lower[at[1] : at[1] + 1] and lower[at[1]] in _ONE else at


def _count(word: str) -> int:
    return int(word) if word.isdigit() and len(word) < 4 else _NUMBER_WORDS.get(word, 0) if word != "one" else 0


def _noun(
    found: Sequence[Word], anchor: int, taken: frozenset[int], nouns: frozenset[str], used: set[int]
) -> tuple[int, ...]:  # fmt: skip
    """The noun phrase at a word: from there to the first run of words that the schema knows, or before it (anchor < 0)."""
    if anchor < 0:
        i = -anchor - 1
        return (i,) if i >= 0 and i not in taken else ()
    i = anchor
    while (
        i < len(found) and (found[i].lower in FUNCTION or i in used) and found[i].lower not in ("where", "who", "that")
    ):
        i += 1
    phrase: list[int] = []
    while i < len(found):
        w = found[i]
        if w.lower in FUNCTION or (phrase and (w.lower in BE or w.lower in NEGATIONS)):
            break
        if i in taken or i in used:
            if phrase and phrase[-1] not in taken and any(found[k].stem in nouns for k in phrase):
                break
            i += 1
            continue
        known = w.stem in nouns
        regular = len(w.lower) > 4 and w.lower.endswith(("ed", "ing")) and not w.lower.endswith("eed")
        if phrase and (regular or w.lower in PARTICIPLES):
            break  # a participle: "individuals named"
        if (
            phrase
            and found[phrase[-1]].stem in nouns
            and (_plural(found[phrase[-1]]) or found[phrase[-1]].stem == w.stem)
        ):
            break  # "officers investigating crimes", "supplier supplies"
        if phrase and any(found[k].stem in nouns for k in phrase) and not known:
            break
        phrase.append(i)
        i += 1
    return tuple(phrase[-4:])


def _plural(word: Word) -> bool:
    return (
        word.lower in ("people", "men", "women", "children")
        or word.lower.endswith("s")
        and not word.lower.endswith(("ss", "us", "is"))
    )


_PARTS = re.compile(
    r"\b(contain(?:s|ing)?|includ(?:es|ing)|start(?:s|ing)? with|begin(?:s|ning)? with|end(?:s|ing)? (?:with|in))\s+"
    r"(?:the )?(?:word |words |letters? |phrase |text )?(?:[\"'‘“]([^\"'’”]+)[\"'’”]|([A-Z]\b))"
)


def _texts(found: Sequence[Word], question: str) -> tuple[Part, ...]:
    """Quoted parts of texts with the verb before them."""
    parts = []
    for m in _PARTS.finditer(question):
        group = 2 if m[2] else 3
        inside = [i for i, w in enumerate(found) if w.start < m.end(group) and m.start(group) < w.end]
        if inside:
            operator = {"s": "STARTS WITH", "b": "STARTS WITH", "e": "ENDS WITH"}.get(m[1][0].lower(), "CONTAINS")
            parts.append(Part(inside[0], inside[-1] + 1, operator, m[group].lower()))
    return tuple(parts)


def is_compared(before: str) -> bool:
    """Whether what stands before a number compares it."""
    return any(cue.search(before.lower().rstrip("$€£ ")) for cue, _ in _OPERATORS)


def dates(found: Sequence[Word], question: str, taken: frozenset[int]) -> list[tuple[int, int, str, str]]:
    """Dates to the month or day as (start, end, operator, ISO text); `=` is said as STARTS WITH.

    12/10/1815 is there twice, as a day of October and of December.
    """
    said = [(x.start, x.end, [x.value]) for x in literals.find(question) if x.kind == "date"]
    said = [x for x in said if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", x[2][0])]
    said += [(*match.span(), days_of(match)) for match in DAY_OR_MONTH.finditer(question)]
    made: list[tuple[int, int, str, str]] = []
    for start, end, values in said:
        inside = [i for i, w in enumerate(found) if w.start < end and start < w.end]
        if not inside or set(inside) & (taken | {i for a, b, *_ in made for i in range(a, b)}):
            continue
        before = question[:start].lower().rstrip()
        operator = next((op for cue, op in _OPERATORS if cue.search(before)), "STARTS WITH")
        made += [
            (inside[0], inside[-1] + 1, operator, value + (LAST if operator in (">", "<=") else "")) for value in values
        ]
    return made


DAY_OR_MONTH = re.compile(r"(?<![\w/.-])(0?[1-9]|1[0-2])[/.-](0?[1-9]|1[0-2])[/.-](\d{4})(?![\w/-])")
"""A date in figures of which the first may be the day or the month."""


def days_of(match: re.Match[str]) -> list[str]:
    """The days that a match of `DAY_OR_MONTH` may mean."""
    found = [f"{match[3]}-{int(match[b]):02}-{int(match[a]):02}" for a, b in ((1, 2), (2, 1))]
    return list(dict.fromkeys(found))


def _value_at(found: Sequence[Word], anchor: int, taken: frozenset[int]) -> int:
    """The last word of the value that stands where the noun should, when no noun follows it."""
    i = abs(anchor)
    while i < len(found) and i not in taken and found[i].lower in FUNCTION:
        i += 1
    if i >= len(found) or i not in taken:
        return -1
    while i + 1 < len(found) and i + 1 in taken:
        i += 1
    return i


def _numbers(found: Sequence[Word], question: str, taken: frozenset[int]) -> tuple[Number, ...]:
    """Plain numbers of the question with the comparison that stands before or after them."""
    lower = question.lower()
    numbers: list[Number] = []
    skip = -1
    for i, w in enumerate(found):
        bare = w.text.replace(",", "").rstrip("%")
        if decade := re.fullmatch(r"(\d{3}0)['’]?s", w.text):
            numbers.append(Number(i, i + 1, "between", float(decade[1]), float(decade[1]) + 9))
            continue
        if i <= skip or i in taken:
            continue
        value = float(bare) if re.fullmatch(r"\d+(\.\d+)?", bare) else None
        before = lower[: w.start].rstrip("$€£ ")
        operator = next((op for cue, op in _OPERATORS if cue.search(before)), "")
        if value is None and w.lower in _NUMBER_WORDS and operator:
            value = float(_NUMBER_WORDS[w.lower])
        if value is None or (w.lower == "one" and operator == ">="):
            continue  # at least one is some
        if re.search(r"\bbetween$|\bfrom$", before) and i + 2 < len(found) and found[i + 1].lower in ("and", "to"):
            upper = found[i + 2].text.replace(",", "")
            if re.fullmatch(r"\d+(\.\d+)?", upper):
                numbers.append(Number(i, i + 3, "between", value, float(upper)))
                skip = i + 2
                continue
        if after := _AFTERWARDS.match(lower[w.end :]):
            operator = ">=" if re.search("more|above|later|older", after[1]) else "<="
        numbers.append(Number(i, i + 1, operator or "=", value))
    return tuple(numbers)
