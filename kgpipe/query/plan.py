"""Query graphs around what a question was linked to: legal by schema, and with an answer in the store."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kgpipe.query.compile import label_of, value_of
from kgpipe.query.link import EntitySpan, Linked, Vocabulary, type_of
from kgpipe.records import QueryGraph, QueryNode
from kgpipe.schema import Schema

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

MOST_COMBINATIONS = 12
"""Ways to read the names of one question that are searched."""
WEAK = 0.8
"""Score below which a span may be no name; a reading without it counts as much."""
MOST_PATHS = 20_000
"""Paths of one shape that are looked at around very connected entities."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A query graph with what is known of it before it runs."""

    graph: QueryGraph
    types: tuple[tuple[str, ...], ...]
    """For each node the types seen there in the store."""
    spans: tuple[int, ...]
    """For each node the index of the entity span (or, after those, value span) it stands for, -1 for none."""
    name_score: float = 1.0
    """How surely the names of the question name the entities of the graph: the least of them."""
    proven: bool = True
    """Whether the store has such a path; else the graph is only legal by schema."""


def plan(linked: Linked, store: Store, known: Vocabulary) -> list[Planned]:
    """All query graphs to two hops around the anchors of a question, each once."""
    planned: dict[str, Planned] = {}
    for anchors, spans, score in _readings(linked, known.schema):
        for found in _around(linked, anchors, spans, score, store, known):
            for variant in _outputs(found, linked, known.schema):
                best = planned.get(variant.graph.uid)
                if best is None or (variant.name_score, variant.proven) > (best.name_score, best.proven):
                    planned[variant.graph.uid] = variant
    return list(planned.values())


def _readings(linked: Linked, schema: Schema) -> Iterator[tuple[tuple[QueryNode, ...], tuple[int, ...], float]]:
    """The ways to take the names and values of a question as nodes: (nodes, span of each, least score)."""
    kinds = schema.literal_types()
    choices: list[list[tuple[QueryNode | None, int, float]]] = []
    for number, span in enumerate(linked.entities):
        choice = [(QueryNode(uid=c.uid, name=c.name), number, c.score) for c in span.candidates]
        if span.candidates[0].score < WEAK and len(linked.entities) > 1:
            choice.append((None, number, WEAK))  # "Nobel Prizes" may well be no name at all
        choices.append(choice)
    for number, value in enumerate(linked.values, len(linked.entities)):
        if value.kind in kinds:
            choices.append([
                (QueryNode(kinds[value.kind], "", said, value.operator, said.rstrip("X")), number, 1.0)
                for said in (value.value, *value.also)
            ])  # fmt: skip
    ordered = sorted(itertools.product(*choices), key=lambda reading: -min((s for *_, s in reading), default=1))
    for reading in ordered[:MOST_COMBINATIONS]:
        kept = [(node, number) for node, number, _ in reading if node is not None]
        uids = [node.uid for node, _ in kept if node.uid]
        if len(set(uids)) == len(uids) and (kept or not reading):
            least = min((score for *_, score in reading), default=1.0)
            yield tuple(node for node, _ in kept), tuple(number for _, number in kept), least


def _around(
    linked: Linked,
    anchors: tuple[QueryNode, ...],
    spans: tuple[int, ...],
    score: float,
    store: Store,
    known: Vocabulary,
) -> Iterator[Planned]:
    schema = known.schema
    n = len(anchors)
    if n == 0:
        yield from _unanchored(linked, store, known)
        return
    candidates = {c.uid: c.type for s in linked.entities for c in s.candidates}
    anchor_types = tuple((candidates.get(a.uid, a.type),) for a in anchors)

    def made(found: _Path, returns: int) -> Planned:
        free = len(found.types)
        nodes = (*anchors, *(QueryNode(_literal_type(t, schema)) for t in found.types))
        return Planned(
            QueryGraph(nodes, found.edges, returns), (*anchor_types, *found.types), (*spans, *(-1,) * free), score
        )  # fmt: skip

    if linked.output == "exists":
        yield from _existence(linked, anchors, spans, score, anchor_types, schema)
    # a star: one node next to all anchors
    for found in _paths(anchors, [(i, n) for i in range(n)], 1, store, known):
        yield made(found, n)
    # a star with one more hop; what is asked for is its end, or its middle when the end is named by its type
    for found in _paths(anchors, [*((i, n) for i in range(n)), (n, n + 1)], 2, store, known):
        yield made(found, n + 1)
        if _is_named(found.types[1], linked, schema):
            yield made(found, n)
    # anchors that belong together ("When did Ken Olsen found DEC?"): all next to one of them, and one hop from that one
    for center in range(n) if n > 1 and linked.output != "exists" else ():
        for found in _paths(
            anchors, [*((i, center) for i in range(n) if i != center), (center, n)], 1, store, known
        ) if anchors[center].uid else ():  # fmt: skip
            yield made(found, n)
    if n == 2 and linked.output != "exists":
        for edges in ([(0, 2), (2, 3), (3, 1)],):
            for found in _paths(anchors, edges, 2, store, known):
                yield made(found, 2)
                yield made(found, 3)


@dataclass(frozen=True, slots=True)
class _Path:
    edges: tuple[tuple[int, str, int], ...]
    types: tuple[tuple[str, ...], ...]


def _paths(
    anchors: Sequence[QueryNode], edges: Sequence[tuple[int, int]], n_free: int, store: Store, known: Vocabulary
) -> list[_Path]:
    """The relations and directions that the store has for a shape of undirected edges between anchors and free nodes."""
    schema = known.schema
    params: dict[str, object] = {"relations": known.relations, "most": MOST_PATHS}
    where = [f"type(r{k}) IN $relations" for k in range(len(edges))]
    names = []
    for i, anchor in enumerate(anchors):
        if anchor.uid:
            params[f"a{i}"] = anchor.uid
            names.append(f"(n{i}:Entity {{uid: $a{i}}})")
        else:
            params[f"a{i}"] = anchor.value
            names.append(f"(n{i}:{label_of(anchor.type, schema)})")
            value = value_of(f"n{i}")
            where.append({"=": f"{value} STARTS WITH $a{i}", "<": f"{value} < $a{i}",
                          ">": f"{value} > $a{i} AND NOT {value} STARTS WITH $a{i}"}[anchor.operator])  # fmt: skip
    n = len(anchors)
    names += [f"(n{i})" for i in range(n, n + n_free)]
    where += [f"n{i} <> n{j}" for i in range(n, n + n_free) for j in range(i)]
    # only the last node of a path may be a literal
    where += [f"n{i}:Entity" for i in range(n, n + n_free) if sum(i in e for e in edges) > 1]
    pattern, seen = [], set()
    for k, (a, b) in enumerate(edges):
        left, right = (names[x] if x not in seen else f"(n{x})" for x in (a, b))
        seen |= {a, b}
        pattern.append(f"{left}-[r{k}]-{right}")
    returned = [f"type(r{k}) AS t{k}, startNode(r{k}) = n{a} AS d{k}" for k, (a, _) in enumerate(edges)]
    returned += [f"labels(n{i}) AS l{i}" for i in range(n, n + n_free)]
    # the anchors are matched first, so that the limit cuts the paths of one shape and not the search for it
    _, rows = store.read(
        f"MATCH {', '.join(pattern)} WHERE {' AND '.join(where)} WITH * LIMIT $most RETURN DISTINCT {', '.join(returned)}",
        params,
        timeout_s=5,
        max_rows=None,
    )
    merged: dict[tuple, list[set[str]]] = {}
    for row in rows:
        signature = tuple(
            (a, row[2 * k], b) if row[2 * k + 1] or schema.relations[row[2 * k]].symmetric else (b, row[2 * k], a)
            for k, (a, b) in enumerate(edges)
        )
        types = [type_of(labels, schema) for labels in row[2 * len(edges) :]]
        for kept, found in zip(merged.setdefault(signature, [set() for _ in types]), types, strict=True):
            kept.add(found)
    return [_Path(signature, tuple(tuple(sorted(t)) for t in types)) for signature, types in merged.items()]


def _literal_type(types: Sequence[str], schema: Schema) -> str:
    """The literal type that a free node has, empty for entities."""
    return types[0] if types and schema.is_literal(types[0]) else ""


def _is_named(types: Sequence[str], linked: Linked, schema: Schema) -> bool:
    """Whether a type word of the question, other than the one asked for, fits one of the types."""
    return any(
        schema.family(span.type) == schema.family(t)
        for span in linked.types
        if not (linked.head_type and linked.head[0] <= span.start < linked.head[1]) or linked.output == "exists"
        for t in types if t
    )  # fmt: skip


def _existence(
    linked: Linked, anchors: tuple[QueryNode, ...], spans: tuple[int, ...], score: float,
    types: tuple[tuple[str, ...], ...], schema: Schema,
) -> Iterator[Planned]:  # fmt: skip
    """Yes/no graphs: one relation between two anchors, or one anchor and a type; legal ones, whether they hold or not."""
    if len(anchors) == 2:
        for (a, b), relation in itertools.product(((0, 1), (1, 0)), schema.relations.values()):
            if a > b and relation.symmetric:
                continue
            if _legal(types[a][0], relation.domain, schema) and _legal(types[b][0], relation.range, schema):
                yield Planned(QueryGraph(anchors, ((a, relation.name, b),), 0, "exists"), types, spans, score, False)
    if len(anchors) == 1 and anchors[0].uid:
        for span in linked.types:
            node = replace(anchors[0], type=span.type)
            yield Planned(QueryGraph((node,), (), 0, "exists"), types, spans, score, False)


def _legal(entity_type: str, allowed: Sequence[str], schema: Schema) -> bool:
    """Whether a type may stand there: it or one of its family, since extraction often misses the exact subtype."""
    if schema.is_literal(entity_type) or any(schema.is_literal(a) for a in allowed):
        return schema.fits(entity_type, allowed) and bool(allowed)
    return not allowed or not entity_type or any(schema.family(entity_type) == schema.family(a) for a in allowed)


def _unanchored(linked: Linked, store: Store, known: Vocabulary) -> Iterator[Planned]:
    """Graphs of a question that names no entity: all of a type, or those of a type with some relation."""
    schema = known.schema
    for span in linked.types:
        single = QueryGraph((QueryNode(span.type),), (), 0)
        yield Planned(single, ((span.type,),), (-1,))
    _, rows = store.read(
        "MATCH (a:Entity)-[r]->(b) WHERE type(r) IN $relations WITH a, r, b LIMIT 50000 "
        "RETURN DISTINCT type(r), labels(a), labels(b)",
        {"relations": known.relations}, timeout_s=5, max_rows=None,
    )  # fmt: skip
    merged: dict[str, tuple[set[str], set[str]]] = {}
    for relation, left, right in rows:
        sides = merged.setdefault(relation, (set(), set()))
        sides[0].add(type_of(left, schema))
        sides[1].add(type_of(right, schema))
    for relation, (left, right) in merged.items():
        types = (tuple(sorted(left)), tuple(sorted(right)))
        nodes = (QueryNode(), QueryNode(_literal_type(types[1], schema)))
        for returns in (0, 1):
            yield Planned(QueryGraph(nodes, ((0, relation, 1),), returns), types, (-1, -1))


def _outputs(found: Planned, linked: Linked, schema: Schema) -> Iterator[Planned]:
    """The graph with the output that the question's cue words ask for, and with the type of its head noun."""
    graph, types = found.graph, found.types[found.graph.returns]
    literal = schema.is_literal(graph.nodes[graph.returns].type)
    output = linked.output
    if output == "count" and literal and schema.entities[graph.nodes[graph.returns].type].literal == "number":
        output = "node"  # "how many inhabitants" asks for the number that the graph holds
    graph = replace(graph, output=output)
    yield replace(found, graph=graph)
    head = linked.head_type
    if head and not literal and output != "exists" and not graph.nodes[graph.returns].uid:
        below = tuple(t for t in types if head in schema.ancestors(t))
        if below and len(below) < len(types):
            nodes = tuple(replace(n, type=head) if i == graph.returns else n for i, n in enumerate(graph.nodes))
            kept = tuple(below if i == graph.returns else t for i, t in enumerate(found.types))
            yield replace(found, graph=replace(graph, nodes=nodes), types=kept)


__all__ = ["EntitySpan", "Planned", "plan"]
