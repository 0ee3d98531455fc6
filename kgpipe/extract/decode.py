"""Scores of the network to mentions and relations: spans without overlap, one relation a pair, types as the schema allows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kgpipe.extract.network import Spans, best_allowed

POSSIBLE, POSSIBLE_NEW = 0.001, 0.00001
"""A mention may also be of a type that is less likely than its likeliest by this factor, if a relation needs it; types
that training did not know are scored less surely, and for a relation that it did not know the types are rarely the ones
that its schema has in mind (a politician found as a person)."""
RULE_ORDER = 0.5
"""Rank of a span given by rule among overlapping ones: a longer name that is surer than this wins over the date in it."""


@dataclass
class Mentions:
    """The spans of B windows that are mentions, in order of window, and which of the K of a window they are."""

    rows: Tensor  # (M, 4): window, first word, last word, type
    scores: Tensor  # (M,)
    type_scores: Tensor  # (M, T)
    slot: Tensor  # (M,)
    alone: Tensor  # (M,) bool, mentions also if no relation needs them


@dataclass
class Relations:
    """The relations between mentions."""

    rows: Tensor  # (E, 3): subject row, relation type, object row
    scores: Tensor  # (E,)


def mentions(seen: Spans, *, by_rule: Tensor, least: Tensor, hoped: Tensor) -> Mentions:
    """The spans of at least the score (B, K) `least`, and those one may hope for (B, K), that do not overlap better ones.

    Spans rank by their likeliest type or by how likely they name anything, if that is more; types that are `by_rule`
    (T,) rank with RULE_ORDER.
    """
    each = seen.types.sigmoid()
    best, kind = each.max(-1)  # (B, K)
    rank = torch.where(by_rule[kind], RULE_ORDER, torch.maximum(best, seen.mention.sigmoid()))
    alone = best >= least
    window, slot = apart(rank, seen.kept & (best > 0) & (alone | hoped), seen.spans).nonzero().T
    return Mentions(
        torch.cat((window.unsqueeze(-1), seen.spans[window, slot], kind[window, slot].unsqueeze(-1)), -1),
        best[window, slot],
        each[window, slot],
        slot,
        alone[window, slot],
    )


def apart(rank: Tensor, enough: Tensor, spans: Tensor) -> Tensor:
    """(B, K): which of the spans (B, K, 2) that are good `enough` overlap none of higher `rank` (B, K), greedily."""
    order = rank.masked_fill(~enough, -1).argsort(dim=-1, descending=True, stable=True)
    touching = overlapping(spans)
    chosen = torch.zeros_like(enough)
    rows = torch.arange(len(rank), device=rank.device)
    for place in range(rank.shape[1]):  # all windows at once
        at = order[:, place]
        free = ~(touching[rows, at] & chosen).any(-1)
        chosen[rows, at] = enough[rows, at] & free
    return chosen


def overlapping(spans: Tensor) -> Tensor:
    """(B, K, K): which of the spans (B, K, 2) share words."""
    first, last = spans[..., 0], spans[..., 1]
    return (first.unsqueeze(2) <= last.unsqueeze(1)) & (first.unsqueeze(1) <= last.unsqueeze(2))


def pairs(
    found: Mentions, *, domain: Tensor, range_: Tensor, novel: Tensor, novel_relations: Tensor
) -> tuple[Tensor, Tensor]:
    """(P, 2) rows of mentions of one window that may be subject and object, in order, and (P, R) of which relations.

    A relation is possible whose `domain` and `range_` (R, T) hold POSSIBLE types of the two; `novel` (T,) says how new a
    type is, `novel_relations` (R,) how new a relation. With a pair comes the turned one, also if nothing is possible in
    that direction.
    """
    window = found.rows[:, 0].contiguous()
    before = torch.searchsorted(window, window)
    count = torch.searchsorted(window, window, right=True) - before
    subject = torch.repeat_interleave(count)
    step = torch.arange(len(subject), device=window.device) - (count.cumsum(0) - count)[subject]
    where = torch.stack((subject, before[subject] + step), -1)[before[subject] + step != subject]
    legal = (
        possible(found.type_scores, domain, novel, novel_relations)[where[:, 0]]
        & possible(found.type_scores, range_, novel, novel_relations)[where[:, 1]]
    )
    either = legal.any(-1)
    either = either | either[turned(where, len(window))]
    return where[either], legal[either]


def turned(where: Tensor, n: int) -> Tensor:
    """(P,): for each pair of `pairs` the place of the one with its ends exchanged; `n` is the number of mentions."""
    return torch.searchsorted(where[:, 0] * n + where[:, 1], where[:, 1] * n + where[:, 0])


def relations(logits: Tensor, where: Tensor, legal: Tensor, *, n: int, threshold: Tensor) -> Relations:
    """The label and direction of highest score of each of the `pairs` of `n` mentions, if that is high enough.

    `logits` are (P, R), `threshold` (R,) is the least probability of each relation.
    """
    subject, object_ = where.T
    probability = torch.nn.functional.pad(logits.sigmoid().masked_fill(~legal, 0), (0, 1))  # R may be 0
    top, label = probability.max(-1)  # (P,)
    back = top[turned(where, n)]
    wins = (top > back) | ((top == back) & (subject < object_))
    keep = (top >= torch.nn.functional.pad(threshold, (0, 1))[label]) & (top > 0) & wins
    return Relations(torch.stack((subject, label, object_), -1)[keep], top[keep])


def likeliest(score: Tensor, window: Tensor, most: int) -> Tensor:
    """Places of the finite scores (P,) that are among the `most` highest of their window (P,), which is in order."""
    order = score.argsort(descending=True, stable=True)
    order = order[window[order].argsort(stable=True)]  # by window, then by score
    rank = torch.arange(len(score), device=score.device) - torch.searchsorted(window.contiguous(), window[order])
    return order[(rank < most) & score[order].isfinite()]


def possible(each: Tensor, allowed: Tensor, novel: Tensor, novel_relations: Tensor) -> Tensor:
    """(..., R): whether spans with type probabilities (..., T) may be of a type that a relation allows (R, T)."""
    slack = POSSIBLE_NEW / POSSIBLE
    least = each.amax(-1, keepdim=True).clamp(min=1e-9) * POSSIBLE * slack**novel_relations  # (..., R)
    return best_allowed(each / slack**novel, allowed) >= least
