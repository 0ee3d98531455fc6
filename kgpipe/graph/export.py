"""The graph, or a part of it, in a format of others: one function a format."""

from __future__ import annotations

from pathlib import Path

from kgpipe import schema as schemas
from kgpipe.errors import InputError, WorkspaceError
from kgpipe.graph import graphml, page, select
from kgpipe.workspace import Workspace

FORMATS = ("graphml", "html")
MOST_ENTITIES = 150
"""Entities of a page when nothing else is said: as many as can be looked at."""


def export(
    workspace: Workspace, out: Path, form: str, *, around: str = "", hops: int = 2, top: int | None = None
) -> dict[str, int]:
    """Writes `out` from the tables of the workspace (no server is needed) and returns counts of what it holds.

    `around` chooses the neighbourhood of an entity to `hops` facts, `top` the best connected entities, both together
    at most so many of that neighbourhood; neither: all (a page: the best connected MOST_ENTITIES).
    """
    if form not in FORMATS:
        raise InputError(f'Unknown format "{form}"; known: {", ".join(FORMATS)}. Give one of them with --format.')
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


def _headline(part: select.Part, around: str, hops: int) -> tuple[str, str]:
    """What the page shows, in a title and a sentence."""
    n_entities, n_facts = part.entities.num_rows, part.facts.num_rows
    counted = f"{n_entities:,} entities and {n_facts:,} facts"
    left_out = f" {part.n_left_out:,} more entities are left out." if part.n_left_out else ""
    if not around:
        return "The best connected entities", f"{counted}.{left_out}"
    name = next(row["name"] for row in part.entities.to_pylist() if row["uid"] == part.centre)
    return name, f"{counted}, at most {hops} {'fact' if hops == 1 else 'facts'} away from {name}.{left_out}"
