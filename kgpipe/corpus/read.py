"""Files to documents, in a process of its own with limits; what cannot be read is a named failure, what a filter keeps
out a row in `removed`."""

from __future__ import annotations

import os
from typing import Any

from kgpipe.config import Config
from kgpipe.corpus.document import reading
from kgpipe.corpus.isolate import reader
from kgpipe.corpus.sources import kind_of, path_of
from kgpipe.engine import Progress, in_shard, silent
from kgpipe.errors import TooManyFailures
from kgpipe.records import Failure, content_id
from kgpipe.workspace import Workspace

_MANY = ("jsonl", "csv", "parquet", "dump", "zip", "tar", "mail")
"""Kinds of which one file may give many documents."""
_GROUP, _GROUP_CHARACTERS = 256, 8_000_000
"""Documents and characters at which a group is committed."""


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:
    """Reads what is new or changed: {documents, updated, removed, filtered, failed}; `failed` are new failures.

    `filtered` counts documents that a quality filter keeps out. What failed before is tried again. TooManyFailures when
    more than `max_failed` of all texts cannot be read; what could be read is kept.
    """
    sources = workspace.read("sources").to_pylist()
    settings = reading(config)
    columns = ["uid", "source", "source_version"]
    rows = workspace.read("documents", [*columns, "version"]).to_pylist()
    known = {row["uid"]: row for row in rows}
    kept_out = {row["uid"]: row for row in workspace.read("removed", columns).to_pylist()}
    by_source: dict[str, list[str]] = {}
    for row in (*known.values(), *kept_out.values()):
        by_source.setdefault(row["source"], []).append(row["uid"])
    n_known = all(kind_of(path_of(source["uri"])) not in _MANY for source in sources)
    counts = {"documents": 0, "updated": 0, "filtered": 0}
    failures: list[Failure] = []
    seen: set[str] = set()
    seen_out: set[str] = set()
    documents = _Group(workspace, "documents", known)
    removed = _Group(workspace, "removed", kept_out)
    n_texts = 0
    # Files of many texts that were read to the end without a failure, as {uri: [version, texts of this shard, of all]}.
    state = f"read-{shard[0]}-of-{shard[1]}"
    ended, ends = workspace.state(state), {}
    for source in sources:
        path, uri = path_of(source["uri"]), source["uri"]
        version = content_id(source["version"], settings.fingerprint)
        own = by_source.get(uri, [])
        if own and not os.path.lexists(path):  # its documents stay until it is pruned
            seen.update(uid for uid in own if uid in known)
            seen_out.update(uid for uid in own if uid in kept_out)
            n_texts += 1
            continue
        done = {uid for uid in own if (known.get(uid) or kept_out[uid])["source_version"] == version}
        whole = content_id("document", uri)
        if whole in done:
            (seen if whole in known else seen_out).add(whole)
            n_texts += 1
            continue
        mine = [uid for uid in done if in_shard(uid, shard)]
        if ended.get(uri, [])[:2] == [version, len(mine)]:  # none of its documents was deleted since
            seen.update(uid for uid in mine if uid in known)
            seen_out.update(uid for uid in mine if uid in kept_out)
            n_texts += ended[uri][2]
            ends[uri] = ended[uri]
            continue
        n_before, n_mine, n_failed = n_texts, 0, 0
        for answer in reader().texts(
            path, source=uri, reading=settings, shard=shard, done=tuple(done), seconds=config.read_seconds,
            memory_mb=config.read_memory_mb,
        ):  # fmt: skip
            n_texts += 1
            progress("read", n_texts, len(sources) if n_known else 0)
            ((what, found),) = answer.items()
            n_mine += what not in ("other", "failure")
            n_failed += what == "failure"
            if what == "kept":
                seen.add(found) if found in known else seen_out.add(found)
            elif what == "failure":
                made = Failure(*(found[name] for name in ("stage", "key", "reason", "exception")))
                if in_shard(content_id("document", made.key), shard):
                    failures.append(made)
            elif what == "removed":
                seen_out.add(found["uid"])
                counts["filtered"] += found["uid"] not in kept_out
                removed.add(found | {"source_version": version})
            elif what == "document":
                before = known.get(found["uid"])
                seen.add(found["uid"])
                counts["documents"] += before is None
                counts["updated"] += before is not None and before["version"] != found["version"]
                documents.add(found | {"source_version": version})
        if kind_of(path) in _MANY and not n_failed:
            ends[uri] = [version, n_mine, n_texts - n_before]
    documents.commit()
    removed.commit()
    if ends != ended:
        workspace.set_state(state, ends)
    # What hangs on a document that is gone or has other text is cleared by the splitting stage.
    gone = workspace.delete("documents", "uid", [u for u in known if in_shard(u, shard) and u not in seen])
    workspace.delete("removed", "uid", [u for u in kept_out if in_shard(u, shard) and u not in seen_out])
    failed = _record(workspace, failures, shard)
    _check(workspace, n_texts, config.max_failed)
    return {**counts, "removed": gone, "failed": failed}


class _Group:
    """Rows of one table, committed when they are many; rows of the same uid go before."""

    def __init__(self, workspace: Workspace, table: str, known: dict[str, Any]) -> None:
        self.workspace, self.table, self.known = workspace, table, known
        self.rows: list[dict[str, Any]] = []
        self.n_characters = 0

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        self.n_characters += len(row.get("text", ""))
        if len(self.rows) >= _GROUP or self.n_characters >= _GROUP_CHARACTERS:
            self.commit()

    def commit(self) -> None:
        self.workspace.delete(self.table, "uid", [row["uid"] for row in self.rows if row["uid"] in self.known])
        self.workspace.commit(self.table, self.rows)
        self.rows, self.n_characters = [], 0


def _record(workspace: Workspace, failures: list[Failure], shard: tuple[int, int]) -> int:
    """Makes the shard's rows in `failures` those of this run; returns how many are new."""
    found = {failure.uid: failure for failure in failures}
    before = {
        row["uid"]: row["reason"]
        for row in workspace.read("failures").to_pylist()
        if row["stage"] == "read" and in_shard(content_id("document", row["key"]), shard)
    }
    fresh = [failure for uid, failure in found.items() if before.get(uid) != failure.reason]
    workspace.delete("failures", "uid", [*(before.keys() - found.keys()), *(failure.uid for failure in fresh)])
    workspace.commit("failures", fresh)
    return len(fresh)


def _check(workspace: Workspace, n_texts: int, allowed: float) -> None:
    # Over all shards: the failures of one alone may be many of its few texts.
    rows = [row for row in workspace.read("failures").to_pylist() if row["stage"] == "read"]
    if len(rows) > allowed * n_texts:
        first = "; ".join(f"{path_of(row['key'])}: {row['reason']}" for row in rows[:3])
        raise TooManyFailures(
            f"{len(rows)} of {n_texts} texts could not be read, more than max_failed = {allowed:g} allows. First: {first}. "
            "Mend or remove these files, or raise max_failed in kgpipe.toml."
        )
