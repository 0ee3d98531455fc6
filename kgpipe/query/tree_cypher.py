"""A query tree to one read-only Cypher text with parameters."""

from __future__ import annotations

from typing import Any

from kgpipe.graph.store import quoted
from kgpipe.query.catalog import Catalog
from kgpipe.query.cite import FACT_ROWS
from kgpipe.query.trees import Condition, Tree


def tree_cypher(
    tree: Tree, catalog: Catalog, *, nodes: bool = False, distinct: bool = True, uids: bool = False
) -> tuple[str, dict[str, Any]]:
    """Cypher and parameters; with `nodes` what is asked for is returned as a node, else by the property that names it.

    With `uids` a second column has the uid of the node asked for, or of which something is asked, in a graph of ours.
    Without `distinct` a row is given as often as it is matched. All edges stand in one MATCH, so that no relationship is
    taken twice; null never comes first or last in an order.
    """
    return _Writer(tree, catalog, nodes, distinct, uids).text()


def facts_cypher(tree: Tree, catalog: Catalog) -> tuple[str, dict[str, Any]]:
    """The facts of a graph of ours that a tree rests on, for the answers (name or value, uid) that are in `$answers`.

    `$answers` null takes all. Empty where the tree has no relationship.
    """
    return _Writer(tree, catalog, False, True).facts()


class _Writer:
    def __init__(self, tree: Tree, catalog: Catalog, nodes: bool, distinct: bool, uids: bool = False) -> None:
        self.uids = uids
        self.tree = tree
        self.catalog = catalog
        self.nodes = nodes
        self.distinct = distinct
        self.params: dict[str, Any] = {}
        self.counted: dict[int, str] = {}
        """For nodes whose number is compared, the comparison."""
        self.literals: dict[tuple[int, str], str] = {}
        """For (node, property) kept at a node of its own, the pattern that leads there."""
        self.relationships: dict[str, tuple[int, str]] = {}
        """For the name of each relationship its subject node and relation."""
        self.inside = False
        """Whether what is written stands in NOT EXISTS."""

    def text(self) -> tuple[str, dict[str, Any]]:
        root = f"n{self.tree.root}"
        match = self._match()
        if self.counted:
            counts = ", ".join(f"count(DISTINCT n{i}) AS h{i}" for i in self.counted)
            held = "".join(f", v{k}" for k, (i, _) in enumerate(self.literals) if i == self.tree.root)
            match += f"\nWITH {root}{held}, {counts}\nWHERE {' AND '.join(self.counted.values())}"
        return f"{match}\n{self._returned(root)}", self.params

    def facts(self) -> tuple[str, dict[str, Any]]:
        match = self._match()
        if not self.relationships:
            return "", {}
        answer = f"[{self._asked()}, n{self.tree.root}.uid]"
        chosen = f"\nWITH * WHERE $answers IS NULL OR {answer} IN $answers"
        return f"{match}{chosen}\nUNWIND [{', '.join(self.relationships)}] AS r\n{FACT_ROWS}", self.params

    def _match(self) -> str:
        """MATCH with its conditions."""
        where, patterns = self._matched()
        if self.tree.order:
            key, _, i = self.tree.order
            where.append(f"{self._value(i, key)} IS NOT NULL")
        if self.tree.measure and self.tree.measure[2]:
            _, i, key = self.tree.measure
            where.append(f"{self._value(i, key)} IS NOT NULL")
        if self.tree.key:
            self._held(self.tree.root, self.tree.key)
        patterns += self.literals.values()
        if self.catalog.distinct_nodes or self.tree.apart:
            where += self._apart()
        return "MATCH " + ", ".join(patterns) + ("\nWHERE " + " AND ".join(where) if where else "")

    def _apart(self) -> list[str]:
        """Conditions that keep nodes apart, so that nobody is their own colleague."""
        outer = self._outer() if self.tree.absent >= 0 else -1
        nodes = [(i, any(c.uid for c in n.conditions)) for i, n in enumerate(self.tree.nodes) if i != outer]
        family = self.catalog.schema.family
        kinds = [family(n.type) if n.type in self.catalog.schema.entities else n.type for n in self.tree.nodes]
        return [
            f"n{i} <> n{j}" for i, fixed in nodes for j, other in nodes
            if j < i and not (fixed and other) and (self.catalog.distinct_nodes or kinds[i] == kinds[j])
        ]  # fmt: skip

    def _held(self, i: int, key: str) -> str:
        """The expression for a property, with the pattern that it needs where it stands at a node of its own."""
        attribute = self.catalog.attributes[self.tree.nodes[i].type][key]
        if not attribute.linked:
            return f"n{i}.{quoted(key)}"
        variable = f"{'w' if self.inside else 'v'}{[*self.literals, (i, key)].index((i, key))}"
        if (i, key) not in self.literals:
            arrow = f"-[{self._relationship(i, key)}:{quoted(key)}]->"
            self.literals[i, key] = f"(n{i}){arrow}({variable}:Literal)"
        return f"{variable}.{'value' if attribute.kind == 'number' else 'text'}"

    def _relationship(self, subject: int, relation: str) -> str:
        """A name for a relationship of a graph of ours, whose facts are shown."""
        if self.inside or not self.catalog.distinct_nodes:
            return ""
        name = f"r{len(self.relationships)}"
        self.relationships[name] = (subject, relation)
        return name

    def _matched(self) -> tuple[list[str], list[str]]:
        """Conditions and patterns of all edges but the absent one, which becomes a condition."""
        tree, catalog = self.tree, self.catalog
        outer = self._outer() if tree.absent >= 0 else -1
        where, patterns, seen = [], [], set()

        def node(i: int) -> str:
            if i in seen:
                return f"(n{i})"
            seen.add(i)
            where.extend(self._conditions(i))
            return f"(n{i}:{self._label(i)})"

        for i, found in enumerate(tree.nodes):
            if found.type in catalog.relationships:
                ends = {catalog.links[x].half: b if a == i else a for a, b, x in tree.edges if i in (a, b)}
                left, right = (node(ends[half]) if half in ends else "()" for half in ("subject", "object"))
                seen.add(i)
                where.extend(self._conditions(i))
                patterns.append(f"{left}-[n{i}:{quoted(found.type)}]->{right}")
        for number, (subject, object_, link) in enumerate(tree.edges):
            if not catalog.links[link].half and number != tree.absent:
                left = node(subject)
                patterns.append(f"{left}{self._arrow(link, subject)}{node(object_)}")
        patterns += [node(i) for i in range(len(tree.nodes)) if i not in seen and i != outer]
        if outer >= 0:
            subject, object_, link = tree.edges[tree.absent]
            ends = [f"(n{i}:{self._label(i)})" if i == outer else f"(n{i})" for i in (subject, object_)]
            before, self.inside, self.literals = self.literals, True, {}
            inside = " AND ".join(self._conditions(outer))
            held = "".join(f", {p}" for p in self.literals.values())
            where.append(
                f"NOT EXISTS {{ MATCH {ends[0]}{self._arrow(link, subject)}{ends[1]}{held}{f' WHERE {inside}' if inside else ''} }}"
            )
            self.inside, self.literals = False, before
        return where, patterns

    def _label(self, i: int) -> str:
        """The type of a node, with the label under which its uid is indexed: without, all nodes of the type would be read."""
        node, indexed = self.tree.nodes[i], self.catalog.indexed
        also = [indexed] if indexed and node.type != indexed and any(c.uid for c in node.conditions) else []
        return ":".join(quoted(label) for label in (*also, node.type))

    def _outer(self) -> int:
        """The end of the absent edge that nothing else holds."""
        subject, object_, _ = self.tree.edges[self.tree.absent]
        inner = self.tree.root in (object_,) or sum(object_ in (a, b) for a, b, _ in self.tree.edges) > 1
        return subject if inner else object_

    def _arrow(self, link: int, subject: int) -> str:
        relation = self.catalog.links[link].relation
        return f"-[{self._relationship(subject, relation)}:{quoted(relation)}]{'-' if self.catalog.symmetric(link) else '->'}"

    def _value(self, i: int, key: str) -> str:
        expression = self._held(i, key)
        return f"toFloat({expression})" if self.catalog.attributes[self.tree.nodes[i].type][key].as_text else expression

    def _conditions(self, i: int) -> list[str]:
        found = []
        for k, condition in enumerate(self.tree.nodes[i].conditions):
            name = f"v{i}_{k}"
            if condition.key == "#":
                self.counted[i] = self._compared(f"h{i}", name, condition)
                continue
            if condition.uid:
                self.params[name] = condition.uid
                found.append(f"n{i}.uid {condition.operator} ${name}")
                continue
            attribute = self.catalog.attributes[self.tree.nodes[i].type][condition.key]
            if attribute.iso and condition.operator != "=":  # a text, or a temporal value that is written so
                found.append(self._compared(f"toString({self._held(i, condition.key)})", name, condition, lower=False))
                continue
            number = isinstance(condition.value, int | float) and not isinstance(condition.value, bool)
            expression = self._value(i, condition.key) if number else self._held(i, condition.key)
            found.append(self._compared(expression, name, condition))
        return found

    def _compared(self, expression: str, name: str, condition: Condition, *, lower: bool = True) -> str:
        self.params[name] = condition.value
        if condition.operator == "between":
            self.params[f"{name}_upper"] = condition.upper
            return f"${name} <= {expression} <= ${name}_upper"
        if condition.operator.isupper() and lower:
            return f"toLower({expression}) {condition.operator} ${name}"
        return f"{expression} {condition.operator} ${name}"

    def _named(self, i: int) -> str:
        """A node as it is given: by the property that names it, else by all of them."""
        if self.nodes:
            return f"n{i}"
        key = self.catalog.name_keys[self.tree.nodes[i].type]
        return f"n{i}.{quoted(key)}" if key else f"properties(n{i})"

    def _returned(self, root: str) -> str:
        tree = self.tree
        group = f"{self._named(tree.group)} AS for_each, " if tree.group >= 0 else ""
        ending = " ORDER BY for_each" if group else ""
        if tree.output == "exists":
            return "RETURN count(*) > 0 AS exists"
        if tree.output == "count":
            counted = self._held(tree.root, tree.key) if tree.key else root
            return f"RETURN {group}count(DISTINCT {counted}) AS count{ending}"
        if tree.output in ("avg", "sum"):
            held = f"{root}, n{tree.group}" if group else root
            value = self._value(tree.root, tree.key)
            return f"WITH DISTINCT {held}\nRETURN {group}{tree.output}({value}) AS {tree.output}{ending}"
        asked = self._asked()
        uid, uid_too = (f", {root}.uid AS uid", ", uid") if self.uids else ("", "")
        if tree.measure:
            function, i, key = tree.measure
            measured = f"{function}({self._value(i, key)})" if key else f"count(DISTINCT n{i})"
            direction = "DESC" if tree.most > 0 else "ASC"
            return (
                f"WITH {asked} AS answer{uid}, {root}, {measured} AS number\n"
                f"RETURN answer{uid_too} ORDER BY number {direction}, answer LIMIT {tree.limit}"
            )
        if tree.order:
            key, direction, i = tree.order
            by = f"{self._value(i, key)} {direction.upper()}"
            return f"RETURN {asked} AS answer{uid} ORDER BY {by} LIMIT {tree.limit}"
        if only := self._functional():  # one value is right by schema: the one with most evidence
            subject, r = only
            return (
                f"WITH DISTINCT n{subject}, {r}, {asked} AS answer{uid} ORDER BY {r}.support DESC, {r}.score DESC, {r}.uid\n"
                f"WITH n{subject}, head(collect([answer{uid_too}])) AS best\n"
                f"RETURN DISTINCT best[0] AS answer{', best[1] AS uid' if self.uids else ''} ORDER BY answer"
            )
        sorted_ = " ORDER BY answer" if self.catalog.distinct_nodes else ""
        return f"RETURN {'DISTINCT ' if self.distinct else ''}{asked} AS answer{uid}{sorted_}"

    def _asked(self) -> str:
        return self._held(self.tree.root, self.tree.key) if self.tree.key else self._named(self.tree.root)

    def _functional(self) -> tuple[int, str] | None:
        """(subject node, relationship) where what is returned is the object of a functional relation, in a graph of ours."""
        tree = self.tree
        if self.counted:
            return None
        for name, (subject, relation) in self.relationships.items():
            if not self.catalog.schema.relations[relation].functional:
                continue
            if tree.key == relation and subject == tree.root:
                return subject, name
            if not tree.key and (subject, relation) in {
                (s, self.catalog.links[link].relation) for s, o, link in tree.edges if o == tree.root
            }:
                return subject, name
        return None
