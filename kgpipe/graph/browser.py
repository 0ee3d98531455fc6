"""Neo4j Browser: its address with a query in the editor, the style of our graphs, and the saved queries."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgpipe import colours
from kgpipe import schema as schemas
from kgpipe.errors import InputError
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

QUERIES = Path(__file__).parent / "queries"
FIRST = "overview"
"""The saved query that is shown first."""
TEXT_BROWSERS = ("www-browser", "links", "elinks", "lynx", "w3m")
"""They would take over the terminal and cannot run Neo4j Browser."""
PAPER = {"Document": "#8f97a3", "Passage": "#b4bac4", "Evidence": "#d3d7dd"}
"""Colours of what is not the world but the texts about it: greys."""


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A query of the package: its name, what it shows, and its text, the first line a comment that says the same."""

    name: str
    title: str
    text: str


def url(page: str, uri: str, user: str, query: str = "") -> str:
    """Address of Neo4j Browser that names server and user, with a query in the editor when one is given.

    `page` is where Browser is, `uri` the Bolt address of the server (unless `page` names one).
    """
    scheme, _, host = uri.partition("://")
    start = page if "?" in page else f"{page}?dbms={scheme}://{user}@{host}"
    return start + (f"&cmd=edit&arg={urllib.parse.quote(query, safe='')}" if query else "")


def open_page(address: str) -> bool:
    """Opens the address in a graphical browser; False when the machine has none."""
    import webbrowser

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return getattr(found, "basename", "") not in TEXT_BROWSERS and found.open(address)


def saved_queries(workspace: Workspace | None = None, *, about: str = "") -> list[SavedQuery]:
    """All saved queries, by name; with a workspace their parameters stand in the text.

    `$functional` becomes the relations of the schema that have one value, `$name` and `$other` the names of the two best
    connected entities as phrases of the full-text index, to be replaced by the reader's own; `about` is one for `$name`.
    """
    values = _values(workspace, about) if workspace else {}
    found = []
    for path in sorted(QUERIES.glob("*.cypher")):
        text = path.read_text(encoding="utf-8").strip()
        for name, value in values.items():
            text = text.replace(f"${name}", literal(value))
        found.append(SavedQuery(path.stem, text.partition("\n")[0].removeprefix("//").strip(), text))
    return found


def saved(name: str, workspace: Workspace | None = None, *, about: str = "") -> SavedQuery:
    """The saved query of that name; InputError lists those there are."""
    found = {query.name: query for query in saved_queries(workspace, about=about)}
    if name not in found:
        raise InputError(f'Unknown query "{name}"; known: {", ".join(found)}. Name one of them, or give Cypher.')
    return found[name]


def literal(value: Any) -> str:
    """A string, or a list of them, as Cypher writes it."""
    if isinstance(value, str):
        escaped = re.sub(r"[\\']", lambda found: "\\" + found[0], value)
        return "'" + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + "'"
    return f"[{', '.join(literal(one) for one in value)}]"


def _values(workspace: Workspace, about: str) -> dict[str, Any]:
    schema = schema_of(workspace)
    facts = workspace.read("facts", ["subject", "object", "literal"]).to_pylist()
    degrees = Counter(row[end] for row in facts if not row["literal"] for end in ("subject", "object"))
    names = dict(zip(*(workspace.read("entities", ["uid", "name"]).column(c).to_pylist() for c in (0, 1)), strict=True))
    best = sorted(degrees, key=lambda uid: (-degrees[uid], uid))[:2]
    name, other = (
        [about] * bool(about) + [n for uid in best if (n := names[uid]) != about] + ["Ada Lovelace", "Alan Turing"]
    )[:2]
    functional = [relation.name for relation in schema.relations.values() if relation.functional]
    return {"functional": functional, "name": phrase(name), "other": phrase(other)}


def phrase(name: str) -> str:
    """A name as the full-text index looks it up: these words, in this order."""
    return '"' + re.sub(r'[\\"]', lambda found: "\\" + found[0], " ".join(name.split())) + '"'


def schema_of(workspace: Workspace) -> Schema:
    """The schema the workspace is built with; one without types when it was not built yet."""
    kept = workspace.state("schema")
    return schemas.from_json(kept["json"]) if kept else Schema("none")


def style(schema: Schema) -> dict[str, dict[str, str]]:
    """What Neo4j Browser draws, as selectors with their properties: names as captions, the colours of the types."""
    made: dict[str, dict[str, str]] = {
        "node": {
            "diameter": "65px", "color": colours.NO_COLOUR, "border-color": "#9aa0a8", "border-width": "2px",
            "text-color-internal": "#16171a", "font-size": "10px", "caption": "{name}",
        },
        "relationship": {
            "color": "#9aa0a8", "shaft-width": "1px", "font-size": "8px", "padding": "3px", "text-color-external": "#3a3d44",
            "text-color-internal": "#16171a", "caption": "<type>",
        },
    }  # fmt: skip
    by_type = colours.of_types(schema)
    for label, colour in {"Entity": colours.NO_COLOUR, "Literal": "#ded7bd", **PAPER}.items():
        made[f"node.{label}"] = _node(colour, 65 if label == "Entity" else 45)
    # a node bears the labels of all its ancestors too: Browser takes the rule that comes last
    for name in sorted(by_type, key=lambda kind: len(schema.ancestors(kind))):
        made[f"node.{name}"] = _node(by_type[name], 45 if schema.is_literal(name) else 65)
    for kind in ("MENTIONS", "PART_OF", "IN"):
        made[f"relationship.{kind}"] = {"color": "#d3d7dd", "caption": "<type>"}
    return made


def _node(colour: str, diameter: int) -> dict[str, str]:
    return {"color": colour, "border-color": _darker(colour), "diameter": f"{diameter}px",
            "text-color-internal": "#16171a", "caption": "{name}"}  # fmt: skip


def _darker(colour: str) -> str:
    return "#" + "".join(f"{int(colour[i : i + 2], 16) * 3 // 4:02x}" for i in (1, 3, 5))


def grass(schema: Schema) -> str:
    """The style as a GraSS file, which Neo4j Browser takes when it is dragged onto it."""

    def rule(selector: str, properties: dict[str, str]) -> str:
        inside = "".join(f"  {key}: {_grass_value(key, value)};\n" for key, value in properties.items())
        return f"{selector} {{\n{inside}}}\n"

    return "".join(rule(*one) for one in style(schema).items())


def _grass_value(key: str, value: str) -> str:
    return f'"{value}"' if key == "caption" else value


def connect_command(schema: Schema) -> str:
    """What `browser.post_connect_cmd` holds, so that Browser draws our style as soon as it is connected."""
    return f"style {json.dumps(style(schema), separators=(',', ':'))}"


def write_files(folder: Path, workspace: Workspace) -> list[Path]:
    """Writes the style and the saved queries as files that Browser imports; returns their paths."""
    written: Iterable[tuple[str, str]] = [
        ("kgpipe.grass", grass(schema_of(workspace))),
        *((f"{query.name}.cypher", query.text + "\n") for query in saved_queries(workspace)),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in written:
        (folder / name).write_text(text, encoding="utf-8")
        paths.append(folder / name)
    return paths
