"""Which files there are, and what became of those seen before."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from kgpipe.config import Config
from kgpipe.corpus.delete import remove_documents
from kgpipe.engine import Progress, silent
from kgpipe.errors import InputError
from kgpipe.records import Failure, content_id
from kgpipe.workspace import Workspace

KINDS = {
    ".txt": "text", ".text": "text", ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html",
    ".xhtml": "html", ".jsonl": "jsonl", ".pdf": "pdf", ".docx": "docx", ".pptx": "pptx", ".epub": "epub",
    ".eml": "mail", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".wiki": "wikitext", ".wikitext": "wikitext",
    ".mediawiki": "wikitext", ".xml": "dump", ".zip": "zip", ".tar": "tar", ".tgz": "tar",
}  # fmt: skip
"""How a file is read, by extension; `.xml` is a MediaWiki dump."""
MANY = ("jsonl", "parquet", "dump", "zip", "tar")
"""Kinds that hold many texts: each is bounded by max_bytes, all together by max_unpacked."""
PACKINGS = (".gz", ".zst", ".bz2")
ALLOWED = (
    ".txt .md .html .htm .jsonl .pdf .docx .pptx .epub .eml .csv .tsv .parquet .wiki .xml (MediaWiki dump) .zip .tar "
    ".tgz, and these with .gz, .zst or .bz2"
)
_SHOWN = 100
"""Names of files that are listed in the counts at most."""


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:
    """Writes down the files under the workspace's paths: {sources, changed, removed, ignored, gone}.

    `sources` counts new files, `changed` those with other content than before. `gone` names files that earlier builds
    read and that are no longer on disk; with `prune` they and their documents are removed and counted as `removed`.
    """
    wanted = workspace.state("paths")
    paths = [Path(os.path.normpath(path)) for path in wanted.get("paths", [])]
    known = {row["uri"]: row for row in workspace.read("sources").to_pylist()}
    files, ignored, failures = find(paths, known, workspace.path, allow_empty=wanted.get("allow_empty", False))
    _record(workspace, failures)
    fresh: list[dict[str, Any]] = []
    changed = 0
    for done, path in enumerate(files, 1):
        row = _row(path, config)
        before = known.get(row["uri"])
        changed += before is not None and before["version"] != row["version"]
        if before is None or before["version"] != row["version"]:
            fresh.append(row)
        progress("sources", done, len(files))
    # The documents of a changed file are replaced where it is read, one by one: in a JSONL file most rows stay.
    workspace.delete("sources", "uri", [row["uri"] for row in fresh])
    workspace.commit("sources", fresh)
    gone = sorted(uri for uri in known if not os.path.lexists(path_of(uri)))
    removed = _forget(workspace, gone) if wanted.get("prune") else 0
    return {
        "sources": len(fresh) - changed,
        "changed": changed,
        "removed": removed,
        "gone": [] if wanted.get("prune") else gone,
        "ignored": [str(path) for path in ignored[:_SHOWN]],
    }


def find(
    paths: list[Path], known: Iterable[str], workspace: Path, *, allow_empty: bool = False
) -> tuple[list[Path], list[Path], list[Failure]]:
    """The files under the paths that can be read, those of other kinds, and folders that cannot be listed.

    A path may be a pattern, as `in/**/*.pdf`. InputError when a folder is not there; and, without `allow_empty`, when
    there is nothing to read and none of the `known` uris was there either.
    """
    files, ignored, failures = _walk(paths, workspace)
    if not files and not allow_empty and not any(path_of(uri).is_relative_to(path) for uri in known for path in paths):
        listed = ", ".join(map(str, paths)) or "no path"
        seen = f"; of other kinds: {', '.join(path.name for path in ignored[:5])}" if ignored else ""
        raise InputError(f"Nothing to read in {listed}{seen}. Allowed: {ALLOWED}. Add such files or name their folder.")
    return files, ignored, failures


def kind_of(path: Path) -> str:
    """How the file is read, one of the values of KINDS; empty for other files."""
    name = path.name.lower()
    packing = packing_of(path)
    if packing and not name.endswith(".tgz"):
        name = name[: -len(packing)]
    return KINDS.get(os.path.splitext(name)[1], "")


def packing_of(path: Path) -> str:
    """`.gz`, `.zst` or `.bz2` where the name ends so, else empty."""
    name = path.name.lower()
    return ".gz" if name.endswith(".tgz") else next((end for end in PACKINGS if name.endswith(end)), "")


def path_of(uri: str) -> Path:
    """The path of a file URI, also where the file name is no valid UTF-8."""
    return Path(os.fsdecode(unquote_to_bytes(uri.partition("#")[0].removeprefix("file://"))))


def _row(path: Path, config: Config) -> dict[str, Any]:
    """The source row of a file; its version is the hash of its bytes, empty when they cannot be read.

    A file that is too large to be read is not hashed either.
    """
    version, size = "", 0
    try:
        found = path.stat()
        size = found.st_size
        allowed = config.max_unpacked if kind_of(path) in MANY else config.max_bytes
        if size > allowed:
            version = content_id("size", size)
        elif stat.S_ISREG(found.st_mode):  # a pipe would never end
            with path.open("rb") as stream:
                version = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError:
        pass  # the reading stage meets the same error and reports it as a failure
    shown = os.fsencode(path).decode("utf-8", "replace")
    return {"uri": path.as_uri(), "path": shown, "version": version, "size": size}


def _record(workspace: Workspace, failures: list[Failure]) -> None:
    """Makes the rows of this stage in `failures` those of this run."""
    before = [row["uid"] for row in workspace.read("failures").to_pylist() if row["stage"] == "sources"]
    found = {failure.uid for failure in failures}
    workspace.delete("failures", "uid", [uid for uid in before if uid not in found])
    workspace.commit("failures", [failure for failure in failures if failure.uid not in before])


def _forget(workspace: Workspace, gone: list[str]) -> int:
    sources = set(gone)
    documents = workspace.read("documents", ["uid", "source"]).to_pylist()
    documents += workspace.read("removed", ["uid", "source"]).to_pylist()
    remove_documents(workspace, [row["uid"] for row in documents if row["source"] in sources])
    keys = workspace.read("failures", ["key"]).column("key").to_pylist()
    workspace.delete("failures", "key", [key for key in keys if key.partition("#")[0] in sources])
    return workspace.delete("sources", "uri", gone)


def _walk(paths: list[Path], workspace: Path) -> tuple[list[Path], list[Path], list[Failure]]:
    """The files that can be read and those of other kinds, each once, sorted; folders that cannot be listed."""
    found: set[Path] = set()
    failures: list[Failure] = []
    for path in (one for given in paths for one in _matching(given)):
        found |= set(_files(path, workspace, failures)) if path.is_dir() else {path}
    readable = sorted(path for path in found if kind_of(path))
    return readable, sorted(path for path in found if not kind_of(path)), failures


def _matching(path: Path) -> list[Path]:
    """The path, or what matches it where it is a pattern; InputError when its folder does not exist."""
    if path.exists():
        return [path]
    folder = path
    while glob.has_magic(str(folder)):
        folder = folder.parent
    if folder == path or not folder.is_dir():
        raise InputError(f"{folder} does not exist. Give a folder or file that does.")
    return [Path(one) for one in sorted(glob.glob(str(path), recursive=True))]


def _files(top: Path, workspace: Path, failures: list[Failure]) -> Iterator[Path]:
    """The files below a folder; hidden ones and the workspace are left out, a folder linked twice is taken once.

    InputError when the folder itself cannot be listed; for one below it a failure is added.
    """
    todo, seen = [top], set()
    while todo:
        folder = todo.pop()
        real = os.path.realpath(folder)
        if real in seen or folder == workspace:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError as error:
            if folder == top:
                raise InputError(
                    f"The folder {folder} cannot be listed: {error.strerror}. Give yourself the right to."
                ) from error
            failures.append(
                Failure("sources", folder.as_uri(), f"cannot be listed: {error.strerror}", type(error).__name__)
            )
            continue
        below = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                below.append(folder / entry.name)
            else:
                yield folder / entry.name
        todo += reversed(below)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points at itself
        return False
