"""A part of the graph, read from the tables: all of it, the neighbourhood of an entity, or what is best connected."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgpipe import names
from kgpipe.errors import InputError
from kgpipe.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Part:
    """Entities, the facts among them, and the literals that these facts name, as Arrow tables in uid order."""

    entities: pa.Table
    literals: pa.Table
    facts: pa.Table
    n_facts: Counter[str]
    """How many facts of the whole graph name each of the entities (by uid)."""
    centre: str = ""
    """The uid of the entity it was chosen around."""
    n_left_out: int = 0
    """Entities that would have belonged to it and were too many."""


def whole(workspace: Workspace) -> Part:
    """All entities, literals and facts."""
    facts = workspace.read("facts")
    return Part(_entities(workspace), workspace.read("literals"), facts, _degrees(facts))


def around(workspace: Workspace, name: str, *, hops: int, most: int | None) -> Part:
    """What is at most `hops` facts away from the entity of that name, alias or uid, `most` entities at most.

    Steps go from entity to entity: two people born in one year are no neighbours. Where a step finds too many, those
    named by most sentences about what is already there are kept. InputError names the candidates of an ambiguous or
    unknown name.
    """
    entities, facts = _entities(workspace), workspace.read("facts")
    centre = find(entities, name)
    links = facts.filter(pc.invert(facts.column("literal"))).select(["subject", "object", "support"])
    reached, frontier, n_left_out = {centre}, [centre], 0
    for _ in range(hops):
        support: Counter[str] = Counter()
        for here, there in (("subject", "object"), ("object", "subject")):
            touching = links.filter(pc.is_in(links.column(here), pa.array(frontier, pa.string())))
            for uid, n in zip(*(touching.column(c).to_pylist() for c in (there, "support")), strict=True):
                if uid not in reached:
                    support[uid] += n
        room = len(support) if most is None else max(0, most - len(reached))
        frontier = sorted(support, key=lambda uid: (-support[uid], uid))[:room]
        n_left_out += len(support) - len(frontier)
        reached |= set(frontier)
        if not frontier:
            break
    return _among(workspace, entities, facts, reached, centre=centre, n_left_out=n_left_out)


def top(workspace: Workspace, most: int) -> Part:
    """The `most` entities with most facts, without those that no fact joins to another of them."""
    entities, facts = _entities(workspace), workspace.read("facts")
    degrees = _degrees(facts)
    best = sorted(degrees.keys() & set(entities.column("uid").to_pylist()), key=lambda uid: (-degrees[uid], uid))
    found = _among(workspace, entities, facts, set(best[:most]), n_left_out=max(0, len(best) - most))
    links = found.facts.filter(pc.invert(found.facts.column("literal")))
    joined = {uid for c in ("subject", "object") for uid in links.column(c).to_pylist()}
    if not joined:  # a graph of dates and numbers only
        return found
    return _among(workspace, entities, facts, joined, n_left_out=len(best) - len(joined))


def find(entities: pa.Table, name: str) -> str:
    """The uid of the one entity with that uid, name or alias, in this order; InputError when there is none or several."""
    wanted = " ".join(name.split())
    if not wanted:
        raise InputError('No entity is named. Give a name or uid, for example: --around "Grace Hopper"')
    rows = entities.select(["uid", "type", "name", "aliases"])
    aliases = pa.table(
        {
            "row": pc.list_parent_indices(rows.column("aliases").combine_chunks()),
            "alias": pc.list_flatten(rows.column("aliases").combine_chunks()),
        }
    )
    folded = names.normalise(wanted)
    for found in (
        rows.filter(pc.equal(rows.column("uid"), wanted)),
        rows.filter(pc.equal(rows.column("name"), wanted)),
        rows.filter(pa.array([names.normalise(n) == folded for n in rows.column("name").to_pylist()], pa.bool_())),
        rows.take(
            pc.unique(
                aliases.filter(
                    pa.array([names.normalise(a) == folded for a in aliases.column("alias").to_pylist()], pa.bool_())
                ).column("row")
            )
        ),
    ):
        if found.num_rows > 1:
            listed = "; ".join(f"{r['name']} ({r['type']}) {r['uid']}" for r in found.slice(0, 10).to_pylist())
            raise InputError(f'"{wanted}" names {found.num_rows} entities: {listed}. Give the uid of one.')
        if found.num_rows:
            return found.column("uid")[0].as_py()
    from rapidfuzz import fuzz, process

    near = process.extract(wanted[:200], rows.column("name").to_pylist(), scorer=fuzz.WRatio, limit=5, score_cutoff=60)
    hint = f" Similar: {'; '.join(dict.fromkeys(n for n, _, _ in near))}." if near else ""
    raise InputError(f'Nothing in the graph is called "{wanted[:200]}".{hint} Give one of its names, or a uid.')


def _entities(workspace: Workspace) -> pa.Table:
    entities = workspace.read("entities", ["uid", "type", "name", "aliases", "mentions"])
    if not entities.num_rows:
        raise InputError(f"The workspace {workspace.path} has no entities to export. Run: kgpipe build FOLDER")
    n_mentions = pc.list_value_length(entities.column("mentions"))
    return entities.drop_columns(["mentions"]).append_column("n_mentions", n_mentions)


def _degrees(facts: pa.Table) -> Counter[str]:
    subjects, objects = (facts.column(c).combine_chunks() for c in ("subject", "object"))
    counted = pc.value_counts(pa.concat_arrays([subjects, objects.filter(pc.not_equal(subjects, objects))]))
    uids, counts = (counted.field(f).to_numpy(zero_copy_only=False) for f in ("values", "counts"))
    return Counter(dict(zip(uids.tolist(), np.asarray(counts).tolist(), strict=True)))


def _among(
    workspace: Workspace, entities: pa.Table, facts: pa.Table, uids: set[str], *, centre: str = "", n_left_out: int = 0
) -> Part:  # fmt: skip
    chosen = pa.array(sorted(uids), pa.string())
    inside = pc.is_in(facts.column("subject"), chosen)
    kept = facts.filter(pc.and_(inside, pc.or_(pc.is_in(facts.column("object"), chosen), facts.column("literal"))))
    literals = workspace.read("literals")
    degrees = _degrees(facts)
    return Part(
        entities.filter(pc.is_in(entities.column("uid"), chosen)),
        literals.filter(pc.is_in(literals.column("uid"), kept.column("object").combine_chunks())),
        kept,
        Counter({uid: degrees[uid] for uid in uids}),
        centre,
        n_left_out,
    )
