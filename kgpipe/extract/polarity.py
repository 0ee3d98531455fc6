"""Whether a sentence asserts, denies or doubts a relation: cue words and their scope, by rule.

Follows the idea of NegEx (Chapman et al. 2001): a cue acts from its place to the end of its clause. A relation takes the
polarity of the cue whose scope reaches one of its ends from before, or that stands between them.
"""

from __future__ import annotations

import re

_NEGATED = re.compile(
    r"\b(?:not|never|neither|nor|no longer|nobody|none of|without|cannot|refused|refuses|declined|declines|rejected|denied|"
    r"denies|failed to|fails to|rather than|instead of|far from|unlike|contrary to|turned down|no evidence|incorrectly|"
    r"wrongly|falsely|mistakenly|erroneously|no)\b|n['’]t\b",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\b(?:may|might|could|would|perhaps|possibly|probably|maybe|allegedly|reportedly|supposedly|apparently|presumably|"
    r"arguably|rumou?red|rumou?rs?|legend|myth|claims?|claimed|believed|thought to|said to|suggests?|suggested|speculated|"
    r"disputed|doubted|unclear|uncertain|unlikely|likely|if|whether|sometimes (?:credited|called|described|said)|"
    r"often (?:credited|said|claimed)|planned to|intended to|hoped to|proposed to|wanted to|considered|nearly|almost|"
    r"nominated|was offered|were offered)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[;:]|(?<![A-Z])[.!?]\s|,?\s\b(?:but|although|though|however|whereas|while|yet|because|so that)\b|"
    r",\s(?:and|so|since|as|for|who|which|where|when)\b"
)
_SUBORDINATE = re.compile(
    r"(?:although|though|while|whereas|because|when|if|since|unlike|contrary to|instead of|rather than)\b",
    re.IGNORECASE,
)
"""A clause or phrase that opens a sentence with one of these ends at its comma, and so does the scope of a cue in it."""
_ASIDE = re.compile(r"^\s*(?:which|who|whose|where|when)\b", re.IGNORECASE)
_NO_NEGATION = re.compile(r"\bnot only\b|\bno\.\s*\d|\bno doubt\b", re.IGNORECASE)
_NO_HEDGE = re.compile(r"\b(?:in|since|by|of|until|from|on|during|\d{1,2}|early|late|mid)\s+May\b|\bMay\s+\d")


def polarity(sentence: str, first: tuple[int, int], second: tuple[int, int]) -> str:
    """`asserted`, `negated` or `hedged` for the relation between two spans of a sentence (offsets into it)."""
    left, right = sorted((first, second))
    found = "asserted"
    for kind, cues, exempt in (("hedged", _HEDGED, _NO_HEDGE), ("negated", _NEGATED, _NO_NEGATION)):
        spared = [m.span() for m in exempt.finditer(sentence)]
        for cue in cues.finditer(sentence):
            inside = any(s <= cue.start() < e for s, e in spared)
            named = any(s <= cue.start() and cue.end() <= e for s, e in (left, right))
            if not inside and not named and _reaches(sentence, cue.span(), left, right):
                found = kind
    return found


def _reaches(sentence: str, cue: tuple[int, int], left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Whether the cue stands before the second end and no new clause begins between the two."""
    if cue[0] >= right[1]:
        return False
    clause = re.split(r"(?<![A-Z])[.!?]\s+|;\s+", sentence[: cue[1]])[-1]
    aside = _ASIDE.search(clause.rpartition(",")[2])
    subordinate = cue[0] < right[0] and (_SUBORDINATE.match(clause) or ("," in clause and aside))
    return not (_CLAUSE.search(sentence, cue[1], right[0]) or (subordinate and "," in sentence[cue[1] : right[0]]))
