"""Airflow on this machine with the DAGs of kgpipe, for one person. `make airflow` runs it on the sample corpus.

It is `airflow standalone` in a folder of its own: SQLite, loopback only, a user `admin` with a generated password.
Ctrl-C ends Airflow, its tasks and the Neo4j that they started.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from kgpipe import config as configuration
from kgpipe.graph import server

ROOT = Path(__file__).parents[1]
USER = "admin"
SETTINGS = """\
# Read when the DAGs are; change it and wait half a minute. docs/airflow.md says what else may stand here.
python = {python}
pool = "extract"

[[dag]]
name = "sample"
folder = {corpus}
workspace = {workspace}
schema = "computing"
schedule = "@daily"
shards = 2
"""


class AirflowError(Exception):
    """Airflow did not start, or ended; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Airflow:
    """A running Airflow: its folder, its address, who may sign in, and a client of its API that has."""

    home: Path
    url: str
    password: str
    api: httpx.Client
    process: subprocess.Popen[bytes]


@contextmanager
def running(home: Path, environment: Mapping[str, str], *, port: int = 0, timeout_s: float = 600) -> Iterator[Airflow]:
    """Airflow with the DAGs of HOME/dags, ready for requests; nothing of it runs after the block.

    `port` 0 takes a free one. AirflowError when it ends or is not ready in time. The triggerer is left out: no task of
    ours waits in it.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    url = f"http://127.0.0.1:{port or free_port()}"
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({USER: secrets.token_urlsafe(12)}))
    passwords.chmod(0o600)
    # `airflow standalone` starts its parts by this name; without the option, one would serve logs to any machine
    command = home / "bin" / "airflow"
    command.parent.mkdir(exist_ok=True)
    command.write_text(
        '#!/bin/sh\ncase "$1" in scheduler) set -- scheduler --skip-serve-logs;; triggerer) exec sleep 1000000000;; esac\n'
        f'exec "{sys.executable}" -m airflow "$@"\n'
    )
    command.chmod(0o700)
    set_here = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": url.rpartition(":")[2],
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "180",  # these three: for a machine that does other things as well
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "240",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "PATH": f"{command.parent}{os.pathsep}{environment.get('PATH', os.defpath)}",
    }
    log = home / "standalone.log"
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [command, "standalone"], cwd=home, env={**environment, **set_here}, stdin=subprocess.DEVNULL,
            stdout=printed, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _await(url, process, log, time.monotonic() + timeout_s)
            password = json.loads(passwords.read_text())[USER]
            signed = httpx.post(f"{url}/auth/token", json={"username": USER, "password": password}, timeout=300)
            headers = {"Authorization": f"Bearer {signed.raise_for_status().json()['access_token']}"}
            with httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=300) as api:
                yield Airflow(home, url, password, api, process)
        finally:
            _end(process)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def processes(session: int) -> list[psutil.Process]:
    """The running processes of a session, which all parts and tasks of one Airflow share; Neo4j has one of its own."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def _await(url: str, process: subprocess.Popen[bytes], log: Path, until: float) -> None:
    parts = ("metadatabase", "scheduler", "dag_processor")
    with httpx.Client(timeout=10) as client:
        while time.monotonic() < until:
            if process.poll() is not None:
                raise AirflowError(f"Airflow ended with exit code {process.returncode}. {_tail(log)}")
            try:
                answer = client.get(f"{url}/api/v2/monitor/health")
                if answer.is_success and all(answer.json()[part]["status"] == "healthy" for part in parts):
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(1)
    raise AirflowError(f"Airflow was not ready in time. {_tail(log)}")


def _tail(log: Path) -> str:
    return f"The end of {log}:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks every process of Airflow's session to end, and after a while tells them."""
    for ask, wait_s in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        left = processes(process.pid)
        for one in left:
            try:
                one.send_signal(ask)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=wait_s)
    process.wait(10)


def main() -> None:
    home = ROOT / ".airflow"
    workspace = home / "graph"
    settings = home / "dags" / "kgpipe.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "dags" / "build_graph.py", settings.parent)
    if not settings.exists():
        quoted = {"python": sys.executable, "corpus": str(ROOT / "examples" / "corpus"), "workspace": str(workspace)}
        settings.write_text(SETTINGS.format(**{k: json.dumps(v, ensure_ascii=False) for k, v in quoted.items()}))
    print("Airflow starts (half a minute) ...", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running(home, os.environ, port=int(os.environ.get("PORT", "0"))) as airflow:
            pool = {"name": "extract", "slots": 1, "description": "devices that extract", "include_deferred": False}
            made = airflow.api.post("/pools", json=pool)
            if made.status_code != 409:  # there is one of the last time
                made.raise_for_status()
            for dag in configuration.dags(settings.parent):
                start(airflow, dag.name)
            print(guide(airflow, settings), flush=True)
            code = airflow.process.wait()
            raise AirflowError(f"Airflow ended with exit code {code}. {_tail(home / 'standalone.log')}")
    except KeyboardInterrupt:
        print("\nAirflow has ended.")
    finally:
        for dag in configuration.dags(settings.parent):
            server.stop(Path(dag.workspace) / "neo4j")


def start(airflow: Airflow, dag: str, *, timeout_s: float = 600) -> None:
    """Waits until Airflow has read a DAG, and switches it on; AirflowError says why it has not."""
    until = time.monotonic() + timeout_s
    while not airflow.api.get(f"/dags/{dag}").is_success:
        wrong = airflow.api.get("/importErrors").raise_for_status().json()["import_errors"]
        if wrong or time.monotonic() > until:
            raise AirflowError(f"Airflow has no DAG {dag}. " + "\n".join(one["stack_trace"] for one in wrong))
        time.sleep(1)
    airflow.api.patch(f"/dags/{dag}", json={"is_paused": False}).raise_for_status()


def guide(airflow: Airflow, settings: Path) -> str:
    """What a person needs to know to go on."""
    return f"""
address   {airflow.url}/dags
user      {USER}
password  {airflow.password}

The DAG `sample` has a first run already: it builds the graph of examples/corpus.
  look      Dags, sample, the run: the grid shows each task; a task shows its log, and XCom what it counted
  links     the task `report`: its page has buttons to the counts of the graph and to Neo4j Browser
  again     Trigger (upper right): a second run changes nothing, and `changed` is skipped with "nothing new"
  yours     Dags, build_graph, Trigger: folder, workspace, schema
  settings  {settings}
  log       {airflow.home / "standalone.log"}

Ctrl-C ends Airflow, its tasks and their Neo4j."""


if __name__ == "__main__":
    try:
        main()
    except AirflowError as error:
        sys.exit(f"airflow: {error}")
