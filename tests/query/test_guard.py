"""The guard on a real server: what writes, administers, reaches outside or never ends is refused, and nothing changes."""

import pytest

from kgpipe.errors import QueryRefused
from kgpipe.query import guard

HOSTILE = [
    "CREATE (n:Person {name: 'Eve'})",
    "CREATE (n) RETURN n",
    "MATCH (n) DELETE n",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) SET n.name = 'Eve'",
    "MATCH (n) SET n:Owned",
    "MATCH (n) SET n += {a: 1} RETURN n",
    "MATCH (n) REMOVE n.name",
    "MATCH (n) REMOVE n:Person RETURN n",
    "MERGE (n:Person {name: 'Eve'}) RETURN n",
    "MATCH (a), (b) MERGE (a)-[:FOUNDED]->(b)",
    "MATCH (n) FOREACH (x IN [1] | SET n.x = x)",
    "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS",
    "CALL { MATCH (n) DETACH DELETE n } IN TRANSACTIONS OF 10 ROWS",
    "MATCH (n) WITH n LIMIT 1 CREATE (m) RETURN m",
    "OPTIONAL MATCH (n) SET n.x = 1",
    "UNWIND [1, 2] AS x CREATE (n {x: x})",
    "WITH 1 AS x MERGE (n {x: x})",
    "RETURN 1 UNION CREATE (n) RETURN 1",
    "CREATE INDEX i FOR (n:Person) ON (n.name)",
    "DROP CONSTRAINT kgpipe_entity",
    "CREATE CONSTRAINT c FOR (n:Person) REQUIRE n.x IS UNIQUE",
    "CREATE FULLTEXT INDEX t FOR (n:Person) ON EACH [n.name]",
    "CREATE USER eve SET PASSWORD 'secret123'",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
    "DROP USER neo4j",
    "SHOW USERS",
    "SHOW SETTINGS",
    "SHOW INDEXES",
    "SHOW TRANSACTIONS",
    "SHOW PROCEDURES",
    "SHOW DATABASES",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-1'",
    "CALL dbms.components()",
    "CALL dbms.listConfig()",
    "CALL dbms.killQuery('1')",
    "CALL db.labels()",
    "CALL db.clearQueryCaches()",
    "CALL db.index.fulltext.queryNodes('kgpipe_entities', 'x')",
    "MATCH (n) CALL db.labels() YIELD label RETURN label",
    "WITH 1 AS x CALL dbms.components() YIELD name RETURN name",
    "LOAD CSV FROM 'http://127.0.0.1/secret' AS line RETURN line",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "WITH 'http://127.0.0.1/' AS url LOAD CSV FROM url AS line RETURN line",
    "MATCH (n) LOAD CSV FROM 'http://127.0.0.1/' + n.name AS line RETURN line",
    "USE system SHOW USERS",
    "USE neo4j MATCH (n) RETURN n",
    "USE graph.byName('system') MATCH (n) RETURN n",
    "MATCH (a)-[*]-(b) RETURN a",
    "MATCH (a)-[*2..]->(b) RETURN a",
    "MATCH (a)-[:`FOUNDED*..3`*]->(b) RETURN a",
    "MATCH (a)-[:`*1..2`*1..]->(b) RETURN a",
    "MATCH (`a*..2`)-[*]->(b) RETURN b",
    "MATCH (a)-[:FOUNDED*1..1000]->(b) RETURN a",
    "MATCH (a)-[*..2]->(b)-[*]->(c) RETURN c",
    "MATCH (a)-[:FOUNDED]->+(b) RETURN b",
    "MATCH (a) ((x)-->(y))* (b) RETURN b",
    "MATCH (a)-->{2,}(b) RETURN b",
    "MATCH p = shortestPath((a:Person)-[*]-(b:Place)) RETURN p",
    "MATCH p = allShortestPaths((a:Person)-[*]-(b:Place)) RETURN p",
    "MATCH p = SHORTEST 1 (a:Person)-->+(b) RETURN p",
    "MATCH (a) WHERE EXISTS { (a)-[:FOUNDED*]->() } RETURN a",
    "MATCH (a) WHERE COUNT { (a)-[*]->() } > 1 RETURN a",
    "MATCH (a) RETURN [(a)-[*]->(b) | b.name]",
    "MATCH (n) RETURN n; MATCH (m) DETACH DELETE m",
    "RETURN 1; CREATE (n)",
    "EXPLAIN MATCH (n) RETURN n",
    "EXPLAIN CREATE (n)",
    "PROFILE MATCH (n) DETACH DELETE n",
    "CYPHER 5 MATCH (n) DETACH DELETE n",
    "CYPHER runtime=slotted CREATE (n)",
    "  /* harmless */ EXPLAIN CREATE (n)",
    "// MATCH (n) RETURN n\nCREATE (n)",
    "/* MATCH */ // RETURN\n PROFILE CREATE (n)",
    "\\u0045XPLAIN CREATE (n)",
    "\\u0043REATE (n)",
    "MATCH (n) \\u0044ELETE n",
    "MATCH (n) DETACH\u00a0DELETE n",
    "match (n) dEtAcH dElEtE n",
    "MATCH (n) /* */ DETACH /* */ DELETE /* */ n",
    ":param x => 1",
    "BEGIN",
    "COMMIT",
    "FINISH",
    "START DATABASE neo4j",
    "DROP DATABASE neo4j",
    "DENY TRAVERSE ON GRAPH * TO PUBLIC",
    "",
    "   ",
    "MATCH",
    "RETURN apoc.load.json('http://127.0.0.1/')",
    "MATCH (n) RETURN n" + " " * 30_000,
    "Who designed the Analytical Engine?",
    "\x00MATCH (n) RETURN n",
    "RETURN reduce(s = 0, x IN range(1, 10000000000) | s + x)",
    "RETURN `reduce`(s = 'x', i IN [1, 2] | s + s)",
    "RETURN range(1, 2000000000)",
    "RETURN /* */ range /* */ (1, 2)",
    "RETURN r\\u0061nge(1, 2)",
    "MATCH (n) WITH collect(n) AS r RETURN [a IN r | [b IN r | size(r)]]",
    "MATCH (n) WITH collect(n) AS r RETURN all(a IN r WHERE any(b IN r WHERE a = b))",
    "MATCH (n) WHERE n.name =~ '(a+)+$' RETURN n",
    "WITH 'x' AS s " + "WITH s + s AS s " * 60 + "RETURN s",
    "RETURN " + "(" * 100 + "1" + ")" * 100,
    "RETURN " + "NOT " * 400 + "true",
    "MATCH (n) RETURN n" + ".a" * 500,
    "MATCH (a)" + "--()" * 60 + " RETURN 1",
    "RETURN 1" + " UNION RETURN 1" * 100,
    "RETURN replace(replace('xx', 'x', 'xx'), 'x', 'xx')",
]
HARMLESS = [
    "MATCH (a:Person)-[r:FOUNDED]->(b) WITH DISTINCT a RETURN a.name ORDER BY a.name",
    "MATCH (a:Entity {uid: $uid}) RETURN a.name",
    "// a comment\nMATCH (a:Entity {uid: $uid})-[:BORN_IN]->(b) RETURN count(DISTINCT b)",
    "MATCH (a)-[:INFLUENCED_BY*1..3]->(b) RETURN DISTINCT b.name",
    "MATCH (a)-[:INFLUENCED_BY*2]->(b) RETURN DISTINCT b.name",
    "MATCH (a)-[:INFLUENCED_BY]->{1,3}(b) RETURN DISTINCT b.name",
    "OPTIONAL MATCH (a:Award) RETURN a.name UNION MATCH (b:Place) RETURN b.name AS `a.name`",
    "MATCH (a:Person) WHERE NOT EXISTS { (a)-[:RECEIVED]->() } RETURN a.name LIMIT 3",
    "UNWIND $names AS name MATCH (a:Person) WHERE a.name CONTAINS name RETURN a.name",
    "RETURN 'CREATE (n) DETACH DELETE n' AS text",
    "MATCH (a:Person) WHERE (a.name CONTAINS 'range(1)' OR a.name = \"it's reduce(\") AND NOT (a)-[:RECEIVED]->() RETURN a.name",
    "MATCH (a:Person)-[:RECEIVED]->(b) WITH a, collect(b.name) AS won WHERE size([x IN won WHERE x STARTS WITH 'T']) > 0 RETURN a.name",
    "MATCH (a:Person) RETURN CASE WHEN (a.name IS NULL) THEN toLower('X') ELSE coalesce(a.name, '') END AS n, duration.between(date('2000-01-01'), date()) AS d",
    "MATCH (a:Person) RETURN a.name AS `CALL dbms.components()` ORDER BY 1 SKIP 1 LIMIT 2",
]


def fingerprint(store):
    """Everything in the database, indexes and constraints too, as one value."""
    _, nodes = store.read("MATCH (n) RETURN labels(n), properties(n) AS p ORDER BY n.uid", max_rows=None)
    _, edges = store.read("MATCH ()-[r]->() RETURN type(r), properties(r) AS p ORDER BY r.uid, type(r)", max_rows=None)
    _, indexes = store.read("SHOW INDEXES YIELD name, state RETURN name, state ORDER BY name", max_rows=None)
    _, users = store.read("SHOW CURRENT USER YIELD user RETURN user")
    return repr((nodes, edges, indexes, users))


def test_hostile_texts_are_refused_and_change_nothing(store):
    before = fingerprint(store)
    passed = []
    for cypher in HOSTILE:
        try:
            guard.run(cypher, {}, store)
        except QueryRefused as refusal:
            assert "\n" not in str(refusal)
        else:
            passed.append(cypher)
    assert passed == []
    assert len(HOSTILE) > 40
    assert fingerprint(store) == before


@pytest.fixture
def given():
    return {"uid": "no such uid", "names": ["Turing"]}


def test_reading_texts_pass(store, given):
    for cypher in HARMLESS:
        columns, rows = guard.run(cypher, given, store)
        assert columns and isinstance(rows, list)


def test_rows_and_time_are_bounded(store):
    _, rows = guard.run("UNWIND $numbers AS x RETURN x", {"numbers": list(range(1000))}, store, max_rows=10)
    assert len(rows) == 10
    with pytest.raises(Exception, match="time limit"):
        guard.run("MATCH (a), (b), (c), (d), (e), (f) RETURN count(a.name + f.name)", {}, store, timeout_s=0.5)


def test_the_refusal_names_the_operator(store):
    with pytest.raises(QueryRefused, match="LoadCSV"):
        guard.check("WITH 1 AS x LOAD CSV FROM 'http://127.0.0.1/' AS line RETURN line", {}, store)
    with pytest.raises(QueryRefused, match="upper bound"):
        guard.check("MATCH (a)-[*]-(b) RETURN a", {}, store)
    with pytest.raises(QueryRefused, match='begins with "SHOW"'):
        guard.check("SHOW USERS", {}, store)
