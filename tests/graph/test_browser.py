"""Neo4j Browser shows the graph: the script of the README's picture, in a headless Chromium."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from kgpipe.graph.store import Store

SCRIPT = Path(__file__).parents[2] / "docs" / "screenshot.py"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_browser_draws_the_nodes_of_a_query(graph, tmp_path):
    if not shutil.which("chromium"):
        assert not os.environ.get("CI"), "CI installs Chromium"
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    spec = importlib.util.spec_from_file_location("screenshot", SCRIPT)
    screenshot = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(screenshot)
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write("CREATE (:Entity:Person {name: 'Ada'})-[:FOUNDED]->(:Entity:Organization {name: 'Analysts'})")
    seen = screenshot.picture(graph, tmp_path / "browser.png", query="MATCH p = ()-->() RETURN p")
    assert "Displaying 2 nodes, 1 relationships." in seen
    assert (tmp_path / "browser.png").read_bytes().startswith(b"\x89PNG")
