"""What only a real scheduler shows: schedules, pools, killed tasks, retries of one shard."""

import importlib.util
import json
import os
import re
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.evaluate import same
from kgpipe.pipeline import STAGES
from kgpipe.workspace import Workspace

ROOT = Path(__file__).parents[2]
TEXTS = [
    "Grace Hopper was born in New York City on 9 December 1906. She worked for Remington Rand.",
    "Grace Brewster Hopper designed the language FLOW-MATIC. Hopper studied at Yale University.",
    "Konrad Zuse was born in Berlin. Zuse designed the Z3 in 1941.",
    "Dennis Ritchie worked for Bell Labs. He designed the C programming language in 1972.",
    "Ken Thompson worked for Bell Labs in New Jersey and designed Unix.",
    "Intel was founded by Robert Noyce and Gordon Moore in 1968.",
]
TABLE = '[[dag]]\nname = "{name}"\nfolder = "{folder}"\nworkspace = "{workspace}"\nschema = "computing"\n'
TASKS = sorted(
    [("shards", -1), ("report", -1), ("changed", -1)]
    + [(s.name, i) for s in STAGES for i in ((0, 1) if s.scope == "shard" else (-1,))]
)

pytestmark = [pytest.mark.airflow, pytest.mark.slow]
pytest.importorskip("airflow", reason="the extra `airflow` is not installed")


@pytest.fixture(scope="module")
def standalone():
    spec = importlib.util.spec_from_file_location("standalone", ROOT / "examples" / "standalone.py")
    module = sys.modules["standalone"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["standalone"]


def wait_for(what, seconds=1500, every=1.0):
    """The first value of `what()` that is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what.__name__}")


def tasks(airflow, run):
    """{(task, map index): task instance} of a run."""
    page = airflow.api.get(f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances", params={"limit": 100})
    return {(t["task_id"], t["map_index"]): t for t in page.raise_for_status().json()["task_instances"]}


def runs(airflow, dag_id):
    return airflow.api.get(f"/dags/{dag_id}/dagRuns").raise_for_status().json()["dag_runs"]


def ended(airflow, dag_id, after=""):
    """The run of a DAG that has ended later than `after`; it was green."""

    def run_has_ended():
        done = [r for r in runs(airflow, dag_id) if r["state"] in ("success", "failed") and r["end_date"] > after]
        return done[0] if done else None

    run = wait_for(run_has_ended)
    assert run["state"] == "success", states(airflow, run)
    return run


def states(airflow, run):
    return {key: t["state"] for key, t in tasks(airflow, run).items()}


def returned(airflow, run, task, map_index=-1):
    """What a task counted, its XCom."""
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/{task}/xcomEntries/return_value"
    page = airflow.api.get(path, params={"deserialize": True, "map_index": map_index})
    return page.raise_for_status().json()["value"]


def log_of(airflow, run, task, map_index=-1):
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/{task}/logs/1"
    page = airflow.api.get(path, params={"map_index": map_index}).raise_for_status().json()
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in page["content"])


def content(workspace, store):
    return same.tables(Workspace(workspace)), same.graph(Workspace(workspace), store)


def test_runs_on_a_real_scheduler(standalone, graph, tmp_path):
    from kgpipe.graph.store import Store

    home, corpus = tmp_path / "airflow", tmp_path / "corpus"
    workspace = tmp_path / "by_airflow"
    for folder in (home / "dags", corpus):
        folder.mkdir(parents=True)
    for i, text in enumerate(TEXTS):
        (corpus / f"{i}.txt").write_text(text)
    shutil.copy(ROOT / "dags" / "build_graph.py", home / "dags")
    extra = 'schedule = "@yearly"\nneo4j = "graph"\nretry_seconds = 1\n'
    (home / "dags" / "kgpipe.toml").write_text(
        f'python = "{sys.executable}"\npool = "devices"\ngroup = 1\n'
        + TABLE.format(name="papers", folder=corpus, workspace=workspace)
        + extra
        + "shards = 2\n"
        + TABLE.format(name="nothing", folder=tmp_path / "nothing", workspace=tmp_path / "of_nothing")
        + extra
    )
    (tmp_path / "nothing").mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "KGPIPE", "NEO4J"))} | {
        "AIRFLOW_CONN_GRAPH": f"neo4j://{graph.user}:{quote(graph.password, safe='')}@{graph.uri.removeprefix('bolt://')}",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    }
    with Store(graph.uri, graph.user, graph.password) as store:
        by_hand = tmp_path / "by_hand"
        config = configuration.load(
            folder=home / "dags", workspace=by_hand, neo4j=graph.uri, neo4j_user=graph.user, neo4j_password=graph.password
        )  # fmt: skip
        pipeline.build([corpus], config, schema="computing")
        expected = content(by_hand, store)
        assert expected[0]["facts"] and expected[1]["Evidence"]
        store.write("MATCH (n) DETACH DELETE n")

        with standalone.running(home, environment) as airflow:
            session = airflow.process.pid
            pool = {"name": "devices", "slots": 1, "description": None, "include_deferred": False}
            airflow.api.post("/pools", json=pool).raise_for_status()
            run = papers_survive_a_kill(airflow, workspace)
            assert [same.differences(*pair) for pair in zip(content(workspace, store), expected, strict=True)] == [
                [],
                [],
            ]
            a_backfill_and_cleared_tasks_change_nothing(airflow, run)
            assert [same.differences(*pair) for pair in zip(content(workspace, store), expected, strict=True)] == [
                [],
                [],
            ]
            store.write("MATCH (n) DETACH DELETE n")
            an_empty_folder_is_green(airflow)
        assert standalone.processes(session) == []
    logs = [path.read_text() for path in home.rglob("*.log")]
    assert len(logs) > len(TASKS) and not any(graph.password in text for text in logs)


def papers_survive_a_kill(airflow, workspace):
    """The scheduled run: one extraction is killed and tried again, alone; the two never run at once."""
    wait_for(lambda: airflow.api.get("/dags/papers").is_success)
    assert airflow.api.get("/importErrors").json()["import_errors"] == []
    airflow.api.patch("/dags/papers", json={"is_paused": False}).raise_for_status()

    def an_extraction():
        for process in psutil.process_iter(["cmdline"]):
            line = process.info["cmdline"] or []
            if "extract" in line and str(workspace) in line:
                return process

    kgpipe = wait_for(an_extraction, every=0.05)
    killed = int(kgpipe.cmdline()[-1].partition("/")[0])
    kgpipe.parent().kill()  # the process of the task, which takes kgpipe along
    kgpipe.wait(10)

    run = ended(airflow, "papers")
    assert run["run_type"] == "scheduled"
    found = tasks(airflow, run)
    assert sorted(found) == TASKS
    assert states(airflow, run) == dict.fromkeys(TASKS, "success")
    assert {key: t["try_number"] for key, t in found.items()} == dict.fromkeys(TASKS, 1) | {("extract", killed): 2}

    links = airflow.api.get(f"/dags/papers/dagRuns/{run['dag_run_id']}/taskInstances/report/links").json()[
        "extra_links"
    ]
    assert links["Neo4j Browser"].startswith("http://127.0.0.1:7474/browser/?dbms=bolt://neo4j@127.0.0.1:")
    assert links["Counts"] == f"{airflow.url}/dags/papers/runs/{quote(run['dag_run_id'])}/tasks/report/xcom"
    assert re.search(
        r"kgpipe run extract [01]/2: passages \d, mentions \d+, .* in [0-9.]+ s",
        log_of(airflow, run, "extract", 1 - killed),
    )
    counts = returned(airflow, run, "load")
    assert counts["nodes_written"] > 20 and counts["seconds"] > 0
    assert returned(airflow, run, "report")["documents"] == len(TEXTS)
    shards = [returned(airflow, run, "extract", i) for i in (0, 1)]
    assert [s["shard"] for s in shards] == ["0/2", "1/2"] and sum(s["passages"] for s in shards) >= len(TEXTS) - 1

    spans = []
    for index in (0, 1):
        tries = f"/dags/papers/dagRuns/{run['dag_run_id']}/taskInstances/extract/{index}/tries"
        for one in airflow.api.get(tries).raise_for_status().json()["task_instances"]:
            assert one["pool"] == "devices"
            spans.append((time_of(one["start_date"]), time_of(one["end_date"]), time_of(one["scheduled_when"])))
    spans.sort()
    assert len(spans) == 3
    for (_, end, _), (start, _, _) in zip(spans, spans[1:], strict=False):
        assert end <= start
    # and not because nobody wanted to: one was scheduled before another ended, and waited for it
    assert any(asked < end <= start for _, end, _ in spans for start, _, asked in spans)
    return run


def a_backfill_and_cleared_tasks_change_nothing(airflow, first):
    """A run for an interval of the past finds nothing to do; a shard and the load may be run again by themselves."""
    span = {"from_date": "2025-01-01T00:00:00Z", "to_date": "2025-06-01T00:00:00Z"}
    airflow.api.post("/backfills", json={"dag_id": "papers", **span}).raise_for_status()
    run = ended(airflow, "papers", after=first["end_date"])
    assert run["run_type"] == "backfill"
    assert states(airflow, run) == dict.fromkeys(TASKS, "success") | {("changed", -1): "skipped"}
    assert "nothing new" in log_of(airflow, run, "changed")

    again = [["extract", 1], "load"]
    cleared = {"dag_run_id": first["dag_run_id"], "task_ids": again, "only_failed": False, "dry_run": False}
    airflow.api.post("/dags/papers/clearTaskInstances", json=cleared).raise_for_status()
    run = ended(airflow, "papers", after=run["end_date"])
    assert run["dag_run_id"] == first["dag_run_id"]
    found = tasks(airflow, run)
    assert all(found[key]["end_date"] > first["end_date"] for key in (("extract", 1), ("load", -1)))
    assert found["extract", 0]["end_date"] < first["end_date"], "only what was cleared runs again"


def an_empty_folder_is_green(airflow):
    airflow.api.patch("/dags/nothing", json={"is_paused": False}).raise_for_status()
    run = ended(airflow, "nothing")
    found = states(airflow, run)
    assert found.pop(("changed", -1)) == "skipped" and set(found.values()) == {"success"}
    assert "nothing new" in log_of(airflow, run, "changed")


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
