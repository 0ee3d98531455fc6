"""Events with two parts to play: calls from one phone to another, payments, flights, messages.

`Catalog.parts` knows such types. What a question says by "from", "to" and "by", and by who calls and who is called, tells
which of the two a thing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kgpipe.query.catalog import GETTING, GIVING, SOURCE, TARGET, Catalog, is_name_key, noun_stems
from kgpipe.query.grammar import is_participle
from kgpipe.query.words import BE, PREPOSITION

if TYPE_CHECKING:
    from kgpipe.query.trees import Asked

Span = tuple[int, int]

_GIVE = GIVING | frozenset("initiate initiates initiated".split())
_GET = GETTING | frozenset("take takes took answer answers answering answered accept accepts accepted".split())
_CALLS = frozenset("rang rung phoned telephoned dialled dialed contacted".split())
"""Verbs that are calls themselves; `call`, `ring`, `dial` and `phone` are where a verb must stand."""
_BARE = frozenset("call ring dial phone contact".split())
_BEFORE_VERB = frozenset("to did does do will would not ever never also and".split())
_SKIPPED = frozenset(
    "how many different a an the one some any his her its their which what whose that this another other".split()
)
_RELATIVE = frozenset("who whom whose which that".split())
_WHOEVER = frozenset("whoever whomever".split())
_ADVERBS = frozenset(
    "ever also once then both later in turn have has had who whom whose which that is are was were be been being got get".split()
)
_NOT_NAMING = frozenset("who whom that which has have had and also did does do to ever not they".split())
_MOVES = frozenset("went go goes going gone came come comes coming up".split())
WINDOW = 10
"""Words between a thing and its verb."""
LAST_INVERTED = 4
"""The last word of a question at which its is or was may stand before the subject: at what time of day was A called."""


@dataclass
class Parts:
    """What a question says of the parts that things play in events of a type."""

    verbs: dict[int, int] = field(default_factory=dict)
    """Words that are verbs of an event: 0 where the object of the verb is the target, else what the subject is."""
    nouns: set[int] = field(default_factory=set)
    """Words that are nouns for the event."""

    @property
    def called(self) -> set[int]:
        """Verbs that are the event itself: to call."""
        return {i for i, subject in self.verbs.items() if not subject}


def events_said(a: Asked, catalog: Catalog) -> dict[str, Parts]:
    """For types of events the words of a question that speak of them."""
    found = {event: _said(a, event, catalog) for event in sorted({event for event, _ in catalog.parts.values()})}
    return {event: parts for event, parts in found.items() if parts.verbs or parts.nouns}


def _said(a: Asked, event: str, catalog: Catalog) -> Parts:
    taken = {i for s in a.spans for i in range(*s)}
    begins = {s for s, _ in a.spans}
    stems = {s for p in catalog.type_phrases(event) for s in noun_stems(p)[-1:]}
    lower = [w.lower for w in a.words]
    parts = Parts()
    for i, word in enumerate(a.words):
        if i in taken:
            continue
        before, w = lower[i - 1] if i else "", lower[i]
        own = word.stem in stems or (w in _CALLS and "call" in stems)
        if _happens(lower, i):
            continue
        if w in _GIVE | _GET and before not in _SKIPPED:
            parts.verbs[i] = SOURCE if w in _GIVE else TARGET
        elif own and (is_participle(w) or w in _CALLS):
            if not (w == "called" and i + 1 in begins and before not in _NOT_NAMING and _names(a, i + 1, catalog)):
                parts.verbs[i] = 0
        elif w in _BARE and (own or "call" in stems) and (before in _BEFORE_VERB or _helped(lower, i)):
            parts.verbs[i] = 0
        elif own:
            parts.nouns.add(i)
    return parts if parts.nouns or parts.called else Parts()


def _happens(lower: Sequence[str], i: int) -> bool:
    """Whether a word is one of those of "take place"."""
    return any(
        pair[0][:3] in ("tak", "too") and pair[1:] == ["place"]
        for pair in (lower[i : i + 2], lower[max(0, i - 1) : i + 1])
    )


def _names(a: Asked, i: int, catalog: Catalog) -> bool:
    """Whether the value at a word may be a name."""
    return any(
        is_name_key(key)
        for (start, _), choice in zip(a.spans, a.choices, strict=True) if start == i
        for key in (c.key for _, c in choice)
    )  # fmt: skip


def _helped(lower: Sequence[str], i: int) -> bool:
    """Whether a bare form is the verb of did, does or do: which numbers did A call."""
    helper = next((x for x, w in enumerate(lower[:i]) if w in ("did", "does", "do")), -1)
    return 0 <= helper and lower[i] != "phone" and lower[i - 1] not in _SKIPPED and lower[i - 1] != "phone"


def part_of(a: Asked, parts: Parts, thing: Span, things: Sequence[Span]) -> int:
    """What a thing of a question, its words [start, end), is in the event: `SOURCE`, `TARGET`, or 0 where nothing tells.

    `things` are the words of all things that the question speaks of.
    """
    lower = [w.lower for w in a.words]
    b = _before(lower, thing)
    if lower[-1] in ("from", "to") and b < 0 and not _RELATIVE & set(lower[thing[1] :]):
        return SOURCE if lower[-1] == "from" else TARGET  # which numbers was A called from
    if b >= 0 and lower[b] in ("from", "to", "by") and governed(a, parts, b, things):
        if lower[b] == "by":
            verb = max((v for v in parts.verbs if v < b), default=-1)
            return TARGET if verb >= 0 and parts.verbs[verb] == TARGET else SOURCE
        return SOURCE if lower[b] == "from" else TARGET
    if b >= 0 and (parts.verbs.get(b) == 0 or (lower[b] == "up" and parts.verbs.get(b - 1) == 0)):
        return TARGET  # called A
    if (
        b >= 0
        and lower[b] == "of"
        and lower[thing[1] - 1] not in _WHOEVER
        and not _RELATIVE & set(lower[thing[1] : thing[1] + 1])
    ):
        return 0  # it is the phone of A that was called
    return _subject(a, parts, thing, things)


def governed(a: Asked, parts: Parts, b: int, things: Sequence[Span]) -> bool:
    """Whether a preposition belongs to an event: calls from A to B, not related to B."""
    if all(w.lower in ("and", "or", "but", "did", "was", "were") for w in a.words[:b]):
        return True  # from which numbers
    if b - 1 in parts.verbs or b - 1 in parts.nouns or a.words[b - 1].lower in _MOVES:
        return True
    ended = any(end == b for _, end in (*things, *a.spans))
    return ended and any(x < b for x in (*parts.verbs, *parts.nouns))


def _subject(a: Asked, parts: Parts, thing: Span, things: Sequence[Span]) -> int:
    """What a thing is as the subject, or as the object in front, of the verb behind it."""
    lower = [w.lower for w in a.words]
    others = {x for t in (*things, *a.spans) if t != thing for x in range(*t)}
    events = {*parts.verbs, *parts.nouns}
    passive, owned, chained = _inverted(lower, thing), False, False
    for x in range(thing[1], min(thing[1] + WINDOW, len(lower))):
        word, following = lower[x], lower[x + 1 : x + 2]
        if word in ("from", "to") and following and following[0] in ("which", "whom", "whose"):
            return (SOURCE if word == "from" else TARGET) if any(v > x for v in events) else 0
        if word == "used" and (does := next((v for v in sorted(events) if x < v < x + WINDOW), -1)) >= 0:
            return TARGET if parts.verbs.get(does) == TARGET else SOURCE
        if chained and word in _RELATIVE | _WHOEVER:
            return 0  # relatives of people who called
        if word in ("did", "does", "do"):  # which number did A call
            if lower[thing[0]] in ("where", "when") or _RELATIVE & set(lower[x:]):
                return 0
            if lower[-1] in ("from", "to"):
                return SOURCE if lower[-1] == "from" else TARGET
            later = [v for v in parts.verbs if v > x]
            return TARGET if later and parts.verbs[later[0]] == 0 else 0
        if x in parts.verbs and not (word in ("got", "get") and x + 1 in parts.verbs):
            kind = parts.verbs[x]
            if kind == 0:
                return TARGET if passive else SOURCE
            return 0 if passive else kind
        owned |= word == "whose"
        chained |= word in PREPOSITION
        passive |= word in BE or word in ("got", "get")
        described = (is_participle(word) or word.endswith("ing")) and bool(following) and following[0] in PREPOSITION
        chained |= described and x not in events  # persons involved in
        inside = x in others or word in _SKIPPED | PREPOSITION or described
        if word not in _ADVERBS and not (inside and (owned or chained)):
            return 0
    return 0


def _inverted(lower: Sequence[str], thing: Span) -> bool:
    """Whether is or was stands in front of a thing that is the subject: when was a friend of A called."""
    b = _before(lower, thing)
    return 0 <= b <= LAST_INVERTED and lower[b] in BE


def _before(lower: Sequence[str], thing: Span) -> int:
    """The word before a thing and its articles, -1 where none is."""
    b = thing[0] - 1
    while b >= 0 and lower[b] in _SKIPPED:
        b -= 1
    return b
