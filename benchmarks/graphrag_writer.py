"""Writes a graph of JSON Lines with neo4j-graphrag's Neo4jWriter; `load.py --graphrag` runs it in an environment of its own.

    python graphrag_writer.py URI USER PASSWORD GRAPH.jsonl

Lines are {"uid", "label", "properties"} and {"source", "target", "type", "properties"}. For each line on standard input that
says `go` the graph is written once and a line with the seconds by the clock and of this process's processor is printed;
reading the file and making the writer's objects is not counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import neo4j
from neo4j_graphrag.components.kg_writer import Neo4jWriter
from neo4j_graphrag.components.types import Neo4jGraph, Neo4jNode, Neo4jRelationship

BATCH_ROWS = 10_000


def main() -> None:
    uri, user, password, path = sys.argv[1:]
    nodes, relationships = [], []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "uid" in row:
                nodes.append(Neo4jNode(id=row["uid"], label=row["label"], properties=row["properties"]))
            else:
                ends = {"start_node_id": row["source"], "end_node_id": row["target"]}
                relationships.append(Neo4jRelationship(type=row["type"], properties=row["properties"], **ends))
    graph = Neo4jGraph(nodes=nodes, relationships=relationships)
    with neo4j.GraphDatabase.driver(uri, auth=(user, password), notifications_min_severity="OFF") as driver:
        writer = Neo4jWriter(driver, batch_size=BATCH_ROWS)
        print("ready", flush=True)
        for _ in sys.stdin:
            began, processor = time.monotonic(), time.process_time()
            done = asyncio.run(writer.run(graph))
            if done.status != "SUCCESS":
                raise SystemExit(f"Neo4jWriter failed: {done.metadata}")
            print(json.dumps([time.monotonic() - began, time.process_time() - processor]), flush=True)


if __name__ == "__main__":
    main()
