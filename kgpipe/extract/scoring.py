"""Final scores: what the network says of labels it was trained with, and what other knowledge says of new ones.

A logit is a linear function of a few features, each counted twice: weighed by how known the label is and by how new.
The weights are fitted on sets that the network was not trained with (see docs/training.md), so that nothing that a
network learnt by heart speaks for labels it never saw. Letters in shapes as in `network`; P pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor

KNOWN, NEW = 0.1, 0.4
"""Cosine distance from the nearest training label up to which a label is known, and from which it is new."""
FAR = 20.0
"""Logits are cut at this."""
SHARPNESS = 20.0
"""Of cosines in a softmax over labels."""
MARGIN = 0.3
"""What a label is ahead of the others counts no more than this."""


def novelty(relations: Tensor, known: Tensor) -> Tensor:
    """(R,): how new each label (R, V) is beside those of the training data (U, V), from 0, known, to 1."""
    if not len(known) or not len(relations):
        return relations.new_ones(len(relations))
    return ((1 - (relations @ known.T).amax(1) - KNOWN) / (NEW - KNOWN)).clamp(0, 1)


def known_logit(joint: Tensor, related: Tensor, weights: Tensor) -> Tensor:
    """Final logits (..., R) of known labels: what `relation_features` and its weights come to without the second pass."""
    weight, weight_related, bias = weights[:3]
    return joint.clamp(-FAR, FAR) * weight + related.clamp(-FAR, FAR).unsqueeze(-1) * weight_related + bias


def relation_features(joint: Tensor, related: Tensor, cosine: Tensor, fit: Tensor, novel: Tensor) -> Tensor:
    """(P, R, F): what the final logit of a relation is a linear function of.

    The joint network's logit (P, R), the logit of being related at all (P,) and 1, weighed by how known the label is;
    the same with the cosine of pair and label (P, R), the logarithm `fit` (P, R) of how likely the two have types that
    the relation allows, and the logarithm of the softmax of both over the labels, weighed by how `novel` (R,) it is.
    """
    joint = joint.clamp(-FAR, FAR)
    related = related.clamp(-FAR, FAR).unsqueeze(-1).expand_as(joint)
    share = (SHARPNESS * cosine + fit).log_softmax(-1).clamp(min=-FAR)
    one = torch.ones_like(joint)
    known = torch.stack((joint, related, one), -1) * (1 - novel).unsqueeze(-1)
    new = torch.stack((joint, related, one, cosine, fit, share), -1) * novel.unsqueeze(-1)
    return torch.cat((known, new), -1)


def ahead(cosine: Tensor, legal: Tensor) -> Tensor:
    """(P, R): by how much the cosine of a label is above the best of the other labels that are `legal` (P, R).

    At most MARGIN either way, and 0 where there is no other.
    """
    best, where = torch.nn.functional.pad(cosine.masked_fill(~legal, -torch.inf), (0, 2), value=-torch.inf).topk(
        2, dim=1
    )
    other = torch.where(torch.arange(cosine.shape[1], device=cosine.device) == where[:, :1], best[:, 1:], best[:, :1])
    return torch.where(other.isfinite(), (cosine - other).clamp(-MARGIN, MARGIN), 0)


def type_features(joint: Tensor, mention: Tensor, name: Tensor, context: Tensor, novel: Tensor) -> Tensor:
    """(B, K, T, F): what the final logit of a span's type is a linear function of.

    The joint network's logit (B, K, T), the logit (B, K) of naming anything at all, the cosines (B, K, T) of a type's
    label with the name alone and with the name in its context, each less its mean over types, the logarithm of the
    softmax of logit and cosines over types, and 1; all of them weighed by how known the type is, and again by how
    `novel` (T,).
    """
    joint = joint.clamp(-FAR, FAR)
    name = name - name.mean(-1, keepdim=True)
    context = context - context.mean(-1, keepdim=True)
    share = (joint + SHARPNESS / 2 * (name + context)).log_softmax(-1).clamp(min=-FAR)
    mention = mention.clamp(-FAR, FAR).unsqueeze(-1).expand_as(joint)
    found = torch.stack((joint, mention, name, context, share, torch.ones_like(joint)), -1)
    novel = novel.unsqueeze(-1)
    return torch.cat((found * (1 - novel), found * novel), -1)
