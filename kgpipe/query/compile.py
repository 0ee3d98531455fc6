"""A query graph to one read-only Cypher text with parameters, and to the query that returns its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kgpipe.graph.store import quoted
from kgpipe.records import QueryGraph, QueryNode
from kgpipe.schema import Schema

COLUMNS = {"node": "answer", "count": "count", "exists": "exists"}
"""The one column of each output."""
FACT_ROWS = (
    "WITH DISTINCT r, startNode(r) AS s, endNode(r) AS o\n"
    "RETURN r.uid AS uid, s.uid AS subject_uid, s.name AS subject, type(r) AS relation, o.uid AS object_uid, "
    "CASE WHEN o:Literal THEN o.text ELSE o.name END AS object, r.support AS support, "
    "r.score AS score, r.sentence AS sentence, r.source AS source ORDER BY subject, relation, object"
)
"""The end of a query that returns facts, where `r` are their relationships."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """`cypher` with `params` gives the rows; `facts` with the same params gives the relationships they rest on."""

    cypher: str
    facts: str
    params: dict[str, Any]
    columns: tuple[str, ...]


def compiled(graph: QueryGraph, schema: Schema) -> Compiled:
    """The Cypher of a query graph; every label and type is quoted and of the schema, every value a parameter.

    All edges stand in one MATCH, where relationships are unique by themselves; nodes are kept apart by a
    condition, so that nobody is their own colleague.
    """
    params: dict[str, Any] = {}
    conditions: list[str] = []
    seen: set[int] = set()

    def node(index: int) -> str:
        if index in seen:
            return f"(n{index})"
        seen.add(index)
        wanted = graph.nodes[index]
        if wanted.uid:
            params[f"n{index}"] = wanted.uid
            labels = f"Entity&{label_of(wanted.type, schema)}" if wanted.type else "Entity"
            return f"(n{index}:{labels} {{uid: $n{index}}})"
        if wanted.operator:
            params[f"n{index}"] = wanted.value
            conditions.append(_comparison(index, wanted))
        return f"(n{index}:{label_of(wanted.type, schema) if wanted.type else 'Entity'})"

    patterns = []
    for number, (subject, relation, object_) in enumerate(graph.edges):
        if relation not in schema.relations:
            raise ValueError(f"relation {relation} is not in schema {schema.name}")
        arrow = "-" if schema.relations[relation].symmetric else "->"
        patterns.append(f"{node(subject)}-[r{number}:{quoted(relation)}]{arrow}{node(object_)}")
    patterns.extend(node(i) for i in range(len(graph.nodes)) if i not in seen)
    for i, a in enumerate(graph.nodes):
        for j, b in enumerate(graph.nodes[:i]):
            if not (a.uid and b.uid) and not schema.is_literal(a.type) and not schema.is_literal(b.type):
                conditions.append(f"n{i} <> n{j}")
    match = "MATCH " + ", ".join(patterns)
    if conditions:
        match += "\nWHERE " + " AND ".join(conditions)
    asked = f"n{graph.returns}"
    column = COLUMNS[graph.output]
    if graph.output == "exists":
        ending = f"RETURN count(*) > 0 AS {column}"
    elif graph.output == "count":
        ending = f"RETURN count(DISTINCT {asked}) AS {column}"
    else:
        value = value_of(asked) if schema.is_literal(graph.nodes[graph.returns].type) else f"{asked}.name"
        only = _functional(graph, schema)
        chosen = f"WITH DISTINCT {asked}"
        if only is not None:  # one value is right by schema: the one with most evidence
            subject, number = only
            chosen = (
                f"WITH DISTINCT n{subject}, r{number}, {asked} ORDER BY r{number}.support DESC, r{number}.score DESC, r{number}.uid\n"
                f"WITH n{subject}, head(collect({asked})) AS {asked}\nWITH DISTINCT {asked}"
            )
        ending = f"{chosen}\nRETURN {value} AS {column} ORDER BY {column}"
    facts = ""
    if graph.edges:
        facts = f"{match}\nUNWIND [{', '.join(f'r{n}' for n in range(len(graph.edges)))}] AS r\n{FACT_ROWS}"
    return Compiled(f"{match}\n{ending}", facts, params, (column,))


def _functional(graph: QueryGraph, schema: Schema) -> tuple[int, int] | None:
    """(subject node, edge number) where what is returned is the object of a functional relation."""
    for number, (subject, relation, object_) in enumerate(graph.edges):
        if object_ == graph.returns and schema.relations[relation].functional:
            return subject, number
    return None


def label_of(entity_type: str, schema: Schema) -> str:
    """The label of a type, quoted; nodes carry the labels of their type's parents too."""
    if entity_type not in schema.entities:
        raise ValueError(f"type {entity_type} is not in schema {schema.name}")
    return quoted(entity_type)


def value_of(variable: str) -> str:
    """The expression for a literal's normalised value as text."""
    return f"{variable}.text"


def _comparison(index: int, node: QueryNode) -> str:
    value, wanted = value_of(f"n{index}"), f"$n{index}"
    if node.operator == "=":
        return f"{value} STARTS WITH {wanted}"
    if node.operator == ">":  # "after 1950" leaves out what happened in 1950
        return f"{value} > {wanted} AND NOT {value} STARTS WITH {wanted}"
    return f"{value} < {wanted}"
