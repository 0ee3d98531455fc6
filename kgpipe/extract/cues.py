"""Lexical evidence for relations: the words of a schema's labels and synonyms, found between or beside two spans.

What a schema says about its relations (`designed`, `invented`, `created`) is the surest knowledge of labels that no
training data had. A cue in the active voice has its subject before it, one followed by `by` (where the cue itself does
not end so) has it behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kgpipe.extract.data import WORD
from kgpipe.schema import RelationType
from kgpipe.stems import stem

REACH = 12
"""A cue states a relation of names at most this many words away."""
AGENT = 8
"""How many words may stand between a cue in the passive and its `by`."""
_BE = frozenset("is are was were be been being".split())
_JOINING = frozenset(", and & or as well both".split())
_TOGETHER = _JOINING | {"together", "along", "with"}
NEAR = 3
"""A cue may stand this many words before the first span or after the second."""
_PASSED = frozenset(
    "a all also an and as at be been being both by first for from had has have her his in into is its later of on or "
    "that the their then to together was were which who with".split()
)
"""Words that may stand between a cue and its names without saying anything else; so may adverbs in -ly."""
_EMPTY = frozenset("a an and as at by for from in into is of on or the to was were with".split())
_LIGHT = _EMPTY | frozenset("has have its his her their".split())

Phrases = dict[str, list[tuple[tuple[str, ...], int]]]
"""First word of a cue to the words of all cues that begin so, and the relation of each."""


def phrases(relations: Sequence[RelationType], *, but: Sequence[int] = ()) -> Phrases:
    """The cues of relations: label and synonyms in lower case, those without a content word left out.

    `but` are the indexes of relations that get none.
    """
    found: Phrases = defaultdict(list)
    for index, relation in enumerate(relations):
        if index in but:
            continue
        for text in dict.fromkeys((relation.label, *relation.synonyms)):
            words = tuple(WORD.findall(text.lower()))
            if set(words) - _EMPTY and (words, index) not in found[words[0]]:
                found[words[0]].append((words, index))
    return dict(found)


def marked(words: Sequence[Sequence[str]], known: Phrases, *, n_words: int, n_relations: int) -> Tensor:
    """(2, B, N, R): 1 at the first word of each cue with its subject before it (0) or behind it (1)."""
    out = torch.zeros(2, len(words), n_words, n_relations)
    for b, row in enumerate(words):
        for i, word in enumerate(row):
            for phrase, relation in known.get(word, ()):
                end = i + len(phrase)
                if tuple(row[i:end]) == phrase:
                    out[int(_agent(row, i, phrase) > 0), b, i, relation] = 1
    return out


@dataclass(frozen=True, slots=True)
class Stems:
    """The stems of the words of content of labels and synonyms."""

    column: dict[str, int]  # of each of the S stems
    parts: Tensor  # (Q, S): of each label or synonym, what part of its words a stem is
    relation: Tensor  # (Q,): whose it is
    n_relations: int


def stems(relations: Sequence[RelationType]) -> Stems:
    """The stems of each label and each synonym of relations."""
    texts = [(i, text) for i, r in enumerate(relations) for text in dict.fromkeys((r.label, *r.synonyms))]
    found = [(i, [stem(w) for w in WORD.findall(text.lower()) if w not in _LIGHT]) for i, text in texts]
    found = [(i, row) for i, row in found if row]
    column = {word: n for n, word in enumerate(dict.fromkeys(word for _, row in found for word in row))}
    parts = torch.zeros(len(found), len(column))
    for q, (_, row) in enumerate(found):
        for word in row:
            parts[q, column[word]] += 1 / len(row)
    return Stems(column, parts, torch.tensor([i for i, _ in found], dtype=torch.long), len(relations))


def shared(words: Sequence[Sequence[str]], known: Stems, mentions: Tensor, pairs: Tensor) -> Tensor:
    """(P, R): what part of the words of a relation's label, or of a synonym, stands between two mentions or right behind.

    `mentions` (M, 4) begin with window, first and last word; `pairs` (P, 2) are rows of them. Words count by their stems,
    those of mentions do not, and behind the second only the next NEAR. Zero is what most relations of a pair have.
    """
    if not len(pairs) or not known.column:
        return torch.zeros(len(pairs), known.n_relations, device=pairs.device)
    marks = torch.zeros(len(words), max(map(len, words)) + 1 + NEAR, len(known.column))
    for b, row in enumerate(words):
        for i, word in enumerate(row):
            column = known.column.get(stem(word))
            if column is not None:
                marks[b, i + 1, column] = 1
    for b, first, last in mentions[:, :3].tolist():
        marks[b, first + 1 : last + 2] = 0
    until = marks.cumsum(1).to(pairs.device)  # (B, N + 1 + NEAR, S)
    ends = mentions[pairs]  # (P, 2, 4)
    window, left, right = ends[:, 0, 0], ends[..., 1].amin(1), ends[..., 2].amax(1) + 1 + NEAR
    there = (until[window, right] > until[window, left]).float()  # (P, S)
    part = there @ known.parts.T.to(there.device)  # (P, Q)
    relation = known.relation.to(there.device).expand(len(part), -1)
    return part.new_zeros(len(part), known.n_relations).scatter_reduce(1, relation, part, "amax")


def _agent(words: Sequence[str], start: int, phrase: tuple[str, ...]) -> int:
    """Where the agent of a cue in the passive begins (`was founded in 1957 by HERE`); 0 for the active."""
    end = start + len(phrase)
    if phrase[-1] == "by" or end >= len(words):
        return 0
    if words[end] == "by":
        return end + 1
    tail = list(words[end : end + AGENT])
    return end + tail.index("by") + 1 if "by" in tail and _BE & set(words[max(0, start - 2) : start]) else 0


def evidence(
    cues: Tensor, spans: Tensor, where: Tensor, sentences: Tensor, pronouns: Tensor, directed: Tensor
) -> Tensor:
    """(P, R): 1 where a cue of the relation stands between subject and object, or within NEAR words of the two.

    `cues` as `marked` gives them, `spans` (B, K, 2) first and last words, `where` (P, 3) window, subject and object
    among K, `sentences` (B, N) the number of each word's sentence, `pronouns` (B, N) whether that sentence has a
    pronoun: the two spans must stand in one sentence, or in two that follow each other and the second refers back to
    the first. A relation that is `directed` (R,), because its subjects and objects are of one kind, only counts cues in
    the voice that fits the order of the two.
    """
    window, subject, object_ = where.T
    n = cues.shape[2]
    summed = torch.nn.functional.pad(cues.cumsum(2), (0, 0, 1, 0))  # (2, B, N + 1, R)
    s, o = spans[window, subject], spans[window, object_]  # (P, 2)
    left = (torch.minimum(s[:, 0], o[:, 0]) - NEAR).clamp(min=0)  # (P,)
    right = (torch.maximum(s[:, 1], o[:, 1]) + 1 + NEAR).clamp(max=n)
    seen = summed[:, window, right] > summed[:, window, left]  # (2, P, R)
    fits = torch.where((s[:, 0] < o[:, 0]).unsqueeze(-1), seen[0], seen[1])
    apart = sentences[window, s[:, 0]] - sentences[window, o[:, 0]]  # (P,)
    back_s, back_o = pronouns[window, s[:, 0]], pronouns[window, o[:, 0]]
    together = (apart == 0) | ((apart == 1) & back_s) | ((apart == -1) & back_o)
    return (torch.where(directed, fits, seen[0] | seen[1]) & together.unsqueeze(-1)).float()


def stated(
    words: Sequence[str],
    sentences: Sequence[int],
    mentions: Sequence[tuple[int, int]],
    known: Phrases,
    legal: Callable[[int, int, int], bool],
    directed: Sequence[bool],
) -> dict[tuple[int, int, int], int]:
    """Relations that the words of one window state outright, as (subject, relation, object) by mention index.

    The value is how many words of content stand between the cue and the two: the fewer, the surer.

    From every cue the nearest mention before it and the nearest behind it, in its sentence, that `legal(subject,
    relation, object)` accepts together; then those joined to either by commas and `and`, and to the subject those that
    follow the object with `together with` or `along with`. `words` are in lower case,
    `mentions` are first and last words in text order. Patterns in the manner of Hearst (1992).
    """
    found: dict[tuple[int, int, int], int] = {}
    for i, word in enumerate(words):
        for phrase, relation in known.get(word, ()):
            end = i + len(phrase)
            if tuple(words[i:end]) != phrase:
                continue
            inside = [m for m, (a, b) in enumerate(mentions) if sentences[a] == sentences[i]]
            passive = _agent(words, i, phrase)
            before = [m for m in inside if i - REACH <= mentions[m][1] < i]
            if "and" not in words[max(0, i - 2) : i]:  # in `A left B and founded C` the first one did it
                before.reverse()
            behind = [m for m in inside if max(end, passive) <= mentions[m][0] < end + REACH]
            for subjects, objects in ([(behind, before)] if passive else [(before, behind)]) + (
                [] if directed[relation] else [(before, behind) if passive else (behind, before)]
            ):
                pair = next(((s, o) for s in subjects for o in objects if legal(s, relation, o)), None)
                if pair:
                    a, b = sorted(mentions[m] for m in pair)
                    apart = _content(words[a[1] + 1 : i]) + _content(words[end : b[0]])
                    partners = _partners(pair[1], inside, mentions, words)
                    for s in [*_joined(pair[0], subjects, mentions, words, _TOGETHER), *partners]:
                        for o in _joined(pair[1], objects, mentions, words):
                            if legal(s, relation, o):
                                found[s, relation, o] = min(apart, found.get((s, relation, o), apart))
                    break
    return found


def _content(words: Sequence[str]) -> int:
    """How many words say something: letters or digits that are not passed over."""
    return sum(w[0].isalnum() and w not in _PASSED and not w.endswith("ly") for w in words)


def _joined(
    start: int,
    side: Sequence[int],
    mentions: Sequence[tuple[int, int]],
    words: Sequence[str],
    joining: frozenset[str] = _JOINING,
) -> list[int]:
    """The mention and those that follow it, away from the cue, with nothing but joining words between."""
    group = [start]
    for other in side[side.index(start) + 1 :]:
        (_, left), (right, _) = sorted((mentions[group[-1]], mentions[other]))
        if not set(words[left + 1 : right]) <= joining:
            break
        group.append(other)
    return group


def _partners(
    object_: int, inside: Sequence[int], mentions: Sequence[tuple[int, int]], words: Sequence[str]
) -> list[int]:
    """Mentions right behind `OBJECT together with`, joined ones included."""
    at = mentions[object_][1] + 1
    if list(words[at : at + 2]) not in (["together", "with"], ["along", "with"]):
        return []
    behind = [m for m in inside if mentions[m][0] >= at + 2]
    return _joined(behind[0], behind, mentions, words) if behind and mentions[behind[0]][0] == at + 2 else []
