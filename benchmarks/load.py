"""Loading: nodes and relationships a second into an empty and a populated Neo4j, in batches and by neo4j-admin.

    .venv/bin/python benchmarks/load.py --entities 1000 3000 10000 [--workspace FOLDER]

For each size and both for plain facts and for the whole evidence model (`synthetic.py`), on a server that is warm:
`empty` loads into an empty graph, `again` compares everything with nothing to write, `populated` loads a graph of other
texts over it (adds and removes), `n writers` is `empty` with several; `batch of nodes` and `batch of facts` is one
transaction of 10,000 rows into the graph that stands there, the median of `--batches`. Then, on a server of its own:
`cold` is a first load with the start of Neo4j, and `bulk` is `kgpipe load --bulk` end to end: stop, import, start, indexes.
`--workspace` measures a built workspace as well. Seconds by the clock and of the processors (server and client); on a
machine that others use, the second are the ones to compare. MB is the most memory of this side, without Neo4j's.

    .venv/bin/python benchmarks/load.py --entities 1000 --graphrag FOLDER

writes the same graph with neo4j-graphrag's Neo4jWriter as well, in turns with `load`, both warm, on a Neo4j 5.26.0 with APOC
(which that writer needs). FOLDER keeps its environment and jars, which are fetched the first time.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import random
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from kgpipe.config import Config
from kgpipe.graph import bulk, cypher, jars, retract, server
from kgpipe.graph import run as stage
from kgpipe.graph.load import TABLES, columns_of, edge_parts, load, node_parts, repair, workspace_schema
from kgpipe.graph.store import Store
from kgpipe.graph.write import BATCH_ROWS, Row, Writers
from kgpipe.records import content_id
from kgpipe.workspace import Workspace

WARM_ENTITIES, WARM_LOADS = 1_000, 3
"""Size and number of the loads before the others, in which the server compiles its code."""
ENDS = 1_000
"""Entities between which the facts of one batch stand, however large the graph is."""
GRAPHRAG = ("neo4j-graphrag==1.22.0", "5.26.0")
"""What it is compared with, and the Neo4j that has an APOC for it."""

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Size:
    """A workspace of one size, and the same one at another time."""

    model: str
    n_entities: int
    workspace: Workspace
    other: Workspace | None = None


class Clock:
    """Seconds by the clock and of the processors in this process, its children and the server; most memory of this process."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def _processors(self) -> float:
        pid = server.status(self._home).pid
        java = sum(psutil.Process(pid).cpu_times()[:2]) if pid else 0.0
        mine = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return java + sum(usage.ru_utime + usage.ru_stime for usage in mine)

    @contextmanager
    def measured(self, figures: dict[str, Any]) -> Iterator[None]:
        Path("/proc/self/clear_refs").write_text("5")  # what was most until now is forgotten
        began, processors = time.monotonic(), self._processors()
        yield
        figures["seconds"] = round(time.monotonic() - began, 2)
        figures["processor_s"] = round(self._processors() - processors, 2)
        figures["mb"] = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024

    def row(self, size: Size, what: str, run: Callable[[], dict[str, Any]], n_elements: int = 0) -> dict[str, Any]:
        """A row about a run that returns counts; of `n_elements`, or of those that it wrote and removed."""
        figures: dict[str, Any] = {}
        with self.measured(figures):
            counts = run()
        n = n_elements or sum(v for k, v in counts.items() if k.endswith(("_written", "_removed")))
        return row_of(size, what, figures, n, counts.get("seconds"))


def wipe(store: Store) -> None:
    """Removes all nodes, a few at a time: a transaction holds what it removes in memory."""
    while store.write("MATCH ()-[r]->() WITH r LIMIT 20000 DELETE r RETURN count(*)") != [[0]]:
        pass
    while store.write("MATCH (n) WITH n LIMIT 20000 DELETE n RETURN count(*)") != [[0]]:
        pass


def workspaces(folder: Path, model: str | Path, entities: list[int]) -> tuple[list[Size], Workspace]:
    """Workspaces of these sizes (of a path: that one, copied), and one that is loaded before; all of one identity."""
    if isinstance(model, Path):
        shutil.copytree(model, folder / "a", ignore=shutil.ignore_patterns("neo4j"))
        shutil.copytree(folder / "a", folder / "warm")
        workspace = Workspace(folder / "a")
        n_entities = workspace.read("entities", ["uid"]).num_rows
        return [Size(model.resolve().name, n_entities, workspace)], Workspace(folder / "warm")
    evidence = model == "evidence"
    warm = made(folder / "warm", WARM_ENTITIES, evidence=evidence, seed=2)
    sizes = []
    for n in entities:
        a, b = (made(folder / f"{n}-{seed}", n, evidence=evidence, seed=seed, like=warm) for seed in (0, 1))
        sizes.append(Size(model, n, a, b))
    return sizes, warm


def made(folder: Path, n_entities: int, *, evidence: bool, seed: int, like: Workspace | None = None) -> Workspace:
    """A workspace of `synthetic.py`, made in a process whose memory is not ours; `like` is the same one at another time."""
    script = Path(__file__).with_name("synthetic.py")
    command = [sys.executable, script, folder, "--entities", str(n_entities), "--seed", str(seed)]
    subprocess.run(command + ([] if evidence else ["--plain"]), check=True)
    if like:
        shutil.copy(like.path / "workspace.json", folder)
    return Workspace(folder)


def warm_figures(
    sizes: list[Size], warm: Workspace, *, n_writers: int, n_batches: int, say: Say
) -> list[dict[str, Any]]:  # fmt: skip
    """The figures of all sizes on a warm server: {model, entities, what, elements, seconds, processor_s, mb, ...} a row."""
    found: list[dict[str, Any]] = []

    def told(row: dict[str, Any]) -> None:
        found.append(row)
        say(row)

    home = warm.path / "neo4j"
    own = server.start(home, timeout_s=300)
    with Store(own.uri, own.user, own.password) as store:
        for _ in range(WARM_LOADS):
            load(store, warm)
            wipe(store)
        for size in sizes:
            for row in in_batches(size, store, Clock(home), n_writers=n_writers, n_batches=n_batches):
                told(row)
    server.stop(home)
    return found


def in_batches(
    size: Size, store: Store, clock: Clock, *, n_writers: int, n_batches: int
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Figures on a warm server with an empty graph, which is left empty."""
    first = clock.row(size, "empty", lambda: load(store, size.workspace))
    yield first
    yield clock.row(size, "again", lambda: repair(store, size.workspace)[1], first["elements"])
    for what, batches in batches_into(store, size.workspace, clock, n_batches).items():
        middle = {name: statistics.median(f[name] for f in batches) for name in batches[0]}
        yield row_of(size, what, middle, BATCH_ROWS)
    if size.other:
        yield clock.row(size, "populated", lambda: load(store, size.other))
    wipe(store)
    if n_writers > 1:
        yield clock.row(size, f"{n_writers} writers", lambda: load(store, size.workspace, n_writers=n_writers))
        wipe(store)


def from_nothing(size: Size) -> Iterator[dict[str, Any]]:
    """Figures on a server that has never run."""
    home = size.workspace.path / "neo4j"
    clock, config = Clock(home), Config(workspace=size.workspace.path)

    def first() -> dict[str, Any]:
        server.start(home, timeout_s=300)
        return stage.run(size.workspace, config)

    yield clock.row(size, "cold", first)
    row = clock.row(size, "bulk", lambda: bulk.run(size.workspace, config, replace=True))
    server.stop(home)
    yield row | {
        "disk_mb": sum(f.stat().st_size for f in (home / "data" / "databases").rglob("*") if f.is_file()) / 1e6
    }


def row_of(
    size: Size, what: str, figures: dict[str, Any], n: int, phases: dict[str, float] | None = None
) -> dict[str, Any]:  # fmt: skip
    rates = {"per_second": round(n / figures["seconds"]), "per_processor_s": round(n / figures["processor_s"])}
    about = {"model": size.model, "entities": size.n_entities, "what": what, "elements": n}
    return about | figures | rates | {"phases": phases or {}}


def batches_into(store: Store, workspace: Workspace, clock: Clock, n: int) -> dict[str, list[dict[str, Any]]]:
    """Seconds of `n` transactions of new nodes and of new facts into the loaded graph, which are removed after it."""
    schema = workspace_schema(workspace)
    rng = random.Random(0)
    uids = workspace.read("entities", ["uid"]).column("uid").to_pylist()
    name = next(name for name, entity in schema.entities.items() if not entity.literal)
    relation = next(iter(schema.relations))
    keys = ("uid", "type", "name", "aliases", "row")
    create = cypher.create_nodes(("Entity", name), keys), cypher.write_nodes(("Entity", name), keys)
    ends_and_keys = ("Entity", relation, "Entity", ("uid", "support", "score", "sentence", "source", "row"))
    join = cypher.create_edges(*ends_and_keys), cypher.write_edges(*ends_and_keys)

    def node(number: int) -> Row:
        uid = content_id("batch node", number)
        held = {"uid": uid, "type": name, "name": f"{name} {number}", "aliases": [], "row": uid[:16]}
        return Row(create, {"properties": held})

    def fact(number: int) -> Row:
        uid, (source, target) = content_id("batch fact", number), rng.choices(ends, k=2)
        held = {
            "uid": uid,
            "support": 1,
            "score": 0.5,
            "sentence": f"{number} {uid} " * 3,
            "source": uid,
            "row": uid[:16],
        }
        return Row(join, {"source": source, "target": target, "properties": held})

    found: dict[str, list[dict[str, Any]]] = {"batch of nodes": [], "batch of facts": []}
    gone = cypher.remove_edges("Entity", relation), cypher.remove_nodes("Entity")
    with Writers(store, schema=schema.to_json()) as writers:
        for what, make in zip(found, (node, fact), strict=True):
            for number in range(n):
                ends = rng.sample(uids, min(ENDS, len(uids)))
                rows = [make(number * BATCH_ROWS + k) for k in range(BATCH_ROWS)]
                figures: dict[str, Any] = {}
                with clock.measured(figures):
                    for row in rows:
                        writers.add(row)
                    writers.flush()
                found[what].append(figures)
        for text, kind in zip(gone, ("batch fact", "batch node"), strict=True):
            retract.remove(writers, text, [content_id(kind, k) for k in range(n * BATCH_ROWS)])
        writers.finish("")
    return found


def graphrag_parts(folder: Path) -> tuple[Path, Path]:
    """Python of an environment with neo4j-graphrag, and the folder of a Neo4j with APOC; made where missing."""
    python, home = folder / "venv" / "bin" / "python", folder / "home"
    package, version = GRAPHRAG
    if not python.is_file():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, package], check=True)
    lib = home / "lib"
    if not (lib / "apoc.jar").is_file():
        lib.mkdir(parents=True, exist_ok=True)
        for path in jars.download(folder / "m2", [("org.neo4j", "neo4j", version)]).values():
            shutil.copy(path, lib)
        apoc = jars.artifact(folder / "m2", "org.neo4j.procedure", "apoc-core", version, "core")
        shutil.copy(apoc, lib / "apoc.jar")
    return python, home


def beside_graphrag(size: Size, given: Path, *, turns: int, say: Say) -> list[dict[str, Any]]:
    """`load` and Neo4jWriter in turns into the emptied graph of one server, after one turn of each that is not counted."""
    python, neo4j_home = graphrag_parts(given)
    workspace = size.workspace
    home = workspace.path / "neo4j"
    (home / "plugins").mkdir(parents=True, exist_ok=True)
    shutil.copy(
        neo4j_home / "lib" / "apoc.jar", home / "plugins"
    )  # its extension is of the class path, procedures of here
    graph = workspace.path / "graph.jsonl"
    n_elements = dump(workspace, graph)
    own = server.start(home, neo4j_home=str(neo4j_home), timeout_s=300)
    java = psutil.Process(own.pid)
    found: list[dict[str, Any]] = []
    command = [python, Path(__file__).with_name("graphrag_writer.py"), own.uri, own.user, own.password, graph]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if writer.stdout.readline() != "ready\n":
            raise RuntimeError("neo4j-graphrag's writer did not start; its message is above.")
        with Store(own.uri, own.user, own.password) as store:
            for turn in range(turns + 1):
                for what in ("empty", "graphrag"):
                    wipe(store)
                    server_s = sum(java.cpu_times()[:2])
                    if what == "empty":
                        began, processor = time.monotonic(), time.process_time()
                        load(store, workspace)
                        seconds, processor = time.monotonic() - began, time.process_time() - processor
                    else:
                        print("go", file=writer.stdin, flush=True)
                        seconds, processor = json.loads(writer.stdout.readline())
                    processor += sum(java.cpu_times()[:2]) - server_s
                    in_graph = [
                        store.read(text)[1][0][0]
                        for text in (
                            f"MATCH (n) WHERE NOT n:{cypher.MARKER} RETURN count(n)",
                            "MATCH ()-[r]->() RETURN count(r)",
                        )
                    ]
                    if turn:
                        figures = {"seconds": round(seconds, 2), "processor_s": round(processor, 2), "mb": 0}
                        found.append(row_of(size, what, figures, n_elements) | {"in_graph": in_graph})
                        say(found[-1])
    finally:
        writer.kill()
        writer.wait()
        server.stop(home)
    return found


def dump(workspace: Workspace, path: Path) -> int:
    """The nodes and relationships that `load` would write, as JSON Lines; how many."""
    schema = workspace_schema(workspace)
    tables = {name: workspace.read(name, columns_of(name)) for name in TABLES}
    n = 0
    with path.open("w", encoding="utf-8") as file:
        for part in (*node_parts(tables, schema), *edge_parts(tables, schema.relations)):
            for wanted in part.wanted():
                values = wanted.values
                row = {"properties": values.get("properties", {})}
                if part.relationships:
                    row |= {"source": values["source"], "target": values["target"], "type": part.name}
                else:
                    row |= {"uid": wanted.uid, "label": wanted.group[-1]}
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
                n += 1
    return n


def conclusions(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What the rows say about growth, writers, `--bulk` and Neo4jWriter."""
    models = dict.fromkeys((row["model"]) for row in rows)
    for model in models:
        of = [row for row in rows if row["model"] == model]
        sizes = list(dict.fromkeys(row["entities"] for row in of))

        def figure(what: str, size: int, name: str, of: list[dict[str, Any]] = of) -> float | None:
            found = [row[name] for row in of if (row["what"], row["entities"]) == (what, size)]
            return statistics.median(found) if found else None

        def ratios(a: str, size_a: int, b: str, size_b: int, figure: Any = figure) -> str:
            pairs = [(figure(a, size_a, name), figure(b, size_b, name)) for name in ("seconds", "processor_s")]
            return "" if None in sum(pairs, ()) else " and ".join(f"{x / y:.2f}" for x, y in pairs)

        for what in ("batch of nodes", "batch of facts"):
            if len(sizes) > 1 and (said := ratios(what, sizes[-1], what, sizes[0])):
                yield f"{model}: a {what} at {sizes[-1]:,} entities over one at {sizes[0]:,}: {said}"
        for size in sizes:
            for what in dict.fromkeys(row["what"] for row in of):
                if what.endswith("writers") and (said := ratios("empty", size, what, size)):
                    yield f"{model}, {size:,} entities: one writer over {what}: {said}"
            for what in ("empty", "cold"):
                if said := ratios(what, size, "bulk", size):
                    yield f"{model}, {size:,} entities: {what} over --bulk: {said}"
            if said := ratios("graphrag", size, "empty", size):
                yield f"{model}, {size:,} entities: Neo4jWriter over load: {said}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, nargs="+", default=[1_000, 3_000, 10_000])
    parser.add_argument("--model", choices=("facts", "evidence"), nargs="*", default=["facts", "evidence"])
    parser.add_argument(
        "--workspace", type=Path, nargs="*", default=[], help="built workspaces to measure as well (copied)"
    )
    parser.add_argument("--parts", choices=("batches", "bulk"), nargs="+", default=["batches", "bulk"])
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--graphrag", type=Path, metavar="FOLDER", help="compare with Neo4jWriter, and nothing else")
    parser.add_argument("--turns", type=int, default=3, help="of each, for --graphrag")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    about = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "server": f"Neo4j {GRAPHRAG[1] if given.graphrag else jars.NEO4J}",
        **{name: importlib.metadata.version(name) for name in ("kgpipe", "neo4j", "neo4j-rust-ext", "pyarrow")},
    }
    if given.graphrag:
        about["beside"] = f"{GRAPHRAG[0]}, batches of {BATCH_ROWS:,}"
    for name, value in about.items():
        print(f"{name:14} {value}")
    print(f"\n{'model':9} {'entities':>8}  {'what':14} {'elements':>9} {'seconds':>8} {'a second':>9}  "
          f"{'processor s':>11}  {'a processor s':>13} {'MB':>5}", flush=True)  # fmt: skip
    rows: list[dict[str, Any]] = []

    def say(row: dict[str, Any]) -> None:
        print(
            f"{row['model']:9} {row['entities']:8,}  {row['what']:14} {row['elements']:9,} {row['seconds']:8.2f} "
            f"{row['per_second']:9,}  {row['processor_s']:11.1f}  {row['per_processor_s']:13,} {row['mb']:5.0f}"
            + (f"  in the graph {' + '.join(f'{n:,}' for n in row['in_graph'])}" if "in_graph" in row else "")
            + (f"  {row['disk_mb']:.1f} MB on disk" if "disk_mb" in row else "")
            + "".join(f"  {name} {taken}" for name, taken in row["phases"].items()),
            flush=True,
        )

    for model in [*given.model, *given.workspace]:
        with tempfile.TemporaryDirectory(prefix="kgpipe-load-") as name:
            try:
                sizes, warm = workspaces(Path(name), model, given.entities)
                if given.graphrag:
                    for size in sizes:
                        rows += beside_graphrag(size, given.graphrag, turns=given.turns, say=say)
                else:
                    if "batches" in given.parts:
                        rows += warm_figures(sizes, warm, n_writers=given.writers, n_batches=given.batches, say=say)
                    for size in sizes if "bulk" in given.parts else []:
                        for row in from_nothing(size):
                            rows.append(row)
                            say(row)
            finally:
                for home in Path(name).glob("*/neo4j"):
                    server.stop(home)
    print("\nby the clock and in processor seconds:")
    for line in conclusions(rows):
        print(line)
    if given.json:
        given.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
