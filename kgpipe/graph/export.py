"""The graph, or a part of it, in a format of others: one function a format."""

from __future__ import annotations

from pathlib import Path

from kgpipe import schema as schemas
from kgpipe.engine import Progress, silent
from kgpipe.errors import InputError, WorkspaceError
from kgpipe.graph import bulk, graphml, load, page, select
from kgpipe.workspace import Workspace

FORMATS = ("graphml", "csv", "html")
MOST_ENTITIES = 150
"""Entities of a page when nothing else is said: as many as can be looked at."""

ARGUMENTS = "import.args"
"""File of a CSV export with what neo4j-admin needs to be told."""


def export(
    workspace: Workspace, out: Path, form: str, *, around: str = "", hops: int = 2, top: int | None = None,
    progress: Progress = silent,
) -> dict[str, int]:  # fmt: skip
    """Writes `out` (of csv a new folder) from the tables of the workspace (no server is needed) and returns counts of what it holds.

    `around` chooses the neighbourhood of an entity to `hops` facts, `top` the best connected entities, both together
    at most so many of that neighbourhood; neither: all (a page: the best connected MOST_ENTITIES).
    """
    if form not in FORMATS:
        raise InputError(f'Unknown format "{form}"; known: {", ".join(FORMATS)}. Give one of them with --format.')
    if form == "csv":
        if around or top:
            raise InputError(
                "--format csv writes the whole graph. Leave --around and --top out, or choose another format."
            )
        return _csv(workspace, out, progress)
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"{out} cannot be written: name a file in a folder that exists. Make that folder first.")
    kept = workspace.state("schema")
    if not kept:
        raise WorkspaceError(f"{workspace.path} has not been built yet. Run: kgpipe build FOLDER")
    most = top or (MOST_ENTITIES if form == "html" else None)
    if around:
        part = select.around(workspace, around, hops=hops, most=most)
    else:
        part = select.top(workspace, most) if most else select.whole(workspace)
    if form == "graphml":
        return graphml.write(part, out)
    title, note = _headline(part, around, hops)
    return page.write(part, workspace, schemas.from_json(kept["json"]), out, title=title, note=note)


def _csv(workspace: Workspace, out: Path, progress: Progress) -> dict[str, int]:
    """The files of `kgpipe load --bulk`, and the arguments with which neo4j-admin imports them."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is no empty folder. Name a new one: --format csv writes several files.")
    if out.exists():
        out.rmdir()
    written = bulk.write_files(workspace, load.workspace_schema(workspace), out, progress=progress)
    arguments = [
        f"--array-delimiter=U+{ord(bulk.SEPARATOR):04X}",
        "--id-type=string",
        "--multiline-fields=true",
        *(f"--nodes={path.name}" for path in written.nodes),
        *(f"--relationships={path.name}" for path in written.relationships),
    ]
    (out / ARGUMENTS).write_text("\n".join(arguments) + "\n", encoding="utf-8")
    counts = {"nodes": 0, "relationships": 0}
    for (what, _), n in written.counts.items():
        counts[f"{what}s"] += n
    return counts | {"lists_left_out": len(written.later)}


def _headline(part: select.Part, around: str, hops: int) -> tuple[str, str]:
    """What the page shows, in a title and a sentence."""
    n_entities, n_facts = part.entities.num_rows, part.facts.num_rows
    counted = f"{n_entities:,} entities and {n_facts:,} facts"
    left_out = f" {part.n_left_out:,} more entities are left out." if part.n_left_out else ""
    if not around:
        return "The best connected entities", f"{counted}.{left_out}"
    name = next(row["name"] for row in part.entities.to_pylist() if row["uid"] == part.centre)
    return name, f"{counted}, at most {hops} {'fact' if hops == 1 else 'facts'} away from {name}.{left_out}"
