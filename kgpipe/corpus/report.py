"""What cleaning, filters and duplicates took out of a corpus, with samples: nothing is removed silently."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from kgpipe.workspace import Workspace


def report(workspace: Workspace, *, n_samples: int = 3) -> dict[str, Any]:
    """Counts and samples of documents removed, of what was taken out of others, of duplicates, failures and marks.

    `removed`, `taken_out`, `duplicates` and `failures` are lists of {reason, ..., samples}, the most frequent first.
    """
    documents = workspace.read("documents", ["uid", "uri", "title", "removals", "marks"]).to_pylist()
    titles = {row["uid"]: row["title"] for row in documents}
    uris = {row["uid"]: row["uri"] for row in documents}
    removed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in workspace.read("removed").to_pylist():
        removed[_without_figures(row["reason"])].append(row)
    taken: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    marks: dict[str, int] = defaultdict(int)
    for row in documents:
        for removal in row["removals"]:
            taken[removal["kind"]].append((row["uri"], removal))
        for mark in row["marks"]:
            marks[mark["kind"]] += 1
    duplicates: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in workspace.read("duplicates").to_pylist():
        duplicates[row["reason"].split()[0]].append(row)
    failures: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in workspace.read("failures").to_pylist():
        if row["stage"] in ("sources", "read"):
            failures[row["reason"].split(":")[0]].append(row)
    return {
        "documents": len(documents),
        "removed": [
            {
                "reason": reason, "documents": len(rows), "characters": sum(row["characters"] for row in rows),
                "samples": [{"uri": row["uri"], "text": row["sample"]} for row in rows[:n_samples]],
            }
            for reason, rows in _ordered(removed)
        ],
        "taken_out": [
            {
                "reason": kind, "documents": len(rows), "times": sum(r["count"] for _, r in rows),
                "characters": sum(r["characters"] for _, r in rows),
                "samples": [{"uri": uri, "text": r["sample"]} for uri, r in rows if r["sample"]][:n_samples],
            }
            for kind, rows in _ordered(taken)
        ],
        "duplicates": [
            {
                "reason": reason, "documents": len(rows),
                "samples": [
                    {
                        "uri": uris.get(row["document"], row["document"]),
                        "text": f"{row['reason']}: {titles.get(row['representative'], '')} {uris.get(row['representative'], '')}",
                    }
                    for row in rows[:n_samples]
                ],
            }
            for reason, rows in _ordered(duplicates)
        ],
        "failures": [
            {
                "reason": reason, "documents": len(rows),
                "samples": [{"uri": row["key"], "text": row["reason"]} for row in rows[:n_samples]],
            }
            for reason, rows in _ordered(failures)
        ],
        "marks": dict(sorted(marks.items())),
    }  # fmt: skip


def lines(found: dict[str, Any]) -> list[str]:
    """The report for people."""
    shown = [f"{found['documents']:,} documents kept"]
    heads = {
        "removed": "documents removed by a filter", "taken_out": "taken out of documents that stay",
        "duplicates": "duplicates, kept as rows that point to another", "failures": "could not be read",
    }  # fmt: skip
    for key, head in heads.items():
        if not found[key]:
            continue
        shown += ["", head]
        for row in found[key]:
            sizes = [f"{row[name]:,} {name}" for name in ("documents", "times", "characters") if row.get(name)]
            shown.append(f"  {row['reason']}: {', '.join(sizes)}")
            shown += [f"      {sample['uri']}\n        {sample['text']}" for sample in row["samples"]]
    if found["marks"]:
        shown += ["", "marked: " + ", ".join(f"{kind} {n:,}" for kind, n in found["marks"].items())]
    return shown


def _ordered(groups: dict[str, list[Any]]) -> list[tuple[str, list[Any]]]:
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _without_figures(reason: str) -> str:
    return reason.partition(" (")[0]
