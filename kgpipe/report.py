"""What a workspace holds, for `kgpipe stats`, the demo and the end of a run."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kgpipe.workspace import Workspace


def statistics(workspace: Workspace) -> dict[str, Any]:
    """Counts of documents, passages, entities, facts and evidence, then by type, language and failure.

    `skipped` names the documents whose language the extractor does not read, as {language: [uri]}.
    """
    documents = workspace.read("documents", ["uid", "uri", "language"]).to_pylist()
    duplicates = {
        row["document"] for row in workspace.read("duplicates").to_pylist() if row["document"] != row["representative"]
    }
    with_passages = set(workspace.read("passages", ["document"]).column(0).to_pylist())
    skipped: dict[str, list[str]] = {}
    for row in documents:
        if row["uid"] not in with_passages and row["uid"] not in duplicates:
            skipped.setdefault(row["language"] or "unknown", []).append(row["uri"])
    entities = workspace.read("entities", ["type"]).column(0).to_pylist()
    facts = workspace.read("facts", ["type"]).column(0).to_pylist()
    decided = workspace.read("merges", ["decided_by"]).column(0).to_pylist()
    extractions = workspace.read("extractions", ["error"]).column(0).to_pylist()
    return {
        "documents": len(documents),
        "duplicates": len(duplicates),
        "passages": workspace.read("passages", ["uid"]).num_rows,
        "extracted": len(extractions),
        "entities": len(entities),
        "facts": len(facts),
        "evidence": workspace.read("evidence", ["uid"]).num_rows,
        "literals": workspace.read("literals", ["uid"]).num_rows,
        "merges": sum(by != "review" for by in decided),
        "merges_to_review": sum(by == "review" for by in decided),
        "entities_by_type": dict(Counter(entities).most_common()),
        "facts_by_relation": dict(Counter(facts).most_common()),
        "languages": dict(Counter(row["language"] or "unknown" for row in documents).most_common()),
        "skipped": skipped,
        "failures": [
            {k: row[k] for k in ("stage", "key", "reason")} for row in workspace.read("failures").to_pylist()
        ],
    }  # fmt: skip


def top_facts(workspace: Workspace, n_facts: int = 10, *, spread: bool = True) -> list[dict[str, Any]]:
    """The facts with most support, then highest score, in words and with their best sentence.

    With `spread`, no relation takes more than a third of the list, so that it shows the breadth of the graph.
    """
    names = {row["uid"]: row["name"] for row in workspace.read("entities", ["uid", "name"]).to_pylist()}
    values = {row["uid"]: row["value"] for row in workspace.read("literals", ["uid", "value"]).to_pylist()}
    chosen: list[dict[str, Any]] = []
    taken: Counter[str] = Counter()
    rows = workspace.read("facts").to_pylist()
    for row in sorted(rows, key=lambda r: (-r["support"], -r["score"], r["uid"])):
        if spread and taken[row["type"]] >= max(1, n_facts // 3):
            continue
        taken[row["type"]] += 1
        chosen.append(
            {
                "subject": names[row["subject"]],
                "relation": row["type"],
                "object": values[row["object"]] if row["literal"] else names[row["object"]],
                "support": row["support"],
                "score": row["score"],
                "sentence": row["sentence"],
                "source": row["source"],
            }
        )
        if len(chosen) == n_facts:
            break
    return chosen
