"""What the grammar of a question tells of the direction of a relation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kgpipe.query.words import BE, PREPOSITION, Word, words
from kgpipe.stems import stem

PARTICIPLE = {
    "wrote": "written", "made": "made", "led": "led", "won": "won", "ran": "run", "built": "built", "held": "held",
    "sang": "sung", "taught": "taught", "bought": "bought", "sold": "sold",
}  # fmt: skip
"""Participles of past tenses that labels are said in."""


class Worded(Protocol):
    """Anything with the words of a question."""

    @property
    def words(self) -> Sequence[Word]: ...


def anchor_is_subject(
    question: Worded, verb: int, span: tuple[int, int], phrase: str, inverse: str, acts: bool | None = None
) -> bool | None:
    """Whether the grammar makes the named entity the subject of the relation; None when it does not tell.

    `verb` is the index of the word that asks for the relation, `phrase` the label or synonym that it matched; `acts` says
    whether the named entity is who acts, where that is known.
    """
    found = question.words
    word = found[verb].lower
    before = found[verb - 1] if verb else None
    after = found[verb + 1].lower if verb + 1 < len(found) else ""
    subject_acts, noun_is_subject = _reading(phrase, inverse)
    of_entity = after == "of" and span[0] > verb
    possessed = before is not None and before.possessive and span[1] == verb
    if (of_entity or possessed) and not is_participle(word):
        if noun_is_subject is None:
            return not word.endswith(("er", "or", "ers", "ors")) if subject_acts else None
        return not noun_is_subject
    if subject_acts is None:
        return None
    lower = [w.lower for w in found]
    by_after = after == "by"
    passive = by_after or (
        is_participle(word) and any(w in BE for w in lower[:verb]) and not {"did", "does", "do"} & set(lower[:verb])
    )
    if acts is not None:
        pass
    elif passive:
        acts = (
            lower[span[0] - 1 : span[0]] == ["by"] or "by" in lower[max(verb, span[0] - 2) : span[0]] and span[0] > verb
        )
    elif span[0] > verb:
        acts = False
    else:
        acts = True
    return acts == subject_acts


def is_participle(word: str) -> bool:
    """Whether a word in lower case looks like a past participle; children and locations are nouns."""
    if word.endswith("ed") or word in ("made", "won", "led", "sold", "held", "known"):
        return True
    noun = word.endswith(("ment", "ion", "men", "children")) or word == "student"
    return not noun and word.endswith(("n", "t")) and stem(word) != word


def _reading(phrase: str, inverse: str) -> tuple[bool | None, bool | None]:
    """(whether the subject of the relation acts, whether a noun phrase `N of` names the subject) for one phrase of it."""
    tokens = [w.lower for w in words(phrase)]
    if not tokens:
        return None, None
    flipped = bool(inverse) and phrase == inverse.replace("_", " ").lower()
    if tokens[-1] == "by":
        acts = False
    elif tokens[-1] == "of" and not is_participle(tokens[0]):
        return None, not flipped
    elif is_participle(tokens[0]) and (len(tokens) == 1 or tokens[-1] not in PREPOSITION):
        acts = True
    elif flipped and len(tokens) == 1:
        acts = True
    elif len(tokens) > 1 and tokens[-1] in PREPOSITION:
        return (not flipped), None
    else:
        return None, flipped
    return (not acts if flipped else acts), None
