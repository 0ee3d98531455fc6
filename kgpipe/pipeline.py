"""The stages in order, and what runs them: the command line, the Airflow DAG and the end-to-end test walk this list."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kgpipe import schema as schemas
from kgpipe.config import Config
from kgpipe.engine import Progress, silent
from kgpipe.errors import InputError, KgpipeError, WorkspaceError
from kgpipe.records import TABLES, Run
from kgpipe.workspace import SNAPSHOTS, Workspace


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: reads the tables of the steps before it, writes its own, can be repeated and killed."""

    name: str
    function: str
    """`module:function`, imported when the stage runs: function(workspace, config, shard=, progress=) -> counts."""
    scope: str
    """`shard`: may run as n processes at once; `corpus`: as one."""
    needs: str
    """`cpu`, or `gpu` where one helps."""

    def load(self) -> Callable[..., dict[str, Any]]:
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(module), name)


STAGES = (
    Stage("sources", "kgpipe.corpus.sources:run", "corpus", "cpu"),
    Stage("read", "kgpipe.corpus.read:run", "shard", "cpu"),
    Stage("dedup", "kgpipe.corpus.dedup:run", "corpus", "cpu"),
    Stage("split", "kgpipe.corpus.split:run", "shard", "cpu"),
    Stage("extract", "kgpipe.extract.run:run", "shard", "gpu"),
    Stage("resolve", "kgpipe.resolve.run:run", "corpus", "cpu"),
    Stage("load", "kgpipe.graph.run:run", "corpus", "cpu"),
)


def stage(name: str) -> Stage:
    """The stage of that name; InputError names the known ones."""
    for known in STAGES:
        if known.name == name:
            return known
    raise InputError(f'Unknown stage "{name}"; known, in order: {", ".join(s.name for s in STAGES)}.')


def check_input(
    paths: Sequence[str | Path], config: Config, *, schema: str = "", allow_empty: bool = False
) -> None:  # fmt: skip
    """Raises InputError or SchemaError for what `prepare` and `sources` cannot use, before anything is written."""
    from kgpipe.corpus.sources import find

    if schema:
        schemas.load(schema)
    exists = (config.workspace / "workspace.json").is_file()
    if not paths and not (exists and Workspace(config.workspace).state("paths")):
        raise InputError(f"No path was given, and {config.workspace} knows none. Name a folder or file of documents.")
    known: set[str] = set()
    if exists:
        workspace = Workspace(config.workspace)
        with workspace.lock():
            known = workspace.keys("sources")
    if paths:
        find([Path(p).absolute() for p in paths], known, config.workspace.absolute(), allow_empty=allow_empty)


def prepare(
    workspace: Workspace, paths: Sequence[str | Path], *, schema: str = "", prune: bool = False, allow_empty: bool = False
) -> None:  # fmt: skip
    """Writes down what the stages work on: the folders and files (which may hold nothing yet, if so said), and the schema.

    Without `schema` the workspace's own goes on, or `general` in a new one.
    """
    kept = workspace.state("schema")
    if schema or not kept:
        found = schemas.load(schema or "general")
        workspace.set_state("schema", {"name": found.name, "json": found.to_json()})
    if paths:
        found_paths = [str(Path(p).absolute()) for p in paths]
        workspace.set_state("paths", {"paths": found_paths, "prune": prune, "allow_empty": allow_empty})


def workspace_schema(workspace: Workspace) -> schemas.Schema:
    """The schema with which the workspace is built."""
    kept = workspace.state("schema")
    if not kept:
        raise WorkspaceError(
            f"{workspace.path} has not been built yet. Run: kgpipe build FOLDER --workspace {workspace.path}"
        )
    return schemas.from_json(kept["json"])


def opened(config: Config) -> Workspace:
    """The configured workspace, which must exist."""
    if not (config.workspace / "workspace.json").is_file():
        raise WorkspaceError(
            f"There is no workspace at {config.workspace.absolute()}. "
            "Build one with: kgpipe build FOLDER, or name another with --workspace."
        )
    return Workspace(config.workspace)


def run_stage(
    name: str, config: Config, *, workspace: Workspace | None = None, shard: tuple[int, int] = (0, 1),
    progress: Progress = silent,
) -> dict[str, Any]:  # fmt: skip
    """Runs one shard of one stage and returns its counts, with `stage` and `seconds`.

    How it ended becomes a row of the table `runs`, also when it ended with an error.
    """
    found = stage(name)
    if found.scope == "corpus" and shard != (0, 1):
        raise InputError(
            f"Stage {name} sees the whole corpus and has one shard; use --shard 0/1, not {shard[0]}/{shard[1]}."
        )
    workspace = workspace or opened(config)
    part = f"{shard[0]}/{shard[1]}"
    began, started = datetime.now(UTC), time.monotonic()
    counts: dict[str, Any] = {}
    error = ""
    with workspace.lock(f"{name}-{shard[0]}-of-{shard[1]}"):
        try:
            if found == STAGES[0]:  # no other stage works now
                for table in set(TABLES) - {one for group in SNAPSHOTS.values() for one in group}:
                    workspace.compact(table)
            counts = found.load()(workspace, config, shard=shard, progress=progress)
        except BaseException as raised:
            error = str(raised) if isinstance(raised, KgpipeError) else f"{type(raised).__name__}: {raised}"
            raise
        finally:
            seconds = round(time.monotonic() - started, 2)
            shown = json.dumps(counts, ensure_ascii=False, default=str)
            row = Run(
                os.urandom(16).hex(), name, part, began.isoformat(timespec="milliseconds"), seconds,
                int(counts.get("failed", 0)), shown, error,
            )  # fmt: skip
            workspace.commit("runs", [row])
    return {"stage": name, "shard": part, **counts, "seconds": seconds}


def runs(workspace: Workspace, *, last: int = 50) -> list[dict[str, Any]]:
    """The last stages that ended, latest first: {started, stage, shard, seconds, failed, counts, error}."""
    rows = workspace.read("runs").sort_by([("started", "descending")]).slice(0, last).to_pylist()
    return [{**{k: v for k, v in row.items() if k != "uid"}, "counts": json.loads(row["counts"])} for row in rows]


def build(
    paths: Sequence[str | Path], config: Config, *, schema: str = "", prune: bool = False, progress: Progress = silent
) -> dict[str, dict[str, Any]]:
    """Adds and updates the documents under `paths` and everything after; returns the counts of each stage.

    What is done is not done again: a second build changes nothing. Files that are gone are named in
    `sources`, and removed only with `prune`.
    """
    check_input(paths, config, schema=schema or config.schema)
    workspace = Workspace(config.workspace)
    with workspace.lock():
        if config.neo4j:  # a server that refuses is named now, not after the extraction
            from kgpipe.graph.load import refuse_other
            from kgpipe.graph.store import open_store

            with open_store(config) as store:
                refuse_other(store, workspace)
        prepare(workspace, paths, schema=schema or config.schema, prune=prune)
        results = _walk(workspace, config, progress)
    workspace.set_state("last_build", results)
    return results


def delete(document: str, config: Config, *, progress: Progress = silent) -> dict[str, dict[str, Any]]:
    """Removes a document (by uri, path, uid or title) and what only it said; returns the counts of each stage."""
    from kgpipe.corpus.delete import delete_document

    workspace = opened(config)
    with workspace.lock():
        removed = delete_document(workspace, document)
        return {"delete": removed, **_walk(workspace, config, progress, after="read")}


def _walk(workspace: Workspace, config: Config, progress: Progress, *, after: str = "") -> dict[str, dict[str, Any]]:
    names = [s.name for s in STAGES]
    todo = names[names.index(after) + 1 :] if after else names
    return {name: run_stage(name, config, workspace=workspace, progress=progress) for name in todo}
