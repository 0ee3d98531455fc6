"""SIGKILL at random moments of `kgpipe build`, each followed by a new start: is the result that of an uninterrupted build?

    .venv/bin/python benchmarks/kill.py --kills 20
    .venv/bin/python benchmarks/kill.py --kills 0 --loader 200 --server 20 --lost 50

A build that ends before its moment has come is compared, tables and graph, with the uninterrupted one; then
the next begins in a new workspace with a Neo4j of its own, until all kills are done. Exits with 1 when one differs.

`--loader`, `--server` and `--lost` are about loading alone: a graph of random tables is loaded over that of others, back and
forth, so that every load adds, changes and removes. The loading process gets SIGKILL at a random moment and is started
again; or Neo4j gets SIGKILL and is started again while the load goes on; or a proxy loses the server's answer to one commit.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import importlib.metadata
import json
import multiprocessing
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from kgpipe.config import Config
from kgpipe.evaluate import same
from kgpipe.graph import server
from kgpipe.graph.store import Store, open_store
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


@dataclass(frozen=True, slots=True)
class Blow:
    """One load that was hit: when, in seconds or as the number of the commit; whether it ended by itself; what differed.

    `again` counts the rows that the load after it wrote and removed.
    """

    kind: str
    moment: float
    survived: bool
    again: int
    differences: list[str]


KINDS = ("loader", "server", "lost")


def run_loads(
    folder: Path, neo4j: server.Server, kinds: Sequence[str], *, rng: random.Random, n_entities: int = 300,
    batch_rows: int = 200, say: Callable[[Blow], None] = lambda blow: None,
) -> list[Blow]:  # fmt: skip
    """Hits one load for each of `kinds`, on an empty server of ours, and compares the graph after the next load."""
    from proxy import Proxy
    from synthetic import make

    from kgpipe.graph.load import load

    states = [make(folder / "a", n_entities), make(folder / "b", n_entities * 7 // 8)]
    shutil.copy(folder / "a" / "workspace.json", folder / "b" / "workspace.json")  # one workspace at two times
    states[1] = Workspace(folder / "b")
    proxy = Proxy(int(neo4j.uri.rpartition(":")[2]))
    context = multiprocessing.get_context("forkserver")  # starts in milliseconds, without this process's threads
    context.set_forkserver_preload(["kgpipe.graph.load", "kgpipe.graph.write", "neo4j", "pyarrow.parquet"])

    def start(state: Workspace, uri: str) -> tuple[Any, Any]:
        parent, child = context.Pipe()
        arguments = (str(state.path), uri, neo4j.user, neo4j.password, batch_rows, child)
        process = context.Process(target=_load, args=arguments, daemon=True)  # ends with this process
        process.start()
        child.close()
        parent.recv()  # it has everything imported and is connected
        return process, time.monotonic()

    with Store(neo4j.uri, neo4j.user, neo4j.password, retry_s=300) as store:
        expected = []
        seconds = []
        for state in (*states, *states):
            process, began = start(state, proxy.uri)
            proxy.n_commits = 0
            process.join()
            seconds.append(time.monotonic() - began)
            expected.append(same.graph(state, store))
        n_commits = proxy.n_commits
        wanted = dict(enumerate(expected[2:]))
        found: list[Blow] = []
        now = 1
        for kind in kinds:
            now = 1 - now
            while True:
                moment = rng.uniform(0, seconds[2 + now]) if kind != "lost" else rng.randint(1, n_commits)
                proxy.lose_in = int(moment) if kind == "lost" else 0
                before = proxy.n_lost
                process, began = start(states[now], proxy.uri)
                process.join(max(0, moment - (time.monotonic() - began)) if kind != "lost" else None)
                hit = process.exitcode is None if kind != "lost" else proxy.n_lost > before
                if not hit:  # it ended before: not counted, and back to the other state
                    load(store, states[1 - now])
                    continue
                if kind == "loader":
                    process.kill()
                elif kind == "server":
                    dying = psutil.Process(neo4j.pid)
                    dying.kill()
                    dying.wait(60)  # until then its port may still answer
                    neo4j = server.start(neo4j.home, timeout_s=300)
                process.join()
                break
            again = sum(load(store, states[now]).values())
            lines = same.differences(wanted[now], same.graph(states[now], store))
            found.append(Blow(kind, round(moment, 2), process.exitcode == 0, again, lines))
            say(found[-1])
    proxy.close()
    return found


def _load(path: str, uri: str, user: str, password: str, batch_rows: int, ready: Any) -> None:
    """Loads in a process of its own."""
    from kgpipe.graph import write
    from kgpipe.graph.load import load

    write.BATCH_ROWS = batch_rows
    with Store(uri, user, password, retry_s=300) as store:
        ready.send(True)
        load(store, Workspace(path))


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
    parser.add_argument("--loader", type=int, default=0, metavar="N", help="loads whose process gets SIGKILL")
    parser.add_argument("--server", type=int, default=0, metavar="N", help="loads whose Neo4j gets SIGKILL")
    parser.add_argument("--lost", type=int, default=0, metavar="N", help="loads of which one acknowledgement is lost")
    parser.add_argument("--entities", type=int, default=300, help="size of the loads that are hit")
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
    blows = _main_loads(given)
    if not given.kills:
        if given.json:
            given.json.write_text(json.dumps({**about, "loads": list(map(dataclasses.asdict, blows))}, indent=1) + "\n")
        return int(any(blow.differences for blow in blows))
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
        given.json.write_text(
            json.dumps({**about, **figures, "kills": kills, "loads": list(map(dataclasses.asdict, blows))}, indent=1)
            + "\n"
        )
    return int(any(found.differences) or any(blow.differences for blow in blows))


def _main_loads(given: argparse.Namespace) -> list[Blow]:
    kinds = [kind for kind in KINDS for _ in range(getattr(given, kind))]
    if not kinds:
        return []
    random.Random(given.seed).shuffle(kinds)
    print("\nload  hit     at            ended by itself  written by the next")
    numbers = iter(range(1, len(kinds) + 1))

    def say(blow: Blow) -> None:
        at = f"commit {blow.moment:.0f}" if blow.kind == "lost" else f"{blow.moment:.2f} s"
        told = "" if not blow.differences else "  DIFFERENT: " + "; ".join(blow.differences)
        print(f"{next(numbers):4}  {blow.kind:6}  {at:12}  {str(blow.survived):15}  {blow.again}{told}", flush=True)

    with tempfile.TemporaryDirectory(prefix="kgpipe-kill-") as folder:
        home = Path(folder) / "neo4j"
        try:
            blows = run_loads(
                Path(folder), server.start(home, timeout_s=300), kinds, rng=random.Random(given.seed),
                n_entities=given.entities, say=say,
            )  # fmt: skip
        finally:
            server.stop(home)
    for kind in KINDS:
        hit = [blow for blow in blows if blow.kind == kind]
        if hit:
            survived = sum(blow.survived for blow in hit)
            different = sum(bool(blow.differences) for blow in hit)
            print(f"{kind}: {len(hit)} loads hit, {survived} ended by themselves, {different} graphs differ")
    return blows


if __name__ == "__main__":
    sys.exit(main())
