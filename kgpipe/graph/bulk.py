"""The first load of a large graph: CSV files, and `neo4j-admin database import full` on our own stopped server.

Tables are streamed, so that memory does not grow with the graph (16 bytes a mention and entity apart). Nodes and
relationships are those of `load`, with the same hash in `row`: after it, a load finds nothing to write.
"""

from __future__ import annotations

import csv
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kgpipe.config import Config
from kgpipe.engine import Progress, silent
from kgpipe.errors import SchemaError, StoreError
from kgpipe.graph import cypher, load, server
from kgpipe.graph.store import Store, open_store
from kgpipe.graph.write import Row, Writers
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

SEPARATOR = "\x1f"
"""Between the items of a list in a field; a list that holds it is written after the import."""
SAMPLE = 1_000
"""Facts that are read back and compared."""
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
    """Writes the CSV files of all nodes and relationships for `neo4j-admin`, into a folder that is made."""
    folder.mkdir(parents=True)
    found = Written()
    n_facts = sum(batch.num_rows for batch in _batches(workspace, "facts", ["uid"]))
    chosen = set(random.Random(0).sample(range(n_facts), min(SAMPLE, n_facts)))
    total = sum(pq.read_metadata(path).num_rows for table in load.TABLES for path in workspace.files(table))
    done = 0
    with _Files(folder, found) as files:
        files.node(
            load.Wanted("kgpipe", "", (cypher.MARKER,), {
                "uid": "kgpipe", "properties": {"name": "kgpipe", "uid": workspace.uid, "fingerprint": "",
                                                "schema": schema.to_json()},
            }),
            id_is_uid=False,
        )  # fmt: skip
        for part in load.node_parts({table: _Streamed(workspace, table) for table in load.TABLES}, schema):
            for wanted in part.wanted():
                if wanted.group[0] in ("Entity", "Literal") and len(wanted.group) < 2:
                    raise SchemaError(f"{part.name} {wanted.uid} has no type of the schema. Run kgpipe build again.")
                files.node(wanted)
            done += part.n_rows
            progress("write files", done, total)
        n = 0
        for part in load.link_parts({table: _Streamed(workspace, table) for table in load.TABLES}):
            for wanted in part.wanted():
                files.relationship(part.name, wanted)
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
            done += rows.num_rows
            progress("write files", done, total)
        owners = _Owners(workspace)
        for rows in _batches(workspace, "extractions", ["passage", "mentions"]):
            for row in load.spoken_of(rows, owners.of(rows)).to_pylist():
                files.relationship("MENTIONS", load.mentions_edge(row))
            done += rows.num_rows
            progress("write files", done, total)
    progress("write files", total, total)
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
    """One CSV file for each set of columns, its header in the first line."""

    def __init__(self, folder: Path, written: Written) -> None:
        self._folder = folder
        self._written = written
        self._open: dict[tuple[object, ...], TextIO] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *exception: object) -> None:
        for file in self._open.values():
            file.close()

    def node(self, wanted: load.Wanted, *, id_is_uid: bool = True) -> None:
        properties = wanted.values["properties"]
        if any(SEPARATOR in item for value in properties.values() if isinstance(value, list) for item in value):
            self._written.later.append(wanted)
            properties = {k: [] if isinstance(v, list) else v for k, v in properties.items()} | {"row": ""}
        held = [(k, v) for k, v in properties.items() if v is not None and not (id_is_uid and k == "uid")]
        key = ("node", id_is_uid, *((name, type(value)) for name, value in held))
        columns = ["uid:ID" if id_is_uid else ":ID", ":LABEL", *(f"{k}:{_TYPES[type(v)]}" for k, v in held)]
        fields = [wanted.uid, SEPARATOR.join(wanted.group), *(v for _, v in held)]
        self._line(key, columns, fields, self._written.nodes)
        self._written.counts["node", wanted.group[0]] += 1

    def relationship(self, kind: str, wanted: load.Wanted) -> None:
        values = wanted.values
        held = list(values.get("properties", {}).items())
        key = ("relationship", *((name, type(value)) for name, value in held))
        columns = [":START_ID", ":END_ID", ":TYPE", *(f"{k}:{_TYPES[type(v)]}" for k, v in held)]
        fields = [values["source"], values["target"], kind, *(v for _, v in held)]
        self._line(key, columns, fields, self._written.relationships)
        self._written.counts["relationship", kind] += 1

    def _line(self, key: tuple[object, ...], columns: list[str], fields: list[Any], known: list[Path]) -> None:
        file = self._open.get(key)
        if file is None:
            path = self._folder / f"{key[0]}s-{len(known)}.csv"
            known.append(path)
            file = self._open[key] = path.open("w", encoding="utf-8", newline="", buffering=1 << 20)
            csv.writer(file).writerow(columns)
        file.write(",".join(map(_field, fields)) + "\n")


def _field(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if isinstance(value, list):
        return '"' + SEPARATOR.join(value).replace('"', '""') + '"'
    return str(value).lower() if isinstance(value, bool) else str(value)


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
