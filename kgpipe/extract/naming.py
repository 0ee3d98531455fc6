"""A space of sentences in which pairs of mentions and labels meet, and what the joint network learns of it.

The heads of the joint network learn the relations of their training data and know little of others. A sentence encoder
knows something of all words: the text of a pair (`[a] person was born in [b] city`: the types of the two, subject and
object marked, with what stands between) and the text of a label are encoded alike and compared by cosine. Only the last
layers of that encoder, the namer, are trained, on pairs and labels of many sets, in the manner of Sentence-BERT (Reimers
and Gurevych 2019) with typed markers (Zhong and Chen 2021).

Reading a text for every pair costs more than the rest of the extractor. So the joint network learns to say from its own
states what the namer says of a pair, and what the untrained encoder says of a name and of its context (distillation
by regression and ranking of sentence vectors, after Reimers and Gurevych 2020); the namer itself only encodes labels.

Letters in shapes as in `network`; P pairs, M pieces of a pair's text.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from kgpipe.engine import Progress, autocast_dtype, silent
from kgpipe.extract.data import Example, collate, retokenised
from kgpipe.extract.labels import RENAMED
from kgpipe.extract.network import CONTEXT, Batch, JointNetwork, Scores
from kgpipe.models.backbone import padded
from kgpipe.models.embed import Embedder, sentence_vectors
from kgpipe.models.train import fit

TRAINED_LAYERS = 3
AROUND = 4
"""Word pieces read before the first end and after the second."""
MIDDLE = 40
"""Word pieces kept of the words between; of a longer stretch its beginning and its end."""
PAIRS_A_BATCH, EXTRA, TEMPERATURE, LABEL_PIECES = 32, 16, 0.05, 24
ROLES = ("[a] ", "[b] ")
"""Marks of subject and object."""
PLAIN = 0.15
"""Share of pairs whose ends are just entities."""
SPANS_A_WINDOW, PAIRS_A_WINDOW = 4, 2
"""What is drawn of every training window for the network to say as the encoders do."""
SHARE = 2.0
"""Weight of those losses beside the others."""
ALIKE = 0.98
"""Cosine from which on two texts say the same."""


class Namer(nn.Module):
    """A sentence encoder of which only the last TRAINED_LAYERS are trained; the rest stays the embedder's."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        n = backbone.config.num_hidden_layers
        own = [f"encoder.layer.{i}." for i in range(max(0, n - TRAINED_LAYERS), n)]
        for name, parameter in backbone.named_parameters():
            parameter.requires_grad_(any(part in name for part in own))

    def forward(self, pieces: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors (P, V) of texts given as token ids (P, M)."""
        return sentence_vectors(self.backbone, pieces, mask)

    def own(self) -> dict[str, Tensor]:
        """The trained parameters by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def type_pieces(labels: Sequence[str], tokenizer: Tokenizer) -> tuple[Tensor, Tensor]:
    """Token ids (2, T, X) of type labels as subject and as object, and their lengths (2, T)."""
    ids = [
        e.ids for e in tokenizer.encode_batch([role + t for role in ROLES for t in labels], add_special_tokens=False)
    ]
    table, mask = padded(ids)
    return table.view(2, len(labels), -1), mask.sum(1).view(2, len(labels))


def pair_pieces(
    tensors: dict[str, Tensor],
    pairs: Tensor,
    kinds: Tensor,
    types: tuple[Tensor, Tensor],
    ends: tuple[int, int],
    *,
    around: int = AROUND,
) -> tuple[Tensor, Tensor]:
    """Token ids and mask (P, M) of the texts of pairs.

    `tensors` has pieces and mask (B, L), first and last (B, N) of the windows; `pairs` (P, 5) are window, first and last
    word of the subject, first and last word of the object; `kinds` (P, 2) rows of `types`, which is what `type_pieces`
    gives; `ends` the ids that open and close a text.
    """
    window = pairs[:, 0]
    ahead = pairs[:, 1] <= pairs[:, 3]  # the subject stands first
    front = torch.where(ahead.unsqueeze(-1), pairs[:, 1:3], pairs[:, 3:5])  # (P, 2) words of the end in front
    back = torch.where(ahead.unsqueeze(-1), pairs[:, 3:5], pairs[:, 1:3])
    opens = tensors["first"][window, front[:, 0]]
    left, right = tensors["last"][window, front[:, 1]] + 1, tensors["first"][window, back[:, 0]]
    closes = tensors["last"][window, torch.maximum(front[:, 1], back[:, 1])] + 1
    before = (opens - 1).clamp(0, around)  # piece 0 opens the window
    after = (tensors["mask"].sum(1)[window] - 1 - closes).clamp(0, around)
    gap = (right - left).clamp(min=0)
    half = torch.where(gap > MIDDLE, MIDDLE // 2, gap)
    rest = torch.where(gap > MIDDLE, MIDDLE // 2, 0)
    table, lengths = types
    role = (~ahead).long()
    kinds = torch.where(ahead.unsqueeze(-1), kinds, kinds.flip(1))
    width, n = table.shape[-1], tensors["pieces"].shape[1]
    opening, closing = (torch.full((len(pairs), 1), i, device=pairs.device) for i in ends)
    source = torch.cat(
        (opening, table[role, kinds[:, 0]], tensors["pieces"][window], table[1 - role, kinds[:, 1]], closing), 1
    )  # (P, 1 + X + L + X + 1)
    one, at = torch.ones_like(gap), 1 + width  # where the window begins in it
    parts = (  # where each part of the text begins in the source, and how long it is
        (0 * one, one),
        (at + opens - before, before),
        (one, lengths[role, kinds[:, 0]]),
        (at + left, half),
        (at + right - rest, rest),
        (one * (at + n), lengths[1 - role, kinds[:, 1]]),
        (at + closes, after),
        (one * (at + n + width), one),
    )
    starts, sizes = (torch.stack(column, 1) for column in zip(*parts, strict=True))  # (P, 8)
    until = sizes.cumsum(1)
    position = torch.arange(int(until[:, -1].max()), device=pairs.device)
    part = (position[None, :, None] >= until[:, None, :]).sum(-1)  # (P, M)
    mask = part < len(parts)
    part = part.clamp(max=len(parts) - 1)
    index = starts.gather(1, part) + position - (until - sizes).gather(1, part)
    return torch.where(mask, source.gather(1, index.clamp(max=source.shape[1] - 1)), 0), mask.long()


def train_namer(
    namer: Namer,
    data: Sequence[Example],
    said: dict[tuple[str, str], list[tuple[list[str], bool]]],
    *,
    tokenizer: Tokenizer,
    folder: Path,
    n_steps: int,
    seed: int = 0,
    rate: float = 3e-5,
    progress: Progress = silent,
) -> None:
    """Trains the namer in place on the related pairs of the windows; an interrupted run goes on in `folder`.

    `said` gives for a set and one of its labels the ways to say it, each a list of texts, and whether the subject of
    the way is the label's object. A pair is to be nearer to a way to say its own label than to the other labels of the
    batch and EXTRA more (softmax of cosines over TEMPERATURE); labels are drawn by the square root of their number.
    """
    pairs: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for i, example in enumerate(data):
        for subject, object_, label in example.relations:
            pairs[example.source, label].append((i, subject, object_))
    keys = list(pairs)
    weights = [len(pairs[key]) ** 0.5 for key in keys]
    ends = (tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]"))
    where = next(namer.parameters()).device
    dtype = autocast_dtype(where)

    def text(key: tuple[str, str], rng: random.Random) -> tuple[str, bool]:
        ways, swapped = rng.choice(said[key]) if rng.random() < 0.5 else said[key][0]
        return (ways[0] if rng.random() < 0.6 else rng.choice(ways)), swapped

    def loss_of(step: int) -> dict[str, Tensor]:
        rng = random.Random(seed * 1_000_003 + step)
        drawn = rng.choices(keys, weights, k=PAIRS_A_BATCH)
        texts: dict[str, tuple[str, str]] = {}
        target, windows, rows, types = [], [], [], []
        for key in drawn:
            i, subject, object_ = rng.choice(pairs[key])
            said_so, swapped = text(key, rng)
            texts.setdefault(said_so, key)
            target.append(list(texts).index(said_so))
            one, other = (data[i].spans[m] for m in ((object_, subject) if swapped else (subject, object_)))
            rows.append((len(windows), *one[:2], *other[:2]))
            windows.append(retokenised(data[i].window, tokenizer))
            plain = rng.random() < PLAIN
            types += ["entity" if plain else rng.choice([t, *RENAMED.get(t, [])]) for t in (one[2], other[2])]
        for key in rng.sample(keys, min(EXTRA, len(keys))):
            texts.setdefault(text(key, rng)[0], key)
        kinds = torch.arange(len(types), device=where).view(-1, 2)
        tensors = {name: t.to(where) for name, t in collate(windows).items()}
        table = tuple(t.to(where) for t in type_pieces(types, tokenizer))
        around = rng.choice((0, AROUND))
        read = pair_pieces(tensors, torch.tensor(rows, device=where), kinds, table, ends, around=around)
        labels = padded([e.ids[:LABEL_PIECES] for e in tokenizer.encode_batch(list(texts))])
        with torch.autocast(where.type, dtype, enabled=dtype is not None):
            similar = namer(*read) @ namer(*(t.to(where) for t in labels)).T
        owner = list(texts.values())
        twin = [
            [owner[k] == key and k != own for k in range(len(owner))] for key, own in zip(drawn, target, strict=True)
        ]
        logits = (similar.float() / TEMPERATURE).masked_fill(torch.tensor(twin, device=where), -torch.inf)
        return {"naming": nn.functional.cross_entropy(logits, torch.tensor(target, device=where))}

    fit(namer, loss_of, folder=folder, n_steps=n_steps, rates=lambda name: rate, warm_up=min(50, n_steps // 10 + 1),
        progress=progress)  # fmt: skip


class Teachers:
    """The sentence encoders that the joint network learns from: the namer, and the embedder as it ships."""

    def __init__(self, namer: Namer, embedder: Embedder, tokenizer: Tokenizer) -> None:
        """`tokenizer` is that of the joint network."""
        self.namer, self.embedder = namer.eval(), embedder
        self.tokenizer = embedder.tokenizer
        self.same_tokenizer = tokenizer.to_str() == self.tokenizer.to_str()
        self.ends = (self.tokenizer.token_to_id("[CLS]"), self.tokenizer.token_to_id("[SEP]"))

    def losses(
        self, network: JointNetwork, batch: Batch, scores: Scores, chosen: Sequence[Example], rng: random.Random
    ) -> dict[str, Tensor]:
        """How far the network's vectors of names, of names in context, and of pairs are from those of the encoders."""
        windows = [e.window if self.same_tokenizer else retokenised(e.window, self.tokenizer) for e in chosen]
        where = scores.kept.device
        tensors = {name: t.to(where) for name, t in collate(windows).items()}
        slots = _slots(scores, chosen)
        spans = []
        for b, row in enumerate(scores.kept.tolist()):
            own = [k for k, kept in enumerate(row) if kept]
            spans += [(b, k) for k in rng.sample(own, min(len(own), SPANS_A_WINDOW))]
        pairs = [(b, *ends) for b, e in enumerate(chosen) for ends in _drawn(e, slots[b], rng)]
        out = {}
        if spans:
            b, k = torch.tensor(spans, device=where).T
            with torch.no_grad():
                name = self._names(tensors, b, scores.spans[b, k])
                context = self._in_context(tensors, b, scores.spans[b, k])
            out["names"] = SHARE * (_distance(scores.name[b, k], name) + _distance(scores.context[b, k], context))
        if pairs:
            ends = torch.tensor([(b, slots[b][s], slots[b][o]) for b, s, o in pairs], device=where).T
            with torch.no_grad():
                said = self._pairs(tensors, chosen, pairs, rng)
            out["phrases"] = SHARE * _distance(network.phrases(batch, scores, *ends), said)
        return out

    def _pairs(
        self,
        tensors: dict[str, Tensor],
        chosen: Sequence[Example],
        pairs: list[tuple[int, int, int]],
        rng: random.Random,
    ) -> Tensor:
        """(P, V): what the namer says of pairs of mentions, given as window, subject and object."""
        where = tensors["pieces"].device
        types = []
        for b, *ends in pairs:
            for label in (chosen[b].spans[m][2] for m in ends):
                types.append("entity" if rng.random() < PLAIN else rng.choice([label, *RENAMED.get(label, [])]))
        rows = [(b, *chosen[b].spans[s][:2], *chosen[b].spans[o][:2]) for b, s, o in pairs]
        kinds = torch.arange(len(types), device=where).view(-1, 2)
        table = tuple(t.to(where) for t in type_pieces(types, self.tokenizer))
        return self.namer(*pair_pieces(tensors, torch.tensor(rows, device=where), kinds, table, self.ends))

    def _in_context(self, tensors: dict[str, Tensor], b: Tensor, spans: Tensor) -> Tensor:
        """(S, V): the encoder's mean state of spans (S, 2) of windows b (S,) with CONTEXT words on either side."""
        states = self.embedder.backbone(input_ids=tensors["pieces"], attention_mask=tensors["mask"]).last_hidden_state
        total = torch.nn.functional.pad(states.float().cumsum(1), (0, 0, 1, 0))  # (B, L + 1, D)
        begin = (spans[:, 0] - CONTEXT).clamp(min=0)
        end = torch.minimum(spans[:, 1] + CONTEXT, tensors["words"].sum(1)[b] - 1).clamp(min=0)
        left, right = tensors["first"][b, begin], tensors["last"][b, end] + 1
        return torch.nn.functional.normalize(total[b, right] - total[b, left], dim=-1)

    def _names(self, tensors: dict[str, Tensor], b: Tensor, spans: Tensor) -> Tensor:
        """(S, V): the encoder's vectors of spans read alone."""
        begin, end = tensors["first"][b, spans[:, 0]].tolist(), tensors["last"][b, spans[:, 1]].tolist()
        pieces = tensors["pieces"].tolist()
        texts = [
            [self.ends[0], *pieces[row][start : stop + 1], self.ends[1]]
            for row, start, stop in zip(b.tolist(), begin, end, strict=True)
        ]
        return sentence_vectors(self.embedder.backbone, *(t.to(b.device) for t in padded(texts)))


def _slots(scores: Scores, chosen: Sequence[Example]) -> list[dict[int, int]]:
    """For every window, which of its K spans each mention is."""
    found = []
    for spans, kept, example in zip(scores.spans.tolist(), scores.kept.tolist(), chosen, strict=True):
        where = {tuple(span): k for k, span in enumerate(spans) if kept[k]}
        found.append({m: where[s[:2]] for m, s in enumerate(example.spans) if s[:2] in where})
    return found


def _drawn(example: Example, slots: dict[int, int], rng: random.Random) -> list[tuple[int, int]]:
    """A few pairs of an example's mentions, half of them related."""
    related = [(s, o) for s, o, _ in example.relations if s in slots and o in slots]
    related = rng.sample(related, min(len(related), PAIRS_A_WINDOW // 2))
    every = [(s, o) for s in slots for o in slots if slots[s] != slots[o]]
    return related + rng.sample(every, min(len(every), PAIRS_A_WINDOW - len(related)))


def _distance(student: Tensor, teacher: Tensor) -> Tensor:
    """One less the cosine, and that each vector be nearer to its own teacher than to the others of the batch."""
    similar = student @ teacher.T
    twin = (teacher @ teacher.T > ALIKE) & ~torch.eye(len(teacher), dtype=torch.bool, device=teacher.device)
    own = torch.arange(len(teacher), device=teacher.device)
    ranked = nn.functional.cross_entropy((similar / TEMPERATURE).masked_fill(twin, -torch.inf), own)
    return (1 - similar.diagonal()).mean() + ranked / 5
