"""What a build takes by stage as the corpus grows: seconds, processor seconds, memory, disk, and the exponent of growth.

    .venv/bin/python benchmarks/scale.py articles.jsonl.gz --documents 1000 10000 [--model 1000] [--templates 2000]

Documents are made of passages of the articles ({"id", "title", "text"} a line) in which names are exchanged: a few
are everywhere and most are rare (distinct names grow with the power 0.8 of the mentions), people share first names and
surnames, and each keeps one name through a document. The model reads the passages once, before; what it found is
replayed with the offsets of the new names, so that `extract` costs what a perfect model would. `--model N` also builds N
documents with the model. Each stage is a process of its own, and Neo4j a server of its own that is stopped at the end.

After the build: a second one that finds nothing new, and one with a hundredth more documents. Memory is the largest sum
of resident sizes of the stage's processes; that of Neo4j stands beside it, because its size is a setting.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gzip
import importlib.metadata
import itertools
import json
import math
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.extract.base import Found
from kgpipe.graph import server
from kgpipe.records import Mention, Passage, Relation, content_id
from kgpipe.workspace import Workspace

STAGES = list(pipeline.STAGES)
PACKAGES = ("torch", "neo4j", "daft", "pyarrow")
SCHEMA = "general"
EXCHANGED = (
    "Person", "Organization", "Company", "School", "PoliticalParty", "Place", "Work", "Product", "Event", "Award",
)  # fmt: skip
"""Types whose names are exchanged; countries, languages, concepts and literals stay what they are."""
POWER, KNEE = 0.8, 50.0
"""The share of mentions of names beyond rank r is (1 + r / KNEE) ** -POWER."""
PASSAGES = (1, 5)
"""Least and most passages of a document."""


def record(articles: Path, n_templates: int, to: Path) -> None:
    """Reads passages of the articles with the model and writes what it found, a passage a line, from its beginning."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "articles.jsonl"
        with gzip.open(articles, "rt", encoding="utf-8") as lines:
            every = list(lines)
        random.Random(0).shuffle(every)
        source.write_text("".join(every[: max(20, n_templates // 15)]), "utf-8")  # an article has some 35 passages
        config = configuration.load(workspace=Path(folder) / "w", neo4j="")
        workspace = Workspace(config.workspace)
        pipeline.prepare(workspace, [source], schema=SCHEMA)
        for stage in ("sources", "read", "dedup", "split"):
            pipeline.run_stage(stage, config, workspace=workspace)
        passages = workspace.read("passages").to_pylist()
        random.Random(0).shuffle(passages)
        kept = {row["uid"] for row in passages[:n_templates]}
        workspace.delete("passages", "uid", [row["uid"] for row in passages if row["uid"] not in kept])
        pipeline.run_stage("extract", config, workspace=workspace)
        found = {row["passage"]: row for row in workspace.read("extractions").to_pylist()}
    with to.open("w", encoding="utf-8") as out:
        for row in passages[:n_templates]:
            start = row["start"]
            mentions = [
                [m["start"] - start, m["end"] - start, m["type"], m["score"], m["value"]]
                for m in found[row["uid"]]["mentions"]
            ]
            relations = [
                [r["subject"], r["type"], r["object"], r["score"], r["polarity"]]
                for r in found[row["uid"]]["relations"]
            ]
            line = {"text": row["text"], "mentions": mentions, "relations": relations}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


class Documents:
    """Documents by number, each with what a model would find in it; the same for the same templates."""

    def __init__(self, templates: Path) -> None:
        self.templates = [json.loads(line) for line in templates.read_text("utf-8").splitlines()]
        words: dict[str, dict[str, None]] = defaultdict(dict)
        for one in self.templates:
            for start, end, kind, *_ in one["mentions"]:
                for word in re.findall(r"[A-Z][\w'’-]+", one["text"][start:end]) if kind in EXCHANGED else ():
                    words[kind][word] = None
        self.words = {kind: list(found) for kind, found in words.items()}

    def name(self, kind: str, rank: int) -> str:
        """The name of that rank: two words of names of its type, three where two are taken by an earlier rank."""
        words = self.words[kind]
        rng = random.Random(f"{kind} {rank}")
        return " ".join(rng.choice(words) for _ in range(2 + (rank >= len(words) ** 2 // 20)))

    def make(self, number: int) -> tuple[str, list[Mention], list[Relation]]:
        """Text, mentions in text order and relations of the document of that number."""
        rng = random.Random(number)
        text, mentions, relations = "", [], []
        given: dict[tuple[str, str], str] = {}
        for _ in range(rng.randint(*PASSAGES)):
            one = rng.choice(self.templates)
            if text:
                text += "\n\n"
            first, at = len(mentions), 0
            place: dict[int, int] = {}
            for n in sorted(range(len(one["mentions"])), key=lambda n: tuple(one["mentions"][n][:2])):
                start, end, kind, score, value = one["mentions"][n]
                surface = one["text"][start:end]
                if start < at:  # inside the one before: left out, with its relations
                    continue
                text += one["text"][at:start]
                begin = len(text)
                text += self._instead(surface, kind, given, rng)
                at = end
                place[n] = len(mentions)
                mentions.append(Mention(begin, len(text), kind, score, value))
            text += one["text"][at:]
            relations += [
                Relation(place[s], kind, place[o], score, polarity)
                for s, kind, o, score, polarity in one["relations"]
                if s in place and o in place
            ]
            assert first <= len(mentions)
        return text, mentions, relations

    def _instead(self, surface: str, kind: str, given: dict[tuple[str, str], str], rng: random.Random) -> str:
        """The name that stands for this one through the document; a surname alone stays one."""
        if kind not in EXCHANGED or kind not in self.words or not surface[:1].isupper():
            return surface
        for (other, of), name in given.items():
            if of == kind and other != surface and other.split()[-1] == surface:
                return name.split()[-1]
        if (surface, kind) not in given:
            rank = int(KNEE * (rng.random() ** (-1 / POWER) - 1))
            given[surface, kind] = self.name(kind, rank)
        return given[surface, kind]


class Replay:
    """An extractor that knows what was found: `number` in the uri of a document says which it is."""

    def __init__(self, schema: Any, **settings: Any) -> None:
        from kgpipe.extract.base import fingerprint

        given = json.loads(os.environ["SCALE_REPLAY"])
        self.fingerprint = fingerprint(schema, threshold=settings["threshold"])
        self.documents = Documents(Path(given["templates"]))
        uri = Path(given["source"]).as_uri()
        self.numbers = {content_id("document", f"{uri}#{n}"): n for n in range(given["n_documents"])}

    def __call__(self, passages: Sequence[Passage]) -> list[Found]:
        return [self._found(passage) for passage in passages]

    def _found(self, passage: Passage) -> Found:
        text, mentions, relations = self.documents.make(self.numbers[passage.document])
        if text[passage.start : passage.end] != passage.text:
            raise ValueError(f"cleaning changed document {self.numbers[passage.document]}")
        inside = [n for n, m in enumerate(mentions) if passage.start <= m.start and m.end <= passage.end]
        place = {n: i for i, n in enumerate(inside)}
        return tuple(mentions[n] for n in inside), tuple(
            Relation(place[r.subject], r.type, place[r.object], r.score, r.polarity)
            for r in relations
            if r.subject in place and r.object in place
        )


def one_stage(name: str, workspace: Path, *, replay: bool) -> None:
    """Runs a stage in this process and prints its counts; `replay` puts `Replay` in the place of the model."""
    config = configuration.load(workspace=workspace, neo4j="")
    if replay and name == "extract":
        sys.modules["kgpipe.extract.encoder"] = types.SimpleNamespace(EncoderExtractor=Replay)  # without torch
    print(json.dumps(pipeline.run_stage(name, config), default=str))


def measured(arguments: list[str], environment: dict[str, str], neo4j: psutil.Process | None) -> dict[str, Any]:
    """Seconds, processor seconds (its own and Neo4j's), largest memory in MB, and the counts that a command printed."""
    before = sum(neo4j.cpu_times()[:2]) if neo4j else 0.0
    peak, cpu = 0, defaultdict(float)
    ended = threading.Event()
    started = time.monotonic()
    process = psutil.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True)

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.1):
            sizes = 0
            with contextlib.suppress(psutil.NoSuchProcess):
                for one in [process, *process.children(recursive=True)]:
                    if neo4j and one.pid == neo4j.pid:
                        continue
                    with contextlib.suppress(psutil.NoSuchProcess):
                        sizes += one.memory_info().rss
                        cpu[one.pid] = sum(one.cpu_times()[:2])
            peak = max(peak, sizes)

    watcher = threading.Thread(target=watch)
    watcher.start()
    printed = process.stdout.read()
    code = process.wait()
    ended.set()
    watcher.join()
    if code:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return {
        "seconds": time.monotonic() - started,
        "cpu": sum(cpu.values()),
        "neo4j_cpu": (sum(neo4j.cpu_times()[:2]) - before) if neo4j else 0.0,
        "mb": peak / 1e6,
        "counts": json.loads(printed.strip().splitlines()[-1]),
    }


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def write(documents: Documents, numbers: range, to: Path) -> None:
    with to.open("a", encoding="utf-8") as out:
        for number in numbers:
            text = documents.make(number)[0]
            out.write(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")


def walk(
    workspace: Path, templates: Path, source: Path, n_documents: int, *, replay: bool
) -> Iterator[tuple[str, Any]]:
    """Every stage with its measurements."""
    replayed = {"templates": str(templates), "source": str(source), "n_documents": n_documents}
    environment = {**os.environ, "SCALE_REPLAY": json.dumps(replayed)}
    neo4j = None
    if STAGES[-1].name == "load":
        running = server.start(workspace / "neo4j", heap_mb=2048, pagecache_mb=1024, timeout_s=600)
        neo4j = psutil.Process(running.pid)
    for stage in STAGES:
        command = [sys.executable, __file__, "--stage", stage.name, "--workspace", str(workspace)]
        yield stage.name, measured(command + ["--replay"] * replay, environment, neo4j)


def build(n_documents: int, templates: Path, folder: Path, *, replay: bool = True) -> dict[str, Any]:
    """Builds, builds again and builds a hundredth more; {build: {stage: measurements}} and the sizes on disk."""
    source, workspace = folder / "texts" / "texts.jsonl", folder / "workspace"
    source.parent.mkdir(parents=True)
    documents = Documents(templates)
    write(documents, range(n_documents), source)
    pipeline.prepare(Workspace(workspace), [source.parent], schema=SCHEMA)
    more = n_documents + max(1, n_documents // 100)
    found: dict[str, Any] = {"documents": n_documents, "text_mb": size_mb(source.parent)}

    def walked(which: str, n: int) -> dict[str, Any]:
        stages = {}
        for name, made in walk(workspace, templates, source, n, replay=replay):
            stages[name] = made
            told = f"{made['cpu']:.1f} and Neo4j {made['neo4j_cpu']:.1f} processor seconds, {made['seconds']:.1f} s, {made['mb']:.0f} MB"
            print(f"{n:,} documents, {which}, {name}: {told}", file=sys.stderr, flush=True)
        return stages

    try:
        found["first"] = walked("first", n_documents)
        tables = Workspace(workspace).path / "tables"
        found["tables_mb"] = {path.name: size_mb(path) for path in sorted(tables.iterdir()) if path.is_dir()}
        found["neo4j_mb"] = size_mb(workspace / "neo4j" / "data") if len(STAGES) == len(pipeline.STAGES) else 0.0
        found["again"] = walked("again", n_documents)
        write(documents, range(n_documents, more), source)
        found["more"] = walked("more", more)
    finally:
        server.stop(workspace / "neo4j")
    return found


def exponent(small: float, large: float, n_small: int, n_large: int) -> float:
    return math.log(large / small) / math.log(n_large / n_small)


def show(found: dict[str, Any]) -> None:
    n = found["documents"]
    print(f"\n{n:,} documents, {found['text_mb']:.1f} MB of text")
    print(f"{'stage':10}" + "".join(f"{c:>11}" for c in ("seconds", "cpu s", "neo4j s", "MB", "again s", "1% more s")))
    for stage in STAGES:
        first, again, more = (found[which][stage.name] for which in ("first", "again", "more"))
        numbers = (first["seconds"], first["cpu"], first["neo4j_cpu"], first["mb"], again["cpu"] + again["neo4j_cpu"],
                   more["cpu"] + more["neo4j_cpu"])  # fmt: skip
        told = [f"{k} {v:,}" for k, v in first["counts"].items() if isinstance(v, int) and v]
        print(f"{stage.name:10}" + "".join(f"{x:11.1f}" for x in numbers) + "  " + ", ".join(told))
    print(f"disk: tables {sum(found['tables_mb'].values()):.1f} MB, Neo4j {found['neo4j_mb']:.1f} MB")
    print("  " + ", ".join(f"{name} {mb:.1f}" for name, mb in found["tables_mb"].items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path, nargs="?")
    parser.add_argument("--documents", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--model", type=int, default=0, help="documents that the model reads as well")
    parser.add_argument("--templates", type=int, default=2000, help="passages that the model reads before")
    parser.add_argument("--recorded", type=Path, help="file of what it found: read when there, else written")
    parser.add_argument("--out", type=Path, help="file for the measurements as JSON")
    parser.add_argument("--folder", type=Path, help="folder for the workspaces (default: a temporary one)")
    for name, kind in (("--stage", str), ("--workspace", Path)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    parser.add_argument("--tables", action="store_true", help="leave out `load`, and Neo4j with it")
    parser.add_argument("--replay", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.tables:
        STAGES.pop()
    if given.stage:
        one_stage(given.stage, given.workspace, replay=given.replay)
        return
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES), flush=True)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        templates = given.recorded or Path(folder) / "templates.jsonl"
        if not templates.exists():
            record(given.articles, given.templates, templates)
        runs = [(n, True) for n in sorted(given.documents)] + [(given.model, False)] * bool(given.model)
        for n, replay in runs:
            place = (given.folder or Path(folder)) / f"{n}-{'replayed' if replay else 'model'}"
            print("" if replay else "\nwith the model", end="")
            results.append(build(n, templates, place, replay=replay))
            show(results[-1])
            if not given.folder:
                shutil.rmtree(place)
    for small, large in itertools.pairwise(r for r, (_, replay) in zip(results, runs, strict=True) if replay):
        print(f"\nexponents from {small['documents']:,} to {large['documents']:,} documents: processor time, memory")
        for stage in STAGES:
            a, b = small["first"][stage.name], large["first"][stage.name]
            n = small["documents"], large["documents"]
            times = exponent(a["cpu"] + a["neo4j_cpu"], b["cpu"] + b["neo4j_cpu"], *n)
            print(f"{stage.name:10} {times:6.2f} {exponent(a['mb'], b['mb'], *n):6.2f}")
    if given.out:
        given.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
