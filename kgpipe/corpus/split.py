"""Documents to passages: runs of whole sentences that fit the encoder's window."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from kgpipe.config import CHOICES, Config
from kgpipe.engine import Progress, in_shard, silent
from kgpipe.records import Passage
from kgpipe.sentences import WORD, paragraphs, sentences
from kgpipe.workspace import Workspace

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_WORDS, MAX_PIECES = 100, 240
"""What the encoder sees at once: words as in `sentences.WORD`, and word pieces with [CLS] and [SEP]."""
_HEADING = 12
"""Words of a heading, at most."""


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:
    """Brings `passages` up to date: {documents, passages, stale}, new ones, and passages that no longer stand.

    Passages come from documents in one of `languages` or in an unknown one that are no duplicates. What was made
    of a passage goes with it.
    """
    wanted = _readable(workspace, config, shard)
    present = workspace.read("passages", ["uid", "document", "version", "start", "end"]).to_pylist()
    present = [row for row in present if in_shard(row["document"], shard)]
    other = _split_otherwise(workspace, present, config.skip)
    stale = {row["uid"] for row in present if wanted.get(row["document"]) != row["version"] or row["document"] in other}
    standing = {row["uid"] for row in present} - stale
    for table in ("extractions", "vectors"):
        made_of = workspace.read(table, ["passage", "document"]).to_pylist()
        orphans = [
            row["passage"] for row in made_of if in_shard(row["document"], shard) and row["passage"] not in standing
        ]
        workspace.delete(table, "passage", orphans)
    workspace.delete("passages", "uid", stale)
    done = {row["document"] for row in present if row["uid"] in standing}
    todo = {uid for uid in wanted if uid not in done}
    counts = {"documents": 0, "passages": 0, "stale": len(stale)}
    for path in workspace.files("documents"):
        rows = _texts(path, todo)
        made: list[Passage] = []
        for row in rows:
            spans = unmarked_spans(row["text"], _skipped(row.get("marks"), config.skip))
            made += [Passage(row["uid"], row["version"], start, end, row["text"][start:end]) for start, end in spans]
        workspace.commit("passages", made)
        counts["documents"] += len(rows)
        counts["passages"] += len(made)
        if rows:
            progress("split", counts["documents"], len(todo))
    return counts


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence, or a piece of one that is longer than the window."""

    start: int
    end: int
    n_words: int
    n_pieces: int
    begins: bool
    """Whether a paragraph begins with it."""
    heading: bool = False


def passage_spans(text: str) -> list[tuple[int, int]]:
    """The passages of a text as (start, end), in order and disjoint, at most MAX_WORDS and MAX_PIECES long.

    A sentence is cut only where it alone is longer. A passage that is at least half full ends with its paragraph, and
    a heading goes with what follows it.
    """
    return [(parts[0].start, parts[-1].end) for parts in _packed(_parts(text))]


def unmarked_spans(text: str, skipped: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The passages of a text outside the stretches to be skipped, which are in order and disjoint."""
    found: list[tuple[int, int]] = []
    at = 0
    for start, end in [*skipped, (len(text), len(text))]:
        found += [(at + a, at + b) for a, b in passage_spans(text[at:start])]
        at = max(at, end)
    return found


def _split_otherwise(workspace: Workspace, present: list[dict[str, Any]], skip: Sequence[str]) -> set[str]:
    """Documents whose passages were made with another `skip`: one lies in what is skipped, or none in what is not."""
    passages: dict[str, list[tuple[int, int]]] = {}
    for row in present:
        passages.setdefault(row["document"], []).append((row["start"], row["end"]))
    found = set()
    for path in workspace.files("documents"):
        for row in pq.ParquetFile(path).read(columns=["uid", "marks"]).to_pylist():
            marks = [mark for mark in row.get("marks") or () if mark["kind"] in CHOICES["skip"]]
            if not marks or row["uid"] not in passages:
                continue
            skipped = _skipped(marks, skip)
            kept = [(m["start"], m["end"]) for m in marks if m["kind"] not in skip]
            kept = [span for span in kept if not any(a < span[1] and span[0] < b for a, b in skipped)]
            spans = passages[row["uid"]]
            if any(a < end and start < b for a, b in skipped for start, end in spans) or not all(
                any(a < end and start < b for start, end in spans) for a, b in kept
            ):
                found.add(row["uid"])
    return found


def _skipped(marks: list[dict[str, Any]] | None, kinds: Sequence[str]) -> list[tuple[int, int]]:
    """The stretches marked as one of the kinds, joined where they touch."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((m["start"], m["end"]) for m in marks or () if m["kind"] in kinds):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _packed(parts: Iterable[Part]) -> Iterator[list[Part]]:
    held: list[Part] = []
    for part in parts:
        n_words = sum(p.n_words for p in held)
        if held and (_over([*held, part]) or (part.begins and 2 * n_words >= MAX_WORDS)):
            n_headings = next((i for i, p in enumerate(reversed(held)) if not p.heading), 0)
            ready, held = held[: len(held) - n_headings], held[len(held) - n_headings :]
            yield ready
            if held and _over([*held, part]):
                yield held
                held = []
        held.append(part)
    if held:
        yield held


def _over(parts: list[Part]) -> bool:
    """Whether the parts are too much for one window."""
    return sum(p.n_words for p in parts) > MAX_WORDS or sum(p.n_pieces for p in parts) > MAX_PIECES - 2


def _parts(text: str) -> Iterator[Part]:
    """The sentences with their sizes, long ones in pieces."""
    blocks = paragraphs(text)
    begins, ends = {start for start, _ in blocks}, {end for _, end in blocks}
    for start, end in sentences(text):
        words = [(start + m.start(), start + m.end()) for m in WORD.finditer(text[start:end])]
        pieces = [n_pieces(text[s:e]) for s, e in words]
        if len(words) > MAX_WORDS or sum(pieces) > MAX_PIECES - 2:
            yield from _cut(words, pieces, start in begins)
            continue
        alone = start in begins and end in ends
        heading = alone and len(words) <= _HEADING and text[end - 1].isalnum()
        yield Part(start, end, len(words), sum(pieces), start in begins, heading)


def _cut(words: list[tuple[int, int]], pieces: list[int], begins: bool) -> Iterator[Part]:
    """A sentence longer than the window, cut between words."""
    first = size = 0
    for i in range(len(words)):
        if i - first == MAX_WORDS or (i > first and size + pieces[i] > MAX_PIECES - 2):
            yield Part(words[first][0], words[i - 1][1], i - first, size, begins and first == 0)
            first, size = i, 0
        size += pieces[i]
    yield Part(words[first][0], words[-1][1], len(words) - first, size, begins and first == 0)


@functools.lru_cache(maxsize=2**18)
def n_pieces(word: str) -> int:
    """How many word pieces the shipped encoder makes of a word; another encoder makes nearly as many."""
    return len(_tokenizer().encode([word], is_pretokenized=True, add_special_tokens=False).ids)


@functools.lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    from tokenizers import Tokenizer  # without torch, which takes seconds to load

    from kgpipe import models

    tokenizer = Tokenizer.from_file(str(Path(models.__file__).parent / "weights" / "embedder" / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _readable(workspace: Workspace, config: Config, shard: tuple[int, int]) -> dict[str, str]:
    """The version of each document of the shard that gets passages."""
    duplicates = set(workspace.read("duplicates", ["document"]).column(0).to_pylist())
    rows = workspace.read("documents", ["uid", "version", "language"]).to_pylist()
    return {
        row["uid"]: row["version"]
        for row in rows
        if in_shard(row["uid"], shard)
        and row["uid"] not in duplicates
        and (not row["language"] or row["language"] in config.languages)
    }


def _texts(path: Path, wanted: set[str]) -> list[dict[str, Any]]:
    """Uid, version, text and marks of those documents of one file that are wanted."""
    file = pq.ParquetFile(path)
    if wanted.isdisjoint(file.read(columns=["uid"]).column(0).to_pylist()):
        return []
    return [row for row in file.read(columns=["uid", "version", "text", "marks"]).to_pylist() if row["uid"] in wanted]
