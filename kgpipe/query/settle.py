"""Query trees that have been run: which one a question means is settled by its words and by what comes back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgpipe.errors import QueryRefused
from kgpipe.query import guard
from kgpipe.query.catalog import Catalog
from kgpipe.query.cite import listed
from kgpipe.query.tree_cypher import tree_cypher
from kgpipe.query.trees import Scored, Tree

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

EMPTY = 3.6
"""Taken off the score of a candidate that finds nothing; half of it where the question denies something."""
REACH = 2.5
"""How far below the best one's score a candidate is still run."""
LEAST_COVERAGE = 0.3
"""Share of the words of a question that its query must account for."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A candidate that was run: its query, what came back, and its score less what an empty result costs."""

    found: Scored
    cypher: str
    params: dict[str, Any]
    columns: tuple[str, ...]
    rows: list[list[Any]]
    score: float
    pairs: list[list[Any]] | None = None
    """In a graph of ours, where entities are asked for, the name and uid of each; None where that was not asked."""

    @property
    def tree(self) -> Tree:
        return self.found.tree


def settle(
    ranked: Sequence[Scored], catalog: Catalog, store: Store, *, most: int, nodes: bool = False, distinct: bool = True
) -> list[Settled]:
    """The candidates within `REACH` of the best that was run, at most `most`, best first."""
    settled: list[Settled] = []
    best = -math.inf
    for found in ranked[:most]:
        if found.score < best - REACH:
            break
        tree = found.tree
        cypher, params = tree_cypher(tree, catalog, nodes=nodes, distinct=distinct)
        entities = bool(catalog.indexed) and tree.output == "node" and not tree.key and tree.group < 0
        run, pairs = (tree_cypher(tree, catalog, uids=True)[0] if entities else cypher), None
        try:
            columns, rows = guard.run(run, params, store)
        except QueryRefused:
            continue  # too much work for the database; another reading may do
        if entities:  # two of one name are one row, but where they are put in order
            pairs, columns = rows, columns[:1]
            rows = [[name] for name, _ in pairs]
            rows = rows if tree.order or tree.measure else [[name] for name in dict.fromkeys(name for [name] in rows)]
        empty = not rows or (found.tree.output != "exists" and rows[0][0] in (0, None) and len(rows) == 1)
        cost = EMPTY * empty * (0.5 if found.tree.absent >= 0 else 1.0)
        settled.append(Settled(found, cypher, params, tuple(columns), rows, found.score - cost, pairs))
        best = max(best, settled[-1].score)
    return sorted(settled, key=lambda s: -s.score)


def confidence(settled: Sequence[Settled]) -> float:
    """Share of the likelihood that falls on candidates with the rows of the best one, times the words accounted for."""
    if not settled:
        return 0.0
    coverage = settled[0].found.features["coverage"]
    if coverage < LEAST_COVERAGE:
        return 0.0
    return round(agreement(settled) * min(1.0, 0.4 + coverage), 4)


def agreement(settled: Sequence[Settled]) -> float:
    """Share of the likelihood that falls on candidates with the rows of the best one."""
    best = settled[0]
    weights = [math.exp(s.score - best.score) for s in settled]
    return sum(w for w, s in zip(weights, settled, strict=True) if s.rows == best.rows) / sum(weights)


def in_words(best: Settled, names: Sequence[str] = ()) -> str:
    """The rows as one text; `names` are of what was counted."""
    output = best.tree.output
    if output == "exists":
        return "Yes." if best.rows[0][0] else "No: the graph holds no such fact."
    if best.tree.group >= 0:
        return listed([f"{shown(row[0])}: {shown(row[1])}" for row in best.rows]) or "Nothing in the graph fits."
    values = [shown(row[0]) for row in best.rows]
    if not values or values == ["None"]:
        return "Nothing in the graph fits."
    if output == "count" and names and len(names) == best.rows[0][0]:
        return f"{values[0]}: {listed(names)}"
    return f"{values[0]}." if output == "count" else listed(values)


def shown(value: Any) -> str:
    """A value as text; a node by its properties."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {v}" for k, v in sorted(value.items())) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
