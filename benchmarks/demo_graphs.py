"""Loads the demonstration graphs over which questions are asked into an empty Neo4j.

    python benchmarks/demo_graphs.py northwind graphs/northwind --neo4j bolt://127.0.0.1:7687 --password ...
    python benchmarks/demo_graphs.py movies graphs/movies ...
    python benchmarks/demo_graphs.py pole zograscope/graph ...

Northwind becomes the graph that its own northwind.cypher makes: an absent value is the text NULL there, and freight,
discount and the price in an order are texts. Rows that a comma without quotes has shifted are mended. Movies is its
own script, run as it stands. POLE is in the format of `neo4j-admin database import`; an empty field is no property.
The password may be in NEO4J_PASSWORD.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import neo4j

BATCH = 5_000
Row = dict[str, Any]

NORTHWIND_KEYS = {
    "Product": "productID",
    "Category": "categoryID",
    "Supplier": "supplierID",
    "Customer": "customerID",
    "Order": "orderID",
}
NORTHWIND_NAMES = {
    "Product": "productName",
    "Category": "categoryName",
    "Supplier": "companyName",
    "Customer": "companyName",
}
POLE_KEYS = {"Person": "surname", "Officer": "surname", "Crime": "type", "Location": "address", "Vehicle": "reg"}


def load_northwind(driver: neo4j.Driver, folder: Path | str) -> dict[str, int]:
    """Counts of nodes and relationships of the graph made from the six CSV files that northwind.cypher reads."""
    _refuse_full(driver)
    folder = Path(folder)
    for label, key in NORTHWIND_KEYS.items():
        driver.execute_query(f"CREATE CONSTRAINT FOR (n:{label}) REQUIRE n.{key} IS UNIQUE")
    for label, name in NORTHWIND_NAMES.items():
        driver.execute_query(f"CREATE INDEX FOR (n:{label}) ON (n.{name})")
    products = list(_rows(folder / "products.csv"))
    for row in products:
        row["unitPrice"] = float(row["unitPrice"])
        row["discontinued"] = row["discontinued"] != "0"
        for name in ("unitsInStock", "unitsOnOrder", "reorderLevel"):
            row[name] = int(row[name])
    details = list(_rows(folder / "order-details.csv"))
    for row in details:
        row["quantity"] = int(row["quantity"])
    orders = list(_rows(folder / "orders.csv"))
    files = {"Category": "categories.csv", "Supplier": "suppliers.csv", "Customer": "customers.csv"}
    nodes = {label: list(_rows(folder / name)) for label, name in files.items()}
    for label, rows in {**nodes, "Product": products, "Order": orders}.items():
        _write(driver, f"UNWIND $rows AS row CREATE (n:{label}) SET n = row", rows)
    for rows, text in (
        (products, "MATCH (a:Product {productID: row.productID}), (b:Category {categoryID: row.categoryID}) "
                   "CREATE (a)-[:PART_OF]->(b)"),
        (products, "MATCH (a:Supplier {supplierID: row.supplierID}), (b:Product {productID: row.productID}) "
                   "CREATE (a)-[:SUPPLIES]->(b)"),
        (orders, "MATCH (a:Customer {customerID: row.customerID}), (b:Order {orderID: row.orderID}) "
                 "CREATE (a)-[:PURCHASED]->(b)"),
        (details, "MATCH (a:Order {orderID: row.orderID}), (b:Product {productID: row.productID}) "
                  "CREATE (a)-[r:ORDERS]->(b) SET r = row"),
    ):  # fmt: skip
        _write(driver, f"UNWIND $rows AS row {text}", rows)
    return _counts(driver)


def load_movies(driver: neo4j.Driver, folder: Path | str) -> dict[str, int]:
    """Counts of nodes and relationships of the graph that movies.cypher of the folder makes."""
    _refuse_full(driver)
    for statement in re.split(r";\s*\n", (Path(folder) / "movies.cypher").read_text("utf-8").strip() + "\n"):
        if statement.strip():
            driver.execute_query(statement)
    return _counts(driver)


def load_pole(driver: neo4j.Driver, folder: Path | str) -> dict[str, int]:
    """Counts of nodes and relationships of the graph in the folder's nodes.*.csv.gz and relationships.*.csv.gz."""
    _refuse_full(driver)
    folder = Path(folder)
    labels = set()
    driver.execute_query("CREATE CONSTRAINT pole_id FOR (n:_Pole) REQUIRE n._id IS UNIQUE")
    try:
        for path in sorted(folder.glob("nodes.*.csv.gz")):
            groups = defaultdict(list)
            for row in _rows(path):
                groups[row.pop(":LABEL")].append({"id": row.pop(":ID"), "values": _typed(row)})
            for group, rows in groups.items():
                labels.update(group.split(";"))
                names = ":".join(f"`{label}`" for label in group.split(";"))
                _write(driver, f"UNWIND $rows AS row CREATE (n:_Pole:{names}) SET n = row.values, n._id = row.id", rows)
        for path in sorted(folder.glob("relationships.*.csv.gz")):
            groups = defaultdict(list)
            for row in _rows(path):
                start, end, kind = row.pop(":START_ID"), row.pop(":END_ID"), row.pop(":TYPE")
                groups[kind].append({"start": start, "end": end, "values": _typed(row)})
            for kind, rows in groups.items():
                text = (
                    "UNWIND $rows AS row MATCH (a:_Pole {_id: row.start}), (b:_Pole {_id: row.end}) "
                    f"CREATE (a)-[r:`{kind}`]->(b) SET r = row.values"
                )
                _write(driver, text, rows)
    finally:
        driver.execute_query("DROP CONSTRAINT pole_id IF EXISTS")
    with driver.session() as session:
        text = "MATCH (n:_Pole) CALL (n) { REMOVE n:_Pole, n._id } IN TRANSACTIONS OF 10000 ROWS"
        session.run(text).consume()
    for label, name in POLE_KEYS.items():
        if label in labels:
            driver.execute_query(f"CREATE INDEX FOR (n:{label}) ON (n.{name})")
    return _counts(driver)


def _refuse_full(driver: neo4j.Driver) -> None:
    [[n_nodes]] = driver.execute_query("MATCH (n) RETURN count(n)").records
    if n_nodes:
        raise SystemExit(f"The database holds {n_nodes:,} nodes. Name an empty one with --neo4j.")


def _counts(driver: neo4j.Driver) -> dict[str, int]:
    [[nodes]] = driver.execute_query("MATCH (n) RETURN count(n)").records
    [[relationships]] = driver.execute_query("MATCH ()-[r]->() RETURN count(r)").records
    return {"nodes": nodes, "relationships": relationships}


def _rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(10_000_000)  # Northwind's pictures
    opened = gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(newline="")
    with opened as file:
        head, *rows = csv.reader(file)
        for cells in rows:
            while len(cells) > len(head):  # a comma without quotes in a text: "Pavlova, Ltd." of Northwind
                split = next(i for i, cell in enumerate(cells) if cell.startswith(" "))
                cells[split - 1 : split + 1] = [f"{cells[split - 1]},{cells[split]}"]
            yield dict(zip(head, cells, strict=True))


def _typed(row: Row) -> Row:
    """The properties of one row: `name:double` is a float; an empty field is left out."""
    values = {}
    for head, text in row.items():
        name, _, kind = head.partition(":")
        if text:
            values[name] = float(text) if kind == "double" else int(text) if kind in ("int", "long") else text
    return values


def _write(driver: neo4j.Driver, text: str, rows: Iterable[Row]) -> None:
    rows = list(rows)
    for start in range(0, len(rows), BATCH):
        driver.execute_query(text, {"rows": rows[start : start + BATCH]})


LOADERS = {"northwind": load_northwind, "movies": load_movies, "pole": load_pole}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", choices=LOADERS)
    parser.add_argument("path", type=Path, help="folder of the graph")
    parser.add_argument("--neo4j", required=True, help="Bolt address of an empty Neo4j")
    parser.add_argument("--user", default="neo4j")
    parser.add_argument("--password", default=os.environ.get("NEO4J_PASSWORD", ""))
    options = parser.parse_args()
    with neo4j.GraphDatabase.driver(
        options.neo4j, auth=(options.user, options.password), notifications_min_severity="OFF"
    ) as driver:
        counts = LOADERS[options.graph](driver, options.path)
    print(f"{options.graph}: {counts['nodes']:,} nodes, {counts['relationships']:,} relationships")


if __name__ == "__main__":
    main()
