"""Removing documents and everything that hangs on them in the tables."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgpipe.errors import InputError
from kgpipe.workspace import Workspace


def remove_documents(workspace: Workspace, uids: Iterable[str]) -> int:
    """Removes the documents and their rows in every table; returns how many documents went.

    What hangs on a document goes before it, so that a process killed in between leaves no orphans.
    """
    uids = sorted(set(uids))
    for table in ("vectors", "extractions", "passages", "duplicates", "signatures"):
        workspace.delete(table, "document", uids)
    workspace.delete("removed", "uid", uids)
    return workspace.delete("documents", "uid", uids)


def delete_document(workspace: Workspace, document: str) -> dict[str, Any]:
    """Removes one document, by path, uri, uid or title, and returns {documents, uri, title, note}.

    What a filter kept out has those names too; its row goes, and `documents` is 0.

    InputError when nothing has that name (with close ones), or when several documents share the title.
    """
    columns = ["uid", "uri", "title", "source"]
    rows = [*workspace.read("documents", columns).to_pylist(), *workspace.read("removed", columns).to_pylist()]
    failures = {row["key"]: row["uid"] for row in workspace.read("failures").to_pylist() if row["stage"] == "read"}
    path, hash_sign, fragment = document.partition("#")
    names = {document, Path(os.path.abspath(path)).as_uri() + hash_sign + fragment}
    found = [row for row in rows if row["uid"] in names or row["uri"] in names]
    found = found or [row for row in rows if row["title"] == document]
    if len(found) > 1:
        listed = ", ".join(sorted(row["uri"] for row in found))
        raise InputError(f'{len(found)} documents are called "{document}": {listed}. Name one by its uri.')
    if found:
        row = found[0]
        workspace.delete("failures", "key", [row["uri"]])
        removed = remove_documents(workspace, [row["uid"]])
        if all(other["source"] != row["source"] or other["uid"] == row["uid"] for other in rows):
            workspace.delete("sources", "uri", [row["source"]])
    elif key := next((key for key in failures if key in names), ""):
        row, removed = {"uri": key, "title": "", "source": key.partition("#")[0]}, 0
        workspace.delete("failures", "key", [key])
        if all(other["source"] != row["source"] for other in rows):
            workspace.delete("sources", "uri", [row["source"]])
    else:
        known = [name for other in rows for name in (other["uri"], other["title"], other["uid"])]
        near = difflib.get_close_matches(document, [*known, *failures], n=3, cutoff=0.5)
        hint = f" Did you mean: {', '.join(near)}?" if near else " `kgpipe stats --json` says what the workspace holds."
        raise InputError(
            f'No document "{document}" in {workspace.path}; a path, uri, uid or title of one is allowed.{hint}'
        )
    return {"documents": removed, "uri": row["uri"], "title": row["title"], "note": _note(row["source"])}


def _note(source: str) -> str:
    from kgpipe.corpus.sources import path_of

    path = path_of(source)
    if not path.exists():
        return ""
    return f"{path} is still there, so the next build that reads it adds the document again; move the file away first."
