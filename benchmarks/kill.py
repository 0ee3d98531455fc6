"""SIGKILL at random moments of `kgpipe build`, each followed by a new start: is the result that of an uninterrupted build?

    .venv/bin/python benchmarks/kill.py --kills 20

A build that ends before its moment has come is compared, tables and graph, with the uninterrupted one; then
the next begins in a new workspace with a Neo4j of its own, until all kills are done. Exits with 1 when one differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import importlib.metadata
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kgpipe.config import Config
from kgpipe.evaluate import same
from kgpipe.graph import server
from kgpipe.graph.store import open_store
from kgpipe.workspace import Workspace

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL: in which build, how many seconds after its start, and the stage that began last (empty: none)."""

    build: int
    seconds: float
    stage: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all kills led to: `differences` has the lines for each build, none when it equals the uninterrupted one."""

    seconds: float
    tables: str
    graph: str
    counts: dict[str, int]
    kills: list[Kill]
    differences: list[list[str]]


def run(
    corpus: Path, folder: Path, *, n_kills: int, rng: random.Random, schema: str = "computing",
    neo4j: server.Server | None = None, say: Callable[[Kill], None] = lambda kill: None,
) -> Outcome:  # fmt: skip
    """Builds the corpus once without and then with kills, below an empty folder.

    Every workspace has a server of its own, unless one is given, which is emptied after each build.
    """
    # one passage a group: the most moments between two commits, and scores that do not depend on the batch
    (folder / "kgpipe.toml").write_text("group = 1\n")
    config = Config(neo4j=neo4j.uri, neo4j_user=neo4j.user, neo4j_password=neo4j.password) if neo4j else Config()
    started = time.monotonic()
    _ended(_build(corpus, folder / "whole", schema, config), folder / "whole")
    seconds = time.monotonic() - started
    tables, graph = _contents(folder / "whole", config)
    counts = {name: rows.total() for name, rows in (tables | graph).items()}
    kills: list[Kill] = []
    differences: list[list[str]] = []
    while len(kills) < n_kills:
        workspace = folder / f"killed-{len(differences)}"
        ended = False
        while not ended:
            moment = rng.uniform(0, seconds) if len(kills) < n_kills else None
            began = time.monotonic()
            build = _build(corpus, workspace, schema, config)
            ended = _ended(build, workspace, moment)
            if not ended:
                os.killpg(build.pid, signal.SIGKILL)
                build.wait()
                kills.append(Kill(len(differences), round(time.monotonic() - began, 2), _last_begun(workspace)))
                say(kills[-1])
        found = _contents(workspace, config)
        differences.append(same.differences(tables, found[0]) + same.differences(graph, found[1]))
        if not differences[-1]:
            shutil.rmtree(workspace)
    return Outcome(round(seconds, 1), same.fingerprint(tables), same.fingerprint(graph), counts, kills, differences)


def _build(corpus: Path, workspace: Path, schema: str, config: Config) -> subprocess.Popen[bytes]:
    """A build in a process group of its own; what it prints goes beside the workspace."""
    command = [sys.executable, "-m", "kgpipe.cli", "build", str(corpus), "--schema", schema, "--quiet"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("KGPIPE_", "NEO4J_"))}
    if config.neo4j:
        environment |= {
            "NEO4J_URI": config.neo4j, "NEO4J_USERNAME": config.neo4j_user, "NEO4J_PASSWORD": config.neo4j_password
        }  # fmt: skip
    with workspace.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--workspace", str(workspace)], cwd=workspace.parent, env=environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def _ended(build: subprocess.Popen[bytes], workspace: Path, seconds: float | None = None) -> bool:
    """Whether the build ended by then; RuntimeError with what it printed when it failed."""
    try:
        code = build.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    except BaseException:  # an interrupted benchmark leaves no build behind
        os.killpg(build.pid, signal.SIGKILL)
        raise
    if code:
        raise RuntimeError(f"A build of {workspace} failed: {workspace.with_suffix('.log').read_text()}")
    return True


def _contents(folder: Path, config: Config) -> tuple[same.Contents, same.Contents]:
    """Tables and graph of a finished workspace, whose own server is stopped or the one given emptied."""
    workspace = Workspace(folder)
    try:
        with open_store(dataclasses.replace(config, workspace=folder), workspace) as store:
            found = same.tables(workspace), same.graph(workspace, store)
            if config.neo4j:
                store.write("MATCH (n) DETACH DELETE n")
            return found
    finally:
        server.stop(folder / "neo4j")


def _last_begun(workspace: Path) -> str:
    locks = sorted(workspace.glob("*-0-of-1.lock"), key=lambda path: path.stat().st_mtime_ns)
    return locks[-1].name.removesuffix("-0-of-1.lock") if locks else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT / "examples" / "corpus")
    parser.add_argument("--schema", default="computing")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    versions = {name: importlib.metadata.version(name) for name in ("kgpipe", "torch", "daft", "pyarrow", "neo4j")}
    about = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **versions,
        "corpus": f"{given.corpus.name}, seed {given.seed}",
    }
    for name, value in about.items():
        print(f"{name:8} {value}")
    print("\nkill  build  after s  stage")
    numbers = iter(range(1, given.kills + 1))
    with tempfile.TemporaryDirectory(prefix="kgpipe-kill-") as folder:
        try:
            found = run(
                given.corpus.absolute(), Path(folder), n_kills=given.kills, rng=random.Random(given.seed),
                schema=given.schema,
                say=lambda kill: print(
                    f"{next(numbers):4}  {kill.build + 1:5}  {kill.seconds:7.1f}  {kill.stage or 'starting'}", flush=True
                ),
            )  # fmt: skip
        finally:
            for home in Path(folder).glob("*/neo4j"):
                server.stop(home)
    print(f"\nuninterrupted build: {found.seconds} s, tables {found.tables}, graph {found.graph}")
    print(", ".join(f"{name} {count}" for name, count in sorted(found.counts.items())))
    for build, lines in enumerate(found.differences, 1):
        hits = sum(kill.build + 1 == build for kill in found.kills)
        print(f"build {build}, killed {hits} times: " + ("the same" if not lines else "DIFFERENT"))
        for line in lines:
            print(f"  {line}")
    if given.json:
        figures = {name: getattr(found, name) for name in ("seconds", "tables", "graph", "counts", "differences")}
        kills = [[kill.build, kill.seconds, kill.stage] for kill in found.kills]
        given.json.write_text(json.dumps({**about, **figures, "kills": kills}, indent=1) + "\n")
    return int(any(found.differences))


if __name__ == "__main__":
    sys.exit(main())
