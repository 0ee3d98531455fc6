"""Follow-up questions: what `and when did she die?` means after a question about Ada Lovelace."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgpipe import names
from kgpipe.query.words import AUXILIARY, BE, FUNCTION, PREPOSITION

if TYPE_CHECKING:
    from kgpipe.query.answer import Answer

PERSON, PLACE, THING, DATE = "person", "place", "thing", "date"
MOST_TURNS = 6
"""Turns that are remembered."""
MOST_READINGS = 5
"""Things that `they` may be taken for, one question each."""


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a question named, by the words `text`, or that an answer gave; `kind` is one of the four above."""

    name: str
    kind: str
    uid: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as it was read, what it named, the main thing first, and what the answer gave."""

    question: str
    named: tuple[Named, ...] = ()
    gave: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The questions that a follow-up stands for; more than one where it is about several things (`they`)."""

    questions: tuple[str, ...]
    besides: tuple[str, ...] = ()
    """Names that are known already, and not what `who else` asks for."""
    meant: frozenset[str] = frozenset()
    """The uids of what pronouns stand for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A graph that can be asked in conversation."""

    ask: Callable[..., Answer]
    """(question, entities=..., meant=uids that settle a name of several) → Answer."""
    kinds: Callable[[str], frozenset[str]]
    """The kinds of what a whole text names; empty when it names nothing."""
    names: Callable[[str], list[str]]
    """Names in the graph that begin so."""


class Conversation:
    """Questions asked one after another; each may speak of what the ones before named or gave."""

    def __init__(self, graph: Asked) -> None:
        self.graph = graph
        self.turns: list[Turn] = []

    def ask(self, question: str) -> list[Answer]:
        """The answers, one for each question that this one stands for, with a note of how it was read."""
        reading = read(question, self.turns, self.graph.kinds)
        found = []
        for full in reading.questions:
            answer = self.graph.ask(full, meant=reading.meant)
            if reading.besides:
                answer = dataclasses.replace(answer, text=others(answer, reading.besides))
            if full != " ".join(question.split()):
                answer = dataclasses.replace(answer, notes=(f"read as: {full}", *answer.notes))
            found.append(answer)
        named = tuple(dict.fromkeys(n for a in found for n in a.named))
        gave = tuple(dict.fromkeys(n for a in found for n in a.gave))
        if named or gave:
            self.turns = [*self.turns[1 - MOST_TURNS :], Turn(reading.questions[0], named, gave)]
        return found


def others(answer: Answer, besides: Sequence[str]) -> str:
    """The text of an answer to `who else`: what it gives beside what was known."""
    from kgpipe.query.cite import listed

    if answer.source != "graph":
        return answer.text
    values = [str(row[0]) for row in answer.answers if row]
    left = [v for v in values if v not in besides]
    known = listed([v for v in values if v in besides] or list(besides))
    return f"Besides {known[:-1]}: {listed(left)}" if left else f"The graph names no other than {known}"


_LEAD = re.compile(r"^(?:(?:and|but|so|or|then|also|ok|okay|well|now)\b[\s,]*)+", re.IGNORECASE)
_ELSE = re.compile(
    r"(?:who|what|where|which|anyone|anybody|anything|any\s?one|somebody|someone|something)\s+else|(?:any|which|what|who are the)\s+others?",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"(?:what|how)\s+about\s+(?P<name>.+)", re.IGNORECASE)
_ASK_AGAIN = re.compile(
    r"(?:(?P<when>when|(?:in\s+)?(?:what|which)\s+year|on\s+(?:what|which)\s+(?:day|date))|(?P<where>where)|(?P<who>who|by\s+whom))"
    r"(?:\s+(?:was|is)\s+(?:that|this))?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:in\s+|on\s+)?(?P<date>\d{4}(?:-\d\d(?:-\d\d)?)?)")
_WORD = re.compile(r"[^\W_]+(?:[.'’&+/-][^\W_]+)*[+#]*")


def read(question: str, turns: Sequence[Turn], kinds: Callable[[str], frozenset[str]]) -> Reading:
    """What a question means after those turns; itself where it needs none of them.

    Pronouns and `there` stand for something that the turn before named, its main thing first, or else gave; `he` and
    `she` for a person, `it` for anything else, `there` for a place.
    """
    question = " ".join(question.split())
    bare = _LEAD.sub("", question).rstrip(" ?!.")
    if not turns or not bare:
        return Reading((question,))
    before = turns[-1]
    if _ELSE.fullmatch(bare):
        return _else(before) or Reading((question,))
    if match := _ASK_AGAIN.fullmatch(bare):
        word = next(k for k, v in match.groupdict().items() if v)
        full = _again(word, before)
        return Reading((full,)) if full else Reading((question,))
    substituted = _substituted(question, turns, kinds)
    about = _ABOUT.fullmatch(_LEAD.sub("", substituted.questions[0]).rstrip(" ?!."))
    fragment = (
        about["name"]
        if about
        else bare
        if bare != question.rstrip(" ?!.") and (_YEAR.fullmatch(bare) or not _sentence(bare))
        else ""
    )
    if fragment and substituted.questions == (question,):
        full = _instead(before, fragment, kinds)
        return Reading((full,)) if full else Reading((question,))
    if about:  # `what about her husband?`
        return dataclasses.replace(
            substituted, questions=tuple(_capital(_ABOUT.sub(r"\g<name>", _LEAD.sub("", q))) for q in substituted.questions)
        )  # fmt: skip
    if substituted.questions != (question,):
        return dataclasses.replace(
            substituted, questions=tuple(_capital(_LEAD.sub("", q)) for q in substituted.questions)
        )  # fmt: skip
    return Reading((question,))


def _sentence(bare: str) -> bool:
    """Whether the words ask by themselves: with a question word, an auxiliary or a command first."""
    first = bare.split(" ")[0].lower()
    return first in AUXILIARY or first in _FIRST


_FIRST = frozenset(
    "who whom whose when where which what how why list name give show tell find count describe in on at by for from to".split()
)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _instead(before: Turn, name: str, kinds: Callable[[str], frozenset[str]]) -> str:
    """The question before, about something else of the same kind; empty when it named nothing."""
    if year := _YEAR.fullmatch(name):
        full = re.sub(r"\b\d{4}(?:-\d\d(?:-\d\d)?)?\b", year["date"], before.question, count=1)
        return full if full != before.question else ""
    found = kinds(name)
    fitting = [n for n in before.named if n.kind in found] or list(before.named)
    for old in fitting:
        for text in (old.text, old.name):
            full = _replaced(before.question, text, name)
            if full != before.question:
                return full
    return ""


def _replaced(question: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, question, count=1) if old else question


def _again(word: str, before: Turn) -> str:
    """The question before, with another question word: `Who founded DEC?`, `when?` is `When was DEC founded?`."""
    tokens = before.question.rstrip(" ?!.").split(" ")
    first, rest = tokens[0].lower(), tokens[1:]
    if word == "who":
        return ""
    if first in ("when", "where", "how") and rest and rest[0].lower() in AUXILIARY:
        return f"{word.capitalize()} {' '.join(rest)}?"
    if first in AUXILIARY:
        return f"{word.capitalize()} {first} {' '.join(rest)}?"
    verb = rest[0].lower() if rest else ""
    if first == "who" and (verb.endswith("ed") or verb in _PARTICIPLES):
        return f"{word.capitalize()} was {' '.join(rest[1:])} {_PARTICIPLES.get(verb, verb)}?"
    if first == "who" and verb in AUXILIARY and before.gave and before.gave[0].kind == PERSON:
        return ""
    return ""


_PARTICIPLES = {
    "wrote": "written", "built": "built", "made": "made", "won": "won", "led": "led", "bought": "bought", "ran": "run",
    "began": "begun", "found": "found", "sold": "sold", "held": "held", "drew": "drawn",
}  # fmt: skip


def _else(before: Turn) -> Reading | None:
    """`Who else?`: what else fits the question before, or who else does what it says of somebody."""
    tokens = before.question.rstrip(" ?!.").split(" ")
    first = tokens[0].lower()
    if first in AUXILIARY and before.named:  # `Was Alan Turing born in London?`
        for one in before.named:
            left = _replaced(before.question, one.text or one.name, "\0").rstrip(" ?!.")
            if re.match(rf"{first} \0", left, re.IGNORECASE):
                verb = f"{first} " if first in BE or first != "did" else "did "
                rest = left.split("\0", 1)[1].strip()
                return Reading((f"Who {verb}{rest}?",), (one.name,))
        return None
    if first in ("where", "when") and before.named and before.gave and len(tokens) > 2:
        one = before.named[0]
        left = _replaced(before.question, one.text or one.name, "\0").rstrip(" ?!.")
        match = re.fullmatch(r"\w+ (?P<verb>\w+) \0 ?(?P<rest>.*)", left, re.IGNORECASE)
        if one.kind == PERSON and match:
            return Reading(
                tuple(
                    f"Who {match['verb'].lower()} {match['rest']} {_at(answer)}?" for answer in before.gave[:MOST_READINGS]
                ),
                (one.name,),
            )  # fmt: skip
    if before.gave:
        return Reading((before.question,), tuple(n.name for n in before.gave))
    return None


def _at(one: Named) -> str:
    if one.kind == DATE:
        return f"{'on' if len(one.name) == 10 else 'in'} {one.name}"
    return f"{'in' if one.kind == PLACE else 'at'} {one.name}"


_PRONOUNS = {
    **dict.fromkeys(("he", "him", "his"), ((PERSON,), "male")),
    **dict.fromkeys(("she", "her", "hers"), ((PERSON,), "female")),
    **dict.fromkeys(("it", "its"), ((THING, PLACE), "")),
    **dict.fromkeys(("they", "them", "their", "theirs"), ((PERSON, THING, PLACE), "")),
    "there": ((PLACE, THING), ""),
}
_OBJECTS = frozenset(("him", "them"))
_POSSESSIVES = frozenset(("his", "its", "their"))


def _substituted(question: str, turns: Sequence[Turn], kinds: Callable[[str], frozenset[str]]) -> Reading:
    """The question with pronouns replaced by what they stand for, once for each thing where they stand for several."""
    tokens = list(_WORD.finditer(question))
    places: list[tuple[re.Match[str], str, bool]] = []
    for k, token in enumerate(tokens):
        word = token.group().lower()
        bare = re.sub(r"['’](?:s|d|ll|re|ve)$", "", word)
        if bare not in _PRONOUNS or (word != bare and bare == "there"):
            continue
        after = tokens[k + 1].group().lower() if k + 1 < len(tokens) else ""
        before = tokens[k - 1].group().lower() if k else ""
        if bare == "there" and (before in BE or after in BE or before in ("", "how many")):
            continue  # `is there a`, `there are`
        if bare == "it" and (before in BE and after in ("true", "possible", "the", "a")):
            continue  # `is it true that`
        follows = bool(after) and after not in FUNCTION and after not in PREPOSITION
        possessive = bare in _POSSESSIVES or (bare == "her" and follows)
        is_object = bare in _OBJECTS or (bare in ("her", "it") and not possessive and k == len(tokens) - 1)
        if not is_object and _own(question[: token.start()], _PRONOUNS[bare][0], kinds):
            continue
        places.append((token, bare, possessive))
    if not places:
        return Reading((question,))
    # one and the same pronoun stands for the same thing throughout
    meant = {_family(bare): _referents(bare, turns) for _, bare, _ in places}
    if not all(meant.values()):
        return Reading((question,))
    several = max(meant, key=lambda family: len(meant[family]))
    questions = []
    for one in meant[several][:MOST_READINGS]:
        text, shift = question, 0
        for token, bare, possessive in places:
            stands = one if _family(bare) == several else meant[_family(bare)][0]
            ending = token.group()[len(bare) :]
            new = _at(stands) if bare == "there" else f"{stands.name}'s" if possessive else stands.name + ending
            text = text[: token.start() + shift] + new + text[token.end() + shift :]
            shift += len(new) - len(token.group())
        if any(bare == "they" for _, bare, _ in places):
            text = _singular_verb(text, one.name)
        questions.append(text)
    uids = frozenset(n.uid for found in meant.values() for n in found if n.uid)
    return Reading(tuple(questions), meant=uids)


def _family(pronoun: str) -> str:
    return {"him": "he", "his": "he", "her": "she", "hers": "she", "its": "it", "them": "they", "their": "they",
            "theirs": "they"}.get(pronoun, pronoun)  # fmt: skip


def _singular_verb(text: str, name: str) -> str:
    for plural, singular in (("were", "was"), ("are", "is"), ("do", "does"), ("have", "has")):
        text = re.sub(rf"\b{plural} {re.escape(name)}", lambda _, s=singular: f"{s} {name}", text, flags=re.IGNORECASE)
    return text


def _own(before: str, wanted: Iterable[str], kinds: Callable[[str], frozenset[str]]) -> bool:
    """Whether the question itself, before the pronoun, names something that the pronoun can stand for."""
    runs = re.findall(r"[A-Z][\w.'’&+#-]*(?:\s+(?:of\s+|the\s+|and\s+)?[A-Z0-9][\w.&+#-]*)*", before)
    for run in runs:
        words = run.split()
        while words and (words[0].lower() in FUNCTION or words[0].lower() in _FIRST or words[0].lower() in AUXILIARY):
            words.pop(0)
        if words and kinds(re.sub(r"['’]s?$", "", " ".join(words))) & set(wanted):
            return True
    return False


def _referents(pronoun: str, turns: Sequence[Turn]) -> list[Named]:
    """What a pronoun stands for: of the latest turn that has something of the kind, the main thing, or what was given."""
    wanted, gender = _PRONOUNS[pronoun]
    for turn in reversed(turns):
        named = _fitting(turn.named, wanted, gender)
        gave = _fitting(turn.gave, wanted, gender, sure=bool(gender))
        if _family(pronoun) == "they":
            persons, gave_persons = ([n for n in found if n.kind == PERSON] for found in (named, gave))
            if len(gave) > 1 or (gave_persons and not persons):
                return gave_persons or gave
            if len(persons) > 1:
                return persons
        if named:
            return [next((n for kind in wanted for n in named if n.kind == kind), named[0])]
        if gave:
            return gave
    return next((g for turn in reversed(turns) if (g := _fitting(turn.gave, wanted, gender))), [])


def _fitting(found: Sequence[Named], wanted: Sequence[str], gender: str, *, sure: bool = False) -> list[Named]:
    """Those of the kinds; of people those of the gender, or (unless `sure`) those of whom the name does not tell it."""
    kept = [n for n in found if n.kind in wanted]
    if not gender:
        return kept
    certain = [n for n in kept if names.gender(n.name) == gender]
    return certain or ([] if sure else [n for n in kept if not names.gender(n.name)])
