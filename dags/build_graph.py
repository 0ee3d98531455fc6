"""Builds or updates a knowledge graph: the stages of `kgpipe build`, each as Airflow tasks.

Stages that see the whole corpus are one task, the others are mapped over `shards` tasks. A task runs
`kgpipe run STAGE --json` as a process of its own and its counts become the XCom. Settings come from
kgpipe.toml beside this file and the environment of the workers:

- `python`: the interpreter that has kgpipe with torch, when Airflow's own has not (this file needs only
  `pip install --no-deps kgpipe` and pyarrow, PyYAML, filelock beside Airflow);
- `pool`: whose slots the extraction takes. Create it once: `airflow pools set gpu 1 "devices that extract"`.

All workers need the same files under the same paths, and with more than one machine a Neo4j of yours: our
own server listens on the loopback of the machine that runs `load`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, Connection, Param, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from kgpipe import config as configuration
from kgpipe import schema as schemas
from kgpipe.pipeline import STAGES

HOME = Path(__file__).parent


class Kgpipe(BaseOperator):
    """Runs one kgpipe command and returns what it prints as JSON; AirflowException carries its one-line error."""

    template_fields = ("shard",)

    def __init__(self, *, command: Sequence[str], shard: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.command = command
        self.shard = shard
        self.process: subprocess.Popen[str] | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        params = context["params"]
        python = configuration.load(folder=HOME).python or sys.executable
        # -P: files beside this one must not stand in for modules
        arguments = [python, "-P", "-m", "kgpipe.cli", *self.command, "--workspace", params["workspace"], "--json"]
        if self.shard:
            arguments += ["--shard", self.shard]
        if self.command[:2] == ("run", STAGES[0].name):
            arguments += ["--schema", params["schema"], *(["--prune"] if params["prune"] else []), "--"]
            arguments += [line.strip() for line in params["folder"].splitlines() if line.strip()]
        self.log.info("Running %s", arguments)
        last = ""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
            try:
                self.process = subprocess.Popen(
                    arguments, cwd=HOME, env={**os.environ, **_neo4j(params["neo4j"])}, text=True, encoding="utf-8",
                    errors="replace", stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.PIPE,
                )  # fmt: skip
            except OSError as error:
                raise AirflowFailException(
                    f"Cannot run the interpreter {python}: {error}. Correct `python` in {HOME / 'kgpipe.toml'}."
                ) from error
            for line in self.process.stderr or ():
                self.log.info(line.rstrip())
                last = line.strip() if line.startswith("kgpipe:") or not last.startswith("kgpipe:") else last
            code = self.process.wait()
            printed.seek(0)
            if code in (1, 2):  # kgpipe says what to mend: trying again would not
                raise AirflowFailException(last or f"kgpipe failed without a message (exit code {code}).")
            if code:
                raise AirflowException(f"kgpipe {' '.join(self.command)} was ended by {_cause(code)}. {last}".strip())
            return json.loads(printed.read())

    def on_kill(self) -> None:
        """Ends the process with its task; what it committed stays, and the next try goes on from there."""
        if self.process and self.process.poll() is None:
            self.process.terminate()


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _neo4j(server: str) -> Mapping[str, str]:
    """Variables that name the server: passwords travel in the environment, never in a command line or log."""
    if not server:
        return {}
    if "://" in server:
        return {"NEO4J_URI": server}
    known = Connection.get(server)
    address = known.host if "://" in (known.host or "") else f"bolt://{known.host}:{known.port or 7687}"
    return {"NEO4J_URI": address, "NEO4J_USERNAME": known.login or "neo4j", "NEO4J_PASSWORD": known.password or ""}


with DAG(
    dag_id="build_graph",
    description="A folder of documents becomes a knowledge graph.",
    doc_md=__doc__,
    schedule=None,
    max_active_runs=1,  # two runs of one workspace would wait for each other's locks
    tags=["kgpipe"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},  # for workers that were killed
    params={
        "folder": Param(
            type="string", format="multiline", pattern="^\\s*/",
            description="Folders and files to read (txt, md, html, jsonl): absolute paths, one a line.",
        ),
        "workspace": Param(type="string", pattern="^/", description="Folder of the workspace: an absolute path."),
        "schema": Param(
            "", type="string", examples=["", *schemas.names()],
            description="Schema that comes with kgpipe, or the absolute path of a file. "
            "Empty: the one of the workspace, general in a new one.",
        ),
        "neo4j": Param(
            "", type="string", pattern="^[^@]*$",
            description="Bolt address of your server, or the id of an Airflow connection that holds address, user "
            "and password. Empty: our own server. The password of an address is NEO4J_PASSWORD of the workers.",
        ),
        "shards": Param(1, type="integer", minimum=1, maximum=1023, description="Tasks a stage is split into."),
        "prune": Param(False, type="boolean", description="Remove documents whose files are gone."),
    },
) as dag:  # fmt: skip

    @task
    def shards(params: dict[str, Any]) -> list[str]:
        """`i/n` for each of the n shards."""
        return [f"{i}/{params['shards']}" for i in range(params["shards"])]

    pool = configuration.load(folder=HOME).pool
    parts = previous = shards()
    for stage in STAGES:
        options: dict[str, Any] = {
            "task_id": stage.name,
            "command": ("run", stage.name, "--quiet"),
            "trigger_rule": "none_failed",
            **({"pool": pool} if stage.needs == "gpu" else {}),
        }
        if stage.scope == "shard":
            step: Any = Kgpipe.partial(**options, map_index_template="{{ task.shard }}").expand(shard=parts)
        else:
            step = Kgpipe(**options)
        previous >> step
        previous = step
    previous >> Kgpipe(task_id="report", command=("stats",), trigger_rule="none_failed")
