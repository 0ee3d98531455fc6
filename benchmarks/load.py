"""Loading: nodes and relationships a second into an empty and a populated Neo4j, in batches and by neo4j-admin.

    .venv/bin/python benchmarks/load.py --entities 1000 3000 10000

For each size and both for plain facts and for the whole evidence model (`synthetic.py`), on one warm server of its own:
`empty` loads into an empty graph, `populated` loads a graph of other texts over it (adds, changes and removes), `again`
compares everything with nothing to write, `n writers` is `empty` with several, and `bulk` is `kgpipe load --bulk`, end to
end. Seconds by the clock and of the processors (server and client); on a machine that others use, the second are the ones
to compare.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from synthetic import make

from kgpipe.config import Config
from kgpipe.graph import bulk, server
from kgpipe.graph.load import load, repair
from kgpipe.graph.store import Store
from kgpipe.workspace import Workspace


class Clock:
    """Seconds by the clock, and of the processors in this process, its children and the server."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def _processors(self) -> float:
        pid = server.status(self._home).pid
        java = sum(psutil.Process(pid).cpu_times()[:2]) if pid else 0.0
        mine = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return java + sum(usage.ru_utime + usage.ru_stime for usage in mine)

    @contextmanager
    def measured(self, figures: dict[str, Any]) -> Iterator[None]:
        began, processors = time.monotonic(), self._processors()
        yield
        figures["seconds"] = round(time.monotonic() - began, 2)
        figures["processor_s"] = round(self._processors() - processors, 2)


def wipe(store: Store) -> None:
    """Removes all nodes, a few at a time: a transaction holds what it removes in memory."""
    while store.write("MATCH ()-[r]->() WITH r LIMIT 20000 DELETE r RETURN count(*)") != [[0]]:
        pass
    while store.write("MATCH (n) WITH n LIMIT 20000 DELETE n RETURN count(*)") != [[0]]:
        pass


def measure(
    folder: Path, n_entities: int, *, evidence: bool, n_writers: int, say: Callable[[dict[str, Any]], None]
) -> list[dict[str, Any]]:
    """The figures of one size: {model, entities, what, elements, seconds, processor_s, ...} a row."""
    workspace = make(folder / "a", n_entities, evidence=evidence)
    make(folder / "b", n_entities, evidence=evidence, seed=1)
    shutil.copy(folder / "a" / "workspace.json", folder / "b" / "workspace.json")  # one workspace at two times
    other = Workspace(folder / "b")
    home = workspace.path / "neo4j"
    clock = Clock(home)
    found: list[dict[str, Any]] = []
    about = {"model": "evidence" if evidence else "facts", "entities": n_entities}

    def timed(what: str, run: Callable[[], dict[str, Any]], n_elements: int = 0) -> None:
        figures: dict[str, Any] = {}
        with clock.measured(figures):
            counts = run()
        n = n_elements or sum(v for k, v in counts.items() if k.endswith(("_written", "_removed")))
        figures |= {"elements": n, "per_second": round(n / figures["seconds"]),
                    "per_processor_s": round(n / figures["processor_s"])}  # fmt: skip
        found.append(about | {"what": what} | figures | {"phases": counts.get("seconds", {})})
        say(found[-1])

    own = server.start(home, timeout_s=300)
    with Store(own.uri, own.user, own.password) as store:
        load(store, workspace)  # the server's code is compiled, constraints stand
        wipe(store)
        timed("empty", lambda: load(store, workspace))
        n_elements = found[-1]["elements"]
        timed("again", lambda: repair(store, workspace)[1], n_elements)
        timed("populated", lambda: load(store, other))
        if n_writers > 1:
            wipe(store)
            timed(f"{n_writers} writers", lambda: load(store, workspace, n_writers=n_writers))
    timed("bulk", lambda: bulk.run(workspace, Config(workspace=workspace.path), replace=True))
    server.stop(home)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, nargs="+", default=[1_000, 3_000, 10_000])
    parser.add_argument("--model", choices=("facts", "evidence"), nargs="+", default=["facts", "evidence"])
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    about = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("kgpipe", "neo4j", "pyarrow")},
    }
    for name, value in about.items():
        print(f"{name:8} {value}")
    print("\nmodel     entities  what        elements  seconds  a second  processor s  a processor second", flush=True)
    rows: list[dict[str, Any]] = []

    def say(row: dict[str, Any]) -> None:
        print(
            f"{row['model']:9} {row['entities']:8,}  {row['what']:10} {row['elements']:9,} {row['seconds']:8.1f} "
            f"{row['per_second']:9,}  {row['processor_s']:11.1f}  {row['per_processor_s']:18,}"
            + "".join(f"  {name} {taken}" for name, taken in row["phases"].items()),
            flush=True,
        )

    for model in given.model:
        for n_entities in given.entities:
            with tempfile.TemporaryDirectory(prefix="kgpipe-load-") as folder:
                home = Path(folder) / "a" / "neo4j"
                try:
                    rows += measure(
                        Path(folder), n_entities, evidence=model == "evidence", n_writers=given.writers, say=say
                    )
                finally:
                    if home.is_dir():
                        server.stop(home)
        ours = [r for r in rows if r["model"] == model and r["what"] == "empty"]
        costs = [r["processor_s"] / r["elements"] for r in ours]
        print(f"{model}: cost of an element at the largest size over the smallest: {costs[-1] / costs[0]:.2f}")
        ratios = [
            e["processor_s"] / b["processor_s"]
            for e in ours
            for b in rows
            if (b["model"], b["entities"], b["what"]) == (model, e["entities"], "bulk")
        ]
        print(f"{model}: processor seconds of batches over those of --bulk: {statistics.median(ratios):.2f}")
    print(f"most memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB")
    if given.json:
        given.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
