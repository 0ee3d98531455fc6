"""One real Neo4j for the whole test session, and no process of ours after it."""

import os

import psutil
import pytest

from kgpipe.errors import ServerError
from kgpipe.graph import jars, server

os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # a start takes half the processor time
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # more threads than cores wait for each other


@pytest.fixture(scope="session")
def neo4j_jars():
    """The folder of Neo4j's jars, fetched once on this machine; without a way to the registry, tests skip (not in CI)."""
    try:
        return jars.fetch()
    except ServerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def neo4j(neo4j_jars, tmp_path_factory):
    """A running Server, shared by all tests."""
    home = tmp_path_factory.mktemp("shared") / "neo4j"
    yield server.start(home, heap_mb=512, pagecache_mb=64, timeout_s=300)
    server.stop(home)


@pytest.fixture
def graph(neo4j):
    """The shared Server with an empty database: no data, no constraints, no indexes."""
    from neo4j import GraphDatabase

    with GraphDatabase.driver(neo4j.uri, auth=(neo4j.user, neo4j.password)) as driver, driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS").consume()
        for name in session.run("SHOW CONSTRAINTS YIELD name").value():
            session.run(f"DROP CONSTRAINT `{name}`").consume()
        for name in session.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name").value():
            session.run(f"DROP INDEX `{name}`").consume()
    return neo4j


def pytest_collection_modifyitems(items):
    """Files with slow tests come first, so that no worker begins one when the other has nothing left."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Ends, and reports as a failure, what a test left running: processes that name its temporary folder."""
    if hasattr(session.config, "workerinput"):
        return  # its folder lies in that of the whole run, which is looked at when all have ended
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is None or factory._basetemp is None:
        return
    folder = f"{factory._basetemp}{os.sep}"
    me = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    left = [
        p for p in psutil.process_iter(["cmdline"]) if p.pid not in me and folder in " ".join(p.info["cmdline"] or [])
    ]
    for process in left:
        session.config.get_terminal_writer().line(f"\nOUTLIVED THE TESTS: {process.info['cmdline']}", red=True)
        process.terminate()
    if left:
        psutil.wait_procs(left, timeout=30)
        session.exitstatus = 1
