"""Reads sentences for what a question asks: do the words around what it names and a possible answer say the same?

The namer, a sentence encoder trained to tell relations (see `extract.naming`), puts a pair of names in its sentence
(`[a] entity was born in [b] date`) near the words for its relation. A question is such words too: `when was [a] entity
born`. So a sentence tells what is asked as surely as the best pair of something that the question names and something
that may answer it, in its text. After the typed markers of Zhong and Chen (2021) and zero-shot relation extraction by
questions (Levy et al. 2017), without a model of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from kgpipe import literals
from kgpipe.query.words import FUNCTION, Word, words

if TYPE_CHECKING:
    from kgpipe.models.embed import Embedder

MOST_ANSWERS = 4
"""Possible answers of one sentence that are read: those nearest to what the question names."""
AROUND, MIDDLE = 3, 30
"""Words read before the first and after the second of a pair, and between them (the first and last half of more)."""
SUBJECT = "[a] entity"
"""Stands for what a question names."""
_ANSWERED_BY = {"when": "date", "where": "place", "who": "person", "whom": "person", "whose": "person"}
_ASKERS = frozenset({*_ANSWERED_BY, "which", "what"})
_FRAME = frozenset("was did is the of in".split())
_PRONOUNS = frozenset("he she it him his her its they them their".split())
_NUMBER = re.compile(
    r"\d(?:[\d,.]*\d)?|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million|billion|half)\b",
    re.IGNORECASE,
)
Span = tuple[int, int]


def told(question: str, kind: str, sentences: Sequence[str], namer: Embedder) -> list[float]:
    """How well each sentence tells what is asked, a cosine; 0 where it holds nothing that could be the answer.

    `kind` is what kind of answer is wanted: date, number, or anything else, which is taken for a name.
    """
    asked = words(question)
    names = names_in(asked)
    kind_word = called(asked, kind)
    pairs = [(i, text) for i, s in enumerate(sentences) for text in _pairs(s, kind, kind_word, names, asked)]
    best = [0.0] * len(sentences)
    if not pairs:
        return best
    wanted = worded(asked, names, kind_word)
    vectors = namer.encode([*wanted, *(text for _, text in pairs)])
    similar = (vectors[len(wanted) :] @ vectors[: len(wanted)].T).mean(1)
    for (i, _), value in zip(pairs, similar.tolist(), strict=True):
        best[i] = max(best[i], value)
    return best


def answers(sentence: str, kind: str, named: set[str]) -> list[Span]:
    """Where a sentence holds something of the kind that is asked for (date, number, else a name) that is not `named`."""
    dates = [(f.start, f.end) for f in literals.find(sentence) if f.kind == "date"]
    if kind == "date":
        return dates
    if kind == "number":
        return [n.span() for n in _NUMBER.finditer(sentence) if not any(s <= n.start() < e for s, e in dates)]
    found: list[Span] = []
    for w in words(sentence):
        if any(s <= w.start < e for s, e in dates):
            continue
        if w.text[0].isupper() and len(w.text) > 1 and w.lower not in named and w.lower not in FUNCTION:
            if found and w.start - found[-1][1] == 1:
                found[-1] = found[-1][0], w.end
            else:
                found.append((w.start, w.end))
    return found


def names_in(asked: Sequence[Word]) -> list[list[int]]:
    """The words of what a question names: runs of words with a capital letter or digit, `of` and `the` inside them."""
    runs: list[list[int]] = []
    run: list[int] = []
    for i, w in enumerate(asked):
        if (w.text[0].isupper() or w.text[0].isdigit()) and not (
            i == 0 and (w.lower in FUNCTION or w.lower in _ASKERS)
        ):
            run.append(i)
        elif (
            run
            and w.lower in ("of", "the", "and", "de", "for")
            and asked[i + 1 : i + 2]
            and asked[i + 1].text[0].isupper()
        ):
            run.append(i)
        elif run:
            runs.append(run)
            run = []
    return [*runs, run] if run else runs


def called(asked: Sequence[Word], kind: str) -> str:
    """What the answer is called: the noun behind which or what, else what the question word stands for."""
    if kind in ("date", "number"):
        return kind
    for i, w in enumerate(asked):
        if w.lower in _ANSWERED_BY:
            return _ANSWERED_BY[w.lower]
        if w.lower in ("which", "what") and asked[i + 1 : i + 2] and asked[i + 1].lower not in FUNCTION:
            return asked[i + 1].lower
    return "thing"


def worded(asked: Sequence[Word], names: Sequence[Sequence[int]], kind_word: str) -> list[str]:
    """The question as the words of a relation: as it stands, with the answer marked, and its content words alone."""
    first = {run[0] for run in names}
    inside = {i for run in names for i in run} - first
    said = [SUBJECT if i in first else w.lower for i, w in enumerate(asked) if i not in inside]
    content = [w for w in said if w not in _ASKERS and w not in _FRAME and w != SUBJECT]
    marked = [
        f"[b] {kind_word}" if w in _ASKERS else w
        for before, w in pairwise(["", *said])
        if w != kind_word or before not in _ASKERS
    ]
    return [" ".join(said), " ".join(marked), f"{' '.join(content)} (entity to {kind_word})"]


def _pairs(
    sentence: str, kind: str, kind_word: str, names: Sequence[Sequence[int]], asked: Sequence[Word]
) -> list[str]:
    """The texts of pairs of what is asked about and what may be the answer, nearest first."""
    found = words(sentence)
    about = _mentioned(found, {asked[i].lower for run in names for i in run} - FUNCTION)
    if not about:
        about = [(w.start, w.end) for w in found if w.lower in _PRONOUNS][:1] or [(0, 0)]
    pairs = []
    for answer in answers(sentence, kind, {w.lower for w in asked}):
        subject = min(about, key=lambda span: abs(span[0] - answer[0]))
        if subject[0] < answer[1] and answer[0] < subject[1]:
            continue
        pairs.append((abs(subject[0] - answer[0]), _text(sentence, subject, answer, kind_word)))
    return [text for _, text in sorted(pairs)[:MOST_ANSWERS]]


def _mentioned(found: Sequence[Word], named: set[str]) -> list[Span]:
    """Runs of words of a sentence that the question names, with a capital letter."""
    spans: list[Span] = []
    for i, w in enumerate(found):
        if w.lower not in named:
            continue
        if spans and i and found[i - 1].lower in named and spans[-1][1] == found[i - 1].end:
            spans[-1] = spans[-1][0], w.end
        elif w.text[0].isupper() or w.text[0].isdigit():
            spans.append((w.start, w.end))
    return spans


def _text(sentence: str, subject: Span, answer: Span, kind_word: str) -> str:
    marks = {subject: SUBJECT, answer: f"[b] {kind_word}"}
    first, second = sorted((subject, answer))
    between = sentence[first[1] : second[0]].split()
    if len(between) > MIDDLE:
        between = [*between[: MIDDLE // 2], *between[-MIDDLE // 2 :]]
    before, after = sentence[: first[0]].split()[-AROUND:], sentence[second[1] :].split()[:AROUND]
    return " ".join([*before, marks[first], *between, marks[second], *after])
