"""Entities against pairs of names that are one thing or two."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from kgpipe.evaluate.gold import read_rows
from kgpipe.names import normalise
from kgpipe.workspace import Workspace


def resolution(workspace: Workspace, names_file: Path | str) -> dict[str, Any]:
    """How many pairs of a JSONL file {a, b, same} are merged: one entity bears both names, up to normalising.

    `missed` are pairs that should be one entity and are not, `wrong` those that are and should not be;
    a name that no entity bears is in `not_found`, and its pair counts as not merged.
    """
    bearers: dict[str, set[str]] = defaultdict(set)
    for row in workspace.read("entities", ["uid", "name", "aliases"]).to_pylist():
        for name in (row["name"], *row["aliases"]):
            bearers[normalise(name)].add(row["uid"])
    pairs = read_rows(names_file, ("a", "b", "same"))
    merged = {True: 0, False: 0}
    missed, wrong = [], []
    not_found: dict[str, None] = {}
    for pair in pairs:
        found = {name: bearers.get(normalise(name), set()) for name in (pair["a"], pair["b"])}
        not_found |= {name: None for name, uids in found.items() if not uids}
        together = bool(found[pair["a"]] & found[pair["b"]])
        merged[bool(pair["same"])] += together
        if together != bool(pair["same"]):
            (wrong if together else missed).append([pair["a"], pair["b"]])
    n_same = sum(bool(pair["same"]) for pair in pairs)
    return {
        "same": n_same, "same_merged": merged[True],
        "different": len(pairs) - n_same, "different_merged": merged[False],
        "missed": missed, "wrong": wrong, "not_found": list(not_found),
    }  # fmt: skip
