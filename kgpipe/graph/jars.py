"""The jars of Neo4j Community: a written-down list with checksums, fetched once through Maven into the cache folder.

`python -m kgpipe.graph.jars` resolves the dependencies anew and rewrites the list.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import logging
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kgpipe.config import cache_folder
from kgpipe.engine import Progress, silent
from kgpipe.errors import ServerError

NEO4J = "5.26.29"
BROWSER = "5.24.0"
LIST = Path(__file__).with_name("neo4j-jars.txt")
THREADS = 16
TRIES = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the list: Maven coordinates, size in bytes and SHA-256."""

    group: str
    artifact: str
    version: str
    classifier: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        return f"{'-'.join(filter(None, (self.artifact, self.version, self.classifier)))}.jar"

    @property
    def coordinates(self) -> str:
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))


def read_list() -> list[Jar]:
    """The jars of the list, in its order."""
    lines = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return [Jar(*(c.split(":") + [""])[:4], int(size), sha256) for c, size, sha256 in lines]


def lib_folder() -> Path:
    """Where the jars of this list lie, flat; named by the list, so that another list never mixes with it."""
    return cache_folder() / "neo4j" / f"{NEO4J}-{hashlib.sha256(LIST.read_bytes()).hexdigest()[:8]}" / "lib"


def fetch(*, progress: Progress = silent) -> Path:
    """The folder with every jar of the list, whole; fetches those that are missing or damaged.

    A jar is downloaded beside, its checksum compared, then renamed into place. ServerError when it cannot be had.
    """
    import filelock

    lib = lib_folder()
    if not _to_fetch(lib):
        return lib
    try:
        lib.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"{lib.parent} cannot be made: {error}. Let XDG_CACHE_HOME name another folder.") from error
    with filelock.FileLock(lib.parent / "fetch.lock"):  # released by the system when its holder is killed
        todo = _to_fetch(lib)
        if todo:
            for left in lib.parent.glob("fetching-*"):
                shutil.rmtree(left)
            beside = lib.parent / f"fetching-{os.getpid()}"
            lib.mkdir(exist_ok=True)
            try:
                _fetch_all(todo, beside, lib, progress)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    return lib


def _to_fetch(lib: Path) -> list[Jar]:
    """The jars of the list that are not whole in the folder."""

    def whole(jar: Jar) -> bool:
        path = lib / jar.file
        return path.is_file() and path.stat().st_size == jar.size and _sha256(path) == jar.sha256

    jars = read_list()
    if not lib.is_dir():
        return jars
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # hashing releases the interpreter
        return [jar for jar, ok in zip(jars, pool.map(whole, jars), strict=True) if not ok]


def _fetch_all(todo: list[Jar], beside: Path, lib: Path, progress: Progress) -> None:
    total = sum(jar.size for jar in todo)
    what = f"fetching Neo4j, {_megabytes(total)} MB"
    _log.info("%s, into %s", what, lib)
    progress(what, 0, _megabytes(total))
    pool = concurrent.futures.ThreadPoolExecutor(THREADS)
    waiting = {pool.submit(_fetch_one, jar, beside, lib): jar for jar in todo}
    done = 0
    try:
        for future in concurrent.futures.as_completed(waiting):
            future.result()
            done += waiting[future].size
            progress(what, _megabytes(done), _megabytes(total))
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo's 'not found' is a RuntimeError
        raise ServerError(
            f"Neo4j {NEO4J} cannot be fetched from the Maven registry: {_cause(error)}. Connect to it (or name a mirror "
            "under [repositories] in ~/.config/jgo.conf) and repeat the command; or use a server of yours with "
            "--neo4j bolt://HOST:7687; or name a Neo4j 5.26 folder you have with KGPIPE_NEO4J_HOME=FOLDER."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch_one(jar: Jar, beside: Path, lib: Path) -> None:
    """Downloads one jar and renames it into the folder when its checksum is the list's."""
    for left in reversed(range(TRIES)):
        try:
            path = artifact(beside, jar.group, jar.artifact, jar.version, jar.classifier)
            found = _sha256(path)
            if found == jar.sha256:
                os.replace(path, lib / jar.file)
                return
            path.unlink()
            raise RuntimeError(f"{jar.coordinates} came with SHA-256 {found}, the list says {jar.sha256}")
        except (OSError, RuntimeError) as error:
            if not left:
                raise
            _log.debug("again: %s: %s", jar.coordinates, error)


def artifact(folder: Path, group: str, name: str, version: str, classifier: str) -> Path:
    """The file of one artifact, downloaded into a folder of Maven's layout."""
    found = _context(folder).project(group, name).at_version(version).artifact(classifier, "jar")
    if found.cached_path is not None:
        found.cached_path.unlink(missing_ok=True)  # what a broken download left would pass as whole
    return found.resolve()


def _context(folder: Path):
    """jgo's way to the registry: its default one, or the mirror of the user's jgo.conf."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    return MavenContext(repo_cache=folder, remote_repos=GlobalSettings.load().repositories or None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _megabytes(n_bytes: int) -> int:
    return round(n_bytes / 1e6)


def _cause(error: BaseException) -> str:
    """The innermost reason of an error in one line."""
    while (inner := error.__cause__ or error.__context__ or getattr(error, "reason", None)) and isinstance(
        inner, BaseException
    ):
        error = inner
    return " ".join(str(error).split())


def resolve() -> list[Jar]:
    """What Neo4j and Browser need at run time, resolved and downloaded anew (two minutes), in order of coordinates."""
    folder = cache_folder() / "neo4j" / f"resolving-{os.getpid()}"
    try:
        paths = download(folder, (("org.neo4j", "neo4j", NEO4J), ("org.neo4j.client", "neo4j-browser", BROWSER)))
        return [Jar(*c, path.stat().st_size, _sha256(path)) for c, path in sorted(paths.items())]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def download(folder: Path, roots: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str, str], Path]:
    """The jars that these (group, artifact, version) need at run time, by coordinates with classifier, below the folder."""
    from jgo.parse import Coordinate

    context = _context(folder)
    found = set()
    for group, name, version in roots:
        root = context.create_dependency(Coordinate(groupId=group, artifactId=name, version=version, scope="compile"))
        first, others = context.resolver.resolve([root])
        needed = [*first, *(d for d in others if d.scope in ("compile", "runtime") and d.type == "jar")]
        found |= {(a.groupId, a.artifactId, a.version, a.classifier or "") for a in (d.artifact for d in needed)}
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(sorted(found), pool.map(lambda c: artifact(folder, *c), sorted(found)), strict=True))


def write_list(jars: Iterable[Jar]) -> None:
    """Replaces the list in the package."""
    head = f"# Neo4j {NEO4J} with Browser {BROWSER}: coordinates, bytes, SHA-256. Made by python -m kgpipe.graph.jars\n"
    LIST.write_text(head + "".join(f"{jar.coordinates} {jar.size} {jar.sha256}\n" for jar in jars))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    write_list(resolve())
    _log.info("%d jars, %d MB in %s", len(read_list()), _megabytes(sum(j.size for j in read_list())), LIST)
