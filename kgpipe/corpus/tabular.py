"""Rows to texts: JSON Lines, CSV and Parquet; the column of the text and those kept as metadata are settings."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

from kgpipe.corpus.raw import Limits, NotReadable, Raw, table_row, unmarked
from kgpipe.records import Failure

SAFE = "!$&'()*+,;=:@/?-._~"
"""Characters that stand for themselves in the fragment of a URI (RFC 3986)."""
_LANGUAGE = re.compile(r"[a-z]{2}")


def row_uri(uri: str, name: str) -> str:
    """The uri of a row of a file, or of a member of an archive."""
    return f"{uri}{'!' if '#' in uri else '#'}{quote(name, safe=SAFE)}"


def read_jsonl(uri: str, stream: BinaryIO, limits: Limits) -> Iterator[Raw | Failure]:
    """One text a line; a line that is no row is a failure that names it."""
    ids: set[str] = set()
    number = n_read = 0
    while line := stream.readline(limits.max_bytes + 1):
        number += 1
        n_read += len(line)
        try:
            if len(line) > limits.max_bytes:
                while not line.endswith(b"\n") and (line := stream.readline(limits.max_bytes + 1)):
                    n_read += len(line)
                    _within(n_read, limits)
                raise NotReadable(f"line {number} is longer than the {limits.max_bytes:,} bytes allowed")
            row = _json_row(line, number, limits.text_column)
            if row is not None:
                yield _raw(uri, row, number, ids, limits, "line")
        except NotReadable as error:
            yield Failure("read", row_uri(uri, f"line-{number}"), str(error))
        _within(n_read, limits)
    if not number:
        yield Failure("read", uri, "no text")


def read_csv(uri: str, text: str, limits: Limits) -> Iterator[Raw | Failure]:
    """One text a row; the first row names the columns."""
    csv.field_size_limit(limits.max_bytes)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = csv.reader(io.StringIO(text, newline=""), dialect)
    header = [name.strip() for name in next(rows, [])]
    _check_columns(header, limits)
    ids: set[str] = set()
    number = 1
    try:
        for cells in rows:
            number += 1
            if any(cell.strip() for cell in cells):
                try:
                    yield _raw(uri, dict(zip(header, cells, strict=False)), number, ids, limits, "row")
                except NotReadable as error:
                    yield Failure("read", row_uri(uri, f"row-{number}"), str(error))
    except csv.Error as error:
        yield Failure("read", row_uri(uri, f"row-{number + 1}"), f"row {number + 1} is no CSV: {error}")
    if number == 1:
        yield Failure("read", uri, "no text")


def read_parquet(uri: str, stream: BinaryIO, limits: Limits) -> Iterator[Raw | Failure]:
    """One text a row, read in small batches."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
    except (pa.ArrowInvalid, OSError) as error:
        raise NotReadable(f"damaged Parquet: {str(error).splitlines()[0]}") from error
    _check_columns(file.schema_arrow.names, limits)
    ids: set[str] = set()
    number = n_read = 0
    for batch in file.iter_batches(batch_size=64, use_threads=False):
        n_read += batch.nbytes
        _within(n_read, limits)
        for row in batch.to_pylist():
            number += 1
            try:
                yield _raw(uri, row, number, ids, limits, "row")
            except NotReadable as error:
                yield Failure("read", row_uri(uri, f"row-{number}"), str(error))
    if not number:
        yield Failure("read", uri, "no text")


def _check_columns(header: list[str], limits: Limits) -> None:
    wanted = [name for name in (limits.text_column, *limits.metadata_columns) if name != "*"]
    for name in wanted:
        if name not in header:
            raise NotReadable(
                f'no column "{name}"; it has {", ".join(header[:20]) or "none"}. Name the column of the text with '
                'text_column in kgpipe.toml ("*": each row in words)'
            )


def _within(n_read: int, limits: Limits) -> None:
    if n_read > limits.max_unpacked:
        raise NotReadable(f"too large: more than the {limits.max_unpacked:,} bytes allowed; raise max_unpacked")


def _json_row(line: bytes, number: int, text_column: str) -> dict[str, Any] | None:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise NotReadable(f"line {number} is not UTF-8 (byte {error.start + 1}); JSON Lines are") from error
    if not text:
        return None
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotReadable(f'line {number} is not JSON: {error}; expected {{"id", "text"}}') from error
    if not isinstance(row, dict) or (text_column != "*" and not isinstance(row.get(text_column), str)):
        raise NotReadable(f'line {number} has no "{text_column}"; expected {{"id", "{text_column}", "title"?}}')
    return row


def _raw(uri: str, row: dict[str, Any], number: int, ids: set[str], limits: Limits, unit: str) -> Raw:
    given = row.get("id")
    name = str(number if given is None or given == "" else given).encode("utf-8", "replace").decode()
    if name in ids:
        raise NotReadable(f'{unit} {number} has the id "{name}" of an earlier {unit}')
    ids.add(name)
    if limits.text_column == "*":
        cells = ["" if value is None else str(value) for value in row.values()]
        text = table_row(list(map(str, row)), cells)
    else:
        text = row.get(limits.text_column)
        if text is not None and not isinstance(text, str):
            raise NotReadable(f'{unit} {number}: "{limits.text_column}" is no text but {type(text).__name__}')
    title, time, language = (row.get(key) for key in ("title", "time", "language"))
    time = time or row.get("date")
    taken = {"id", limits.text_column, "title", "language", "time" if row.get("time") else "date"}
    others = {key: value for key, value in row.items() if key not in taken}
    if limits.metadata_columns:
        others = {key: value for key, value in row.items() if key in limits.metadata_columns}
    known = isinstance(language, str) and _LANGUAGE.fullmatch(language)
    return Raw(
        row_uri(uri, name), unmarked(text or ""), str(title or ""), str(time or ""), language if known else "", others
    )
