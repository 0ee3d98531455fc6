"""The DAG in a real Airflow, on a fresh metadata database."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from kgpipe.evaluate import same
from kgpipe.pipeline import STAGES
from kgpipe.workspace import Workspace

ROOT = Path(__file__).parents[2]
DAG_FILE = ROOT / "dags" / "build_graph.py"
HEAVY = ("torch", "transformers", "spacy", "daft", "neo4j")
TEXTS = [
    "Grace Hopper was born in New York City on 9 December 1906. She worked for Remington Rand.",
    "Grace Brewster Hopper designed the language FLOW-MATIC. Hopper studied at Yale University.",
    "Konrad Zuse was born in Berlin. Zuse designed the Z3 in 1941.",
    "The Z3 was a computer that Konrad Zuse built in Berlin.",
    "Dennis Ritchie worked for Bell Labs. He designed the C programming language in 1972.",
    "Ken Thompson worked for Bell Labs in New Jersey and designed Unix.",
    "Unix was written in C. Dennis Ritchie received the Turing Award in 1983.",
    "Intel was founded by Robert Noyce and Gordon Moore in 1968.",
    "Gordon Moore was born in San Francisco. He did not found Fairchild alone.",
    "Alan Turing was born in London on 23 June 1912 and died in Wilmslow in 1954.",
]

pytestmark = pytest.mark.airflow
pytest.importorskip("airflow", reason="the extra `airflow` is not installed")

LOOK = f"""
import json, sys
from build_graph import dag
print(json.dumps({{
    "loaded": [m for m in {HEAVY!r} if m in sys.modules],
    "params": list(dag.params),
    "tasks": {{
        t.task_id: [sorted(t.upstream_task_ids), t.trigger_rule, t.pool, type(t).__name__] for t in dag.tasks
    }},
}}))
"""
RUN = """
import json, sys
from build_graph import dag
run = dag.test(run_conf=json.loads(sys.argv[1]))
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
with create_session() as session:
    rows = session.scalars(XComModel.get_many(run_id=run.run_id, dag_ids="build_graph", key="return_value")).all()
    found = [[row.task_id, row.map_index, XComModel.deserialize_value(row)] for row in rows]
print("\\n" + json.dumps({
    "state": run.state,
    "tasks": sorted([t.task_id, t.map_index, t.state] for t in run.get_task_instances()),
    "returned": sorted(found, key=str),
}))
"""


def load_dag_file():
    spec = importlib.util.spec_from_file_location("build_graph", DAG_FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """(folder of DAGs, environment) of an Airflow of its own; kgpipe.toml lies beside the DAG file."""
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    dags.mkdir()
    shutil.copy(DAG_FILE, dags)
    # one passage a group: then scores do not depend on how many shards share the passages
    (dags / "kgpipe.toml").write_text(f'python = "{sys.executable}"\npool = "devices"\ngroup = 1\n')
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "KGPIPE", "NEO4J"))} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(dags), os.environ.get("PYTHONPATH")])),
    }
    return dags, environment


def printed_json(program, folder, environment, *arguments):
    """What a program prints as its last line, and everything it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_the_file_imports_nothing_heavy_and_walks_the_stages(airflow):
    found, _ = printed_json(LOOK, *airflow)
    assert found["loaded"] == []
    assert found["params"] == ["folder", "workspace", "schema", "neo4j", "shards", "prune"]
    expected = {"shards": [[], "all_success", "default_pool", "_PythonDecoratedOperator"]}
    before = "shards"
    for stage in STAGES:
        sources = sorted({before} | ({"shards"} if stage.scope == "shard" else set()))
        kind = "MappedOperator" if stage.scope == "shard" else "Kgpipe"
        expected[stage.name] = [sources, "none_failed", "devices" if stage.needs == "gpu" else "default_pool", kind]
        before = stage.name
    expected["report"] = [[before], "none_failed", "default_pool", "Report"]
    expected["changed"] = [[before], "none_failed", "default_pool", "_PythonDecoratedOperator"]
    assert found["tasks"] == expected


def test_the_error_of_a_command_is_the_error_of_its_task(tmp_path, monkeypatch):
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    monkeypatch.setenv("KGPIPE_PYTHON", sys.executable)
    dag = load_dag_file().dag
    params = {"folder": str(tmp_path / "none"), "workspace": str(tmp_path / "w"), "schema": "", "neo4j": ""}
    with pytest.raises(AirflowFailException) as error:  # no second try: nothing would change
        type(dag.get_task("sources")).execute.__wrapped__(
            dag.get_task("sources"), {"params": {**params, "prune": False}}
        )
    assert str(error.value) == f"kgpipe: {tmp_path}/none does not exist. Give a folder or file that does."

    monkeypatch.setenv("KGPIPE_PYTHON", "/nowhere/python")
    with pytest.raises(AirflowException, match="Cannot run the interpreter /nowhere/python"):
        type(dag.get_task("dedup")).execute.__wrapped__(dag.get_task("dedup"), {"params": params})


@pytest.mark.slow
def test_a_run_makes_the_same_graph_as_the_command_line(airflow, graph, tmp_path):
    from kgpipe.graph.store import Store

    dags, environment = airflow
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for i, text in enumerate(TEXTS):
        (corpus / f"{i}.txt").write_text(text)
    server = {"NEO4J_URI": graph.uri, "NEO4J_USERNAME": graph.user, "NEO4J_PASSWORD": graph.password}
    by_hand = tmp_path / "by_hand"
    subprocess.run(
        [sys.executable, "-m", "kgpipe.cli", "build", corpus, "--schema", "computing", "--workspace", by_hand, "--quiet"],
        cwd=dags, env={**environment, **server}, check=True, capture_output=True,
    )  # fmt: skip
    with Store(graph.uri, graph.user, graph.password) as store:
        expected = same.tables(Workspace(by_hand)), same.graph(Workspace(by_hand), store)
        store.write("MATCH (n) DETACH DELETE n")

        by_airflow = tmp_path / "by_airflow"
        connection = f"neo4j://{graph.user}:{quote(graph.password, safe='')}@{graph.uri.removeprefix('bolt://')}"
        migrated = {**environment, "AIRFLOW_CONN_GRAPH": connection}
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"], env=migrated, check=True, capture_output=True
        )
        asked = {"folder": str(corpus), "workspace": str(by_airflow), "schema": "computing", "neo4j": "graph"}
        found, log = printed_json(RUN, dags, migrated, json.dumps({**asked, "shards": 2}))

        assert found["state"] == "success", log
        found_graph = same.graph(Workspace(by_airflow), store)
    assert same.differences(same.tables(Workspace(by_airflow)), expected[0]) == []
    assert same.differences(found_graph, expected[1]) == []
    assert expected[0]["facts"] and expected[1]["Evidence"]

    shards = [0, 1]
    assert [t[:2] for t in found["tasks"]] == sorted(
        [["shards", -1], ["report", -1], ["changed", -1]]
        + [[s.name, i] for s in STAGES for i in (shards if s.scope == "shard" else [-1])]
    )
    returned = {(task, index): value for task, index, value in found["returned"]}
    assert returned["extract", 0]["passages"] + returned["extract", 1]["passages"] == 10
    assert returned["extract", 1]["shard"] == "1/2"
    assert returned["report", -1]["documents"] == 10
    assert graph.password not in log
