"""How long a question takes over a large graph of ours, by stage, in a warm process.

    .venv/bin/python benchmarks/latency.py --entities 200000 --questions 200

A graph of random facts with the degrees of real ones (`synthetic.py`, five facts an entity, names of random syllables) is
loaded with `kgpipe load --bulk`; questions over one and two links, counts, and some about names that are not there are
made of random facts, so that hubs are asked for as often as they are told of. The first `--warm` are not counted: a
database that has just started plans and compiles every new query for the first time.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import synthetic

from kgpipe import config as configuration
from kgpipe.graph import server
from kgpipe.query import answer, own

ONE = {
    "WORKED_FOR": ("Which organizations did {s} work for?", "Who worked for {o}?", "How many people worked for {o}?"),
    "MET": ("Whom did {s} meet?", "How many people did {s} meet?"),
    "FOUNDED": ("What did {s} found?", "Who founded {o}?"),
    "LOCATED_IN": ("Where is {s} located?", "What is located in {o}?"),
    "PART_OF": ("What is {s} part of?", "What is part of {o}?"),
    "SUPPLIES": ("What does {s} supply?", "Who supplies {o}?"),
    "HAPPENED_ON": ("On which date did {s} happen?",),
}
TWO = {
    ("WORKED_FOR", "LOCATED_IN"): "Where are the organizations located that {s} worked for?",
    ("FOUNDED", "LOCATED_IN"): "Where is what {s} founded located?",
    ("MET", "WORKED_FOR"): "Which organizations did people work for whom {s} met?",
    ("WORKED_FOR", "PART_OF"): "What are the organizations part of that {s} worked for?",
}
STAGES = {
    "names": (answer, "link"),
    "trees": (own, "ranked"),
    "queries": (answer, "settle"),
    "facts": (own, "told"),
    "text": (answer, "retrieve"),
}


def names(n: int, seed: int) -> list[str]:
    """Two words of three syllables each."""
    rng = random.Random(seed)
    syllables = [c + v + e for c in "bdfgklmnprstvz" for v in "aeiou" for e in ("", "n", "r", "l")]

    def word() -> str:
        return "".join(rng.choices(syllables, k=3)).capitalize()

    return [f"{word()} {word()}" for _ in range(n)]


def questions(workspace: Any, called: list[str], n: int, seed: int) -> list[str]:
    """Questions made of random facts of the tables."""
    rng = random.Random(seed)
    uids = {row["uid"]: row["name"] for row in workspace.read("entities").to_pylist()}
    facts = workspace.read("facts").to_pylist()
    out: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for fact in facts:
        out[fact["subject"]].append(fact)
    made = []
    while len(made) < n:
        fact = rng.choice(facts)
        name, other = uids[fact["subject"]], uids.get(fact["object"], "")
        two = [TWO[fact["type"], x["type"]] for x in out.get(fact["object"], ()) if (fact["type"], x["type"]) in TWO]
        kind = rng.random()
        if kind < 0.05:
            made.append(f"Where is {rng.choice(called)[::-1].title()} located?")
        elif kind < 0.4 and two:
            made.append(rng.choice(two).format(s=name))
        elif fact["type"] in ONE:
            made.append(rng.choice(ONE[fact["type"]]).format(s=name, o=other or name))
    return made


def timed(module: Any, name: str, spent: list[float]) -> None:
    """Adds to the last of `spent` what each call of a function of a module takes."""
    inner: Callable[..., Any] = getattr(module, name)

    def outer(*given: Any, **options: Any) -> Any:
        started = time.monotonic()
        try:
            return inner(*given, **options)
        finally:
            spent[-1] += time.monotonic() - started

    setattr(module, name, outer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--warm", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workspace"
        called = names(given.entities, given.seed)
        workspace = synthetic.make(path, given.entities, evidence=False, seed=given.seed, names=called)
        asked = questions(workspace, called, given.questions + given.warm, given.seed)
        try:
            subprocess.run(
                [str(Path(sys.executable).parent / "kgpipe"), "load", "--bulk", "--workspace", str(path)], check=True
            )
            with answer.opened(configuration.load(workspace=path)) as (store, schema):
                _, [[n]] = store.read("MATCH (:Entity)-[r]->() RETURN count(r)", timeout_s=300)
                print(f"{given.entities:,} entities, {n:,} relationships of facts")
                ask = answer.asked(store, schema).ask
                spent: dict[str, list[float]] = {stage: [] for stage in STAGES}
                for stage, (module, name) in STAGES.items():
                    timed(module, name, spent[stage])
                whole, outcomes = [], defaultdict(int)
                for question in asked:
                    for seconds in spent.values():
                        seconds.append(0.0)
                    started = time.monotonic()
                    found = ask(question)
                    whole.append(time.monotonic() - started)
                    outcomes[found.source] += 1
        finally:
            server.stop(path / "neo4j")
    print(f"answered from: {dict(outcomes)}")
    print(f"{'stage':10}{'p50 ms':>10}{'p95 ms':>10}")
    for stage, seconds in [*spent.items(), ("all", whole)]:
        print(
            f"{stage:10}" + "".join(f"{value:10.0f}" for value in np.percentile(seconds[given.warm :], [50, 95]) * 1000)
        )


if __name__ == "__main__":
    main()
