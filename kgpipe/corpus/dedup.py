"""Exact duplicates: documents that say the same but for case and white space point to one that stands for them."""

from __future__ import annotations

from typing import Any

from kgpipe.config import Config
from kgpipe.corpus.clean import folded_hash
from kgpipe.engine import Progress, frame, silent
from kgpipe.workspace import Workspace


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:
    """Brings `duplicates` up to date with the documents present: {duplicates, released}, rows new and rows gone."""
    documents = frame(workspace, "documents")
    import daft

    fold = daft.func(folded_hash, return_dtype=daft.DataType.string())
    same = (
        documents.select("uid", "uri", fold(daft.col("text")).alias("fold"))
        .groupby("fold")
        .agg(daft.col("uid").list_agg().alias("uids"), daft.col("uri").list_agg().alias("uris"))
        .where(daft.col("uids").length() > 1)
        .to_pylist()
    )
    wanted: dict[str, str] = {}
    for row in same:
        members = list(zip(row["uids"], row["uris"], strict=True))
        first = representative(members)
        wanted |= {uid: first for uid, _ in members if uid != first}
    present = {row["document"]: row["representative"] for row in workspace.read("duplicates").to_pylist()}
    fresh = [uid for uid in sorted(wanted) if present.get(uid) != wanted[uid]]
    released = [uid for uid in present if uid not in wanted]
    workspace.delete("duplicates", "document", [*fresh, *released])
    rows = [{"document": uid, "representative": wanted[uid], "reason": "exact"} for uid in fresh]
    workspace.commit("duplicates", rows)
    progress("dedup", 1, 1)
    return {"duplicates": len(fresh), "released": len(released)}


def representative(members: list[tuple[str, str]]) -> str:
    """The uid among (uid, uri) that stands for all: of the shortest uri, so `eniac.txt` before `eniac (copy).txt`.

    It depends on the documents present alone, not on their order of arrival.
    """
    return min(members, key=lambda member: (len(member[1]), member[1]))[0]
