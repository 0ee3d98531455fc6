"""What a reader gives: one text as its file has it, not yet cleaned, with marks of pages and code inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kgpipe.records import Removal

PAGE, CODE, CODE_END = "\ufdd0", "\ufdd1", "\ufdd2"
"""Characters that no text may hold (Unicode: for internal use): where a page begins, where code begins and ends.

Readers write them, cleaning turns them into marks with offsets. In the text of a file they are removed.
"""


class NotReadable(ValueError):
    """A text cannot be read; the message is the reason of its failure."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One text as its file gives it: without markup, not yet cleaned."""

    uri: str
    text: str
    title: str = ""
    time: str = ""
    language: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    removals: tuple[Removal, ...] = ()
    name: str = ""
    """Name of the file or member of an archive, where it is not that of the uri."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read, and which columns of a table."""

    max_bytes: int = 100_000_000
    """Of one document."""
    max_unpacked: int = 10_000_000_000
    """Of all that a file holds: rows, pages of a dump, members of an archive."""
    text_column: str = "text"
    """Column of the text; `*`: each row in words."""
    metadata_columns: tuple[str, ...] = ()
    """Columns kept as metadata; empty: all others."""
    max_depth: int = 3
    """Archives within archives."""


def code(text: str) -> str:
    """The text marked as code."""
    return f"{CODE}{unmarked(text)}{CODE_END}"


def unmarked(text: str) -> str:
    """The text without characters that would be taken for marks."""
    return text.translate(_GONE)


_GONE = {ord(c): None for c in (PAGE, CODE, CODE_END)}


def table_row(header: list[str], cells: list[str]) -> str:
    """A row in words: `Name: ENIAC; Year: 1945`."""
    named = [f"{name}: {cell}" if name else cell for name, cell in zip(header, cells, strict=False) if cell]
    return "; ".join(named)


def sample(text: str, n_characters: int = 160) -> str:
    """The beginning of a text in one line."""
    line = " ".join(unmarked(text[: 4 * n_characters]).split())
    return line if len(line) <= n_characters else line[: n_characters - 1] + "…"
