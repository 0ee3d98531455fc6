"""Hugging Face encoders: loading, tokenising words, batches by token budget."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from kgpipe.errors import ModelError
from kgpipe.models.bert import Bert, BertConfig

WEIGHTS = Path(__file__).parent / "weights"


def load_backbone(folder: Path | str) -> torch.nn.Module:
    """The encoder of a Hugging Face folder, without pooler, fp32.

    ModelError when files are missing or the weights do not fit the configuration.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file() or not (folder / "model.safetensors").is_file():
        raise ModelError(f"{folder} holds no model: config.json and model.safetensors are needed. Check the path.")
    model = empty_backbone(folder)
    state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items() if not k.startswith("pooler.")}
    load_weights(model, state, folder)
    return model


def empty_backbone(folder: Path | str) -> torch.nn.Module:
    """The encoder of a folder's config.json with random weights: BERT of our own, all others of transformers."""
    bert = BertConfig.read(Path(folder) / "config.json")
    if bert:
        return Bert(bert)
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(folder)
    pooler = {"add_pooling_layer": False} if config.model_type in ("bert", "roberta", "xlm-roberta") else {}
    return AutoModel.from_config(config, attn_implementation="eager", **pooler).float()


def load_weights(model: torch.nn.Module, state: dict[str, torch.Tensor], where: Path, *, but: str = "") -> None:
    """Fills the model; ModelError names what is missing, superfluous, of another shape, or not a number."""
    own = {k: v for k, v in model.state_dict().items() if not but or not k.startswith(but)}
    given = {k: v for k, v in state.items() if "position_ids" not in k}
    wrong = sorted(k for k in own.keys() & given.keys() if own[k].shape != given[k].shape)
    lost, extra = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
    if lost or extra or wrong:
        raise ModelError(
            f"The weights in {where} do not fit their configuration: missing {lost[:3]}, unknown {extra[:3]}, "
            f"of another shape {wrong[:3]}. The folder mixes two models or is of another version; fetch or train it anew."
        )
    check_finite(given, where)
    model.load_state_dict(given, strict=False)


def check_finite(state: dict[str, torch.Tensor], where: Path) -> None:
    """ModelError names the tensors that hold values that are no numbers, or infinite ones."""
    bad = sorted(k for k, v in state.items() if not torch.isfinite(v).all())
    if bad:
        raise ModelError(f"The weights in {where} hold values that are no numbers (NaN) in {bad[:3]}. Train them anew.")


def load_tokenizer(folder: Path | str) -> Tokenizer:
    """The fast tokenizer of a folder (tokenizer.json), without padding or truncation."""
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        raise ModelError(f"{path} is missing. A model folder needs its tokenizer beside the weights.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise ModelError(f"{path} is damaged: {error}. Fetch the model anew.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_batches(lengths: Sequence[int], *, budget: int) -> Iterator[list[int]]:
    """Indexes in batches of at most `budget` padded tokens, longest first."""
    batch: list[int] = []
    longest = 0
    for index in np.argsort(np.asarray(lengths), kind="stable")[::-1].tolist():
        if batch and longest * (len(batch) + 1) > budget:
            yield batch
            batch = []
        if not batch:
            longest = max(1, lengths[index])
        batch.append(index)
    if batch:
        yield batch


def padded(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (batch, length) padded with 0, and the mask of real ones."""
    width = max(len(row) for row in ids)
    table = torch.zeros(len(ids), width, dtype=torch.long)
    mask = torch.zeros(len(ids), width, dtype=torch.long)
    for i, row in enumerate(ids):
        table[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    return table, mask


def file_hash(path: Path | str) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
