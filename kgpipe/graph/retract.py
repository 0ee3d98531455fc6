"""Removes from the graph what the workspace no longer holds."""

from __future__ import annotations

from kgpipe.engine import Progress, silent
from kgpipe.graph.write import Writers

BATCH_ROWS = 5_000


def remove(
    writers: Writers, cypher: str, uids: list[str], *, what: str = "remove", progress: Progress = silent
) -> None:
    """Runs the removal for all uids, in batches of one transaction each; uids that are not there are no error."""
    for start in range(0, len(uids), BATCH_ROWS):
        progress(what, start, len(uids))
        writers.remove(cypher, uids[start : start + BATCH_ROWS])
    if uids:
        progress(what, len(uids), len(uids))
