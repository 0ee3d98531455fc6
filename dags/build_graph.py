"""Builds and updates knowledge graphs: the stages of `kgpipe build`, each as Airflow tasks.

`build_graph` is started by hand with its parameters. Each `[[dag]]` table of the kgpipe.toml beside this file makes one
more DAG, with the same parameters preset, a schedule and an Asset (`kgpipe_NAME`) that is updated when the graph changed:

    [[dag]]
    name = "news"
    folder = "/srv/in/news"          # or a pattern: "/srv/in/**/*.pdf"
    workspace = "/srv/graphs/news"
    schema = "computing"
    neo4j = "graph"                  # an Airflow connection; empty: our own server
    schedule = "@hourly"
    shards = 4

Stages that see the whole corpus are one task, the others are mapped over `shards` tasks. A task runs
`kgpipe run STAGE --json` as a process of its own and its counts become the XCom; `kgpipe runs` lists them too. What is
done is not done again, so any task may be cleared and run again. Settings come from that kgpipe.toml and the
environment of the workers:

- `python`: the interpreter that has kgpipe with torch, when Airflow's own has not (this file needs only
  `pip install --no-deps kgpipe` and pyarrow, PyYAML, filelock beside Airflow);
- `pool`: whose slots the extraction takes. Create it once: `airflow pools set gpu 1 "devices that extract"`.

All workers need the same files under the same paths, and with more than one machine a Neo4j of yours: our
own server listens on the loopback of the machine that runs `load`.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.sdk import DAG, Asset, BaseOperator, BaseOperatorLink, Connection, Param, task
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from kgpipe import config as configuration
from kgpipe import schema as schemas
from kgpipe.pipeline import STAGES

HOME = Path(__file__).parent
TOLD = {
    "sources": "Lists the files and what became of them since the last run.",
    "read": "Reads new and changed files and cleans their texts; what cannot be read is a named failure.",
    "dedup": "Finds the near-duplicates among all documents.",
    "split": "Splits documents into passages.",
    "extract": "Extracts mentions and relations from the passages that have none yet; takes slots of the pool.",
    "resolve": "Finds out which mentions are one entity, and what is said of it.",
    "load": "Writes into Neo4j what differs from the tables.",
}
"""What each stage does, on the page of its task."""


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
            arguments += ["--schema", params["schema"], "--allow-empty"]
            arguments += [*(["--prune"] if params["prune"] else []), "--"]
            arguments += [line.strip() for line in params["folder"].splitlines() if line.strip()]
        self.log.info("Running %s", arguments)
        last = ""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
            try:
                self.process = subprocess.Popen(
                    arguments, cwd=HOME, env={**os.environ, **_neo4j(params["neo4j"])}, text=True, encoding="utf-8",
                    errors="replace", stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.PIPE,
                    preexec_fn=_end_with_parent,
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
            found = json.loads(printed.read())
        told = [f"{key} {value:,}" for key, value in found.items() if isinstance(value, int) and value]
        part = f" {self.shard}" if self.shard else ""
        took = f" in {found['seconds']} s" if "seconds" in found else ""
        self.log.info("kgpipe %s%s: %s%s", " ".join(self.command), part, ", ".join(told) or "nothing new", took)
        return {key: value[:100] if isinstance(value, list) else value for key, value in found.items()}

    def on_kill(self) -> None:
        """Ends the process with its task; what it committed stays, and the next try goes on from there."""
        if self.process and self.process.poll() is None:
            self.process.terminate()


class BrowserLink(BaseOperatorLink):
    """Opens Neo4j Browser on the graph, with a first query; who opens it knows the password."""

    name = "Neo4j Browser"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return operator.browser


class CountsLink(BaseOperatorLink):
    """Opens what the task `report` counted in the run."""

    name = "Counts"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        server = conf.get("api", "base_url", fallback="").rstrip("/")
        return f"{server}/dags/{ti_key.dag_id}/runs/{quote(ti_key.run_id)}/tasks/report/xcom"


class Report(Kgpipe):
    """The last command of a run: it counts what the graph holds, writes the report, and shows where to look at both."""

    operator_extra_links = (BrowserLink(), CountsLink())
    browser = ""

    def execute(self, context: Any) -> dict[str, Any]:
        loaded = context["ti"].xcom_pull(task_ids=STAGES[-1].name)  # None when a person marked it as done
        self.browser = (loaded or {}).get("browser", "")
        page = str(Path(context["params"]["workspace"]) / "report.html")
        self.command = ("stats", "--html", page)
        found = super().execute(context)
        self.log.info("Report: %s", page)
        self.log.info("Neo4j Browser: %s", self.browser)
        return found


def _end_with_parent() -> None:
    """A task that is killed takes its process along, which would hold the workspace's lock against the next try (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


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


def make(table: configuration.Dag | None, default_pool: str) -> DAG:
    """The DAG of a `[[dag]]` table, or for None the one that is only started by hand."""
    given = table or configuration.Dag(name="build_graph", folder="", workspace="")
    preset = {"folder": given.folder, "workspace": given.workspace} if table else {}
    with DAG(
        dag_id=given.name,
        description=f"{given.folder} becomes a knowledge graph." if table else "A folder of documents becomes a knowledge graph.",
        doc_md=__doc__,
        schedule=given.schedule or None,
        start_date=datetime(2025, 1, 1, tzinfo=UTC) if given.schedule else None,
        catchup=False,  # a folder has no past: one run takes all that is new
        max_active_runs=1,  # two runs of one workspace would wait for each other's locks
        tags=["kgpipe"],
        default_args={
            "retries": given.retries,  # for workers that were killed
            "retry_delay": timedelta(seconds=given.retry_seconds),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(seconds=max(1800, given.retry_seconds)),
            "execution_timeout": timedelta(hours=given.timeout_hours),
        },
        params={
            "folder": Param(
                *([preset["folder"]] if table else []), type="string", format="multiline", pattern="^\\s*/",
                description="Folders, files or patterns to read (docs/corpus.md): absolute paths, one a line.",
            ),
            "workspace": Param(
                *([preset["workspace"]] if table else []), type="string", pattern="^/",
                description="Folder of the workspace: an absolute path.",
            ),
            "schema": Param(
                given.schema, type="string", examples=["", *schemas.names()],
                description="Schema that comes with kgpipe, or the absolute path of a file. "
                "Empty: the one of the workspace, general in a new one.",
            ),
            "neo4j": Param(
                given.neo4j, type="string", pattern="^[^@]*$",
                description="Bolt address of your server, or the id of an Airflow connection that holds address, user "
                "and password. Empty: our own server. The password of an address is NEO4J_PASSWORD of the workers.",
            ),
            "shards": Param(
                given.shards, type="integer", minimum=1, maximum=1023, description="Tasks a stage is split into."
            ),
            "prune": Param(given.prune, type="boolean", description="Remove documents whose files are gone."),
        },
    ) as made:  # fmt: skip

        @task
        def shards(params: dict[str, Any]) -> list[str]:
            """`i/n` for each of the n shards."""
            return [f"{i}/{params['shards']}" for i in range(params["shards"])]

        @task(trigger_rule="none_failed", outlets=[Asset(f"kgpipe_{given.name}")] if table else [])
        def changed(ti: Any) -> dict[str, int]:
            """Updates the Asset when the graph changed; otherwise it is skipped and says `nothing new`."""
            counts = ti.xcom_pull(task_ids=STAGES[-1].name) or {}
            found = {key: value for key, value in counts.items() if key.endswith(("_written", "_removed")) and value}
            if not found:
                raise AirflowSkipException("nothing new")
            return found

        parts = previous = shards()
        for stage in STAGES:
            options: dict[str, Any] = {
                "task_id": stage.name,
                "command": ("run", stage.name),
                "doc_md": f"{TOLD[stage.name]} It is `kgpipe run {stage.name}`"
                + (", one task a shard; a shard that failed is tried again alone." if stage.scope == "shard" else "."),
                "trigger_rule": "none_failed",
                **({"pool": given.pool or default_pool} if stage.needs == "gpu" else {}),
            }
            if stage.scope == "shard":
                step: Any = Kgpipe.partial(**options, map_index_template="{{ task.shard }}").expand(shard=parts)
            else:
                step = Kgpipe(**options)
            previous >> step
            previous = step
        previous >> Report(
            task_id="report", command=("stats",), trigger_rule="none_failed",
            doc_md="Counts what the graph holds and writes report.html into the workspace (`kgpipe stats`); "
            "its buttons lead to the counts and to Neo4j Browser.",
        )  # fmt: skip
        previous >> changed()
    return made


pool = configuration.load(folder=HOME).pool
dag = make(None, pool)
for table in configuration.dags(HOME):
    globals()[table.name] = make(table, pool)
