"""Honest scores: what share of relations with a score is right, measured on records that did not train the checkpoint.

A logistic curve over the score's logit (Platt 1999) is fitted to predictions on held-out records; the same predictions
give the threshold of the best F1 and those that keep a wanted precision. Labels that training did not know have their
own curve and threshold, fitted by leaving whole sets out (docs/training.md); labels in between lie in between.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from kgpipe.engine import Progress, silent
from kgpipe.errors import InputError
from kgpipe.evaluate.extraction import expected_calibration_error, judged
from kgpipe.evaluate.predict import predictions
from kgpipe.extract.base import checkpoint_config
from kgpipe.extract.data import held_out, read_records

LOWEST = 0.02
"""Predictions below this score are not looked at."""
PRECISIONS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
LEAST_ABOVE = 30
"""A precision is promised on no fewer held-out predictions than this."""


def calibrate(
    checkpoint: Path,
    files: Sequence[Path | str],
    *,
    labels: Path | str | None = None,
    hold_out: float = 0.0,
    new: bool = False,
    device: str = "",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Fits curve, threshold and precisions of a checkpoint, writes them into its config.json and returns them.

    `hold_out` is the share that was kept out of its training (0: the files are whole held-out sets). With `new` the
    curve and threshold of labels that training did not know are fitted, else those of known labels. InputError if no
    record is left or nothing is predicted rightly.
    """
    path = checkpoint / "config.json"
    config = checkpoint_config(checkpoint)
    sets = json.loads(Path(labels).read_text(encoding="utf-8")) if labels else {}
    scores, right, n_gold = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder)  # the same checkpoint with scores as they are
        (raw / "model.safetensors").symlink_to((checkpoint / "model.safetensors").resolve())
        same = {"slope": 1.0, "offset": 0.0, "threshold": LOWEST}
        (raw / "config.json").write_text(json.dumps(config | {"calibration": {"known": same, "new": same}}))
        for file in files:
            records = [
                {"relations": [], **r}
                for r in read_records(file)
                if _tells(r) and (not hold_out or held_out(r, hold_out))
            ]
            described = next((value for name, value in sets.items() if Path(file).name.startswith(name)), {})
            found = predictions(records, described=described, checkpoint=raw, device=device, progress=progress)
            n_gold += sum(len({(r["head"], r["type"], r["tail"]) for r in record["relations"]}) for record in records)
            for total, part in zip((scores, right), judged(records, found), strict=True):
                total.extend(part)
    if not any(right):
        raise InputError(
            f"Nothing to calibrate on: {n_gold} relations in the held-out records of {', '.join(map(str, files))}, "
            f"{len(scores)} predicted, none right. Give more records, or the share that --hold-out kept in training."
        )
    slope, offset = fit_logistic(np.array(scores), np.array(right, float))
    honest = calibrated(np.array(scores), slope, offset)
    fitted = {"slope": round(slope, 4), "offset": round(offset, 4)}
    fitted["threshold"] = best_threshold(honest, np.array(right), n_gold)
    config["calibration"]["new" if new else "known"] = fitted
    if not new:
        config["precisions"] = precisions(honest, np.array(right))
    path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    error = expected_calibration_error(honest, np.array(right, float))
    return fitted | {"precisions": config["precisions"], "ece": error, "predicted": len(scores), "gold": n_gold}


def _tells(record: dict[str, Any]) -> bool:
    """Whether a record says which relations its text states: it has some, or its annotation is complete."""
    return bool(record.get("relations")) or bool((record.get("complete") or {}).get("relations"))


def calibrated(scores: np.ndarray, slope: float, offset: float) -> np.ndarray:
    """Probabilities of being right for raw scores."""
    return expit(slope * _logit(scores) + offset)


def fit_logistic(scores: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the logistic curve over the scores' logits that fits best what was right (1) and not (0).

    Maximum likelihood with Platt's targets, which keep the curve finite on few examples.
    """
    n_right = right.sum()
    target = np.where(right > 0, (n_right + 1) / (n_right + 2), 1 / (len(right) - n_right + 2))
    logits = _logit(scores)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = w[0] * logits + w[1]
        off = expit(z) - target
        return float((np.logaddexp(0, z) - target * z).mean()), np.array([(off * logits).mean(), off.mean()])

    slope, offset = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    return float(slope), float(offset)


def best_threshold(scores: np.ndarray, right: np.ndarray, n_gold: int) -> float:
    """The score from which on predictions have the best F1 against `n_gold` relations."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + n_gold)
    return round(float(scores[order][np.argmax(f1)]), 4)


def precisions(scores: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Wanted precision to the least score whose predictions have it together; what is out of reach is left out."""
    order = np.argsort(-scores, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    found = {}
    for wanted in PRECISIONS:
        enough = np.nonzero((share >= wanted) & (np.arange(len(order)) >= LEAST_ABOVE - 1))[0]
        if len(enough):
            found[str(wanted)] = round(float(scores[order][enough[-1]]), 4)
    return found


def _logit(scores: np.ndarray) -> np.ndarray:
    return logit(np.clip(scores, 1e-4, 1 - 1e-4))
