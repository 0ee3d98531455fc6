"""Files to documents: decoding, markup to paragraphs, titles, languages; what cannot be read is a named failure."""

from __future__ import annotations

import json
import os
from typing import Any

from kgpipe.config import Config
from kgpipe.corpus.clean import cleaned, mended
from kgpipe.corpus.formats import Raw, read_file, title_from_name
from kgpipe.corpus.language import language_of
from kgpipe.corpus.sources import kind_of, path_of
from kgpipe.engine import Progress, in_shard, silent
from kgpipe.errors import TooManyFailures
from kgpipe.records import Document, Failure, as_row, content_id
from kgpipe.workspace import Workspace

_GROUP, _GROUP_CHARACTERS = 256, 8_000_000
"""Documents and characters at which a group is committed."""


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:
    """Reads what is new or changed in the sources: {documents, updated, removed, failed}; `failed` are new failures.

    What failed before is tried again. TooManyFailures when more than `max_failed` of all texts cannot be read; what
    could be read is kept.
    """
    sources = workspace.read("sources").to_pylist()
    columns = ["uid", "source", "source_version", "version"]
    known = {row["uid"]: row for row in workspace.read("documents", columns).to_pylist()}
    n_rows_known = all(kind_of(path_of(source["uri"])) != "jsonl" for source in sources)
    counts = {"documents": 0, "updated": 0}
    failures: list[Failure] = []
    seen: set[str] = set()
    group: list[dict[str, Any]] = []
    n_texts = n_characters = 0
    for source in sources:
        path = path_of(source["uri"])
        if not os.path.lexists(path):  # its documents stay until it is pruned
            seen |= {uid for uid, row in known.items() if row["source"] == source["uri"]}
            n_texts += 1
            continue
        whole = content_id("document", source["uri"])
        if whole in known and known[whole]["source_version"] == source["version"]:
            seen.add(whole)
            n_texts += 1
            continue
        for item in read_file(path, max_bytes=config.max_bytes):
            n_texts += 1
            progress("read", n_texts, len(sources) if n_rows_known else 0)
            uid = content_id("document", item.key if isinstance(item, Failure) else item.uri)
            if not in_shard(uid, shard):
                continue
            before = known.get(uid)
            if isinstance(item, Raw) and before and before["source_version"] == source["version"]:
                seen.add(uid)
                continue
            made = document(item, source=source["uri"]) if isinstance(item, Raw) else item
            if isinstance(made, Failure):
                failures.append(made)
                continue
            seen.add(uid)
            counts["documents"] += before is None
            counts["updated"] += before is not None and before["version"] != made.version
            group.append(as_row(made) | {"source_version": source["version"]})
            n_characters += len(made.text)
            if len(group) >= _GROUP or n_characters >= _GROUP_CHARACTERS:
                _replace(workspace, group, known)
                group, n_characters = [], 0
    _replace(workspace, group, known)
    # What hangs on a document that is gone or has other text is cleared by the splitting stage.
    removed = workspace.delete("documents", "uid", [u for u in known if in_shard(u, shard) and u not in seen])
    failed = _record(workspace, failures, shard)
    _check(workspace, n_texts, config.max_failed)
    return {**counts, "removed": removed, "failed": failed}


def document(raw: Raw, *, source: str) -> Document | Failure:
    """The cleaned document, or the failure when nothing is left to read."""
    text = cleaned(raw.text)
    if not any(c.isalnum() for c in text):
        return Failure("read", raw.uri, "no text")
    title = " ".join(mended(raw.title or _first_line(text)).split()) or title_from_name(path_of(raw.uri))
    return Document(
        uri=raw.uri,
        text=text,
        title=title,
        language=raw.language or language_of(text),
        time=mended(raw.time),
        metadata=json.dumps(raw.metadata, ensure_ascii=True, sort_keys=True, default=str),
        source=source,
    )


def _first_line(text: str) -> str:
    """The first paragraph where it looks like a title: short, without a full stop, with something after it."""
    line, _, rest = text.partition("\n\n")
    return line if rest and len(line) <= 80 and line[-1].isalnum() else ""


def _replace(workspace: Workspace, group: list[dict[str, Any]], known: dict[str, Any]) -> None:
    workspace.delete("documents", "uid", [row["uid"] for row in group if row["uid"] in known])
    workspace.commit("documents", group)


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
