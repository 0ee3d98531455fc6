"""The stage `load`: the workspace's tables become the graph in Neo4j."""

from __future__ import annotations

from typing import Any

from kgpipe.config import Config
from kgpipe.engine import Progress, silent
from kgpipe.workspace import Workspace


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:  # fmt: skip
    """Makes the configured graph (our own server's, when none is) equal to the workspace; counts of what changed."""
    from kgpipe.graph.load import load
    from kgpipe.graph.store import open_store

    with open_store(config, workspace, progress=progress) as store:
        return load(store, workspace, progress=progress)
