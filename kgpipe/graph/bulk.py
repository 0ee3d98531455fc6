"""The first load of a large graph: CSV files, and `neo4j-admin database import full` on our own stopped server.

Tables are streamed, so that memory does not grow with the graph (16 bytes a mention and entity apart); of a large one
several processes write the parts. Nodes and relationships are those of `load`, with the same hash in `row`: after it, a
load finds nothing to write.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from kgpipe.config import Config
from kgpipe.engine import Progress, silent, without_collection
from kgpipe.errors import KgpipeError, SchemaError, StoreError
from kgpipe.graph import cypher, load, server
from kgpipe.graph.load import Properties
from kgpipe.graph.store import Store, open_store
from kgpipe.graph.write import Row, Writers
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace, write_file

SEPARATOR = "\x1f"
"""Between the items of a list in a field; a list that holds it is written after the import."""
SAMPLE = 1_000
"""Facts that are read back and compared."""
PARTS = {
    "Entity": "entities", "Literal": "literals", "Document": "documents", "Passage": "passages", "Evidence": "evidence",
    "PART_OF": "passages", "IN": "evidence", "MENTIONS": "extractions", "facts": "facts",
}  # fmt: skip
"""What is written by itself, in the order in which it is imported, and the table that it is made of."""
ALONE = 200_000
"""Rows and mentions that one process writes sooner than another one starts."""
MOST_PROCESSES = 4
_TYPES = {str: "string", bool: "boolean", int: "long", float: "double", date: "date", list: "string[]"}
_TABLE_ROWS = 20_000


@dataclass(slots=True)
class Written:
    """What the CSV files hold: counts by label and type, files, facts to compare, rows that CSV cannot carry."""

    nodes: list[Path] = field(default_factory=list)
    relationships: list[Path] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    facts: dict[str, list[load.Wanted]] = field(default_factory=dict)
    later: list[load.Wanted] = field(default_factory=list)

    def add(self, other: Written) -> None:
        """Takes over what another one holds."""
        self.nodes += other.nodes
        self.relationships += other.relationships
        self.counts += other.counts
        self.facts |= other.facts
        self.later += other.later


def run(workspace: Workspace, config: Config, *, replace: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Makes our own server's graph anew from the workspace; counts, and the seconds of each phase.

    StoreError when a server of the user's is configured, when the graph holds anything and `replace` is not given, when
    the import fails, or when what stands in the graph after it is not what was written. The server runs in the end.
    """
    if config.neo4j:
        raise StoreError(
            f"--bulk writes the files of a stopped server, and {config.neo4j} is not ours to stop. Leave --neo4j / "
            "NEO4J_URI out for our own server, or load into yours without --bulk."
        )
    home = workspace.path / "neo4j"
    schema = load.workspace_schema(workspace)
    fingerprint = load.snapshot_fingerprint(workspace, schema)
    seconds: dict[str, float] = {}
    began = time.monotonic()

    def phase(name: str) -> None:
        nonlocal began
        seconds[name] = round(time.monotonic() - began, 2)
        began = time.monotonic()

    if (home / "data" / "databases" / "neo4j").is_dir():
        _refuse_populated(workspace, config, replace, progress)
    phase("look")
    folder = home / "import" / "kgpipe"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        written = write_files(workspace, schema, folder, progress=progress)
        phase("write files")
        server.stop(home)
        phase("stop")
        progress("neo4j-admin import", 0, 1)
        server.bulk_import(
            home, written.nodes, written.relationships, separator=SEPARATOR, neo4j_home=config.neo4j_home
        )
        progress("neo4j-admin import", 1, 1)
        phase("import")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    with open_store(config, workspace, progress=progress) as store:
        phase("start")
        load.constraints_and_indexes(store, schema, progress)
        phase("indexes")
        with Writers(store, schema=schema.to_json()) as writers:
            for wanted in written.later:
                text = cypher.write_nodes(wanted.group, wanted.values["properties"])
                writers.add(Row((text, text), wanted.values))
            writers.flush()
            _verify(store, written)
            writers.finish(fingerprint)
        phase("verify")
    return {**_totals(written), "facts_compared": sum(map(len, written.facts.values())), "seconds": seconds}


def write_files(workspace: Workspace, schema: Schema, folder: Path, *, progress: Progress = silent) -> Written:
    """Writes the CSV files of all nodes and relationships for `neo4j-admin`, into a folder that is made.

    Of a large workspace each processor writes a share, in a process of its own; progress is that of this one's share.
    """
    folder.mkdir(parents=True)
    weight = {part: _weight(workspace, table) for part, table in PARTS.items()}
    n_processes = min(MOST_PROCESSES, _n_processors()) if sum(weight.values()) >= ALONE else 1
    shares: list[list[str]] = [[] for _ in range(n_processes)]
    for part in sorted(PARTS, key=weight.__getitem__, reverse=True):
        min(shares, key=lambda share: sum(weight[p] for p in share)).append(part)
    marker = Written()
    with _Files(folder, marker, "marker") as files:
        files.node(
            load.Wanted("kgpipe", "", (cypher.MARKER,), {
                "uid": "kgpipe", "properties": {"name": "kgpipe", "uid": workspace.uid, "fingerprint": "",
                                                "schema": schema.to_json()},
            }),
            uid=False,
        )  # fmt: skip
    found: dict[str, Written] = {}
    with contextlib.ExitStack() as running:
        others = [running.enter_context(_Other(workspace, folder, share)) for share in shares[1:] if share]
        done, total = 0, sum(weight[part] for part in shares[0])
        for part in shares[0]:
            told = partial(_told, progress, done, total)
            found[part] = _write_part(workspace, schema, folder, part, told)
            done += weight[part]
        for other in others:
            found |= other.result()
    progress("write files", total, total)
    for part in PARTS:
        marker.add(found[part])
    return marker


def _n_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _told(progress: Progress, done: int, total: int, n: int) -> None:
    progress("write files", min(done + n, total), total)


def _weight(workspace: Workspace, table: str) -> int:
    """How many rows a part has, of `extractions` how many mentions."""
    n = 0
    for path in workspace.files(table):
        found = pq.read_metadata(path)
        if table != "extractions":
            n += found.num_rows
            continue
        column = next(c for c in range(found.num_columns) if found.schema.column(c).path.startswith("mentions."))
        n += sum(found.row_group(g).column(column).num_values for g in range(found.num_row_groups))
    return n


class _Other:
    """A process that writes some parts beside this one (`write_share`), and ends with it."""

    def __init__(self, workspace: Workspace, folder: Path, parts: list[str]) -> None:
        self._to = folder / f"{parts[0]}.pickle"
        text = "import sys; from kgpipe.graph import bulk; bulk.write_share(*sys.argv[1:])"
        command = [sys.executable, "-c", text, str(workspace.path), str(folder), str(self._to), *parts]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, errors="replace", **streams)

    def __enter__(self) -> _Other:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def result(self) -> dict[str, Written]:
        """What it has written; raises its error."""
        said = self._process.stderr.read()
        self._process.wait()  # not `communicate`, which ends its standard input, and the process with it
        if not self._to.is_file():
            raise StoreError(
                f"A process that wrote files ended with {self._process.returncode}. It said:\n{said[-2000:]}"
            )
        found = pickle.loads(self._to.read_bytes())
        self._to.unlink()
        if isinstance(found, KgpipeError):
            raise found
        return found


def write_share(path: str, folder: str, to: str, *parts: str) -> None:
    """Writes parts into the folder, and what was written, or the error, as a pickle; ends when standard input ends."""
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
    found: Any
    try:
        workspace = Workspace(path)
        schema = load.workspace_schema(workspace)
        found = {part: _write_part(workspace, schema, Path(folder), part, lambda n: None) for part in parts}
    except KgpipeError as error:
        found = error
    write_file(Path(to), pickle.dumps(found))


def _write_part(workspace: Workspace, schema: Schema, folder: Path, name: str, told: Callable[[int], None]) -> Written:
    """Writes the files of one of PARTS; `told` is called with the rows done."""
    found = Written()
    with without_collection(), _Files(folder, found, name) as files:
        if name == "facts":
            n_facts = sum(pq.read_metadata(path).num_rows for path in workspace.files("facts"))
            chosen = set(random.Random(0).sample(range(n_facts), min(SAMPLE, n_facts)))
            n = 0
            for rows in _batches(workspace, "facts"):
                for row in rows.to_pylist():
                    if row["type"] not in schema.relations:
                        raise SchemaError(
                            f'Unknown relation type "{row["type"]}" in the table facts of {workspace.path}; known in the '
                            f"schema {schema.name}: {', '.join(sorted(schema.relations))}. Run kgpipe build again."
                        )
                    wanted = load.fact_edge(row)
                    files.relationship(row["type"], wanted)
                    if n in chosen:
                        found.facts.setdefault(row["type"], []).append(wanted)
                    n += 1
                told(n)
        elif name == "MENTIONS":
            owners, n = _Owners(workspace), 0
            for rows in _batches(workspace, "extractions", ["passage", "mentions"]):
                for row in load.spoken_of(rows, owners.of(rows)).to_pylist():
                    files.relationship("MENTIONS", load.mentions_edge(row))
                n += pc.sum(pc.list_value_length(rows.column("mentions"))).as_py() or 0
                told(n)
        else:
            tables = {table: _Streamed(workspace, table) for table in load.TABLES}
            [part] = [p for p in (*load.node_parts(tables, schema), *load.link_parts(tables)) if p.name == name]
            for n, wanted in enumerate(part.wanted()):
                if name in ("Entity", "Literal") and len(wanted.group) < 2:
                    raise SchemaError(f"{name} {wanted.uid} has no type of the schema. Run kgpipe build again.")
                if part.relationships:
                    files.relationship(name, wanted)
                else:
                    files.node(wanted)
                if n % 1_000 == 0:
                    told(n)
    return found


class _Streamed:
    """A table that is read batch by batch, in the order of its files, where `load` expects one in memory."""

    def __init__(self, workspace: Workspace, table: str, columns: list[str] | None = None) -> None:
        self._of = (workspace, table)
        self._columns = columns or load.columns_of(table)
        self.num_rows = sum(pq.read_metadata(path).num_rows for path in workspace.files(table))

    def to_batches(self, max_chunksize: int) -> Iterator[pa.Table]:
        yield from _batches(*self._of, self._columns)

    def to_pylist(self) -> list[dict[str, Any]]:
        return [row for batch in _batches(*self._of, self._columns) for row in batch.to_pylist()]

    def select(self, columns: list[str]) -> _Streamed:
        return _Streamed(*self._of, columns)


class _Owners:
    """Which entity a mention belongs to: sorted arrays of 16 bytes a mention and 4 for its entity's number."""

    def __init__(self, workspace: Workspace) -> None:
        uids, counts, mentions = [], [], []
        for batch in _batches(workspace, "entities", ["uid", "mentions"]):
            uids.append(_packed(batch.column("uid")))
            counts.append(np.asarray(pc.list_value_length(batch.column("mentions"))))
            mentions.append(_packed(pc.list_flatten(batch.column("mentions"))))
        empty = np.empty(0, dtype="S16")
        self._entities = np.concatenate([empty, *uids])
        keys = np.concatenate([empty, *mentions])
        numbers = np.repeat(np.arange(len(self._entities), dtype=np.int32), np.concatenate([[], *counts]).astype(int))
        order = np.argsort(keys, kind="stable")
        self._keys, self._numbers = keys[order], numbers[order]

    def of(self, extractions: pa.Table) -> pa.Table:
        """`uid` and `entity` of all mentions of these rows that belong to one."""
        wanted = _packed(load.mentions_of(extractions).column("uid"))
        if not len(self._keys):
            return pa.table({"uid": pa.array([], pa.string()), "entity": pa.array([], pa.string())})
        at = np.searchsorted(self._keys, wanted).clip(max=len(self._keys) - 1)
        there = self._keys[at] == wanted
        return pa.table({
            "uid": _unpacked(wanted[there]), "entity": _unpacked(self._entities[self._numbers[at[there]]]),
        })  # fmt: skip


def _packed(uids: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """32 hexadecimal digits each as 16 bytes; numpy compares them as bytes."""
    return np.frombuffer(bytes.fromhex("".join(uids.to_pylist())), dtype="S16")


def _unpacked(keys: np.ndarray) -> pa.Array:
    text = np.ascontiguousarray(keys).tobytes().hex()
    return pa.array([text[n : n + 32] for n in range(0, len(text), 32)], pa.string())


class _Files:
    """One CSV file for each set of columns, its header in the first line; rows are written `_TABLE_ROWS` at a time."""

    def __init__(self, folder: Path, written: Written, name: str) -> None:
        self._folder, self._name = folder, name
        self._written = written
        self._rows: dict[tuple[object, ...], list[tuple[tuple[str, ...], Properties]]] = defaultdict(list)
        self._open: dict[tuple[object, ...], pyarrow.csv.CSVWriter] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            for key, rows in self._rows.items():
                if rows:  # none where they were a multiple of what is written at a time
                    self._write(key)
        for file in self._open.values():
            file.close()

    def node(self, wanted: load.Wanted, *, uid: bool = True) -> None:
        """Takes a node; `uid` is whether what names it in the files is its property `uid` as well."""
        properties = wanted.values["properties"]
        for value in properties.values():
            if type(value) is list and SEPARATOR in "".join(value):
                self._written.later.append(wanted)
                properties = {k: [] if isinstance(v, list) else v for k, v in properties.items()} | {"row": ""}
                break
        first = "uid:ID" if uid else ":ID"
        self._add((first, ":LABEL"), (wanted.uid, SEPARATOR.join(wanted.group)), properties)
        self._written.counts["node", wanted.group[0]] += 1

    def relationship(self, kind: str, wanted: load.Wanted) -> None:
        values = wanted.values
        self._add(_ENDS, (values["source"], values["target"], kind), values.get("properties", _NONE))
        self._written.counts["relationship", kind] += 1

    def _add(self, columns: tuple[str, ...], fields: tuple[str, ...], properties: Properties) -> None:
        key = (columns, tuple(properties), tuple(map(type, properties.values())))
        rows = self._rows[key]
        rows.append((fields, properties))
        if len(rows) == _TABLE_ROWS:
            self._write(key)

    def _write(self, key: tuple[object, ...]) -> None:
        columns, names, types = key
        rows = self._rows[key]
        arrays = [pa.array(values, pa.string()) for values in zip(*(fields for fields, _ in rows), strict=True)]
        header = list(columns)
        for name, kind in zip(names, types, strict=True):
            if kind is type(None) or (name == "uid" and columns[0] == "uid:ID"):
                continue
            values = pa.array([properties[name] for _, properties in rows])
            arrays.append(pc.binary_join(values.cast(pa.list_(pa.string())), SEPARATOR) if kind is list else values)
            header.append(f"{name}:{_TYPES[kind]}")
        rows.clear()
        table = pa.table(arrays, names=header)
        if key not in self._open:
            known = self._written.relationships if columns is _ENDS else self._written.nodes
            kind = "relationships" if columns is _ENDS else "nodes"
            path = self._folder / f"{kind}-{self._name}-{len(known)}.csv"
            known.append(path)
            self._open[key] = pyarrow.csv.CSVWriter(path, table.schema, write_options=_QUOTED)
        self._open[key].write_table(table)


_ENDS = (":START_ID", ":END_ID", ":TYPE")
_NONE: Properties = {}
_QUOTED = pyarrow.csv.WriteOptions(quoting_style="all_valid")


def _batches(workspace: Workspace, table: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
    for path in workspace.files(table):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_TABLE_ROWS, columns=columns):
                yield pa.Table.from_batches([batch])


def _refuse_populated(workspace: Workspace, config: Config, replace: bool, progress: Progress) -> None:
    with open_store(config, workspace, progress=progress) as store:
        n_nodes = load.refuse_other(store, workspace)[4]
    if n_nodes and not replace:
        raise StoreError(
            f"The graph of {workspace.path} holds {n_nodes:,} nodes, and --bulk makes it anew, without what was added by "
            "hand. Say --replace if that may be, or load without --bulk: that writes what differs."
        )


def _verify(store: Store, written: Written) -> None:
    """StoreError when numbers of nodes and relationships, or a sample of facts, are not what was written."""
    for (what, name), expected in sorted(written.counts.items()):
        text = cypher.count_label(name) if what == "node" else cypher.count_type(name)
        if name == cypher.MARKER:
            continue
        _, [[n]] = store.read(text, timeout_s=600)
        if n != expected:
            raise StoreError(
                f"After the import the graph holds {n:,} {name} where {expected:,} were written. "
                "Run the same command again with --replace."
            )
    for kind, facts in written.facts.items():
        expected = {f.uid: [f.values["source"], f.values["target"], f.values["properties"]] for f in facts}
        _, rows = store.read(cypher.facts_of(kind), {"uids": list(expected)}, max_rows=None, timeout_s=600)
        if {uid: rest for uid, *rest in rows} != expected:
            wrong = next(uid for uid in expected if [uid, *expected[uid]] not in rows)
            raise StoreError(
                f"After the import the {kind} {wrong} is not what was written. Run the same command again with --replace."
            )


def _totals(written: Written) -> dict[str, int]:
    found = {"nodes_written": -1, "relationships_written": 0}  # the marker is no node of the workspace
    for (what, _), n in written.counts.items():
        found[f"{what}s_written"] += n
    return found
