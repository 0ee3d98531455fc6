"""The stage `load`: the workspace's tables become the graph in Neo4j."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from kgpipe.config import Config
from kgpipe.engine import Progress, silent
from kgpipe.workspace import Workspace


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:  # fmt: skip
    """Makes the configured graph (our own server's, when none is) equal to the workspace.

    Returns counts of what changed, and as `browser` the address of Neo4j Browser with a first query.
    """
    from kgpipe.graph.load import load
    from kgpipe.graph.store import open_store

    with open_store(config, workspace, progress=progress) as store:
        return {**load(store, workspace, progress=progress), "browser": browser(config, workspace)}


def browser(config: Config, workspace: Workspace) -> str:
    """The address of Neo4j Browser that names the server of the graph and its user, with a first query."""
    from kgpipe.graph import browser as pages
    from kgpipe.graph import server

    query = pages.saved(pages.FIRST).text
    if not config.neo4j:
        ours = server.status(workspace.path / "neo4j")
        return pages.url(ours.browser, ours.uri, ours.user, query)
    page = config.neo4j_browser or f"http://{urlsplit(config.neo4j).hostname}:7474/browser/"
    return pages.url(page, config.neo4j, config.neo4j_user, query)
