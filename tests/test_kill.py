"""Builds that are killed at random moments and started again end like one that was not."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest

from kgpipe.graph import server

TEXTS = {
    "hopper.txt": "Grace Hopper was born in New York City on 9 December 1906. She worked for Remington Rand.",
    "ritchie.md": "# Dennis Ritchie\n\nDennis Ritchie worked for Bell Labs. He designed the C programming language.",
    "intel.html": "<html><body><p>Intel was founded by Robert Noyce and Gordon Moore in July 1968.</p></body></html>",
    "copy.txt": "Grace Hopper was born in New York City on 9 December 1906. She worked for Remington Rand.",
}


@pytest.fixture
def kill():
    path = Path(__file__).parents[1] / "benchmarks" / "kill.py"
    spec = importlib.util.spec_from_file_location("kill", path)
    module = sys.modules["kill"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["kill"]


@pytest.mark.slow
def test_three_kills_change_neither_tables_nor_graph(kill, graph, tmp_path):
    corpus, folder = tmp_path / "corpus", tmp_path / "builds"
    corpus.mkdir()
    folder.mkdir()
    for name, text in TEXTS.items():
        (corpus / name).write_text(text)
    seed = random.randrange(1_000_000)
    found = kill.run(corpus, folder, n_kills=3, rng=random.Random(seed), neo4j=graph)
    assert len(found.kills) == 3
    assert [lines for lines in found.differences if lines] == [], f"seed {seed}: {found.kills}"
    assert found.counts["documents"] == 4 and found.counts["duplicates"] == 1 and found.counts["facts"] > 0


@pytest.mark.slow
def test_loads_that_are_hit_end_in_the_graph_of_one_that_was_not(kill, neo4j_jars, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(kill.__file__).parent)
    seed = random.randrange(1_000_000)
    own = server.start(tmp_path / "neo4j", heap_mb=512, pagecache_mb=64, timeout_s=300)
    try:
        kinds = ["loader", "lost", "server", "loader", "lost"]
        found = kill.run_loads(
            tmp_path, own, kinds, rng=random.Random(seed), n_entities=40, batch_rows=100
        )  # fmt: skip
    finally:
        server.stop(tmp_path / "neo4j")
    assert [blow.kind for blow in found] == kinds
    assert [blow.differences for blow in found if blow.differences] == [], f"seed {seed}: {found}"
    # a lost answer and a server that comes back end no load, so nothing is left to the next one
    assert [(blow.survived, blow.again) for blow in found if blow.kind != "loader"] == [(True, 0)] * 3, f"seed {seed}"
