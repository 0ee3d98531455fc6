"""A part of the graph as one interactive HTML page that needs no network: force-graph draws it, a panel cites."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow.compute as pc

from kgpipe import colours
from kgpipe.graph.select import Part
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

PAGES = Path(__file__).parents[1] / "pages"
MOST_SENTENCES = 20
"""Sentences of one fact that the page holds, the best first; it says how many more there are."""
MOST_CHARACTERS = 1_000
"""Characters of one sentence that the page shows."""
VALUES_AT_FIRST = 80
"""Nodes up to which dates and numbers are drawn at once; above, the legend brings them in."""


def write(part: Part, workspace: Workspace, schema: Schema, out: Path, *, title: str, note: str) -> dict[str, int]:
    """Writes the page; returns how many entities, literals, facts and sentences it holds."""
    data = contents(part, workspace, schema) | {"title": title, "note": note}
    beside = out.with_name(f".{out.name}.part")
    beside.write_text(page(data), encoding="utf-8")
    beside.replace(out)
    return {
        "entities": part.entities.num_rows, "literals": part.literals.num_rows, "facts": part.facts.num_rows,
        "sentences": sum(len(f["evidence"]) for f in data["facts"]),
    }  # fmt: skip


def contents(part: Part, workspace: Workspace, schema: Schema) -> dict[str, Any]:
    """What the page holds: {"types", "relations", "nodes", "facts", "documents", "centre", "values_shown"}.

    Ends of facts are places in `nodes`, an evidence is (place in `documents`, sentence, score).
    """
    cited = workspace.read("evidence", ["uid", "fact", "document", "start", "sentence", "score"])
    cited = cited.filter(pc.is_in(cited.column("fact"), part.facts.column("uid").combine_chunks()))
    by_fact: dict[str, dict[tuple[str, int], dict[str, Any]]] = {}
    for row in sorted(cited.to_pylist(), key=lambda r: (-r["score"], len(r["sentence"]), r["uid"])):
        by_fact.setdefault(row["fact"], {}).setdefault((row["document"], row["start"]), row)
    told = workspace.read("documents", ["uid", "uri", "title"])
    told = told.filter(pc.is_in(told.column("uid"), pc.unique(cited.column("document"))))
    documents = {row["uid"]: place for place, row in enumerate(told.to_pylist())}
    nodes = [
        {key: row[key] for key in ("uid", "name", "type", "aliases")} | {"n_facts": part.n_facts[row["uid"]]}
        for row in part.entities.to_pylist()
    ]
    nodes += [
        {"uid": row["uid"], "name": row["value"], "type": row["type"], "aliases": [], "n_facts": 0}
        for row in part.literals.to_pylist()
    ]
    place = {node["uid"]: i for i, node in enumerate(nodes)}
    facts = []
    for row in part.facts.to_pylist():
        sentences = list(by_fact.get(row["uid"], {}).values())
        facts.append(
            {
                "s": place[row["subject"]], "r": row["type"], "o": place[row["object"]], "support": row["support"],
                "score": row["score"], "n_evidence": len(sentences),
                "evidence": [
                    [documents[e["document"]], _one_line(e["sentence"]), e["score"]]
                    for e in sentences[:MOST_SENTENCES]
                ],
            }
        )  # fmt: skip
    counts = Counter(node["type"] for node in nodes)
    by_type = colours.of_types(schema)
    types = [
        {
            "name": name, "label": schema.entities[name].label if name in schema.entities else name,
            "colour": by_type.get(name, colours.NO_COLOUR), "literal": schema.is_literal(name), "n": n,
        }
        for name, n in counts.most_common()
    ]  # fmt: skip
    return {
        "types": types,
        "relations": {f["r"]: schema.relations[f["r"]].label for f in facts if f["r"] in schema.relations},
        "nodes": nodes,
        "facts": facts,
        "documents": [
            {"uri": row["uri"], "title": row["title"] or _last_segment(row["uri"])} for row in told.to_pylist()
        ],
        "centre": part.centre,
        "values_shown": len(nodes) <= VALUES_AT_FIRST,
    }


def page(data: dict[str, Any]) -> str:
    """The HTML: only the two scripts named by their hash may run, nothing is fetched, texts cannot end the data."""
    library = (PAGES / "vendor" / "force-graph.min.js").read_text(encoding="utf-8")
    script = (PAGES / "graph.js").read_text(encoding="utf-8")
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (library, script)
    )
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (PAGES / "graph.html").read_text(encoding="utf-8").format(
        hashes=hashes, title=html.escape(_shown(data["title"])), note=html.escape(_shown(data["note"])),
        style=(PAGES / "graph.css").read_text(encoding="utf-8"), data=_shown(told), library=library, script=script,
    )  # fmt: skip


def _shown(text: str) -> str:
    """Without half surrogate pairs, which no file in UTF-8 can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + "…"


def _last_segment(uri: str) -> str:
    return PurePosixPath(unquote(urlsplit(uri).path)).name or uri
