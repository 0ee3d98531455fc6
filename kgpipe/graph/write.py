"""Writes batches of rows exactly once, by one or several writers that never share a node.

Each writer has a node of the marker's label in the graph, which names the load it serves and the last batch that it
committed. A transaction takes the lock of that node, looks whether its batch is there already, writes its rows and the
batch's number, and commits all of it together. So a batch whose acknowledgement was lost is not written twice, and a
batch that a killed load left on its way is refused after the next load has begun.

Writers that share no node can deadlock all the same: Neo4j locks the relationships that stand next to a new one in the
lists of its two nodes, whoever's they are. The driver tries such a transaction again.
"""

from __future__ import annotations

import concurrent.futures
import os
import zlib
from dataclasses import dataclass
from typing import Any

from kgpipe.errors import StoreError
from kgpipe.graph import cypher
from kgpipe.graph.store import Store

BATCH_ROWS = 10_000
BATCH_CHARACTERS = 8_000_000
_KNOWN = [f"writer {n}" for n in range(8)]
"""Names of the writers' nodes, at most so many."""

Values = dict[str, Any]
Key = tuple[str, str]
"""The Cypher text for rows with the same properties, and the one for where something of that uid stands there after all."""


@dataclass(frozen=True, slots=True)
class Row:
    """One node ({properties}) or relationship ({source, target, properties}) and how it is written."""

    key: Key
    values: Values


class Writers:
    """The writers of one load, as a context: `add` nodes, `flush`, `add` relationships, `flush`, `remove`,
    and `finish` when the graph is what it should be.

    Rows go to the server from other threads while the caller makes the next ones; an error that they meet is raised by
    the next call.
    """

    def __init__(self, store: Store, n_writers: int = 1, *, schema: str = "") -> None:
        """`schema` is that of the tables, as JSON."""
        self._store = store
        self._n = n_writers
        self._schema = schema
        self._load = os.urandom(8).hex()
        self._batches = [0] * n_writers
        self._rows: list[Row] = []
        self._n_characters = 0
        self._sending: concurrent.futures.Future[None] | None = None

    def __enter__(self) -> Writers:
        parameters = {"schema": self._schema, "known": _KNOWN, "names": _KNOWN[: self._n], "load": self._load}
        self._store.write(cypher.BEGIN, parameters)
        self._rounds = concurrent.futures.ThreadPoolExecutor(1, "kgpipe-rounds")
        self._pool = concurrent.futures.ThreadPoolExecutor(self._n, "kgpipe-writer")
        return self

    def __exit__(self, *_: object) -> None:
        self._rounds.shutdown(cancel_futures=True)
        self._pool.shutdown()

    def finish(self, fingerprint: str) -> None:
        """Says in the graph that the tables of this fingerprint are loaded, and removes the writers' nodes."""
        self._store.write(cypher.FINISH, {"fingerprint": fingerprint, "known": _KNOWN})

    def add(self, row: Row) -> None:
        """Takes one row; between two calls of `flush` all are nodes or all are relationships."""
        self._rows.append(row)
        properties = row.values.get("properties", {})
        self._n_characters += sum(len(v) for v in properties.values() if isinstance(v, str | list))
        n_batches = self._n if self._n == 1 else 2 * self._n
        if len(self._rows) >= BATCH_ROWS * n_batches or self._n_characters >= BATCH_CHARACTERS * n_batches:
            self._send()

    def flush(self) -> None:
        """Waits until every row is in the graph."""
        self._send()
        self._send()

    def remove(self, text: str, uids: list[str]) -> None:
        """Runs the removal for uids, in one transaction; uids that are not there are no error."""
        self._commit(0, [(text, {"uids": uids}, None)])

    def _send(self) -> None:
        if self._sending:
            self._sending.result()
        rows, self._rows, self._n_characters = self._rows, [], 0
        self._sending = self._rounds.submit(self._write_rounds, rows) if rows else None

    def _write_rounds(self, rows: list[Row]) -> None:
        for batches in rounds(rows, self._n):
            jobs = [self._pool.submit(self._write, n, batch) for n, batch in enumerate(batches) if batch]
            concurrent.futures.wait(jobs)
            for job in jobs:
                job.result()

    def _write(self, writer: int, rows: list[Row]) -> None:
        by_key: dict[Key, list[Values]] = {}
        for row in rows:
            by_key.setdefault(row.key, []).append(row.values)
        for values in by_key.values():
            if "source" in values[0]:
                values.sort(
                    key=lambda row: (row["source"], row["target"])
                )  # a node's locks are taken one after the other
        try:
            self._commit(writer, [(key[0], columns(values), len(values)) for key, values in by_key.items()])
        except StoreError as error:
            if "ConstraintValidationFailed" not in error.code:
                raise
            # somebody took the `row` of a node or edge away, so that it seemed to be missing
            self._commit(writer, [(key[1], columns(values), len(values)) for key, values in by_key.items()])

    def _commit(self, writer: int, statements: list[tuple[str, dict[str, Any], int | None]]) -> None:
        """All statements (text, parameters, rows expected) and the batch's number in one transaction, once."""
        name, batch = _KNOWN[writer], self._batches[writer] + 1

        def work(transaction: Any) -> None:
            transaction.run(cypher.HOLD_WRITER, name=name).consume()  # waits for an earlier try of this batch
            state = transaction.run(cypher.WRITER, name=name).single()
            if state is None or state["load"] != self._load:
                raise StoreError(
                    f"Another load into {self._store.uri} has begun, so this one ended. Let one run at a time."
                )
            if state["batch"] == batch:
                return
            for text, parameters, n_expected in statements:
                result = transaction.run(text, parameters)
                if n_expected is None:
                    result.consume()
                    continue
                n_missing = n_expected - result.single()["written"]
                if n_missing:
                    raise StoreError(
                        f"{n_missing:,} of {n_expected:,} relationships found no node at one end, in: "
                        f"{' '.join(text.split())}. Something else is changing the graph at {self._store.uri}: "
                        "stop it and run the same command again."
                    )
            transaction.run(cypher.ADVANCE_WRITER, name=name, batch=batch).consume()

        self._store.transact(work)
        self._batches[writer] = batch


def columns(values: list[Values]) -> dict[str, Any]:
    """The parameters of a text of `cypher` that writes these nodes or relationships, all with the same properties."""
    found: dict[str, Any] = {"n": len(values)}
    found |= {end: [row[end] for row in values] for end in ("source", "target") if end in values[0]}
    keys = values[0].get("properties", ())
    return found | {"properties": {key: [row["properties"][key] for row in values] for key in keys}}


def rounds(rows: list[Row], n_writers: int) -> list[list[list[Row]]]:
    """The rows as rounds of `n_writers` batches; within a round no two batches have a node in common.

    Relationships go by the buckets of their two ends, 2n buckets for n writers. The pairs of buckets are arranged as in
    a tournament where everybody plays everybody, n games a round; edges inside one bucket belong to the first round.
    """
    if n_writers == 1:
        return [[rows]]
    if not rows or "source" not in rows[0].values:
        return [[rows[n::n_writers] for n in range(n_writers)]]
    place: dict[tuple[int, int], tuple[int, int]] = {}
    for number, games in enumerate(_tournament(2 * n_writers)):
        for writer, (a, b) in enumerate(games):
            place[a, b] = place[b, a] = (number, writer)
            if number == 0:
                place[a, a] = place[b, b] = (number, writer)
    found: list[list[list[Row]]] = [[[] for _ in range(n_writers)] for _ in range(2 * n_writers - 1)]
    for row in rows:
        a, b = (zlib.crc32(row.values[end].encode()) % (2 * n_writers) for end in ("source", "target"))
        number, writer = place[a, b]
        found[number][writer].append(row)
    return found


def _tournament(n: int) -> list[list[tuple[int, int]]]:
    """n - 1 rounds in which each of n (even) meets each other once (the circle method)."""
    others = list(range(1, n))
    found = []
    for _ in others:
        circle = [0, *others]
        found.append([(circle[i], circle[n - 1 - i]) for i in range(n // 2)])
        others = [others[-1], *others[:-1]]
    return found
