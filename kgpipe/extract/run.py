"""The extraction stage: passages that have no row under the current fingerprint get one, group by group."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from kgpipe import engine
from kgpipe import schema as schemas
from kgpipe.config import Config
from kgpipe.errors import KgpipeError, TooManyFailures
from kgpipe.extract.base import Extractor, fingerprint, least_score
from kgpipe.records import Extraction, Failure, Passage
from kgpipe.workspace import Workspace

log = logging.getLogger(__name__)


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: engine.Progress = engine.silent
) -> dict[str, Any]:
    """Extracts the passages of a shard that are not done and returns counts; rows of another fingerprint go first."""
    schema = schemas.from_json(workspace.state("schema")["json"])
    threshold = least_score(config.checkpoint, threshold=config.threshold, precision=config.precision)
    current = fingerprint(schema, checkpoint=config.checkpoint, threshold=threshold)
    passages = workspace.read("passages")
    _clear_stale(workspace, passages, current, shard)
    todo = engine.missing(passages, workspace, "extractions", on="uid", key="passage")
    mine = [engine.in_shard(uid, shard) for uid in todo.column("uid").to_pylist()]
    todo = todo.filter(pa.array(mine, pa.bool_()))  # typed, since an empty list says no type
    counts = {"passages": 0, "mentions": 0, "relations": 0, "failed": 0}
    if not todo.num_rows:
        return counts
    from kgpipe.extract.encoder import EncoderExtractor

    extractor = EncoderExtractor(
        schema, checkpoint=config.checkpoint, threshold=threshold, device=config.device
    )  # fmt: skip
    for group in engine.groups(todo, config.group):
        progress("extract", counts["passages"], todo.num_rows)
        rows = extracted(extractor, _records(group))
        workspace.commit("extractions", rows, fingerprint=current)
        failed = [Failure("extract", row.passage, row.error) for row in rows if row.error]
        workspace.commit("failures", failed)
        counts["passages"] += len(rows)
        counts["mentions"] += sum(len(row.mentions) for row in rows)
        counts["relations"] += sum(len(row.relations) for row in rows)
        counts["failed"] += len(failed)
        if counts["failed"] > config.max_failed * max(counts["passages"], 1):
            raise TooManyFailures(
                f"{counts['failed']} of {counts['passages']} passages failed in extraction, more than max_failed "
                f"{config.max_failed} allows; the first: {failed[0].reason}. Mend the cause or raise max_failed."
            )
    progress("extract", counts["passages"], todo.num_rows)
    return counts


def extracted(extractor: Extractor, passages: Sequence[Passage]) -> list[Extraction]:
    """One extraction a passage, in order. When a group fails, its passages are tried one by one and failures named."""
    try:
        found = extractor(passages)
    except KgpipeError:
        raise
    except Exception as error:  # whatever a model or tokenizer raises is a failure of the passage that caused it
        if len(passages) == 1:
            log.warning("passage %s failed: %s", passages[0].uid, error)
            reason = f"{type(error).__name__}: {error}"
            return [Extraction(passages[0].uid, extractor.fingerprint, passages[0].document, error=reason)]
        return [row for passage in passages for row in extracted(extractor, [passage])]
    return [
        Extraction(passage.uid, extractor.fingerprint, passage.document, mentions, relations)
        for passage, (mentions, relations) in zip(passages, found, strict=True)
    ]


def _clear_stale(workspace: Workspace, passages: pa.Table, current: str, shard: tuple[int, int]) -> None:
    """Removes the shard's rows of another fingerprint or of passages that are gone, and failures, to be tried again."""
    done = workspace.read("extractions", ["passage", "fingerprint", "error"]).to_pylist()
    present = set(passages.column("uid").to_pylist())
    stale = [r["passage"] for r in done if r["fingerprint"] != current or r["passage"] not in present or r["error"]]
    workspace.delete("extractions", "passage", [uid for uid in stale if engine.in_shard(uid, shard)])
    failures = workspace.read("failures").to_pylist()
    mine = [f["uid"] for f in failures if f["stage"] == "extract" and engine.in_shard(f["key"], shard)]
    workspace.delete("failures", "uid", mine)


def _records(table: pa.Table) -> list[Passage]:
    columns = ("document", "version", "start", "end", "text")
    return [Passage(**{c: row[c] for c in columns}) for row in table.to_pylist()]
