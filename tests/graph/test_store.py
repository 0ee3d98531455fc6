import json
import socket

import pytest

from kgpipe.config import Config
from kgpipe.errors import StoreError
from kgpipe.graph.store import Store, open_store, plain, quoted
from kgpipe.workspace import Workspace


@pytest.fixture
def store(graph):
    with Store(graph.uri, graph.user, graph.password) as opened:
        yield opened


def closed_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_rows_are_plain_python_that_json_can_hold(store):
    store.write(
        "CREATE (:Person {uid: 'a', born: date('1815-12-10')})-[:KNOWS {since: 1833}]->(:Person:Sir {uid: 'b'})"
    )
    columns, rows = store.read(
        "MATCH p = (a:Person)-[k:KNOWS]->(b) "
        "RETURN a, k, b, [a.born, duration('P1D'), null] AS list, {at: point({x: 1, y: 2})} AS map, length(p) AS n"
    )
    a = {"labels": ["Person"], "properties": {"uid": "a", "born": "1815-12-10"}}
    b = {"labels": ["Person", "Sir"], "properties": {"uid": "b"}}
    k = {"type": "KNOWS", "start": "a", "end": "b", "properties": {"since": 1833}}
    assert columns == ["a", "k", "b", "list", "map", "n"]
    assert rows == [[a, k, b, ["1815-12-10", "P1D", None], {"at": [1.0, 2.0]}, 1]]
    json.dumps(rows)
    _, [[path]] = store.read("MATCH p = (:Person)-[:KNOWS]->() RETURN p")
    assert path == {"nodes": [a, b], "relationships": [k]}


def test_a_read_cannot_write(store):
    with pytest.raises(StoreError, match="Writing in read access mode not allowed"):
        store.read("CREATE (n) RETURN n")
    assert store.read("MATCH (n) RETURN count(n)")[1] == [[0]]


def test_rows_beyond_the_cap_are_left_out_and_the_log_says_so(store, caplog):
    assert store.read("UNWIND range(1, 9) AS x RETURN x", max_rows=2) == (["x"], [[1], [2]])
    assert "only the first 2 rows" in caplog.text
    caplog.clear()
    assert len(store.read("UNWIND range(1, 9) AS x RETURN x", max_rows=9)[1]) == 9
    assert caplog.text == ""


def test_a_slow_query_is_ended(store):
    with pytest.raises(StoreError, match="longer than its time limit"):
        store.read("UNWIND range(1, 100000000) AS x UNWIND range(1, 100000) AS y RETURN count(*)", timeout_s=0.5)


def test_explain_names_kind_and_operators_and_runs_nothing(store):
    assert store.explain("MATCH (n:Person) RETURN n").kind == "r"
    plan = store.explain("LOAD CSV FROM 'http://127.0.0.1:1/x' AS line CREATE (n) RETURN n")
    assert plan.kind == "rw"
    assert plan.operators[0] == "ProduceResults"
    assert {"LoadCSV", "Create"} <= set(plan.operators)
    assert store.read("MATCH (n) RETURN count(n)")[1] == [[0]]
    with pytest.raises(StoreError, match="SyntaxError.*MATCH"):
        store.explain("MATCH (n RETURN n")


@pytest.mark.parametrize("name", ["a b", "`", "``", "x`) DETACH DELETE (n", "\\u0060 x", "名前", '"', "'"])
def test_a_quoted_name_cannot_end_early(store, name):
    [[found]] = store.write(f"CREATE (n:{quoted(name)}) RETURN labels(n)")
    assert found == [name.replace("\\u0060", "`")]


def test_the_server_is_down():
    address = f"bolt://127.0.0.1:{closed_port()}"
    with pytest.raises(StoreError, match=f"No Neo4j answers at {address} .*Start that server, or correct --neo4j"):
        Store(address, "neo4j", "secret")


def test_a_wrong_password_names_the_setting(graph):
    with pytest.raises(StoreError, match='password for user "neo4j". Set NEO4J_PASSWORD.*kgpipe.toml') as error:
        Store(graph.uri, graph.user, "not-this-one")
    assert "not-this-one" not in str(error.value)


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [  # as Neo4j 5.26.29 said them with its data on a full file system, and in a heap of 1 GB
        ("Neo.DatabaseError.Transaction.TransactionLogError", "Could not append transaction: Transaction #18 to log.",
         "could not write to its disk, which may be full .*Free space there, restart"),
        ("Neo.DatabaseError.Transaction.TransactionStartFailed",
         "The database has encountered a critical error, and needs to be restarted. Please see database logs.",
         "has stopped working after an error of its own, such as a full disk.*kgpipe neo4j logs"),
        ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", "would use more than the limit 716.8 MiB",
         "needed more memory than Neo4j at .*716.8 MiB.*server.memory.heap.max_size"),
    ],
)  # fmt: skip
def test_what_the_server_cannot_bear_is_said_with_the_fix(store, code, message, told):
    from neo4j.exceptions import Neo4jError

    with pytest.raises(StoreError, match=told) as error, store._errors():
        raise Neo4jError._hydrate_neo4j(code=code, message=message)
    assert error.value.code == code


@pytest.mark.parametrize("address", ["http://localhost:7474", "localhost:7687", "", "bolt://localhost:seven"])
def test_what_is_no_bolt_address_is_refused_with_an_example(address):
    with pytest.raises(StoreError, match="Example: bolt://localhost:7687"):
        Store(address, "neo4j", "secret")


def test_something_else_answers_at_the_address(graph):
    with pytest.raises(StoreError, match="No Neo4j answers"):
        Store(graph.browser.split("/browser")[0].replace("http", "bolt"), "neo4j", "secret")


def test_the_configured_server_is_used(graph):
    config = Config(neo4j=graph.uri, neo4j_user=graph.user, neo4j_password=graph.password)
    with open_store(config) as store:
        assert store.read("RETURN 1")[1] == [[1]]


def test_without_a_workspace_no_server_of_ours_is_started(tmp_path):
    with pytest.raises(StoreError, match="no workspace at .*kgpipe build"):
        open_store(Config(workspace=tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_our_own_server_of_a_workspace_is_started(neo4j, tmp_path, monkeypatch):
    from kgpipe.graph import server

    started = []
    monkeypatch.setattr(server, "start", lambda home, **options: started.append((home, options)) or neo4j)
    workspace = Workspace(tmp_path / "ws")
    with open_store(Config(neo4j_home="/opt/neo4j"), workspace) as store:
        assert store.uri == neo4j.uri
    assert started[0][0] == workspace.path / "neo4j"
    assert started[0][1]["neo4j_home"] == "/opt/neo4j"


def test_plain_leaves_what_is_plain():
    value = [1, 2.5, None, True, "x", {"a": [b"\x00\xff"]}]
    assert plain(value) == [1, 2.5, None, True, "x", {"a": ["00ff"]}]
