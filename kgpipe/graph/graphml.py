"""The graph as GraphML, written as it is read: networkx, Gephi and yEd open it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import XMLGenerator

import pyarrow as pa

from kgpipe.graph.select import Part

KEYS = {
    "node": {"label": "string", "type": "string", "kind": "string", "aliases": "string", "mentions": "int"},
    "edge": {"label": "string", "support": "int", "score": "double", "sentence": "string", "source": "string"},
}
"""Attributes and their types. GraphML has no lists: `aliases` is a JSON array as text."""
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document can hold, in whatever way they are written."""


def write(part: Part, out: Path) -> dict[str, int]:
    """Writes entities and literals as nodes, facts as edges, ids being their uids; returns how many of each.

    `label` is the name of a node and the relation type of an edge. `replaced` counts characters that XML cannot hold,
    such as null bytes: U+FFFD stands for each.
    """
    n_replaced = 0

    def clean(text: Any) -> str:
        nonlocal n_replaced
        found, n = _IMPOSSIBLE.subn("\ufffd", str(text))
        n_replaced += n
        return found

    def data(of: str, values: dict[str, Any]) -> None:
        for key, value in values.items():
            xml.startElement("data", {"key": f"{of}-{key}"})
            xml.characters(clean(value))
            xml.endElement("data")

    beside = out.with_name(f".{out.name}.part")
    with beside.open("w", encoding="utf-8", newline="\n") as file:
        xml = XMLGenerator(file, "utf-8", short_empty_elements=True)
        xml.startDocument()
        xml.startElement("graphml", {"xmlns": "http://graphml.graphdrawing.org/xmlns"})
        for of, keys in KEYS.items():
            for key, kind in keys.items():
                xml.startElement(
                    "key", {"id": f"{of}-{key}", "for": of, "attr.name": key, "attr.type": kind}
                )  # fmt: skip
                xml.endElement("key")
        xml.startElement("graph", {"id": "kgpipe", "edgedefault": "directed"})
        for row in _rows(part.entities):
            xml.startElement("node", {"id": clean(row["uid"])})
            aliases = json.dumps(row["aliases"], ensure_ascii=False)
            data("node", {"label": row["name"], "type": row["type"], "kind": "entity", "aliases": aliases,
                          "mentions": row["n_mentions"]})  # fmt: skip
            xml.endElement("node")
            file.write("\n")
        for row in _rows(part.literals):
            xml.startElement("node", {"id": clean(row["uid"])})
            data("node", {"label": row["value"], "type": row["type"], "kind": row["kind"]})
            xml.endElement("node")
            file.write("\n")
        for row in _rows(part.facts):
            ends = {"id": row["uid"], "source": row["subject"], "target": row["object"]}
            xml.startElement("edge", {key: clean(value) for key, value in ends.items()})
            data("edge", {"label": row["type"], **{key: row[key] for key in KEYS["edge"] if key != "label"}})
            xml.endElement("edge")
            file.write("\n")
        xml.endElement("graph")
        xml.endElement("graphml")
        xml.endDocument()
    beside.replace(out)
    counts = {"entities": part.entities.num_rows, "literals": part.literals.num_rows, "facts": part.facts.num_rows}
    return counts | {"replaced": n_replaced}


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()
