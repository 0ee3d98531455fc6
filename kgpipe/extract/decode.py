"""Scores of the network to mentions and relations: spans without overlap, one relation a pair, types as the schema allows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kgpipe.extract.network import Batch, Scores

RULE_ORDER = 0.5
"""Rank of a span given by rule among overlapping ones: a longer name that is surer than this wins over the date in it."""


@dataclass
class Decoded:
    """What B windows say: rows of mentions (window, first word, last word, type) and relations between those rows."""

    mentions: Tensor  # (M, 4)
    mention_scores: Tensor  # (M,)
    type_scores: Tensor  # (M, T)
    relations: Tensor  # (E, 3): subject row, relation type, object row
    relation_scores: Tensor  # (E,)


def decode(
    scores: Scores, batch: Batch, *, domain: Tensor, range_: Tensor, threshold: float, mention_threshold: Tensor
) -> Decoded:
    """The mentions above their threshold that do not overlap better ones, and the best relation of every pair.

    `mention_threshold` is (B, K) or a scalar; `threshold` is the least probability of a relation. A pair of mentions
    gets the label and direction of highest score among those whose `domain` and `range_` (R, T) hold the two types.
    """
    b, k, _ = scores.types.shape
    each = scores.types.sigmoid()
    best, kind = each.max(-1)  # (B, K)
    ruled = batch.by_rule[kind]
    enough = scores.kept & (best >= mention_threshold)
    order = torch.where(ruled, RULE_ORDER, best).masked_fill(~enough, -1).argsort(dim=-1, descending=True, stable=True)
    first, last = scores.spans[..., 0], scores.spans[..., 1]
    touching = (first.unsqueeze(2) <= last.unsqueeze(1)) & (first.unsqueeze(1) <= last.unsqueeze(2))  # (B, K, K)
    chosen = torch.zeros_like(enough)
    rows = torch.arange(b, device=best.device)
    for place in range(k):  # greedy by score, all windows at once
        at = order[:, place]
        free = ~(touching[rows, at] & chosen).any(-1)
        chosen[rows, at] = enough[rows, at] & free
    where = chosen.nonzero()  # (M, 2)
    window, slot = where.T
    number = torch.full((b, k), -1, device=best.device)
    number[window, slot] = torch.arange(len(where), device=best.device)

    legal = domain.T[kind][:, :, None] & range_.T[kind][:, None]  # (B, K, K, R)
    pair = chosen[:, :, None] & chosen[:, None]
    probability = scores.relations.sigmoid().masked_fill(~(legal & pair.unsqueeze(-1)), 0)
    probability = torch.nn.functional.pad(probability, (0, 1))  # a schema may have no relation at all
    top, label = probability.max(-1)  # (B, K, K)
    index = torch.arange(k, device=best.device)
    later = (index[:, None] > index[None]).unsqueeze(0)
    back = top.transpose(1, 2)
    wins = (top > back) | ((top == back) & ~later)
    i, s, o = ((top >= threshold) & (top > 0) & wins).nonzero().T
    return Decoded(
        mentions=torch.stack((window, first[window, slot], last[window, slot], kind[window, slot]), -1),
        mention_scores=best[window, slot],
        type_scores=each[window, slot],
        relations=torch.stack((number[i, s], label[i, s, o], number[i, o]), -1),
        relation_scores=top[i, s, o],
    )
