"""Gold files and the figures made from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgpipe import literals
from kgpipe.errors import InputError
from kgpipe.names import normalise


def read_rows(path: Path | str, needed: Iterable[str]) -> list[dict[str, Any]]:
    """The objects of a JSONL file; InputError names the line that is not JSON or lacks a key."""
    rows = []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read {path}: {error}. Give a JSONL file in UTF-8.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path} line {number} is not JSON: {error}. Write one object a line.") from error
        lacking = [key for key in needed if not isinstance(row, dict) or key not in row]
        if lacking:
            raise InputError(f"{path} line {number} lacks {', '.join(lacking)}. Every line needs {', '.join(needed)}.")
        rows.append(row)
    if not rows:
        raise InputError(f"{path} holds no rows. Give a JSONL file with at least one.")
    return rows


class Names:
    """Names with the canonical ones of an alias file {canonical: [aliases]}; without a file, spelling alone decides."""

    def __init__(self, aliases: Path | str | None = None) -> None:
        self._canonical: dict[str, set[str]] = {}
        if aliases is None:
            return
        try:
            table = json.loads(Path(aliases).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"Cannot read {aliases}: {error}. It should hold {{canonical: [aliases]}}.") from error
        for name, others in table.items():
            for other in (name, *others):
                self._canonical.setdefault(normalise(other), set()).add(normalise(name))

    def keys(self, *names: str) -> frozenset[str]:
        """Canonical names that any of the names may stand for; two names agree when they share one."""
        found = {normalise(name) for name in names}
        return frozenset(found | {key for name in found for key in self._canonical.get(name, ())})

    def same(self, a: str, b: str) -> bool:
        """Whether both names may stand for one thing, or are one date or number."""
        return bool(self.keys(a) & self.keys(b)) or bool({a, *values(a)} & {b, *values(b)})


def values(text: str) -> frozenset[str]:
    """What the text says as a date or number, in normalised form: `9 December 1906` is 1906-12-09."""
    return frozenset(value for kind in ("date", "number") if (value := literals.parse(text, kind)))


def measures(right: int, predicted: int, gold: int) -> dict[str, float | int]:
    """Counts with precision, recall and F1 to four digits; 0 where there is nothing to divide."""
    precision = right / predicted if predicted else 0.0
    recall = right / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {
        "right": right, "predicted": predicted, "gold": gold,
        "precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4),
    }  # fmt: skip
