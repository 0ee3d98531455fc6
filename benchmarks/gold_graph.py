"""Loads gold facts of the sample corpus into an empty Neo4j, in the shape that kgpipe loads.

    python benchmarks/gold_graph.py examples/gold/facts.jsonl --neo4j bolt://127.0.0.1:7687 --password ...

Entities, literals and typed relationships with their sentence, indexes and schema; no documents, passages and evidence. The gold says no
type of an entity: it is the widest single type that all relations of the entity allow; where that leaves several,
`questions/gold_types.json` says it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import neo4j

from kgpipe import schema as schemas
from kgpipe.graph import cypher
from kgpipe.graph.load import literal_properties
from kgpipe.records import content_id
from kgpipe.schema import Schema

GOLD_TYPES = Path(__file__).with_name("questions") / "gold_types.json"


def load_gold(
    driver: neo4j.Driver, facts: Path | str, schema: str = "computing", *, share: float = 1.0
) -> dict[str, int]:
    """Counts of nodes and relationships; `facts` has one object a line with subject, relation, object, sentence.

    With a `share` below 1 only so many of the facts, always the same, are loaded.

    `aliases.json` beside the file gives the other names of an entity.
    """
    [[n_nodes]] = driver.execute_query("MATCH (n) RETURN count(n)").records
    if n_nodes:
        raise SystemExit(f"The database holds {n_nodes:,} nodes. Name an empty one with --neo4j.")
    facts = Path(facts)
    known = schemas.load(schema)
    rows = [json.loads(line) for line in facts.read_text("utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if random.Random(json.dumps(row)).random() < share]
    aliases = json.loads(facts.with_name("aliases.json").read_text("utf-8"))
    types = entity_types(rows, known)
    nodes: dict[tuple[str, ...], dict[str, dict[str, Any]]] = defaultdict(dict)
    edges: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        ends = []
        for name in (row["subject"], row["object"]):
            literal = name == row["object"] and literal_type(known, row["relation"])
            if literal:
                uid = content_id("literal", literal, name)
                kind = known.entities[literal].literal
                labels: tuple[str, ...] = ("Literal", literal)
                nodes[labels][uid] = literal_properties({"uid": uid, "type": literal, "kind": kind, "value": name})
            else:
                uid = content_id("entity", name)
                kind = types.get(name, "")
                labels = ("Entity", *(known.ancestors(kind) if kind else ()))
                nodes[labels][uid] = {"uid": uid, "type": kind, "name": name, "aliases": aliases.get(name, [])}
            ends.append(uid)
        edge = edges[row["relation"]].setdefault(
            (ends[0], ends[1]),
            {
                "uid": content_id("fact", ends[0], row["relation"], ends[1]),
                "support": 0,
                "score": 1.0,
                "sentence": row["sentence"],
                "source": row["document"],
            },
        )
        edge["support"] += 1
    for labels, found in nodes.items():
        names = ":".join(f"`{label}`" for label in labels)
        driver.execute_query(f"UNWIND $rows AS row CREATE (n:{names}) SET n = row", {"rows": list(found.values())})
    for relation, pairs in edges.items():
        driver.execute_query(
            "UNWIND $rows AS row MATCH (a {uid: row.source}), (b {uid: row.target}) "
            f"CREATE (a)-[r:`{relation}`]->(b) SET r = row.properties",
            {"rows": [{"source": a, "target": b, "properties": p} for (a, b), p in pairs.items()]},
        )
    for text in cypher.constraints_and_indexes(known).values():
        driver.execute_query(text)
    driver.execute_query("CALL db.awaitIndexes(60)")
    driver.execute_query(cypher.CLAIM, {"workspace": "gold"})
    driver.execute_query(cypher.BEGIN, {"schema": known.to_json(), "known": [], "names": [], "load": ""})
    return {"nodes": sum(map(len, nodes.values())), "relationships": sum(map(len, edges.values()))}


def literal_type(schema: Schema, relation: str) -> str:
    """The literal type of the relation's range, empty when its objects are entities."""
    return next((name for name in schema.relations[relation].range if schema.entities[name].literal), "")


def entity_types(rows: list[dict[str, Any]], schema: Schema) -> dict[str, str]:
    """Entity to its type: the widest one inside every domain and range it stands in, or what GOLD_TYPES says."""
    allowed: dict[str, set[str]] = {}
    for row in rows:
        relation = schema.relations[row["relation"]]
        sides = [(row["subject"], relation.domain)]
        if not literal_type(schema, row["relation"]):
            sides.append((row["object"], relation.range))
        for name, types in sides:
            fits = {t for t in schema.entities if not types or set(schema.ancestors(t)) & set(types)}
            allowed[name] = allowed.get(name, fits) & fits
    roots = {}
    for name, types in allowed.items():
        tops = {t for t in types if not set(schema.ancestors(t)[1:]) & types}
        if len(tops) == 1:
            roots[name] = tops.pop()
    return roots | {name: kind for name, kind in json.loads(GOLD_TYPES.read_text("utf-8")).items() if name in allowed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--share", type=float, default=1.0, help="of the facts, to be loaded")
    parser.add_argument("--neo4j", required=True, help="Bolt address of an empty Neo4j")
    parser.add_argument("--user", default="neo4j")
    parser.add_argument("--password", default=os.environ.get("NEO4J_PASSWORD", ""))
    options = parser.parse_args()
    with neo4j.GraphDatabase.driver(
        options.neo4j, auth=(options.user, options.password), notifications_min_severity="OFF"
    ) as driver:
        counts = load_gold(driver, options.facts, share=options.share)
    print(f"{counts['nodes']:,} nodes, {counts['relationships']:,} relationships")


if __name__ == "__main__":
    main()
