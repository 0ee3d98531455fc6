"""After `kgpipe load --bulk` the graph is that of a plain load, and a plain load finds nothing to write."""

import importlib.util
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from kgpipe import cli
from kgpipe.errors import SchemaError
from kgpipe.graph import bulk, server
from kgpipe.graph.load import compare, load
from kgpipe.graph.store import Store
from kgpipe.records import TABLES
from kgpipe.workspace import Workspace

spec = importlib.util.spec_from_file_location("loading", Path(__file__).with_name("test_load.py"))
loading = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loading)
SCHEMA, content, write_tables = loading.SCHEMA, loading.content, loading.write_tables

HOSTILE = [
    "`) DETACH DELETE (n", "'\"\\", '"', '""', '"a","b"', "a,b;c|d", "line\nbreak\r\nand\ttab", " spaces ", "١٩٤٣", "長" * 200,
    "\u202eright to left", "nul\x00byte", "x" * 10_000, "a\x1fb", "\\", "\\u0060", "-", "null", "true", "1e5",
]  # fmt: skip


@pytest.fixture
def workspace(tmp_path, neo4j_jars):
    said = {
        "file:///a.txt": [(f"Person:{name}", "SAYS", f"Text:{name} says") for name in HOSTILE],
        "file:///b.txt": [
            ("Person:Ada", "BORN_ON", "Date:1815-12-10"), ("Person:Ada", "BORN_ON", "Date:181X"),
            ("Company:IBM", "WEIGHS", "Number:30.5 t"), ("Person:Ada", "FOUNDED", "Company:IBM"),
            ("Company:IBM", "PART_OF", "Organization:Big Blue"), ("Person:Ada", "MENTIONS", "Person:Ada King"),
            ("Company:IBM", "WEIGHS", "Number:many"), ("Person:Ada", "FOUNDED", "Company:IBM"),
        ],
        "file:///empty.txt": [],
    }  # fmt: skip
    workspace = write_tables(Workspace(tmp_path / "ws"), said, titles={"file:///b.txt": 'A "title"'})
    assert SCHEMA.name == "test"
    yield workspace
    server.stop(workspace.path / "neo4j")


def run(workspace, *options):
    arguments = ["load", "--bulk", "--workspace", str(workspace.path), "--quiet", *options]
    return CliRunner().invoke(cli.app, arguments, env={"NEO4J_URI": ""})


def test_the_graph_is_that_of_a_plain_load(workspace, tmp_path):
    done = run(workspace, "--json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert list(found["seconds"]) == ["look", "write files", "stop", "import", "start", "indexes", "verify"]
    assert found["facts_compared"] == workspace.read("facts").num_rows
    assert not (workspace.path / "neo4j" / "import" / "kgpipe").exists()
    own = server.status(workspace.path / "neo4j")
    with Store(own.uri, own.user, own.password) as store:
        imported = content(store)
        assert compare(store, workspace) == {}
        assert sum(load(store, workspace).values()) == 0
        written = bulk.write_files(workspace, SCHEMA, tmp_path / "csv")
        store.write("MATCH ()-[r:SAYS]->() WITH r LIMIT 1 SET r.sentence = 'other'")
        with pytest.raises(bulk.StoreError, match="the SAYS .* is not what was written.*--replace"):
            bulk._verify(store, written)
        store.write("MATCH (n:Passage) WITH n LIMIT 1 DETACH DELETE n")
        with pytest.raises(bulk.StoreError, match="the graph holds 1 Passage where 2 were written"):
            bulk._verify(store, written)
        store.write("MATCH (n) DETACH DELETE n")
        plain = load(store, workspace)
        assert plain == {name: found.get(name, 0) for name in plain}
        assert content(store) == imported
    refused = run(workspace)
    assert refused.exit_code == 1
    assert "--bulk makes it anew" in str(refused.exception) and "--replace" in str(refused.exception)
    for path in workspace.files("literals"):  # what the facts name is not there
        path.unlink()
    done = run(workspace, "--replace")
    assert done.exit_code == 1 and "neo4j-admin did not import the tables" in str(done.exception), done.exception
    own = server.start(own.home, heap_mb=512, pagecache_mb=64, timeout_s=300)
    with Store(own.uri, own.user, own.password) as store:
        assert store.read("MATCH (n) RETURN count(n)")[1] == [[0]]


def test_a_server_of_the_users_is_not_stopped(workspace):
    done = run(workspace, "--neo4j", "bolt://127.0.0.1:1")
    assert done.exit_code == 1 and "is not ours to stop" in str(done.exception)
    assert not (workspace.path / "neo4j").exists()


def test_a_workspace_without_documents_is_the_marker_alone(tmp_path):
    workspace = write_tables(Workspace(tmp_path / "ws"), {})
    written = bulk.write_files(workspace, SCHEMA, tmp_path / "csv")
    assert dict(written.counts) == {("node", "KgpipeWorkspace"): 1}


def _lines(path):
    return sorted(path.read_text(encoding="utf-8").splitlines())


def test_rows_that_fill_what_is_written_at_a_time(workspace, tmp_path, monkeypatch):
    whole = bulk.write_files(workspace, SCHEMA, tmp_path / "whole")
    monkeypatch.setattr(bulk, "_TABLE_ROWS", 1)
    single = bulk.write_files(workspace, SCHEMA, tmp_path / "single")
    assert single.counts == whole.counts
    for these, those in ((single.nodes, whole.nodes), (single.relationships, whole.relationships)):
        assert sorted(map(_lines, these)) == sorted(map(_lines, those))


@pytest.fixture
def shared(monkeypatch):
    """Every part is written by one of three processes, however small the workspace."""
    monkeypatch.setattr(bulk, "ALONE", 0)
    monkeypatch.setattr(bulk, "_n_processors", lambda: 3)


def test_processes_that_share_the_work_write_the_same_files(workspace, tmp_path, shared, monkeypatch):
    told = []
    three = bulk.write_files(workspace, SCHEMA, tmp_path / "three", progress=lambda *said: told.append(said))
    monkeypatch.setattr(bulk, "_n_processors", lambda: 1)
    one = bulk.write_files(workspace, SCHEMA, tmp_path / "one")
    assert three.counts == one.counts and three.facts == one.facts and three.later == one.later
    for these, those in ((three.nodes, one.nodes), (three.relationships, one.relationships)):
        assert [path.name for path in these] == [path.name for path in those]
        assert [path.read_bytes() for path in these] == [path.read_bytes() for path in those]
    assert {path.suffix for path in (tmp_path / "three").iterdir()} == {".csv"}
    assert told[-1][1] == told[-1][2] and all(done <= total for _, done, total in told)


def test_an_error_in_another_process_is_raised_here(workspace, tmp_path, shared, monkeypatch):
    monkeypatch.setattr(bulk, "PARTS", {"Entity": "extractions", "facts": "facts"})  # the heavier one is written here
    facts = workspace.read("facts").to_pylist()
    workspace.snapshot(
        "resolution",
        {name: workspace.read(name) for name in ("entities", "merges", "literals", "evidence")}
        | {"facts": pa.Table.from_pylist([{**row, "type": "NO_SUCH"} for row in facts], TABLES["facts"])},
        inputs="other",
    )
    with pytest.raises(SchemaError, match='Unknown relation type "NO_SUCH" in the table facts'):
        bulk.write_files(workspace, SCHEMA, tmp_path / "csv")


def test_a_process_that_dies_is_told(workspace, tmp_path, shared, monkeypatch):
    monkeypatch.setattr(bulk.sys, "executable", shutil.which("false"))
    with pytest.raises(bulk.StoreError, match="A process that wrote files ended with 1"):
        bulk.write_files(workspace, SCHEMA, tmp_path / "csv")
