"""`kgpipe extract`: JSON Lines of texts in, JSON Lines of mentions and relations out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from kgpipe.engine import Progress, silent
from kgpipe.errors import InputError
from kgpipe.extract.base import Extractor, Found
from kgpipe.extract.data import read_records
from kgpipe.extract.run import extracted
from kgpipe.records import Extraction, Passage, content_id
from kgpipe.schema import Schema

GROUP, GROUP_CHARACTERS = 256, 100_000
"""Passages and characters that the extractor gets at once: what bounds memory."""
LONGEST = 20_000
"""Characters of a text that is read in one piece; longer ones are cut at the end of a paragraph or sentence."""
_CUTS = (re.compile(r"\n"), re.compile(r"[.!?]\s|[。！？]"), re.compile(r"\s"), re.compile(r"\b"))


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
    The source is read twice, to check it and to extract, and never held in memory.
    """
    n_rows = checked(source)
    from kgpipe.extract.encoder import EncoderExtractor

    extractor = EncoderExtractor(schema, checkpoint=checkpoint, threshold=threshold, device=device)
    found = extract_rows(
        read_records(source), extractor, every_polarity=every_polarity, n_rows=n_rows, progress=progress
    )
    return write_rows(found, out)


def write_rows(rows: Iterable[dict[str, Any]], out: Path | str) -> dict[str, int]:
    """Writes the rows as JSON Lines and returns counts; the file is there when all of it is."""
    target = Path(out)
    temporary = target.with_name(f".{target.name}.part")
    with temporary.open("w", encoding="utf-8") as file:

        def written() -> Iterator[dict[str, Any]]:
            for row in rows:
                file.write(as_line(row) + "\n")
                yield row

        counts = counted(written())
    temporary.replace(target)
    return counts


def counted(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many texts, mentions, relations and failed texts there are."""
    counts = {"texts": 0, "mentions": 0, "relations": 0, "failed": 0}
    for row in rows:
        counts["texts"] += 1
        counts["mentions"] += len(row["mentions"])
        counts["relations"] += len(row["relations"])
        counts["failed"] += "error" in row
    return counts


def as_line(row: dict[str, Any]) -> str:
    """The row as JSON in one line, which is UTF-8 also where a string of it holds half a surrogate pair."""
    line = json.dumps(row, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(row)
    return line


def checked(source: Path | str) -> int:
    """How many rows the file has; InputError names the line or row that is wrong, or the file when it is empty."""
    n_rows = nameless = 0
    for n_rows, row in enumerate(read_records(source), 1):
        nameless = nameless or (0 if "id" in row else n_rows)
    if nameless:
        raise InputError(f'Row {nameless} of {source} has no "id". Each line is {{"id": ..., "text": ...}}.')
    if not n_rows:
        raise InputError(f'{source} is empty. Each line is {{"id": ..., "text": ...}}.')
    return n_rows


def extract_rows(
    rows: Iterable[dict[str, Any]],
    extractor: Extractor,
    *,
    every_polarity: bool = False,
    n_rows: int = 0,
    progress: Progress = silent,
) -> Iterator[dict[str, Any]]:
    """One row out for each row in, in order; `n_rows` says how many come, for the progress, where `rows` has no len."""
    total = n_rows or (len(rows) if hasattr(rows, "__len__") else 0)

    def read() -> Iterator[tuple[int, Any, Extraction]]:
        for group in _groups(rows):
            progress("extract", group[0][0], total)
            for (number, identity, _), found in zip(group, extracted(extractor, [p for *_, p in group]), strict=True):
                yield number, identity, found

    done = 0
    for _, parts in groupby(read(), key=itemgetter(0)):
        (_, identity, first), *others = parts
        yield _row(identity, [first, *(found for *_, found in others)], every_polarity=every_polarity)
        done += 1
    progress("extract", done, total)


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[tuple[int, Any, Passage]]]:
    """The texts in pieces, each with number and id of its row, as many at once as the bounds allow."""
    group: list[tuple[int, Any, Passage]] = []
    size = 0
    for number, row in enumerate(rows):
        uid = content_id("row", row["id"])
        for start, end in pieces(row["text"]):
            if group and (len(group) == GROUP or size + end - start > GROUP_CHARACTERS):
                yield group
                group, size = [], 0
            group.append((number, row["id"], Passage(uid, "", start, end, row["text"][start:end])))
            size += end - start
    if group:
        yield group


def pieces(text: str) -> list[tuple[int, int]]:
    """Where the text is cut, as (start, end), in order and without gaps; at least one piece, at most LONGEST long.

    A cut comes after the last line of a piece, where it has several, else after its last sentence, word or character.
    """
    found = []
    start = 0
    while len(text) - start > LONGEST:
        half = start + LONGEST // 2
        ends = ([m.end() for m in cut.finditer(text, half, start + LONGEST)][-1:] for cut in _CUTS)
        end = next(chain.from_iterable(ends), start + LONGEST)
        found.append((start, end))
        start = end
    return [*found, (start, len(text))]


def _row(identity: Any, found: list[Extraction], *, every_polarity: bool) -> dict[str, Any]:
    """What the pieces of one text gave, as one row."""
    made: dict[str, Any] = {"id": identity, "mentions": [], "relations": []}
    for piece in found:
        n_before = len(made["mentions"])
        row = as_json(identity, (piece.mentions, piece.relations), every_polarity=every_polarity)
        made["mentions"] += row["mentions"]
        made["relations"] += [
            r | {"head": n_before + r["head"], "tail": n_before + r["tail"]} for r in row["relations"]
        ]
    errors = [piece.error for piece in found if piece.error]
    return made | ({"error": errors[0]} if errors else {})


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
