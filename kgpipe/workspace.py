"""The tables on disk: one Parquet data set a table; commit, what is done, delete, snapshot, lock.

A commit is one file, named by the hash of its keys, written beside and renamed; deleting rows rewrites
a file under its own name; `compact` joins small files. So a process killed at any moment loses the group in
flight and doubles nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kgpipe.errors import WorkspaceError
from kgpipe.records import TABLES, content_id, key_of, to_table

FORMAT = 1


class Workspace:
    """A folder of tables. Opening it creates it; a folder that holds other things is refused."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        marker = self.path / "workspace.json"
        if not marker.is_file():
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise WorkspaceError(
                    f"{self.path} exists and is no kgpipe workspace. Name an empty or new folder with --workspace."
                )
            self.path.mkdir(parents=True, exist_ok=True)
            write_file(marker, json.dumps({"format": FORMAT, "uid": os.urandom(16).hex()}).encode())
        try:
            found = json.loads(marker.read_text())
        except ValueError as error:
            raise WorkspaceError(f"{marker} is damaged: {error}. Restore it or start a new workspace.") from error
        if found.get("format") != FORMAT:
            raise WorkspaceError(
                f"{self.path} has format {found.get('format')}, this kgpipe reads {FORMAT}. Build it anew in another folder."
            )
        self.uid: str = found["uid"]

    def folder(self, table: str) -> Path:
        """Where the files of a table are, inside the current snapshot for snapshot tables."""
        for group in SNAPSHOTS:
            if table in SNAPSHOTS[group]:
                return self.path / "tables" / (self.snapshot_id(group) or f"{group}-none") / table
        return self.path / "tables" / table

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table, in name order; not those whose rows `compact` has written into another."""
        folder = self.folder(table)
        found = set(folder.glob("*.parquet"))
        for note in folder.glob("*.joined"):
            if note.with_suffix(".parquet") in found:
                found -= {folder / name for name in _joined(note)}
        return sorted(found)

    def read(self, table: str, columns: list[str] | None = None) -> pa.Table:
        """The whole table, or some of its columns, rows in key order."""
        schema = TABLES[table]
        key = key_of(table)
        wanted = columns or schema.names
        columns = list(dict.fromkeys([*wanted, key]))
        kept = pa.schema([schema.field(c) for c in columns])
        for _ in range(5):
            try:
                parts = [_open(path, columns).cast(kept) for path in self.files(table)]
                break
            except FileNotFoundError:  # another shard removed the last row of a file that was just listed
                continue
        else:
            raise WorkspaceError(f"The table {table} of {self.path} keeps changing while it is read. Try again.")
        if not parts:
            return pa.schema([schema.field(c) for c in wanted]).empty_table()
        return pa.concat_tables(parts).sort_by(key).select(wanted)

    def keys(self, table: str) -> set[str]:
        """The keys of all rows of a table."""
        return set(self.read(table, [key_of(table)]).column(0).to_pylist())

    def commit(self, table: str, rows: pa.Table | Iterable[Any], *, fingerprint: str = "") -> int:
        """Adds rows as one file and returns how many; committing the same keys again replaces that file.

        Keys that are in another file must be deleted before.
        """
        data = rows.cast(TABLES[table]) if isinstance(rows, pa.Table) else to_table(table, rows)
        if data.num_rows:
            keys = sorted(data.column(key_of(table)).to_pylist())
            self._write(self.folder(table) / f"{content_id(*keys, fingerprint)}.parquet", data)
        return data.num_rows

    def delete(self, table: str, column: str, values: Iterable[str]) -> int:
        """Removes the rows whose column is one of the values; returns how many went."""
        gone = pa.array(sorted(set(values)), pa.string())
        removed = 0
        if not len(gone):
            return 0
        with self.lock(f"table-{table}", timeout=60):  # two shards may rewrite one file
            self._tidy(table)
            for path in self.files(table):
                if not pc.any(pc.is_in(_open(path, [column]).column(0), gone)).as_py():
                    continue
                data = _open(path, None)
                kept = data.filter(pc.invert(pc.is_in(data.column(column), gone)))
                removed += data.num_rows - kept.num_rows
                if kept.num_rows:
                    self._write(path, kept)
                else:
                    path.unlink()
        return removed

    def compact(self, table: str) -> int:
        """Joins the small files of a table when there are MANY; returns how many were joined.

        What is joined at once is bounded, so a table costs as much whether its rows came in one commit or thousands.
        """
        folder, n_joined = self.folder(table), 0
        if len(list(folder.glob("*.parquet"))) < MANY:
            return 0
        with self.lock(f"table-{table}", timeout=60):
            self._tidy(table)
            small = [path for path in self.files(table) if path.stat().st_size < SMALL]
            while len(small) >= MANY:
                some, small = small[:MOST], small[MOST:]
                data = pa.concat_tables([_open(path, None).cast(TABLES[table]) for path in some]).sort_by(key_of(table))
                target = folder / f"{content_id('joined', *data.column(key_of(table)).to_pylist())}.parquet"
                note = target.with_suffix(".joined")
                write_file(note, json.dumps([path.name for path in some if path != target]).encode())
                self._write(target, data)  # from here on the note holds, and `files` leaves out what it names
                self._tidy(table)
                n_joined += len(some)
        return n_joined

    def _tidy(self, table: str) -> None:
        """Ends what `compact` did, also in a process that was killed; under the table's lock."""
        for note in self.folder(table).glob("*.joined"):
            if note.with_suffix(".parquet").is_file():
                for name in _joined(note):
                    note.with_name(name).unlink(missing_ok=True)
            note.unlink(missing_ok=True)

    def snapshot_id(self, group: str) -> str:
        """Name of the current snapshot of a group of tables; empty when there is none."""
        pointer = self.path / "tables" / f"{group}.json"
        return json.loads(pointer.read_text())["current"] if pointer.is_file() else ""

    def snapshot_inputs(self, group: str) -> str:
        """The fingerprint of the inputs from which the current snapshot was made."""
        pointer = self.path / "tables" / f"{group}.json"
        return json.loads(pointer.read_text())["inputs"] if pointer.is_file() else ""

    def snapshot(self, group: str, tables: dict[str, pa.Table | list[Any]], *, inputs: str) -> str:
        """Replaces all tables of a group at once (a pointer is renamed last); returns the snapshot's name."""
        if set(tables) != set(SNAPSHOTS[group]):
            raise ValueError(f"a snapshot of {group} has the tables {SNAPSHOTS[group]}, not {tuple(tables)}")
        name = f"{group}-{content_id(group, inputs)[:16]}"
        before = self.snapshot_id(group)
        if name == before:
            name += "b"
        home = self.path / "tables" / name
        shutil.rmtree(home, ignore_errors=True)
        for table, rows in tables.items():
            data = rows.cast(TABLES[table]) if isinstance(rows, pa.Table) else to_table(table, rows)
            self._write(home / table / "all.parquet", data)
        write_file(self.path / "tables" / f"{group}.json", json.dumps({"current": name, "inputs": inputs}).encode())
        for old in (self.path / "tables").glob(f"{group}-*"):
            if old.name != name:
                shutil.rmtree(old)
        return name

    def state(self, name: str) -> dict[str, Any]:
        """A small JSON record beside the tables (`schema`, `paths`, the last run); empty when unset."""
        path = self.path / f"{name}.json"
        try:
            return json.loads(path.read_text()) if path.is_file() else {}
        except ValueError as error:
            raise WorkspaceError(
                f"{path} is damaged: {error}. Delete that file, and build again with the same paths and --schema."
            ) from error

    def set_state(self, name: str, value: dict[str, Any]) -> None:
        """Replaces that record at once."""
        write_file(self.path / f"{name}.json", json.dumps(value, ensure_ascii=False, indent=1).encode())

    @contextlib.contextmanager
    def lock(self, name: str = "build", *, timeout: float = 0) -> Iterator[None]:
        """Holds the workspace's lock of that name; WorkspaceError when another process has it."""
        import filelock

        held = filelock.FileLock(self.path / f"{name}.lock")
        try:
            held.acquire(timeout=timeout)
        except filelock.Timeout as error:
            raise WorkspaceError(
                f"Another kgpipe process is working on {self.path} ({name}). Wait for it to end, or use another --workspace."
            ) from error
        try:
            yield
        finally:
            held.release()

    def _write(self, path: Path, data: pa.Table) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        pq.write_table(data, temporary, compression="zstd")
        os.replace(temporary, path)


MANY = 64
"""Small files of a table that are joined at the next start of a build."""
MOST = 1024
"""Files that are joined into one."""
SMALL = 1_000_000
"""Bytes of a file below which it is small."""
SNAPSHOTS = {"resolution": ("entities", "merges", "literals", "facts", "evidence")}
"""Tables that are only ever replaced together."""


def write_file(path: Path, data: bytes) -> None:
    """Writes beside and renames, so that nobody reads half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_bytes(data)
    os.replace(temporary, path)


def _joined(note: Path) -> list[str]:
    """Names of the files that a note says are joined; none when it has just gone."""
    try:
        return json.loads(note.read_text())
    except FileNotFoundError:
        return []


def _open(path: Path, columns: list[str] | None) -> pa.Table:
    try:
        return pq.ParquetFile(path).read(columns=columns)
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        raise WorkspaceError(
            f"{path} is damaged: {error}. Delete that file; the next build makes its rows again."
        ) from error
