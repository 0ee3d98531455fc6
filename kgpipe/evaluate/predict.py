"""Predictions for annotated files: each record is read with the types that its annotators could use."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kgpipe.engine import Progress, silent
from kgpipe.errors import InputError
from kgpipe.evaluate.extraction import expected_calibration_error, extraction, judged
from kgpipe.extract.data import held_out, read_records
from kgpipe.extract.files import extract_rows
from kgpipe.schema import EntityType, RelationType, Schema

LITERALS = {"date": "date", "time": "date", "number": "number"}
"""Type labels of annotated sets that a schema would have as literals."""


def predictions(
    gold: Sequence[dict[str, Any]],
    *,
    described: dict[str, Any] | None = None,
    checkpoint: Path | str = "",
    threshold: float = 0.0,
    device: str = "",
    progress: Progress = silent,
) -> list[dict[str, Any]]:
    """What the extractor finds in the texts of annotated records, in their order, in the shape of `kgpipe extract`.

    `described` is one set's part of a label file: descriptions, domain and range by label where it gives them.
    """
    from kgpipe.extract.encoder import EncoderExtractor

    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = defaultdict(list)
    for i, record in enumerate(gold):
        groups[tuple(record["entity_types"]), tuple(record["relation_types"])].append(i)
    found: list[dict[str, Any]] = [{} for _ in gold]
    done = 0
    extractor = None
    for (types, relations), rows in groups.items():
        schema = label_schema(types, relations, described or {})
        extractor = EncoderExtractor(schema, checkpoint=checkpoint, threshold=threshold, device=device, like=extractor)
        for i, made in zip(rows, extract_rows([gold[i] for i in rows], extractor), strict=True):
            found[i] = made
        done += len(rows)
        progress("extract", done, len(gold))
    return found


def label_schema(types: Sequence[str], relations: Sequence[str], described: dict[str, Any]) -> Schema:
    """A schema whose names are labels in natural language."""
    about_types = {row["label"]: row for row in described.get("entity_types", {}).values()}
    about = {row["label"]: row for row in described.get("relation_types", {}).values()}

    def ends(label: str, side: str) -> tuple[str, ...]:
        given = about.get(label, {}).get(side)
        given = [given] if isinstance(given, str) else given or []
        return tuple(g for g in given if g in types) if all(g in types for g in given) else ()

    return Schema(
        name="labels",
        entities={
            t: EntityType(t, t, about_types.get(t, {}).get("description") or "", literal=LITERALS.get(t, ""))
            for t in types
        },
        relations={
            r: RelationType(r, r, about.get(r, {}).get("description") or "", ends(r, "domain"), ends(r, "range"))
            for r in relations
        },
    )


def evaluate_file(
    gold: Path | str,
    *,
    labels: Path | str | None = None,
    checkpoint: Path | str = "",
    threshold: float = 0.0,
    limit: int = 0,
    hold_out: float = 0.0,
    device: str = "",
    progress: Progress = silent,
) -> dict[str, Any]:
    """The scores of `evaluate.extraction.extraction` for an annotated file; of `labels` the set is used whose name it has.

    Records that `kgpipe calibrate --hold-out` takes at that share are left out. Beside the scores stands `calibration`:
    how far on average a relation's score is from the share of relations with such a score that are right.
    """
    records = [r for r in read_records(gold) if not hold_out or not held_out(r, hold_out)][: limit or None]
    if not records or any("mentions" not in r for r in records):
        raise InputError(
            f"{gold} is not annotated: every line needs mentions and relations, and there is at least one."
        )
    for record in records:
        record.setdefault("relations", [])
        record.setdefault("entity_types", sorted({m["type"] for m in record["mentions"]}))
        record.setdefault("relation_types", sorted({r["type"] for r in record["relations"]}))
    sets = json.loads(Path(labels).read_text(encoding="utf-8")) if labels else {}
    described = next((value for name, value in sets.items() if Path(gold).name.startswith(name)), {})
    found = predictions(
        records, described=described, checkpoint=checkpoint, threshold=threshold, device=device, progress=progress
    )
    honest = expected_calibration_error(*judged(records, found))
    return extraction(found, records) | {"calibration": {"expected_error": honest}}
