"""How the extractor is trained: batches with sampled and rephrased labels, losses that respect partial annotation."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kgpipe import engine
from kgpipe.errors import InputError
from kgpipe.extract.data import Example, collate, examples
from kgpipe.extract.labels import DISJOINT, RENAMED, REPHRASED, mean_vectors, relation_texts, type_texts
from kgpipe.extract.naming import Namer, Teachers, train_namer
from kgpipe.extract.network import MAX_WIDTH, Batch, JointNetwork, Scores
from kgpipe.models.backbone import WEIGHTS, file_hash, load_backbone, load_tokenizer
from kgpipe.models.embed import Embedder
from kgpipe.models.train import fit

WORDS_A_BATCH = 800
TOP_K = 16
MAX_TYPES, MAX_RELATIONS = 10, 10
MAX_EXCLUDED = 4
BROAD = 50
"""A pair without any of so many relation types is unrelated."""
MANY_LABELS = ("written", "varied", "questions")
"""Sets of many labels with a few examples each."""
SAME = 0.999
"""Cosine from which on two labels are one: vectors differ in their last digits from one processor to another."""
NARROW_WEIGHT = 0.2
"""Weight of a pair without a relation as an unrelated one, where fewer relation types were annotated."""


@dataclass
class Gold:
    """Targets and weights of one batch, shapes as in `Scores`."""

    span_types: Tensor  # (B, N, W, T)
    span_weight: Tensor  # (B, N, W)
    pairs: Tensor  # (P, 4): window, gold subject, gold object, relation
    no_weight: Tensor  # (B,) weight of a pair nobody marked
    unrelated_weight: Tensor  # (B,) the same where no label is in question, only whether the two are related
    ignored: Tensor  # (I, 3): window, gold subject, gold object


class LabelBank:
    """Vectors of every way to say every label of the training data, made once."""

    def __init__(self, embedder: Embedder, data: Sequence[Example], described: dict[str, dict[str, Any]]) -> None:
        self.types: dict[tuple[str, str], list[str]] = {}
        self.relations: dict[tuple[str, str], list[tuple[list[str], bool]]] = {}
        ends: dict[tuple[str, str], dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
        for e in data:
            for t in e.entity_types:
                self.types.setdefault((e.source, t), [])
            for r in e.relation_types:
                self.relations.setdefault((e.source, r), [])
            for s, o, r in e.relations:
                ends[e.source, r][e.spans[s][2], e.spans[o][2]] += 1
        texts: dict[str, None] = {}
        for labels in DISJOINT.values():
            self.types |= {("", label): [] for label in labels}
        for (source, label), ways in self.types.items():
            about = _told(described, source, "entity_types", label).get("description", "")
            ways += type_texts(label, about if about != "derived from the property" else "")
            ways += RENAMED.get(label, [])
            texts |= dict.fromkeys(ways)
        for (source, label), said in self.relations.items():
            common = max(ends[source, label].items(), key=lambda kv: kv[1])[0] if ends[source, label] else ("", "")
            told = _told(described, source, "relation_types", label)
            said.append((relation_texts(label, told.get("description", ""), *common), False))
            other_ways = [(w, False) for w in told.get("synonyms", [])] + [(w, True) for w in told.get("inverse", [])]
            for other, swapped in [*REPHRASED.get(label, []), *other_ways]:
                said.append((relation_texts(other, "", *(common[::-1] if swapped else common)), swapped))
            for ways, _ in said:
                texts |= dict.fromkeys(ways)
        self.row = {text: i for i, text in enumerate(texts)}
        self.vectors = torch.from_numpy(mean_vectors([[t] for t in texts], embedder))  # (texts, V)

    def said(self) -> tuple[list[str], list[str]]:
        """The labels of types and of relations that training knows afterwards, descriptions aside."""
        types = {way for (source, _), ways in self.types.items() if _known(source) for way in ways if ": " not in way}
        relations = {way[0] for (source, _), ways in self.relations.items() if _known(source) for way, _ in ways}
        return sorted(types), sorted(relations)

    def vector(self, texts: Sequence[str]) -> Tensor:
        """The normalised mean of a few texts, (V,)."""
        mean = self.vectors[[self.row[t] for t in texts]].mean(0)
        return mean / mean.norm().clamp(min=1e-9)


def _known(source: str) -> bool:
    """Whether the labels of a set are known once it has trained: a few examples of each of many only teach to read."""
    return not source.startswith(MANY_LABELS)


def _told(described: dict[str, dict[str, Any]], source: str, kind: str, label: str) -> dict[str, Any]:
    """What the label file says of a label: description, synonyms, and what is said from the object to the subject."""
    for name, sets in described.items():
        if source.startswith(name):
            for row in sets.get(kind, {}).values():
                if row.get("label") == label:
                    return row
    return {}


def excluded_types(gold: Sequence[str], rng: random.Random) -> list[str]:
    """A few labels that no mention of a record has, because they exclude all of its types; none if a type is vague."""
    kinds = {kind for kind, labels in DISJOINT.items() for t in gold if t in labels}
    if not gold or any(all(t not in labels for labels in DISJOINT.values()) for t in gold):
        return []
    free = [kind for kind in DISJOINT if kind not in kinds]
    return [rng.choice(DISJOINT[kind]) for kind in rng.sample(free, min(len(free), MAX_EXCLUDED))]


def training_batch(chosen: Sequence[Example], bank: LabelBank, rng: random.Random) -> tuple[Batch, Gold]:
    """Tensors and targets; which labels are asked, and how they are said, is drawn anew for every batch."""
    types: dict[str, int] = {}
    relations: dict[str, int] = {}
    type_vectors, relation_vectors = [], []
    swapped: dict[str, bool] = {}
    asked_types: list[list[int]] = []
    asked_relations: list[list[int]] = []
    domain: dict[tuple[int, int], None] = {}
    range_: dict[tuple[int, int], None] = {}
    for e in chosen:
        gold_types = sorted({t for _, _, t in e.spans})
        others = [t for t in e.entity_types if t not in gold_types]
        picked = gold_types + rng.sample(others, min(len(others), max(0, MAX_TYPES - len(gold_types))))
        row = []
        for source, t in [(e.source, t) for t in picked] + [("", t) for t in excluded_types(gold_types, rng)]:
            key = f"{source}\t{t}"
            if key not in types:
                types[key] = len(types)
                ways = bank.types[source, t]
                type_vectors.append(bank.vector(rng.sample(ways, rng.randint(1, min(2, len(ways))))))
            row.append(types[key])
        asked_types.append(row)
        gold_relations = sorted({r for _, _, r in e.relations})
        others = [r for r in e.relation_types if r not in gold_relations]
        picked = gold_relations + rng.sample(others, min(len(others), max(2, MAX_RELATIONS - len(gold_relations))))
        row = []
        for r in picked:
            key = f"{e.source}\t{r}"
            if key not in relations:
                relations[key] = len(relations)
                said = bank.relations[e.source, r]
                ways, swap = said[0] if len(said) == 1 or rng.random() < 0.5 else rng.choice(said[1:])
                swapped[key] = swap
                relation_vectors.append(bank.vector(rng.sample(ways, rng.randint(1, len(ways)))))
            row.append(relations[key])
        asked_relations.append(row)
        for s, o, r in e.relations:
            key = f"{e.source}\t{r}"
            ends = (e.spans[s][2], e.spans[o][2])
            ends = ends[::-1] if swapped[key] else ends
            domain[relations[key], types[f"{e.source}\t{ends[0]}"]] = None
            range_[relations[key], types[f"{e.source}\t{ends[1]}"]] = None
    t, r, b = max(1, len(types)), max(1, len(relations)), len(chosen)
    width = bank.vectors.shape[1]
    tensors = collate(
        [e.window for e in chosen], forced=[[s[:2] for s in e.spans if s[1] - s[0] < MAX_WIDTH] for e in chosen]
    )
    type_mask, relation_mask = torch.zeros(b, t, dtype=torch.bool), torch.zeros(b, r, dtype=torch.bool)
    for i in range(b):
        type_mask[i, asked_types[i]] = True
        relation_mask[i, asked_relations[i]] = True
    allowed = [torch.zeros(r, t, dtype=torch.bool) for _ in range(2)]
    for side, seen in zip(allowed, (domain, range_), strict=True):
        for key in seen:
            side[key] = True
        side[~side.any(1)] = True  # a label without an example here: any type
    batch = Batch(
        **tensors,
        types=torch.stack(type_vectors) if type_vectors else torch.zeros(t, width),
        relations=torch.stack(relation_vectors) if relation_vectors else torch.zeros(r, width),
        type_mask=type_mask,
        relation_mask=relation_mask,
        domain=allowed[0],
        range=allowed[1],
        by_rule=torch.zeros(t, dtype=torch.bool),
    )
    n = batch.first.shape[1]
    gold = torch.zeros(b, n, MAX_WIDTH, t)
    covered = torch.zeros(b, n + 1)
    pairs: list[tuple[int, int, int, int]] = []
    ignored: list[tuple[int, int, int]] = []
    for i, e in enumerate(chosen):
        place: dict[int, int] = {}
        for m, (first, last, label) in enumerate(e.spans):
            covered[i, first + 1 : last + 2] = 1
            if last - first < MAX_WIDTH:
                place[m] = len(place)
                gold[i, first, last - first, types[f"{e.source}\t{label}"]] = 1
        for s, o, label in e.relations:
            if s in place and o in place:
                key = f"{e.source}\t{label}"
                ends = (o, s) if swapped[key] else (s, o)
                pairs.append((i, place[ends[0]], place[ends[1]], relations[key]))
        ignored += [(i, place[s], place[o]) for s, o in e.ignored if s in place and o in place]
        ignored += [(i, place[o], place[s]) for s, o in e.ignored if s in place and o in place]
    total = covered.cumsum(1)  # (B, N + 1) gold words before a position
    start = torch.arange(n).unsqueeze(1)
    end = (start + torch.arange(MAX_WIDTH) + 1).clamp(max=n)
    touches = (total[:, end] - total[:, start]) > 0  # (B, N, W)
    outside = torch.tensor([e.weight_mentions for e in chosen]).view(b, 1, 1)
    return batch, Gold(
        span_types=gold,
        span_weight=torch.where(touches, torch.ones(()), outside),
        pairs=torch.tensor(pairs, dtype=torch.long).view(-1, 4),
        no_weight=torch.tensor([e.weight_relations for e in chosen]),
        unrelated_weight=torch.tensor(
            [e.weight_relations * (1.0 if len(e.relation_types) >= BROAD else NARROW_WEIGHT) for e in chosen]
        ),
        ignored=torch.tensor(ignored, dtype=torch.long).view(-1, 3),
    )


def losses(scores: Scores, batch: Batch, gold: Gold) -> dict[str, Tensor]:
    """Binary cross-entropy of first look, second look and pairs, and cross-entropy over labels on gold pairs.

    Each is a weighted sum divided by the number of positives. A label that was not asked has weight zero.
    """
    device = scores.types.device
    span_gold, span_weight = gold.span_types.to(device), gold.span_weight.to(device)
    n_spans = span_gold.sum().clamp(min=1)
    look = _binary(scores.span_types, span_gold, span_weight.unsqueeze(-1)) / n_spans
    flat = scores.flat.unsqueeze(-1).expand(-1, -1, span_gold.shape[-1])
    kept_gold = span_gold.flatten(1, 2).gather(1, flat)
    kept_weight = span_weight.flatten(1, 2).gather(1, scores.flat)
    again = _binary(scores.types, kept_gold, kept_weight.unsqueeze(-1)) / n_spans
    mention = _binary(scores.mention, kept_gold.amax(-1), kept_weight * scores.kept) / n_spans

    where = batch.forced[..., 0] * MAX_WIDTH + batch.forced[..., 1] - batch.forced[..., 0]  # (B, G)
    match = (scores.flat[:, None, :] == where.to(device)[:, :, None]) & scores.kept[:, None, :]  # (B, G, K)
    slot, found = match.float().argmax(-1), match.any(-1)  # (B, G)
    target = torch.zeros_like(scores.relations)
    k = scores.flat.shape[1]
    weight = gold.no_weight.to(device).view(-1, 1, 1).expand(-1, k, k).clone()
    if len(gold.ignored):
        i, s, o = gold.ignored.to(device).T
        here = found[i, s] & found[i, o]
        weight[i[here], slot[i, s][here], slot[i, o][here]] = 0
    total = scores.relations.new_zeros(())
    unmarked = gold.unrelated_weight.to(device).view(-1, 1, 1) * (weight > 0) * pairs_kept(scores)
    if len(gold.pairs):
        i, s, o, r = gold.pairs.to(device).T
        here = found[i, s] & found[i, o]
        i, s, o, r = i[here], slot[i, s][here], slot[i, o][here], r[here]
        target[i, s, o, r] = 1
        weight[i, s, o] = 1
        weight[i, o, s] = 1
        if len(i):
            logits = scores.relations[i, s, o]  # (P, R)
            goal = target[i, s, o]
            chosen = torch.log_softmax(logits, -1).masked_fill(goal == 0, 0).sum(-1) / goal.sum(-1)
            total = -chosen.mean()
    n_pairs = target.sum().clamp(min=1)
    pair = _binary(scores.relations, target, weight.unsqueeze(-1)) / n_pairs
    linked = target.amax(-1) if target.shape[-1] else weight.new_zeros(weight.shape)
    linked = torch.maximum(linked, linked.transpose(1, 2))  # a relation may be asked the other way round
    related = _binary(scores.related, linked, torch.where(linked > 0, 1.0, unmarked)) / (2 * n_pairs)
    return {
        "look": look, "types": again, "mentions": mention, "pairs": pair, "labels": total, "related": related,
    }  # fmt: skip


def pairs_kept(scores: Scores) -> Tensor:
    """(B, K, K) whether both ends were kept and are two."""
    k = scores.kept.shape[1]
    apart = ~torch.eye(k, dtype=torch.bool, device=scores.kept.device)
    return scores.kept[:, :, None] & scores.kept[:, None] & apart


def _binary(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted sum of binary cross-entropies over the logits that are not minus infinity."""
    real = logits > -torch.inf
    safe = logits.masked_fill(~real, 0)
    each = torch.nn.functional.binary_cross_entropy_with_logits(safe, target, reduction="none")
    return (each * weight * real).sum()


def plan_batches(data: Sequence[Example], *, n_epochs: float, seed: int) -> list[list[int]]:
    """Indexes in batches of about WORDS_A_BATCH padded words, of like length, in random order, for all epochs."""
    rng = random.Random(seed)
    batches: list[list[int]] = []
    whole = int(n_epochs)
    for epoch in range(whole + (n_epochs > whole)):
        order = list(range(len(data)))
        rng.shuffle(order)
        if epoch == whole:
            order = order[: int(len(order) * (n_epochs - whole))]
        made: list[list[int]] = []
        for at in range(0, len(order), 2000):
            batch: list[int] = []
            longest = 0
            for i in sorted(order[at : at + 2000], key=lambda j: len(data[j].window.first)):
                longest = max(longest, len(data[i].window.first))
                if batch and longest * (len(batch) + 1) > WORDS_A_BATCH:
                    made.append(batch)
                    batch, longest = [], len(data[i].window.first)
                batch.append(i)
            made.append(batch)
        rng.shuffle(made)
        batches += made
    return batches


def parse_repeat(texts: Sequence[str]) -> dict[str, float]:
    """`NAME=TIMES` texts as numbers by name; InputError for another form."""
    found: dict[str, float] = {}
    for text in texts:
        name, _, times = text.partition("=")
        try:
            found[name] = float(times)
        except ValueError:
            raise InputError(
                f'--repeat "{text}" is not NAME=TIMES with a number. Example: --repeat tekgen=2.'
            ) from None
    return found


def train(
    files: Sequence[Path | str],
    out: Path | str,
    *,
    labels: Sequence[Path | str] = (),
    start: Path | str | None = None,
    backbone: Path | str | None = None,
    n_epochs: float = 5,
    encoder_rate: float = 1e-4,
    head_rate: float = 1e-3,
    n_naming_steps: int = 300,
    hold_out: float = 0.0,
    seed: int = 0,
    repeat: dict[str, float] | None = None,
    device: str = "",
    progress: engine.Progress = engine.silent,
) -> dict[str, Any]:
    """Trains an extractor on files in the documented format and returns what was done.

    OUT receives checkpoint (config.json, model.safetensors), curve.jsonl and state.pt; an interrupted run goes on.
    `start` is a checkpoint to fine-tune, `backbone` a Hugging Face folder to begin from (default: the shipped
    embedder); `labels` are files {set: {"entity_types" or "relation_types": {key: {"label", "description"?, "synonyms"?,
    "inverse"?}}}}, the last two other wordings of a relation, `inverse` from object to subject; `repeat` multiplies a
    file's share, by the beginning of its name.
    """
    from kgpipe.extract.encoder import SETTINGS, load_checkpoint, save_checkpoint

    if not files:
        raise InputError("No training data: give at least one JSON Lines file with --data.")
    out = Path(out)
    embedder = Embedder(device=device)
    home = Path(backbone) if backbone else WEIGHTS / "embedder"
    torch.manual_seed(seed)
    known = [torch.zeros(0, embedder.backbone.config.hidden_size)] * 2
    settings: dict[str, Any] = {}
    if start:
        loaded = load_checkpoint(Path(start))
        network, namer, known = loaded.network, loaded.namer, [loaded.known_types, loaded.known_relations]
        home = Path(loaded.config["backbone_folder"])
        settings = {name: loaded.config[name] for name in SETTINGS} | {"precisions": {}}
        before = loaded.config["training"]
    else:
        network, namer, before = JointNetwork(load_backbone(home)), Namer(load_backbone(WEIGHTS / "embedder")), {}
    tokenizer = load_tokenizer(home)
    data: list[Example] = []
    for file in files:
        found = examples(file, tokenizer, hold_out=hold_out)
        times = next((v for k, v in (repeat or {}).items() if Path(file).name.startswith(k)), 1.0)
        rng = random.Random(seed)
        data += found * int(times) + rng.sample(found, int(len(found) * (times % 1)))
    if not data:
        raise InputError(f"No training example in {', '.join(map(str, files))}: every line needs text and annotations.")
    described = {k: v for file in labels for k, v in json.loads(Path(file).read_text(encoding="utf-8")).items()}
    bank = LabelBank(embedder, data, described)
    batches = plan_batches(data, n_epochs=n_epochs, seed=seed)
    where = engine.device(device)
    dtype = engine.autocast_dtype(where)
    network.to(where)

    if bank.relations and n_naming_steps:
        train_namer(
            namer.to(where), data, bank.relations, tokenizer=embedder.tokenizer, folder=out / "naming",
            n_steps=n_naming_steps, seed=seed, progress=progress,
        )  # fmt: skip
    teachers = Teachers(namer.to(where), embedder, tokenizer)

    def loss_of(step: int) -> dict[str, Tensor]:
        rng = random.Random(seed * 1_000_003 + step)
        chosen = [data[i] for i in batches[step]]
        batch, gold = training_batch(chosen, bank, rng)
        batch = batch.to(where)
        free = max(TOP_K - batch.forced.shape[1], 4)
        with torch.autocast(where.type, dtype, enabled=dtype is not None):
            scores = network(batch, top_k=free)
            taught = teachers.losses(network, batch, scores, chosen, rng)
        return losses(scores, batch, gold) | taught

    def rate(name: str) -> float:
        return encoder_rate if name.startswith("backbone.") else head_rate

    fit(
        network, loss_of, folder=out, n_steps=len(batches), rates=rate, warm_up=min(100, len(batches) // 10),
        progress=progress,
    )  # fmt: skip
    done = {
        "data": {Path(f).name: file_hash(f) for f in files},
        "epochs": n_epochs,
        "steps": len(batches),
        "naming_steps": n_naming_steps,
        "hold_out": hold_out,
        "windows": len(data),
        "seed": seed,
        "encoder_rate": encoder_rate,
        "head_rate": head_rate,
        "repeat": repeat or {},
        "from": before,
    }
    for place, labels_ in enumerate(bank.said()):
        new = torch.from_numpy(embedder.encode(labels_, exact=True)) if labels_ else known[place][:0]
        seen = (
            (new @ known[place].to(new.dtype).T > SAME).any(1)
            if len(known[place])
            else torch.zeros(len(new), dtype=torch.bool)
        )
        known[place] = torch.cat((known[place], new[~seen].to(known[place].dtype)))
    save_checkpoint(out, network, namer, (known[0], known[1]), backbone=home, training=done, settings=settings or None)
    return done
