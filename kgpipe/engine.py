"""Daft session, anti-joins, shards, groups, devices, threads and progress."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import daft

    from kgpipe.workspace import Workspace

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total); total 0 means unknown."""
LINE_S = 10.0
"""Seconds between two lines of progress in a log."""


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """For millions of rows without cycles: looking for such takes a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def frame(workspace: Workspace, table: str) -> daft.DataFrame:
    """The table as a lazy Daft frame."""
    os.environ["DO_NOT_TRACK"] = "true"  # Daft reports usage unless this stands before the import
    import daft

    from kgpipe.records import TABLES

    files = [str(path) for path in workspace.files(table)]
    return daft.read_parquet(files) if files else daft.from_arrow(TABLES[table].empty_table())


def missing(left: pa.Table, workspace: Workspace, table: str, *, on: str, key: str) -> pa.Table:
    """The rows of `left` whose column `on` is not yet a `key` of the table, in the order of `on`."""
    os.environ["DO_NOT_TRACK"] = "true"
    import daft

    done = frame(workspace, table).select(daft.col(key).alias(on)).distinct()
    return daft.from_arrow(left).join(done, on=on, how="anti").sort(on).to_arrow()


def in_shard(uid: str, shard: tuple[int, int]) -> bool:
    """Whether a record belongs to shard (i, n); depends on the uid alone."""
    return int(uid[:8], 16) % shard[1] == shard[0]


def parse_shard(text: str) -> tuple[int, int]:
    """`i/n` as numbers, 0 <= i < n <= 1023."""
    from kgpipe.errors import ConfigError

    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 0 <= int(index) < int(count) <= 1023):
        raise ConfigError(f'Shard "{text}" is not i/n with 0 <= i < n <= 1023. Example: --shard 0/4.')
    return int(index), int(count)


def groups(table: pa.Table, size: int) -> Iterator[pa.Table]:
    """The rows in slices of at most `size`."""
    for start in range(0, table.num_rows, size):
        yield table.slice(start, size)


def device(name: str = "") -> Any:
    """The torch device of that name; without one, cuda when there is a GPU, else cpu. ConfigError if it is not there."""
    # texts differ in length, and for each of the last 1024 shapes oneDNN keeps code and buffers, torch packed weights
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    os.environ.setdefault("LRU_CACHE_CAPACITY", "16")
    import torch

    from kgpipe.errors import ConfigError

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    allowed = ["cpu", *(["cuda"] if n_gpus else []), *(f"cuda:{i}" for i in range(n_gpus))]
    if name and name not in allowed:
        raise ConfigError(
            f'Device "{name}" is not here; this machine has {", ".join(allowed)}. Correct it or leave it out.'
        )
    return torch.device(name or ("cuda" if n_gpus else "cpu"))


def autocast_dtype(where: Any) -> Any:
    """torch.bfloat16 where the device computes it fast (CUDA, AVX512-BF16, AMX), else None for fp32."""
    import torch

    if where.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else None
    capable = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return torch.bfloat16 if capable.get("avx512_bf16") or capable.get("amx_bf16") else None


def silent(what: str, done: int, total: int) -> None:
    """The progress callback of a library caller who wants none."""


def _lines() -> Progress:
    """A callback that writes a line now and then; what ends sooner than the first is due leaves none."""
    told = time.monotonic()

    def advance(what: str, done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= LINE_S:
            told = time.monotonic()
            sys.stderr.write(f"{what}: {done:,} of {total:,}\n" if total else f"{what}: {done:,}\n")
            sys.stderr.flush()

    return advance


@contextlib.contextmanager
def progress_bar(enabled: bool = True) -> Iterator[Progress]:
    """A callback that draws bars on standard error, or writes lines for a log where that is no terminal."""
    if not enabled:
        yield silent
        return
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bars = Bars(*columns, console=Console(stderr=True), transient=False)
    tasks: dict[str, Any] = {}

    def end_uncounted() -> None:
        """Stops the clock of bars whose total nobody knew."""
        for task in bars.tasks:
            if task.total is None:
                bars.update(task.id, total=task.completed)

    def advance(what: str, done: int, total: int) -> None:
        if what not in tasks:
            bars.start()  # not before: without a bar it would print an empty line
            end_uncounted()
            tasks[what] = bars.add_task(what, total=total or None)
        bars.update(tasks[what], completed=done, total=total or None)

    try:
        yield advance
    finally:
        end_uncounted()
        if tasks:
            bars.stop()
