"""A query tree to one read-only Cypher text with parameters."""

from __future__ import annotations

from typing import Any

from kgpipe.graph.store import quoted
from kgpipe.query.catalog import Catalog
from kgpipe.query.trees import Condition, Tree


def tree_cypher(
    tree: Tree, catalog: Catalog, *, nodes: bool = False, distinct: bool = True
) -> tuple[str, dict[str, Any]]:
    """Cypher and parameters; with `nodes` what is asked for is returned as a node, else by the property that names it.

    Without `distinct` a row is given as often as it is matched. All edges stand in one MATCH, so that no relationship is taken twice; null never comes first or last in an order.
    """
    params: dict[str, Any] = {}
    where: list[str] = []
    seen: set[int] = set()

    reified = catalog.relationships

    def value(i: int, key: str) -> str:
        expression = f"n{i}.{quoted(key)}"
        return f"toFloat({expression})" if catalog.attributes[tree.nodes[i].type][key].as_text else expression

    def conditions(i: int) -> None:
        if i in seen:
            return
        seen.add(i)
        for k, condition in enumerate(tree.nodes[i].conditions):
            number = isinstance(condition.value, int | float) and not isinstance(condition.value, bool)
            expression = value(i, condition.key) if number else f"n{i}.{quoted(condition.key)}"
            where.append(_condition(expression, f"v{i}_{k}", condition, params))

    def node(i: int) -> str:
        if i in seen:
            return f"(n{i})"
        conditions(i)
        return f"(n{i}:{quoted(tree.nodes[i].type)})"

    patterns = []
    for i, found in enumerate(tree.nodes):
        if found.type in reified:
            ends = {catalog.links[x].half: b if a == i else a for a, b, x in tree.edges if i in (a, b)}
            left, right = (node(ends[half]) if half in ends else "()" for half in ("subject", "object"))
            conditions(i)
            patterns.append(f"{left}-[n{i}:{quoted(found.type)}]->{right}")
    for subject, object_, link in tree.edges:
        if catalog.links[link].half:
            continue
        arrow = "-" if catalog.symmetric(link) else "->"
        left = node(subject)
        patterns.append(f"{left}-[:{quoted(catalog.links[link].relation)}]{arrow}{node(object_)}")
    patterns += [node(i) for i in range(len(tree.nodes)) if i not in seen]
    root = f"n{tree.root}"
    asked = root
    if tree.key:
        asked = value(tree.root, tree.key) if tree.output in ("avg", "sum") else f"{root}.{quoted(tree.key)}"
    if not tree.key and not nodes:
        key = catalog.name_keys[tree.nodes[tree.root].type]
        asked = f"{root}.{quoted(key)}" if key else f"properties({root})"
    if tree.order:
        where.append(f"{root}.{quoted(tree.order[0])} IS NOT NULL")
    match = "MATCH " + ", ".join(patterns) + ("\nWHERE " + " AND ".join(where) if where else "")
    if tree.output == "exists":
        return f"{match}\nRETURN count(*) > 0 AS exists", params
    if tree.output == "count":
        return f"{match}\nRETURN count(DISTINCT {root}) AS count", params
    if tree.output in ("avg", "sum"):
        function = tree.output
        return f"{match}\nWITH DISTINCT {root}\nRETURN {function}({asked}) AS {function}", params
    if tree.most:
        direction = "DESC" if tree.most > 0 else "ASC"
        return (
            f"{match}\nWITH {root}, count(DISTINCT n{tree.counted}) AS number\n"
            f"RETURN {asked} AS answer ORDER BY number {direction}, answer LIMIT {tree.limit}", params,
        )  # fmt: skip
    if tree.order:
        by = f"{value(tree.root, tree.order[0])} {tree.order[1].upper()}"
        return f"{match}\nRETURN {asked} AS answer ORDER BY {by} LIMIT {tree.limit}", params
    return f"{match}\nRETURN {'DISTINCT ' if distinct else ''}{asked} AS answer", params


def _condition(expression: str, name: str, condition: Condition, params: dict[str, Any]) -> str:
    params[name] = condition.value
    if condition.operator == "between":
        params[f"{name}_upper"] = condition.upper
        return f"${name} <= {expression} <= ${name}_upper"
    if condition.operator.isupper():
        return f"toLower({expression}) {condition.operator} ${name}"
    return f"{expression} {condition.operator} ${name}"
