"""Builds that are killed at random moments and started again end like one that was not."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest

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
