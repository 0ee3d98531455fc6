"""Our own local Neo4j."""

from kgpipe.graph import server


def test_the_shared_server_answers(graph):
    from neo4j import GraphDatabase

    with GraphDatabase.driver(graph.uri, auth=(graph.user, graph.password)) as driver:
        assert driver.execute_query("MATCH (n) RETURN count(n) AS n").records[0]["n"] == 0
    assert server.status(graph.home) == graph
