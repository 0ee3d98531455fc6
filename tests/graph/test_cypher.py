"""No query of the loader reads more than it must: EXPLAIN shows an index under every one of them."""

import ast
import re
from pathlib import Path

import pytest

from kgpipe import schema as schemas
from kgpipe.graph import cypher
from kgpipe.graph.store import Store

SCHEMA = schemas.parse("""
entities:
  Person: {}
  Company: {}
  Date: {literal: date}
relations:
  FOUNDED: {domain: [Person], range: [Company]}
  MENTIONS: {domain: [Person], range: [Person]}
  BORN_ON: {domain: [Person], range: [Date]}
""")
LINKS = [("Passage", "PART_OF", "Document"), ("Evidence", "IN", "Passage")]
EDGES = [("Passage", "MENTIONS", "Entity"), ("Entity", "MENTIONS", "Entity"), ("Entity", "BORN_ON", "Literal")]
KEYS = ("uid", "name", "row")
PARAMETERS = {
    "n": 0, "source": [], "target": [], "properties": {}, "uids": [], "after": "", "limit": 10, "workspace": "w", "fingerprint": "f", "schema": "{}",
    "names": ["writer 0"], "known": ["writer 0"], "name": "writer 0", "load": "l", "batch": 1,
}  # fmt: skip
QUERIES = {
    "owner": cypher.OWNER,
    "claim": cypher.CLAIM,
    "begin": cypher.BEGIN,
    "finish": cypher.FINISH,
    "hold writer": cypher.HOLD_WRITER,
    "writer": cypher.WRITER,
    "advance writer": cypher.ADVANCE_WRITER,
    **{f"pages {label}": cypher.node_pages(label) for label in cypher.NODES},
    **{f"write {label}": cypher.write_nodes((label, "Person"), KEYS, ("Company",)) for label in cypher.NODES},
    **{f"remove {label}": cypher.remove_nodes(label) for label in cypher.NODES},
    **{f"pages {link[1]}": cypher.link_pages(*link) for link in LINKS},
    **{f"write {link[1]}": cypher.write_links(*link) for link in LINKS},
    **{f"create {link[1]}": cypher.create_links(*link) for link in LINKS},
    **{f"remove {link[1]}": cypher.remove_links(*link) for link in LINKS},
    **{f"pages {edge[0]} {edge[1]}": cypher.edge_pages(*edge[:2]) for edge in EDGES},
    **{f"write {edge[0]} {edge[1]}": cypher.write_edges(*edge, KEYS) for edge in EDGES},
    **{f"create {edge[0]} {edge[1]}": cypher.create_edges(*edge, KEYS) for edge in EDGES},
    **{f"remove {edge[0]} {edge[1]}": cypher.remove_edges(*edge[:2]) for edge in EDGES},
    **{f"count {edge[0]} {edge[1]}": cypher.count_edges(*edge[:2]) for edge in EDGES},
    **{f"facts {edge[1]}": cypher.facts_of(edge[1]) for edge in EDGES if edge[0] == "Entity"},
    "count label": cypher.count_label("Passage"),
    "count type": cypher.count_type("MENTIONS"),
}
OTHERS = {  # they read no node or edge by its uid: EXPLAIN takes them, and says what they are
    "create nodes": (cypher.create_nodes(("Entity", "Person"), KEYS), "rw"),
    "nodes now": (cypher.NODES_NOW, "r"),
    "own schema": (cypher.OWN_SCHEMA, "r"),
    "loaded": (cypher.LOADED, "r"),
    "count ends": (cypher.count_ends("FOUNDED", ["Person", "Company"]), "r"),
    "node properties": (cypher.NODE_PROPERTIES, "r"),
    "relationship types": (cypher.RELATIONSHIP_TYPES, "r"),
    "indexes": (cypher.INDEXES, "r"),
    "end earlier": (cypher.END_EARLIER, "r"),
    "await indexes": (cypher.AWAIT_INDEXES, "r"),
    "marker": (cypher.MARKER_CONSTRAINT, "s"),
    **{name: (text, "s") for name, text in cypher.constraints_and_indexes(SCHEMA).items()},
}


@pytest.fixture(scope="module")
def store(neo4j):
    with Store(neo4j.uri, neo4j.user, neo4j.password) as opened:
        for text in (cypher.MARKER_CONSTRAINT, *cypher.constraints_and_indexes(SCHEMA).values()):
            opened.write(text)
        opened.write(cypher.AWAIT_INDEXES)
        yield opened


@pytest.mark.parametrize("text", QUERIES.values(), ids=QUERIES)
def test_every_query_finds_its_nodes_and_edges_by_an_index(store, text):
    operators = store.explain(text, PARAMETERS).operators
    assert not [o for o in operators if o.endswith("Scan") or "TypeScan" in o]
    assert [o for o in operators if "UniqueIndexSeek" in o or o.endswith("CountFromCountStore")]


@pytest.mark.parametrize("text, kind", OTHERS.values(), ids=OTHERS)
def test_every_other_text_is_what_it_says(store, text, kind):
    plan = store.explain(text, PARAMETERS)
    assert plan.kind == kind
    assert "AllNodesScan" not in plan.operators


def test_every_text_of_the_module_is_explained_here():
    """Every constant and function of `cypher` that gives Cypher is named in this file, between here and its top."""
    own = {name for name, value in vars(cypher).items() if getattr(value, "__module__", "") == cypher.__name__}
    own |= {name for name, value in vars(cypher).items() if isinstance(value, str) and name.isupper()}
    no_cypher = {"MARKER", "ENTITY_INDEX", "PASSAGE_INDEX", "relation_types"}
    named = set(re.findall(r"cypher\.(\w+)", Path(__file__).read_text(encoding="utf-8").partition("def store(")[0]))
    assert {name for name in own if not name.startswith("_")} - no_cypher == (named | {"AWAIT_INDEXES"}) - {"NODES"}


def test_no_other_module_of_the_graph_holds_cypher():
    clause = re.compile(r"\b(MATCH|MERGE|UNWIND|DETACH DELETE|CREATE (CONSTRAINT|INDEX|\()|CALL (db|apoc|\{))")
    folder = Path(cypher.__file__).parent
    found = [
        (path.name, node.value)
        for path in folder.glob("*.py")
        if path.name != "cypher.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and clause.search(node.value)
    ]
    assert found == []


def test_constraints_stand_by_their_names_and_can_be_made_again(store):
    texts = cypher.constraints_and_indexes(SCHEMA)
    for text in texts.values():
        store.write(text)
    names = {name for [name] in store.read(cypher.INDEXES)[1]}
    assert set(texts) <= names
    assert {"BORN_ON", "FOUNDED", "MENTIONS"} <= set(cypher.relation_types(names))


def test_a_fact_is_found_by_its_uid_once(store):
    store.write("CREATE (:Entity {uid: 'x'})-[:FOUNDED {uid: 'f'}]->(:Entity {uid: 'y'})")
    with pytest.raises(Exception, match="already exists"):
        store.write("MATCH (x:Entity {uid: 'x'}), (y:Entity {uid: 'y'}) CREATE (y)-[:FOUNDED {uid: 'f'}]->(x)")
    store.write("MATCH (n:Entity) WHERE n.uid IN ['x', 'y'] DETACH DELETE n")
