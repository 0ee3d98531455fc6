"""The DAG file: what it imports, its tasks, and what a failed command tells; tests of runs are in test_standalone."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kgpipe.pipeline import STAGES

ROOT = Path(__file__).parents[2]
DAG_FILE = ROOT / "dags" / "build_graph.py"
HEAVY = ("torch", "transformers", "spacy", "daft", "neo4j")

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
    (dags / "kgpipe.toml").write_text('pool = "devices"\n')
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "KGPIPE", "NEO4J"))} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(dags), os.environ.get("PYTHONPATH")])),
    }
    return dags, environment


def test_the_file_imports_nothing_heavy_and_walks_the_stages(airflow):
    dags, environment = airflow
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=dags, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
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
