"""The default extractor: a checkpoint of the joint network, given a schema at call time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from kgpipe.errors import ModelError
from kgpipe.extract.network import JointNetwork
from kgpipe.models.backbone import WEIGHTS, empty_backbone, load_tokenizer, load_weights  # noqa: F401

FORMAT = 1
FROZEN = "backbone.embeddings.word_embeddings.weight"


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
    path = folder / "config.json"
    if not path.is_file() or not (folder / "model.safetensors").is_file():
        raise ModelError(f"{folder} holds no checkpoint: config.json and model.safetensors are needed. Check the path.")
    config = json.loads(path.read_text())
    if config.get("format") != FORMAT:
        raise ModelError(
            f"The checkpoint {folder} has format {config.get('format')}, this kgpipe reads {FORMAT}. "
            "Train it anew or install the kgpipe that made it."
        )
    home = WEIGHTS / "embedder" if config["backbone"] == "embedder" else Path(config["backbone"])
    backbone = empty_backbone(home)
    words = load_file(home / "model.safetensors")["embeddings.word_embeddings.weight"].float()
    network = JointNetwork(backbone)
    state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
    load_weights(network, state | {FROZEN: words}, folder)
    return network.eval(), config | {"backbone_folder": str(home), "tokenizer_folder": str(home)}


def inference_device(name: str = "") -> torch.device:
    """Where the extractor runs."""
    from kgpipe.engine import device

    return device(name)
