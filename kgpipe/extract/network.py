"""The joint network: spans against type labels, pairs of spans against relation labels.

Labels come as vectors of their texts, so a schema is given at call time. Letters in shapes: B windows, L word
pieces, N words, W widths of a span, K kept spans, T entity types, R relation types, D width of the backbone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

MAX_WIDTH = 12
DISTANCES = 16
NEAR = 3
AROUND = 4
"""Words before and after a pair, and at either end of what stands between, that are read for its phrase."""
CONTEXT = 6
"""Words on either side of a span that say what it is."""
SURE = 12.0
"""Logit of a type given by rule."""


@dataclass
class Batch:
    """Tensors of B windows and the labels they are read with; `forced` spans (first, last) are always kept.

    A forced span with a type >= 0 in `fixed` has that type whatever the network thinks (dates and numbers found by
    rule); a type in `by_rule` is given to no other span.
    """

    pieces: Tensor  # (B, L) token ids
    shapes: Tensor  # (B, L) 0 for none, else 1 + shape of the word
    mask: Tensor  # (B, L)
    first: Tensor  # (B, N) position of a word's first piece
    last: Tensor  # (B, N)
    words: Tensor  # (B, N) bool, real words
    types: Tensor  # (T, V) label vectors
    relations: Tensor  # (R, V)
    type_mask: Tensor  # (B, T) bool, labels asked for in a window
    relation_mask: Tensor  # (B, R) bool
    domain: Tensor  # (R, T) bool, types a subject may have
    range: Tensor  # (R, T) bool
    forced: Tensor  # (B, G, 2) first and last word
    forced_mask: Tensor  # (B, G) bool
    fixed: Tensor  # (B, G) type of a forced span, or -1
    by_rule: Tensor  # (T,) bool

    def to(self, device: Any) -> Batch:
        return Batch(**{k: v.to(device, non_blocking=True) for k, v in vars(self).items()})


@dataclass
class Spans:
    """What the network thinks of spans, in logits, and what pairs of them are scored with.

    Spans beyond a window and forbidden labels are minus infinity.
    """

    span_types: Tensor  # (B, N, W, T) first look at every span
    spans: Tensor  # (B, K, 2) first and last word of the kept spans
    kept: Tensor  # (B, K) bool
    flat: Tensor  # (B, K) index of a kept span into N * W
    types: Tensor  # (B, K, T) both looks
    mention: Tensor  # (B, K) whether a span names anything, whatever the labels
    vector: Tensor  # (B, K, H)
    name: Tensor  # (B, K, V) unit vectors: what the sentence encoder would say of the name alone
    context: Tensor  # (B, K, V) and of the words around it
    word: Tensor  # (B, N, D)
    total: Tensor  # (B, N + 1, D) running sum of the words


@dataclass
class Scores(Spans):
    """Spans, and the logits of all pairs of them; forbidden pairs and labels are minus infinity."""

    relations: Tensor  # (B, K, K, R) subject, object
    related: Tensor  # (B, K, K) whether a pair has any relation, whatever the labels


def _mlp(inside: int, outside: int, *hidden: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise((inside, *hidden)):
        layers += [nn.Linear(a, b), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], outside))


class JointNetwork(nn.Module):
    """Backbone, span head and pair head. The word embeddings are frozen; `label_width` is V."""

    def __init__(self, backbone: nn.Module, *, label_width: int = 384, hidden: int = 256, dropout: float = 0.1) -> None:
        super().__init__()
        width = backbone.config.hidden_size
        self.backbone = backbone
        backbone.get_input_embeddings().weight.requires_grad_(False)
        self.shape_embedding = nn.Embedding(7, width, padding_idx=0)
        nn.init.normal_(self.shape_embedding.weight, std=0.02)
        self.dropout = nn.Dropout(dropout)
        self.label_adapter = _mlp(label_width, label_width, label_width)
        # first look
        self.span_start, self.span_end = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.span_inside = nn.Linear(width, hidden)
        self.span_width = nn.Embedding(MAX_WIDTH, hidden)
        self.type_label = nn.Linear(label_width, hidden)
        self.type_bias = nn.Linear(label_width, 1)
        self.spanness = nn.Linear(hidden, 1)
        # second look
        self.span_again = _mlp(3 * width, hidden, 2 * hidden)
        self.type_label_again = nn.Linear(label_width, hidden)
        self.mention = nn.Linear(hidden, 1)
        # pairs
        self.subject, self.object = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.between = nn.Linear(width, hidden)
        self.distance = nn.Embedding(DISTANCES, hidden)
        self.pair = nn.Linear(hidden, hidden)
        self.relation_label = nn.Linear(label_width, hidden)
        self.relation_bias = nn.Linear(label_width, 1)
        self.similar = nn.Linear(hidden, label_width)
        self.word_label = nn.Linear(width, label_width)
        # weights of: type of subject, type of object, similarity, words between, words near, related at all
        self.mix = nn.Parameter(torch.tensor([1.0, 1.0, 3.0, 3.0, 3.0, 1.0]))
        self.related = nn.Linear(hidden, 1)
        # what a sentence encoder would say of a span and of a pair, in its space: see `naming`
        self.span_said = _mlp(4 * width, 2 * label_width, 512)
        self.pair_said = _mlp(2 * hidden + 5 * width + 1, label_width, 640, 640)

    def forward(self, batch: Batch, *, top_k: int) -> Scores:
        """Scores of a batch with those of all pairs; `top_k` spans a window are kept beside the forced ones."""
        seen = self.look(batch, top_k=top_k)
        b, k = seen.kept.shape
        window, slot = torch.arange(b, device=seen.kept.device), torch.arange(k, device=seen.kept.device)
        where = window.view(b, 1, 1), slot.view(1, k, 1), slot.view(1, 1, k)
        relations, related = self.pairs(batch, seen, *where)
        apart = ~torch.eye(k, dtype=torch.bool, device=relations.device)
        legal = (seen.kept[:, :, None] & seen.kept[:, None] & apart).unsqueeze(-1) & batch.relation_mask[:, None, None]
        return Scores(**vars(seen), relations=relations.masked_fill(~legal, -torch.inf), related=related)

    def look(self, batch: Batch, *, top_k: int) -> Spans:
        """The spans of a batch; `top_k` a window are kept beside the forced ones."""
        b, n = batch.first.shape
        states = self._states(batch)  # (B, L, D)
        rows = torch.arange(b, device=states.device).unsqueeze(1)
        first, last = states[rows, batch.first], states[rows, batch.last]  # (B, N, D)
        word = (first + last) / 2 * batch.words.unsqueeze(-1)
        labels = batch.types + self.label_adapter(batch.types)
        look = self._first_look(first, last, word, batch, labels)  # (B, N, W, T)

        flat, kept = self._top(look, batch, top_k)  # (B, K)
        begin, width = flat // MAX_WIDTH, flat % MAX_WIDTH
        end = (begin + width).clamp(max=n - 1)
        spans = torch.stack((begin, end), -1)
        total = torch.nn.functional.pad(word.float().cumsum(1), (0, 0, 1, 0))  # (B, N + 1, D)
        inside = (total[rows, end + 1] - total[rows, begin]) / (width + 1).unsqueeze(-1)
        vector = self.span_again(torch.cat((first[rows, begin], last[rows, end], inside.to(first.dtype)), -1))
        vector = self.dropout(vector)  # (B, K, H)
        again = (vector @ self.type_label_again(labels).T).float() / math.sqrt(vector.shape[-1])
        types = look.flatten(1, 2).gather(1, flat.unsqueeze(-1).expand(-1, -1, look.shape[-1])) + again
        types = self._fixed(
            types.masked_fill(~(batch.type_mask[:, None, :] & kept.unsqueeze(-1)), -torch.inf), batch, flat
        )
        mention = self.mention(vector).float().squeeze(-1)
        left = (begin - CONTEXT).clamp(min=0)
        right = torch.minimum(end + CONTEXT + 1, batch.words.sum(1, keepdim=True)).clamp(min=1)
        around = (total[rows, right] - total[rows, left]) / (right - left).clamp(min=1).unsqueeze(-1)
        said = self.span_said(
            torch.cat((first[rows, begin], last[rows, end], inside.to(first.dtype), around.to(first.dtype)), -1)
        )
        name, context = (nn.functional.normalize(part.float(), dim=-1) for part in said.chunk(2, -1))
        return Spans(look, spans, kept, flat, types, mention, vector, name, context, word, total)

    def _states(self, batch: Batch) -> Tensor:
        embedded = self.backbone.get_input_embeddings()(batch.pieces) + self.shape_embedding(batch.shapes)
        return self.backbone(inputs_embeds=embedded, attention_mask=batch.mask).last_hidden_state

    def _first_look(self, first: Tensor, last: Tensor, word: Tensor, batch: Batch, labels: Tensor) -> Tensor:
        """(B, N, W, T): logits of every span; one width after the other, so that little memory is touched at a time."""
        n = first.shape[1]
        total = torch.nn.functional.pad(self.span_inside(word).float().cumsum(1), (0, 0, 1, 0))
        start, stop = self.span_start(first), self.span_end(last)
        type_label, type_bias = self.type_label(labels).T, self.type_bias(labels).T
        looks = []
        for width in range(MAX_WIDTH):
            m = max(n - width, 0)  # spans that end inside
            mean = (total[:, width + 1 :] - total[:, :m]) / (width + 1)
            rep = start[:, :m] + stop[:, width:] + mean.to(start.dtype) + self.span_width.weight[width].to(start.dtype)
            rep = self.dropout(torch.nn.functional.gelu(rep))  # (B, M, H)
            look = rep @ type_label / math.sqrt(rep.shape[-1]) + type_bias
            look = look.float() + self.spanness(rep).float()
            valid = (batch.words[:, :m] & batch.words[:, width:]).unsqueeze(-1)
            look = look.masked_fill(~valid, -torch.inf)
            looks.append(torch.nn.functional.pad(look, (0, 0, 0, n - m), value=-torch.inf))
        return torch.stack(looks, 2).masked_fill(~(batch.type_mask & ~batch.by_rule)[:, None, None], -torch.inf)

    def _top(self, look: Tensor, batch: Batch, top_k: int) -> tuple[Tensor, Tensor]:
        best = look.detach().amax(-1).flatten(1)  # (B, N * W)
        if batch.forced.shape[1]:
            where = batch.forced[..., 0] * MAX_WIDTH + batch.forced[..., 1] - batch.forced[..., 0]
            rows, _ = batch.forced_mask.nonzero(as_tuple=True)
            best[rows, where[batch.forced_mask]] = torch.inf
        k = min(top_k + batch.forced.shape[1], best.shape[1])
        score, flat = best.topk(k, dim=1)
        own = top_k + batch.forced_mask.sum(1, keepdim=True)  # not more because another window forces more
        return flat, (score > -torch.inf) & (torch.arange(k, device=flat.device) < own)

    def _fixed(self, types: Tensor, batch: Batch, flat: Tensor) -> Tensor:
        """Types (B, K, T) in which forced spans of a known type have it with certainty, and no other."""
        where = batch.forced[..., 0] * MAX_WIDTH + batch.forced[..., 1] - batch.forced[..., 0]  # (B, G)
        known = batch.forced_mask & (batch.fixed >= 0)
        same = (flat.unsqueeze(-1) == where.unsqueeze(1)) & known.unsqueeze(1)  # (B, K, G)
        chosen = (
            torch.where(same, batch.fixed.unsqueeze(1), -1).amax(-1)
            if same.shape[-1]
            else flat.new_full(flat.shape, -1)
        )
        certain = torch.nn.functional.one_hot(chosen.clamp(min=0), types.shape[-1]).bool()
        sure = torch.where(certain, SURE, -torch.inf).to(types.dtype)
        return torch.where((chosen >= 0).unsqueeze(-1), sure, types)

    def pairs(
        self, batch: Batch, seen: Spans, window: Tensor, subject: Tensor, object_: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(..., R) logits of every relation, (...) of being related at all, for pairs of the K spans of a window.

        The indexes are of any shapes that broadcast together: (P,) each for single pairs, of which only those of
        mentions are worth scoring, or (B, 1, 1), (1, K, 1), (1, 1, K) for all.
        """
        n = batch.words.shape[1]
        begin, end = seen.spans[..., 0], seen.spans[..., 1]  # (B, K)
        begin_s, end_s = begin[window, subject], end[window, subject]
        begin_o, end_o = begin[window, object_], end[window, object_]
        left = torch.minimum(end_s, end_o) + 1
        right = torch.maximum(torch.maximum(begin_s, begin_o), left)
        gap = (right - left).clamp(min=1).unsqueeze(-1)
        left, right = left.clamp(max=n), right.clamp(max=n)
        between = ((seen.total[window, right] - seen.total[window, left]) / gap).to(seen.vector.dtype)
        far = begin_o - begin_s
        bucket = (far.abs() + 1).float().log2().floor().clamp(max=DISTANCES // 2 - 1).long()
        bucket = bucket + (far < 0) * (DISTANCES // 2)
        pair = self.subject(seen.vector)[window, subject] + self.object(seen.vector)[window, object_]
        pair = pair + self.between(between)
        pair = torch.nn.functional.gelu(pair + self.distance(bucket).to(pair.dtype))
        pair = self.dropout(torch.nn.functional.gelu(self.pair(pair)) + pair)  # (..., H)

        raw = batch.relations
        labels = raw + self.label_adapter(raw)
        out = (pair @ self.relation_label(labels).T).float() / math.sqrt(pair.shape[-1])
        related = self.related(pair).float()  # (..., 1)
        out = out + self.relation_bias(labels).float().T + self.mix[5] * related
        unit = torch.nn.functional.normalize(self.similar(pair).float(), dim=-1)
        out = out + self.mix[2] * (unit.to(pair.dtype) @ raw.to(pair.dtype).T).float()
        probability = seen.types.sigmoid()  # (B, K, T)
        out = out + self.mix[0] * best_allowed(probability, batch.domain)[window, subject]
        out = out + self.mix[1] * best_allowed(probability, batch.range)[window, object_]
        # cosine of every word with every label, averaged between and around the two spans
        word_unit = torch.nn.functional.normalize(self.word_label(seen.word).float(), dim=-1)
        cosine = (word_unit @ raw.float().T) * batch.words.unsqueeze(-1)  # (B, N, R)
        summed = torch.nn.functional.pad(cosine.cumsum(1), (0, 0, 1, 0))  # (B, N + 1, R)
        out = out + self.mix[3] * (summed[window, right] - summed[window, left]) / gap
        near = (torch.minimum(begin_s, begin_o) - NEAR).clamp(min=0)
        length = batch.words.sum(1)[window]  # not the batch's width: padding must not count
        until = torch.minimum(torch.maximum(end_s, end_o) + 1 + NEAR, length)
        around = (summed[window, until] - summed[window, near]) / (until - near).clamp(min=1).unsqueeze(-1)
        return out + self.mix[4] * around, related.squeeze(-1)

    def phrases(self, batch: Batch, seen: Spans, window: Tensor, subject: Tensor, object_: Tensor) -> Tensor:
        """(P, V): unit vectors of what the words say of pairs (P,) of the K spans of a window, in the namer's space."""
        begin, end = seen.spans[..., 0], seen.spans[..., 1]  # (B, K)
        begin_s, begin_o = begin[window, subject], begin[window, object_]
        end_s, end_o = end[window, subject], end[window, object_]
        first, last = torch.minimum(begin_s, begin_o), torch.maximum(end_s, end_o) + 1
        left = torch.minimum(end_s, end_o) + 1
        right = torch.maximum(torch.maximum(begin_s, begin_o), left)
        length = batch.words.sum(1)[window]

        def mean(start: Tensor, stop: Tensor) -> Tensor:
            start, stop = start.clamp(min=0), torch.minimum(stop, length)
            return (seen.total[window, torch.maximum(start, stop)] - seen.total[window, start]) / (
                (stop - start).clamp(min=1).unsqueeze(-1)
            )

        words = torch.cat(
            (
                mean(left, right), mean(first - AROUND, first), mean(last, last + AROUND),
                mean(left, torch.minimum(left + AROUND, right)), mean(torch.maximum(right - AROUND, left), right),
            ), -1,
        ).to(seen.vector.dtype)  # fmt: skip
        ahead = ((begin_s <= begin_o).to(seen.vector.dtype) * 2 - 1).unsqueeze(-1)
        said = self.pair_said(torch.cat((seen.vector[window, subject], seen.vector[window, object_], words, ahead), -1))
        return nn.functional.normalize(said.float(), dim=-1)


def best_allowed(probability: Tensor, allowed: Tensor) -> Tensor:
    """Highest probability of a type that the relation allows: (..., T), (R, T) -> (..., R).

    A running maximum over types instead of a (..., R, T) product keeps memory small.
    """
    best = probability.new_zeros((*probability.shape[:-1], allowed.shape[0]))
    for t in range(allowed.shape[1]):
        best = torch.maximum(best, probability[..., t : t + 1] * allowed[:, t])
    return best
