"""Every batch is committed once, whatever breaks on the way; writers that work at a time share no node."""

import itertools
import random
import time
from pathlib import Path

import pytest

from kgpipe.errors import StoreError
from kgpipe.graph import cypher
from kgpipe.graph.store import Store
from kgpipe.graph.write import Row, Writers, rounds

CREATE = cypher.create_nodes(("Entity",), ("uid", "row"))
KEY = (CREATE, cypher.write_nodes(("Entity",), ("uid", "row")))
MET = ("Entity", "MET", "Entity", ("uid",))


def entity(n):
    return Row(KEY, {"properties": {"uid": f"e{n}", "row": "r"}})


def edge(source, target):
    return Row(("", ""), {"source": source, "target": target, "properties": {}})


@pytest.fixture
def store(graph):
    with Store(graph.uri, graph.user, graph.password) as opened:
        opened.write(cypher.MARKER_CONSTRAINT)
        opened.write("CREATE CONSTRAINT kgpipe_entity IF NOT EXISTS FOR (n:Entity) REQUIRE n.uid IS UNIQUE")
        yield opened


def entities(store):
    return [uid for [uid] in store.read("MATCH (n:Entity) RETURN n.uid ORDER BY n.uid")[1]]


@pytest.mark.parametrize("n_writers", [1, 2, 3, 8])
def test_writers_that_work_at_a_time_share_no_node(n_writers):
    rng = random.Random(n_writers)
    rows = [edge(f"p{rng.randrange(40)}", f"p{int(40 * rng.random() ** 3)}") for _ in range(2_000)]
    found = rounds(rows, n_writers)
    written = [row for batches in found for batch in batches for row in batch]
    assert sorted(map(id, written)) == sorted(map(id, rows))
    for batches in found:
        ends = [{row.values[end] for row in batch for end in ("source", "target")} for batch in batches]
        assert all(a.isdisjoint(b) for a, b in itertools.combinations(ends, 2))
    assert len(rounds([entity(n) for n in range(10)], n_writers)[0]) == n_writers


def test_several_writers_write_everything(store, monkeypatch):
    monkeypatch.setattr("kgpipe.graph.write.BATCH_ROWS", 40)
    store.write("CREATE CONSTRAINT m IF NOT EXISTS FOR ()-[r:MET]-() REQUIRE r.uid IS UNIQUE")
    key = (cypher.create_edges(*MET), cypher.write_edges(*MET))
    rng = random.Random(0)
    pairs = {(f"e{int(100 * rng.random() ** 3)}", f"e{rng.randrange(100)}") for _ in range(800)}
    with Writers(store, 3) as writers:
        for n in range(100):
            writers.add(entity(n))
        writers.flush()
        for a, b in sorted(pairs):
            writers.add(Row(key, {"source": a, "target": b, "properties": {"uid": f"{a} {b}"}}))
        writers.flush()
        writers.finish("f")
    assert {tuple(row) for row in store.read("MATCH (a)-[:MET]->(b) RETURN a.uid, b.uid")[1]} == pairs
    assert len(entities(store)) == 100
    assert store.read(f"MATCH (m:{cypher.MARKER}) RETURN count(m)")[1] == [[0]]  # writers leave nothing behind


def test_a_batch_of_a_load_that_another_has_followed_is_refused(store):
    with pytest.raises(StoreError, match="Another load into .* has begun"), Writers(store) as late:
        late.add(entity(1))
        late.flush()
        with Writers(store) as writers:
            late.add(entity(2))
            with pytest.raises(StoreError, match="Another load"):
                late.flush()
            writers.add(entity(3))
            writers.flush()
        late.add(entity(4))
        late.flush()
    assert entities(store) == ["e1", "e3"]


def test_what_stands_there_after_all_is_written_over(store):
    store.write("CREATE (:Entity {uid: 'e1', name: 'by hand'})")
    with Writers(store) as writers:
        writers.add(entity(0))
        writers.add(entity(1))
        writers.flush()
    assert store.read("MATCH (n:Entity) RETURN n.uid, n.name, n.row ORDER BY n.uid")[1] == [
        ["e0", None, "r"], ["e1", None, "r"],
    ]  # fmt: skip


def test_an_edge_without_its_ends_writes_nothing_of_its_batch(store):
    key = (cypher.create_edges(*MET), "")
    with Writers(store) as writers:
        writers.add(entity(1))
        writers.flush()
        for a, b in (("e1", "e1"), ("e1", "nobody")):
            writers.add(Row(key, {"source": a, "target": b, "properties": {"uid": a + b}}))
        with pytest.raises(StoreError, match="1 of 2 relationships found no node at one end"):
            writers.flush()
    assert store.read("MATCH ()-[r]->() RETURN count(r)")[1] == [[0]]


@pytest.fixture
def proxy(graph, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from proxy import Proxy

    found = Proxy(int(graph.uri.rpartition(":")[2]))
    yield found
    found.close()


def test_a_commit_whose_acknowledgement_is_lost_is_not_done_twice(graph, store, proxy, monkeypatch):
    monkeypatch.setattr("kgpipe.graph.write.BATCH_ROWS", 10)
    # no constraint stands against doing it twice, only the batch's number
    monkeypatch.setattr(f"{__name__}.KEY", (CREATE.replace("Entity", "Loose"), ""))
    with Store(proxy.uri, graph.user, graph.password) as through, Writers(through) as writers:
        for first in (0, 10, 20):
            proxy.lose_in = 1
            for n in range(first, first + 10):
                writers.add(entity(n))
            writers.flush()
    assert proxy.n_lost == 3
    assert store.read("MATCH (n:Loose) RETURN count(n), count(DISTINCT n.uid)")[1] == [[30, 30]]


def test_a_read_whose_end_is_lost_is_read_again(graph, proxy):
    with Store(proxy.uri, graph.user, graph.password) as through:
        proxy.lose_in = 1  # the driver commits reads, too
        assert through.read("RETURN 1")[1] == [[1]]
    assert proxy.n_lost == 1


def test_a_connection_that_stays_away_is_an_error_in_the_end(graph, proxy):
    with Store(proxy.uri, graph.user, graph.password, retry_s=1) as through:
        proxy.lose_in = 1
        proxy.close()
        began = time.monotonic()
        with pytest.raises(StoreError, match="No Neo4j answers at .*Start that server"):
            through.write("CREATE (:Entity {uid: 'x'})")
        assert time.monotonic() - began < 60
