"""The interface of every extractor, and what identifies a checkpoint; imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from kgpipe.errors import ModelError
from kgpipe.records import Mention, Passage, Relation, content_id
from kgpipe.schema import Schema

FORMAT = 1
"""Version of the checkpoint format."""
METHOD = 22
"""Counts up when the code around the network (decoding, literals, polarity) gives other results."""
CHECKPOINT = Path(__file__).parents[1] / "models" / "weights" / "extractor"
"""The shipped checkpoint."""

Found = tuple[tuple[Mention, ...], tuple[Relation, ...]]
"""Mentions in text order with document offsets, and the relations between them by index."""


class Extractor(Protocol):
    """Finds mentions and relations of a schema."""

    fingerprint: str
    """Hash of model, schema and settings: the same fingerprint means the same result for the same passage."""

    def __call__(self, passages: Sequence[Passage]) -> list[Found]:
        """What each passage says, in order."""


def checkpoint_config(folder: Path) -> dict[str, Any]:
    """The config.json of a checkpoint; ModelError when files are missing or of another format version."""
    path = folder / "config.json"
    if not path.is_file() or not (folder / "model.safetensors").is_file():
        raise ModelError(f"{folder} holds no checkpoint: config.json and model.safetensors are needed. Check the path.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is damaged: {error}. Fetch or train the checkpoint anew.") from error
    if config.get("format") != FORMAT:
        raise ModelError(
            f"The checkpoint {folder} has format {config.get('format')}, this kgpipe reads {FORMAT}. "
            "Train it anew or install the kgpipe that made it."
        )
    return config


def fingerprint(schema: Schema, *, checkpoint: Path | str = "", threshold: float = 0.0) -> str:
    """The fingerprint of the encoder with these settings, without loading it."""
    folder = Path(checkpoint or CHECKPOINT)
    config = checkpoint_config(folder)
    with (folder / "model.safetensors").open("rb") as file:
        weights = hashlib.file_digest(file, "sha256").hexdigest()
    used = threshold or config["threshold"]
    return content_id("encoder", METHOD, weights, schema.fingerprint, used, config["mention_threshold"])
