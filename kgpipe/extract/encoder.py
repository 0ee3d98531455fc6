"""The default extractor: a checkpoint of the joint network, given a schema at call time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from kgpipe import engine, literals
from kgpipe.errors import ModelError
from kgpipe.extract.base import CHECKPOINT, FORMAT, Found, checkpoint_config, fingerprint
from kgpipe.extract.data import Window, collate, windows
from kgpipe.extract.decode import Decoded, decode
from kgpipe.extract.labels import label_vectors
from kgpipe.extract.network import MAX_WIDTH, Batch, JointNetwork, Scores
from kgpipe.extract.polarity import polarity
from kgpipe.models.backbone import WEIGHTS, empty_backbone, load_tokenizer, load_weights, token_batches
from kgpipe.models.embed import Embedder
from kgpipe.records import Mention, Passage, Relation, rounded
from kgpipe.schema import Schema
from kgpipe.sentences import sentences

FROZEN = "backbone.embeddings.word_embeddings.weight"
PRONOUN = re.compile(r"\b(?:he|she|him|his|her|it|its)\b", re.IGNORECASE)
PRONOUN_THRESHOLD = 0.1
TOP_K = 24


@dataclass(slots=True)
class _Read:
    """One window of one passage, with the spans it must keep: by words, and their type or -1."""

    passage: int
    window: Window
    forced: list[tuple[int, int]]
    fixed: list[int]
    values: dict[tuple[int, int], str]


class EncoderExtractor:
    """Reads passages with one schema. `threshold` 0 means the checkpoint's own."""

    def __init__(
        self, schema: Schema, *, checkpoint: Path | str = "", threshold: float = 0.0, device: str = ""
    ) -> None:  # fmt: skip
        folder = Path(checkpoint or CHECKPOINT)
        self.device = engine.device(device)
        self.dtype = engine.autocast_dtype(self.device)
        self.network, config = load_network(folder)
        self.network.to(self.device)
        self.tokenizer = load_tokenizer(config["tokenizer_folder"])
        self.threshold = threshold or config["threshold"]
        self.mention_threshold = config["mention_threshold"]
        self.fingerprint = fingerprint(schema, checkpoint=folder, threshold=threshold)
        self.types = list(schema.entities.values())
        self.relations = list(schema.relations.values())
        self.rule_types = {kind: self._index(name) for kind, name in schema.literal_types().items() if kind != "text"}
        vectors = label_vectors(schema, Embedder(device=device))
        names = [e.name for e in self.types]

        def allowed(side: str) -> torch.Tensor:
            rows = [[schema.fits(n, getattr(r, side)) for n in names] for r in self.relations]
            return torch.tensor(rows, dtype=torch.bool).view(len(self.relations), len(names))

        width = vectors[0].shape[1]
        self.labels = {
            "types": torch.from_numpy(vectors[0]),
            "relations": torch.from_numpy(vectors[1].reshape(-1, width)),
            "domain": allowed("domain"),
            "range": allowed("range"),
            "by_rule": torch.tensor([e.literal in ("date", "number") for e in self.types], dtype=torch.bool),
        }

    def __call__(self, passages: Sequence[Passage]) -> list[Found]:
        """What each passage says, in order; offsets are those of the document."""
        reads = [read for i, passage in enumerate(passages) for read in self._reads(i, passage)]
        found: list[list[tuple[Mention, list[tuple[int, int, float]]]]] = [[] for _ in passages]
        for chosen, decoded in self._decoded(reads):
            self._collect(chosen, decoded, passages, found)
        return [self._finished(passage, rows) for passage, rows in zip(passages, found, strict=True)]

    def _index(self, name: str) -> int:
        return next(i for i, e in enumerate(self.types) if e.name == name)

    def _reads(self, index: int, passage: Passage) -> Iterator[_Read]:
        spans = [(m.start(), m.end(), -1, "") for m in PRONOUN.finditer(passage.text)]
        for f in literals.find(passage.text):
            if f.kind in self.rule_types:
                spans.append((f.start, f.end, self.rule_types[f.kind], f.value))
        for window in windows(passage.text, self.tokenizer, start=passage.start):
            read = _Read(index, window, [], [], {})
            for start, end, kind, value in spans:
                found = window.word_span(passage.start + start, passage.start + end)
                if found and found[1] - found[0] < MAX_WIDTH:
                    read.forced.append(found)
                    read.fixed.append(kind)
                    read.values[found] = value
            yield read

    @torch.inference_mode()
    def _decoded(self, reads: Sequence[_Read], *, budget: int = 4096) -> Iterator[tuple[list[_Read], Decoded]]:
        if not self.relations and not self.types:
            return
        for indexes in token_batches([len(r.window.pieces) for r in reads], budget=budget):
            chosen = [reads[i] for i in indexes]
            tensors = collate(
                [r.window for r in chosen], forced=[r.forced for r in chosen], fixed=[r.fixed for r in chosen]
            )
            b, t, n = len(chosen), len(self.types), len(self.relations)
            masks = {
                "type_mask": torch.ones(b, t, dtype=torch.bool),
                "relation_mask": torch.ones(b, n, dtype=torch.bool),
            }
            batch = Batch(**tensors, **self.labels, **masks).to(self.device)
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
                scores = self.network(batch, top_k=TOP_K + batch.forced.shape[1])
            least = self._mention_thresholds(scores, batch)
            yield chosen, decode(scores, batch, threshold=self.threshold, mention_threshold=least)

    def _mention_thresholds(self, scores: Scores, batch: Batch) -> torch.Tensor:
        """(B, K): lower for pronouns, which few training sets mark."""
        where = batch.forced[..., 0] * MAX_WIDTH + batch.forced[..., 1] - batch.forced[..., 0]
        pronoun = batch.forced_mask & (batch.fixed < 0)
        hit = ((scores.flat.unsqueeze(-1) == where.unsqueeze(1)) & pronoun.unsqueeze(1)).any(-1)
        return torch.where(hit, PRONOUN_THRESHOLD, self.mention_threshold)

    def _collect(self, chosen: list[_Read], decoded: Decoded, passages: Sequence[Passage], found: list[list]) -> None:
        mentions, made = decoded.mentions.tolist(), []
        for (row, first, last, kind), score in zip(mentions, decoded.mention_scores.tolist(), strict=True):
            read, entity_type = chosen[row], self.types[kind]
            start, end = read.window.offsets[first][0], read.window.offsets[last][1]
            passage = passages[read.passage]
            value = read.values.get((first, last), "")
            if entity_type.literal == "text":
                value = passage.text[start - passage.start : end - passage.start]
            made.append((Mention(start, end, entity_type.name, rounded(score), value), []))
        for (subject, label, object_), score in zip(
            decoded.relations.tolist(), decoded.relation_scores.tolist(), strict=True
        ):
            made[subject][1].append((label, id(made[object_][0]), score))
        for (row, *_), item in zip(mentions, made, strict=True):
            found[chosen[row].passage].append(item)

    def _finished(self, passage: Passage, rows: list[tuple[Mention, list[tuple[int, int, float]]]]) -> Found:
        rows = sorted(rows, key=lambda row: (row[0].start, row[0].end))
        place = {id(mention): i for i, (mention, _) in enumerate(rows)}
        borders = sentences(passage.text) if any(out for _, out in rows) else []
        relations = []
        for i, (subject, out) in enumerate(rows):
            for label, other, score in out:
                said = _polarity(passage, borders, subject, rows[place[other]][0])
                relations.append(Relation(i, self.relations[label].name, place[other], rounded(score), said))
        return tuple(m for m, _ in rows), tuple(sorted(relations, key=lambda r: (r.subject, r.object, r.type)))


def _polarity(passage: Passage, borders: list[tuple[int, int]], a: Mention, b: Mention) -> str:
    """Polarity in the sentence that holds the later of the two; an earlier sentence's end stands before its start."""
    spans = sorted((m.start - passage.start, m.end - passage.start) for m in (a, b))
    start, end = next(((s, e) for s, e in borders if s <= spans[1][0] < e), (0, len(passage.text)))
    left, right = ((max(0, s - start), max(0, e - start)) for s, e in spans)
    return polarity(passage.text[start:end], left, right)


def save_checkpoint(network: JointNetwork, folder: Path, *, backbone: Path, training: dict[str, Any]) -> None:
    """Writes config.json and model.safetensors (fp16); the frozen word embeddings stay with the backbone's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = backbone.resolve() == (WEIGHTS / "embedder").resolve()
    state = {k: v.detach().half().contiguous().cpu() for k, v in network.state_dict().items() if k != FROZEN}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "format": FORMAT,
        "backbone": "embedder" if shipped else str(backbone.resolve()),
        "threshold": 0.5,
        "mention_threshold": 0.4,
        "training": training,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def load_network(folder: Path) -> tuple[JointNetwork, dict[str, Any]]:
    """The network of a checkpoint in fp32, and its config with the folders of backbone and tokenizer.

    ModelError when files are missing, damaged, or of another format version.
    """
    config = checkpoint_config(folder)
    home = WEIGHTS / "embedder" if config["backbone"] == "embedder" else Path(config["backbone"])
    try:
        state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
        words = load_file(home / "model.safetensors")["embeddings.word_embeddings.weight"].float()
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The weights of {folder} (backbone {home}) cannot be read: {error}. Fetch or train them anew."
        ) from error
    network = JointNetwork(empty_backbone(home))
    load_weights(network, state | {FROZEN: words}, folder)
    return network.eval(), config | {"backbone_folder": str(home), "tokenizer_folder": str(home)}
