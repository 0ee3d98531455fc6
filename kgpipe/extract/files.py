"""`kgpipe extract`: JSON Lines of texts in, JSON Lines of mentions and relations out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kgpipe.engine import Progress, silent
from kgpipe.errors import InputError
from kgpipe.extract.base import Extractor, Found
from kgpipe.extract.data import read_records
from kgpipe.extract.run import extracted
from kgpipe.records import Passage, content_id
from kgpipe.schema import Schema

GROUP = 256


def extract_file(
    source: Path | str,
    schema: Schema,
    out: Path | str,
    *,
    checkpoint: Path | str = "",
    threshold: float = 0.0,
    device: str = "",
    every_polarity: bool = False,
    progress: Progress = silent,
) -> dict[str, int]:
    """Reads rows {"id", "text"} and writes rows {"id", "mentions", "relations"} in the same order; returns counts.

    Offsets are those of the text as given. Only asserted relations are written, unless `every_polarity`. A text that
    fails keeps its row, with an "error" in it. InputError names the line of a row that is wrong; nothing is written then.
    """
    from kgpipe.extract.encoder import EncoderExtractor

    rows = list(read_records(source))
    for number, row in enumerate(rows, 1):
        if "id" not in row:
            raise InputError(f'Row {number} of {source} has no "id". Each line is {{"id": ..., "text": ...}}.')
    if not rows:
        raise InputError(f'{source} is empty. Each line is {{"id": ..., "text": ...}}.')
    extractor = EncoderExtractor(schema, checkpoint=checkpoint, threshold=threshold, device=device)
    counts = {"texts": 0, "mentions": 0, "relations": 0, "failed": 0}
    target = Path(out)
    temporary = target.with_name(f".{target.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        for found in extract_rows(rows, extractor, every_polarity=every_polarity, progress=progress):
            file.write(json.dumps(found, ensure_ascii=False) + "\n")
            counts["texts"] += 1
            counts["mentions"] += len(found["mentions"])
            counts["relations"] += len(found["relations"])
            counts["failed"] += "error" in found
    temporary.replace(target)
    return counts


def extract_rows(
    rows: Iterable[dict[str, Any]], extractor: Extractor, *, every_polarity: bool = False, progress: Progress = silent
) -> Iterator[dict[str, Any]]:
    """One row out for each row in, in order."""
    rows = list(rows)
    for at in range(0, len(rows), GROUP):
        progress("extract", at, len(rows))
        group = rows[at : at + GROUP]
        passages = [Passage(content_id("row", row["id"]), "", 0, len(row["text"]), row["text"]) for row in group]
        for row, found in zip(group, extracted(extractor, passages), strict=True):
            made = as_json(row["id"], (found.mentions, found.relations), every_polarity=every_polarity)
            yield made | ({"error": found.error} if found.error else {})
    progress("extract", len(rows), len(rows))


def as_json(identity: Any, found: Found, *, every_polarity: bool = False) -> dict[str, Any]:
    """The public shape of an extraction; head and tail are indexes into mentions."""
    mentions, relations = found
    return {
        "id": identity,
        "mentions": [
            {"start": m.start, "end": m.end, "type": m.type, "score": m.score} | ({"value": m.value} if m.value else {})
            for m in mentions
        ],
        "relations": [
            {"head": r.subject, "tail": r.object, "type": r.type, "score": r.score}
            | ({"polarity": r.polarity} if every_polarity else {})
            for r in relations
            if every_polarity or r.polarity == "asserted"
        ],
    }
