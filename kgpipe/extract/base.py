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

FORMAT = 3
"""Version of the checkpoint format."""
METHOD = 37
"""Counts up when the code around the network (decoding, literals, polarity) gives other results."""
NEEDED = ("backbone", "mention_threshold", "typing", "scoring", "calibration")
"""What config.json of a checkpoint must say beside its format."""
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
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format") if isinstance(config, dict) else "none"
        raise ModelError(
            f"The checkpoint {folder} has format {found}, this kgpipe reads {FORMAT}. "
            "Train it anew or install the kgpipe that made it."
        )
    if lost := [key for key in NEEDED if key not in config]:
        raise ModelError(f"{path} lacks {', '.join(lost)}. Fetch or train the checkpoint anew.")
    return config


def least_score(checkpoint: Path | str, *, threshold: float = 0.0, precision: float = 0.0) -> float:
    """The least score of a relation that a threshold or a wanted precision means; 0 where neither is given.

    ModelError when both are given, or when no score of the checkpoint promises that precision.
    """
    if not precision:
        return threshold
    if threshold:
        raise ModelError("A threshold and a precision are given. Give one: either sets the least score of a relation.")
    folder = Path(checkpoint or CHECKPOINT)
    promised = {float(p): score for p, score in checkpoint_config(folder).get("precisions", {}).items()}
    enough = [p for p in sorted(promised) if p >= precision]
    if not enough:
        known = ", ".join(f"{p:g}" for p in sorted(promised)) or "none: `kgpipe calibrate` measures them"
        raise ModelError(
            f"No score of {folder} promises precision {precision:g} on held-out data; promised: {known}. Give one of these."
        )
    return promised[enough[0]]


def fingerprint(schema: Schema, *, checkpoint: Path | str = "", threshold: float = 0.0) -> str:
    """The fingerprint of the encoder with these settings, without loading it."""
    folder = Path(checkpoint or CHECKPOINT)
    config = checkpoint_config(folder)
    with (folder / "model.safetensors").open("rb") as file:
        weights = hashlib.file_digest(file, "sha256").hexdigest()
    settings = {name: value for name, value in config.items() if name not in ("backbone", "training", "precisions")}
    return content_id("encoder", METHOD, weights, schema.fingerprint, threshold, json.dumps(settings, sort_keys=True))
