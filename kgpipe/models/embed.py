"""Sentence vectors: mean of the encoder's last states, normalised (Sentence-BERT, Reimers and Gurevych 2019)."""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from kgpipe import engine
from kgpipe.errors import ModelError
from kgpipe.models.backbone import WEIGHTS, load_backbone, load_tokenizer, load_weights, padded, token_batches


class Embedder:
    """An encoder and its tokenizer that turn texts into unit vectors."""

    def __init__(
        self, folder: Path | str = WEIGHTS / "embedder", *, device: str = "", backbone: torch.nn.Module | None = None
    ) -> None:
        """`backbone` stands for the folder's weights, for encoders that were trained further."""
        self.device = engine.device(device)
        self.backbone = (backbone or load_backbone(folder)).to(self.device).eval()
        self.tokenizer = load_tokenizer(folder)
        self.longest = min(256, self.backbone.config.max_position_embeddings)
        self.dtype = engine.autocast_dtype(self.device)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of the weights: vectors of different ones are not comparable."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.backbone.state_dict().items()):
            digest.update(name.encode() + tensor.detach().cpu().float().numpy().tobytes())
        return digest.hexdigest()[:32]

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], *, budget: int = 4096, exact: bool = False) -> np.ndarray:
        """Unit vectors (n, width) float32, one a text in order; texts are cut at 256 word pieces.

        `exact` computes in fp32 also where bf16 is faster.
        """
        width = self.backbone.config.hidden_size
        out = np.zeros((len(texts), width), np.float32)
        ids = [e.ids[: self.longest] for e in self.tokenizer.encode_batch(list(texts))]
        for batch in token_batches([len(i) for i in ids], budget=budget):
            tokens, mask = (t.to(self.device) for t in padded([ids[i] for i in batch]))
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None and not exact):
                out[batch] = sentence_vectors(self.backbone, tokens, mask).cpu().numpy()
        return out


def sentence_vectors(backbone: torch.nn.Module, pieces: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Unit vectors (n, width) float32 of texts given as token ids (n, length) and the mask of real ones."""
    states = backbone(input_ids=pieces, attention_mask=mask).last_hidden_state.float()
    weight = mask.unsqueeze(-1).float()
    return torch.nn.functional.normalize((states * weight).sum(1) / weight.sum(1), dim=-1)


NAMER = "namer."
"""Begin of the names of the namer's own parameters in an extractor's checkpoint: it shares the others with the embedder."""


@functools.lru_cache(maxsize=1)
def load_namer() -> Embedder:
    """The shipped sentence encoder of relations (see `extract.naming`), loaded once a process, beside the embedder.

    ModelError when its weights are missing or damaged.
    """
    embedder = load_embedder()
    path = WEIGHTS / "extractor" / "model.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            prefix = f"{NAMER}backbone."
            own = {k.removeprefix(prefix): file.get_tensor(k).float() for k in file.keys() if k.startswith(prefix)}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"The weights of {path} cannot be read: {error}. Fetch them anew.") from error
    shared = {id(p): p for name, p in embedder.backbone.named_parameters() if name not in own}
    backbone = copy.deepcopy(embedder.backbone, shared)
    load_weights(backbone, embedder.backbone.state_dict() | own, path)
    return Embedder(backbone=backbone)


@functools.lru_cache(maxsize=1)
def load_embedder() -> Embedder:
    """The shipped embedder, loaded once a process."""
    return Embedder()
