"""Seconds of each stage, in all and per 1,000 words, and what the graph holds after loading once and twice.

    .venv/bin/python benchmarks/stages.py examples/corpus --schema computing
    .venv/bin/python benchmarks/stages.py articles.jsonl --limit 100 --schema general --facts 20

PATH is a folder, or a JSON Lines file (plain or .gz) of {"id", "text"} of which the first `--limit` rows are read.
`--facts N` prints N random facts with their best sentence, to be judged by a person. Uses its own workspace and Neo4j.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import importlib.metadata
import itertools
import json
import os
import platform
import random
import tempfile
import time
from pathlib import Path

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.engine import progress_bar
from kgpipe.graph import server
from kgpipe.graph.store import open_store
from kgpipe.report import top_facts
from kgpipe.workspace import Workspace

PACKAGES = ("torch", "transformers", "neo4j", "daft")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--schema", default="general")
    parser.add_argument("--limit", type=int, default=100, help="rows of a JSON Lines file")
    parser.add_argument("--facts", type=int, default=0, help="how many random facts to print")
    parser.add_argument("--least", type=float, default=0.0, help="least score of those")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workspace", type=Path, help="keep the result here instead of in a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace_path = options.workspace or Path(folder) / "workspace"
        source = options.path if options.path.is_dir() else _first_rows(options.path, options.limit, Path(folder))
        try:
            _measure(source, workspace_path, options)
        finally:
            server.stop(workspace_path / "neo4j")


def _measure(source: Path, workspace_path: Path, options: argparse.Namespace) -> None:
    config = configuration.load(workspace=workspace_path, neo4j="")
    print(
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
    )
    print(", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES))
    with progress_bar() as progress:
        server.start(Workspace(config.workspace).path / "neo4j", progress=progress)  # not counted as loading
        started = time.monotonic()
        stages = pipeline.build([source], config, schema=options.schema, progress=progress)
        seconds = time.monotonic() - started
    workspace = pipeline.opened(config)
    n_words = sum(len(t.split()) for t in workspace.read("passages", ["text"]).column(0).to_pylist())
    print(f"{n_words:,} words read\n{'stage':10} {'seconds':>8} {'s / 1,000 words':>16}")
    for name, counts in stages.items():
        print(f"{name:10} {counts['seconds']:8.2f} {counts['seconds'] * 1000 / n_words:16.3f}")
    print(f"{'all':10} {seconds:8.2f} {seconds * 1000 / n_words:16.3f}")
    with open_store(config, workspace) as store:
        once = _counts(store)
        started = time.monotonic()
        pipeline.build([source], config, schema=options.schema)
        print(f"second build {time.monotonic() - started:.2f} s; counts in Neo4j after each build:")
        twice = _counts(store)
        for what in sorted({*once, *twice}):
            print(f"  {what:24} {once.get(what, 0):8,} {twice.get(what, 0):8,}")
    facts = [f for f in top_facts(workspace, 10**9, spread=False) if f["score"] >= options.least]
    print(f"{len(facts):,} facts with a score of {options.least} and more")
    for fact in random.Random(options.seed).sample(facts, min(options.facts, len(facts))):
        print(json.dumps(fact, ensure_ascii=False))


def _counts(store) -> dict[str, int]:
    nodes = store.read("MATCH (n) UNWIND labels(n) AS label RETURN label, count(*)")[1]
    edges = store.read("MATCH ()-[r]->() RETURN type(r), count(*)")[1]
    return {f"(:{k})": n for k, n in nodes} | {f"[:{k}]": n for k, n in edges}


def _first_rows(path: Path, n_rows: int, folder: Path) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    chosen = folder / "corpus"
    chosen.mkdir()
    with opener(path, "rt", encoding="utf-8") as source, (chosen / "rows.jsonl").open("w", encoding="utf-8") as out:
        out.writelines(itertools.islice(source, n_rows))
    return chosen


if __name__ == "__main__":
    main()
