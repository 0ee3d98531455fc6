"""The graph store: a Neo4j 5.26 or later over Bolt, read, written and explained; every refusal says the fix."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from kgpipe.engine import Progress, silent
from kgpipe.errors import StoreError, StoreGone

if TYPE_CHECKING:
    from kgpipe.config import Config
    from kgpipe.workspace import Workspace

ENTITY_INDEX = "kgpipe_entities"
"""Full-text index over name and aliases of entities."""
PASSAGE_INDEX = "kgpipe_passages"
"""Full-text index over the text of passages."""
SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
LEAST_VERSION = (5, 26)

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What EXPLAIN says: `kind` is r, w, rw or s (schema); `operators` are all of the tree, root first."""

    kind: str
    operators: tuple[str, ...]
    tree: dict[str, Any]


class Store:
    """An open connection to one Neo4j; safe to share between threads. Opening it checks address, password, version."""

    def __init__(self, uri: str, user: str, password: str, *, start_hint: str = "", retry_s: float = 30) -> None:
        """`retry_s`: how long what fails for a reason that may pass, such as a broken connection, is tried again."""
        import neo4j

        scheme = uri.partition("://")[0]
        if scheme not in SCHEMES or "://" not in uri:
            raise StoreError(
                f'"{uri}" is no Bolt address; it begins with one of {", ".join(s + "://" for s in SCHEMES)} '
                "and is not that of Neo4j Browser. Example: bolt://localhost:7687."
            )
        self.uri = uri
        self.user = user
        self._retry_s = retry_s
        self._start_hint = start_hint or "Start that server, or correct --neo4j / NEO4J_URI."
        self._driver = None
        try:
            with self._errors():
                self._driver = neo4j.GraphDatabase.driver(
                    uri,
                    auth=(user, password),
                    connection_timeout=10,
                    max_transaction_retry_time=retry_s,
                    initial_retry_delay=0.5,  # doubled each time, as it is by itself, pauses outgrow what is waited for
                    retry_delay_multiplier=1.1,
                    notifications_min_severity="OFF",  # else every label not yet in use is a warning on standard error
                    user_agent="kgpipe",
                )
                agent = self._driver.get_server_info().agent
            found = re.match(r"Neo4j/(\d+)\.(\d+)", agent)
            if not found or (int(found[1]), int(found[2])) < LEAST_VERSION:
                raise StoreError(f"{uri} runs {agent}; kgpipe needs Neo4j 5.26 or later. Upgrade it or name another.")
        except (ValueError, neo4j.exceptions.ConfigurationError) as error:
            self.close()
            raise StoreError(f'"{uri}" is no address: {error}. Example: bolt://localhost:7687.') from error
        except StoreError:
            self.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        if self._driver:
            self._driver.close()

    def read(
        self, cypher: str, parameters: dict[str, Any] | None = None, *, timeout_s: float = 30, max_rows: int | None = 10_000
    ) -> tuple[list[str], list[list[Any]]]:  # fmt: skip
        """Columns and rows, as plain Python values (see `plain`), from a READ session.

        The server ends the query after `timeout_s` seconds (StoreError). Rows beyond `max_rows` are left
        out and the log says so; None returns all of them.
        """

        def work(transaction: Any) -> tuple[list[str], list[list[Any]]]:
            result = transaction.run(cypher, parameters or {})
            rows = []
            for record in result:
                if max_rows is not None and len(rows) == max_rows:
                    _log.warning("only the first %d rows of a query were read: %s", max_rows, cypher)
                    break
                rows.append([plain(value) for value in record.values()])
            return list(result.keys()), rows

        return self._run(work, "READ", timeout_s)

    def write(
        self, cypher: str, parameters: dict[str, Any] | None = None, *, timeout_s: float = 600
    ) -> list[list[Any]]:  # fmt: skip
        """Runs one statement in one transaction of its own, again when it may succeed, and returns its rows.

        It may have been committed although the connection broke, and is run again all the same: what does not bear
        that belongs into `transact`.
        """

        def work(transaction: Any) -> list[list[Any]]:
            result = transaction.run(cypher, parameters or {})
            return [[plain(value) for value in record.values()] for record in result]

        return self.transact(work, timeout_s=timeout_s)

    def transact(self, work: Callable[[Any], T], *, timeout_s: float = 600) -> T:
        """What `work(transaction)` returns, committed.

        The driver runs it again after deadlocks, broken connections and restarts of the server, with growing pauses.
        Where the connection breaks in the commit, nobody knows whether that was done: `work` is run again then too, and
        has to find out.
        """
        return self._run(work, "WRITE", timeout_s)

    def explain(self, cypher: str, parameters: dict[str, Any] | None = None) -> Plan:
        """How the server would run the query, without running it; StoreError when it does not parse."""

        def work(transaction: Any) -> Plan:
            summary = transaction.run(f"EXPLAIN {cypher}", parameters or {}).consume()
            return Plan(summary.query_type or "", tuple(_operators(summary.plan or {})), summary.plan or {})

        return self._run(work, "READ", 10)

    def _run(self, work: Callable[[Any], T], access: str, timeout_s: float) -> T:
        """What `work` returns; run again, too, where the connection broke in the commit, which the driver does not do."""
        import neo4j

        # so that the next load finds and ends what this process leaves behind, see cypher.END_EARLIER
        metadata = {"kgpipe": "write"} if access == "WRITE" else None
        unit = neo4j.unit_of_work(metadata=metadata, timeout=timeout_s)(work)
        deadline, pause = None, 0.1
        while True:
            try:
                with self._errors(), self._driver.session(default_access_mode=access) as session:
                    return (session.execute_read if access == "READ" else session.execute_write)(unit)
            except StoreGone as error:
                if not isinstance(error.__cause__, neo4j.exceptions.IncompleteCommit):
                    raise
                deadline = deadline or time.monotonic() + self._retry_s
                if time.monotonic() > deadline:
                    raise
                _log.info("%s; the transaction is run again", error)
            time.sleep(pause)
            pause = min(2 * pause, 5)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turns what the driver raises into StoreError with the fix."""
        from neo4j import exceptions

        try:
            yield
        except exceptions.AuthError as error:
            raise StoreError(
                f'{self.uri} does not take this password for user "{self.user}". Set NEO4J_PASSWORD (and '
                "NEO4J_USERNAME), or neo4j_password (and neo4j_user) in kgpipe.toml."
            ) from error
        except exceptions.UnsupportedServerProduct as error:
            raise StoreError(f"{self.uri} cannot be used: {error}. kgpipe needs Neo4j 5.26 or later.") from error
        except exceptions.BrokenRecordError as error:
            raise StoreError(
                f"A value in the graph at {self.uri} cannot be read: {error.__cause__ or error}."
            ) from error
        except exceptions.ConfigurationError:
            raise
        except exceptions.DriverError as error:
            reason = str(error).splitlines()[0].rstrip(".:")
            raise StoreGone(f"No Neo4j answers at {self.uri} ({reason}). {self._start_hint}") from error
        except exceptions.Neo4jError as error:
            raise StoreError(self._refusal(error), error.code or "") from error

    def _refusal(self, error: Any) -> str:
        code = error.code or ""
        reason = " ".join((error.message or str(error)).split())
        if "AuthenticationRateLimit" in code:
            return f"{self.uri} was given a wrong password too often. Wait ten seconds, then set NEO4J_PASSWORD."
        if "CredentialsExpired" in code:
            return f"{self.uri} wants its first password changed. Do so in Neo4j Browser, then set NEO4J_PASSWORD."
        if "TransactionTimedOut" in code:
            return f"A query took longer than its time limit at {self.uri} and was ended. Make it narrower."
        if "TransactionLogError" in code or "No space left" in reason:
            return (
                f"Neo4j at {self.uri} could not write to its disk, which may be full ({code}). Free space there, restart "
                "the server (ours: kgpipe neo4j stop), and run the same command again: what was committed is kept."
            )
        if "critical error" in reason:
            return (
                f"Neo4j at {self.uri} has stopped working after an error of its own, such as a full disk. See its log "
                "(ours: kgpipe neo4j logs), restart it (ours: kgpipe neo4j stop), and run the same command again."
            )
        if "MemoryPoolOutOfMemory" in code:
            return (
                f"A transaction needed more memory than Neo4j at {self.uri} has: {reason}. Give the server more "
                "(server.memory.heap.max_size, dbms.memory.transaction.total.max)."
            )
        return f"Neo4j refused a query ({code}): {reason}"


def open_store(
    config: Config, workspace: Workspace | None = None, *, progress: Progress = silent, retry_s: float = 30
) -> Store:  # fmt: skip
    """The configured server; without one our own server of the workspace, started when it does not run."""
    if config.neo4j:
        return Store(config.neo4j, config.neo4j_user, config.neo4j_password, retry_s=retry_s)
    from kgpipe.graph import browser, server
    from kgpipe.workspace import Workspace

    folder = workspace.path if workspace else config.workspace.absolute()
    if not (folder / "workspace.json").is_file():
        raise StoreError(
            f"There is no workspace at {folder}, so no server of ours. Build one with: kgpipe build FOLDER, "
            "or name a server with --neo4j / NEO4J_URI."
        )
    command = browser.connect_command(browser.schema_of(workspace or Workspace(folder)))
    running = server.start(
        folder / "neo4j", neo4j_home=config.neo4j_home, connect_command=command, progress=progress
    )  # fmt: skip
    hint = f"Start it with: kgpipe neo4j start --workspace {folder}; if it does not start: kgpipe neo4j logs."
    return Store(running.uri, running.user, running.password, start_hint=hint, retry_s=retry_s)


def quoted(name: str) -> str:
    """A label, relationship type or property name between backticks, as Cypher wants it."""
    # the parser turns \\u0060 into a backtick before it looks for the end of a name
    return "`" + name.replace("\\u0060", "`").replace("`", "``") + "`"


def plain(value: Any) -> Any:
    """The value as JSON can hold it.

    A node becomes {"labels", "properties"}, a relationship {"type", "start", "end", "properties"} with the
    uids of its ends (their element ids where the row does not hold these nodes), a path {"nodes",
    "relationships"}; dates and times become ISO text, a point a list.
    """
    if isinstance(value, str | int | float | None):
        return value
    if type(value) is list:
        return [plain(item) for item in value]
    from neo4j import graph, spatial

    if isinstance(value, graph.Node):
        return {"labels": sorted(value.labels), "properties": plain(dict(value))}
    if isinstance(value, graph.Relationship):
        start, end = (n.get("uid", n.element_id) if n is not None else None for n in (value.start_node, value.end_node))
        return {"type": value.type, "start": start, "end": end, "properties": plain(dict(value))}
    if isinstance(value, graph.Path):
        return {"nodes": plain(list(value.nodes)), "relationships": plain(list(value.relationships))}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, spatial.Point):
        return list(value)
    if hasattr(value, "iso_format"):  # before tuples: a duration is one
        return value.iso_format()
    return value.hex() if isinstance(value, bytes | bytearray) else value


def _operators(tree: dict[str, Any]) -> Iterator[str]:
    if tree:
        yield tree["operatorType"].partition("@")[0]
    for child in tree.get("children", ()):
        yield from _operators(child)
