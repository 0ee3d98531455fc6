"""Makes the graph equal to the tables of a workspace: only the difference is written, so that a second load is idle.

Every node and edge carries its uid and `row`, a hash of its properties. What the tables want and what stands
in the graph are walked side by side in uid order; what is new or changed is written in batches, what is gone
is removed at the end (`retract`). A load killed at any moment is mended by the next one; `write` has each batch
written once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from kgpipe import schema as schemas
from kgpipe.engine import Progress, silent
from kgpipe.errors import SchemaError, StoreError, WorkspaceError
from kgpipe.graph import cypher, retract
from kgpipe.graph.store import Store
from kgpipe.graph.write import Row, Writers
from kgpipe.records import content_id
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

PAGE_ROWS = 20_000
TABLES = ("documents", "duplicates", "passages", "extractions", "entities", "literals", "facts", "evidence")
_DOCUMENT = ("uid", "uri", "title", "language", "time", "metadata", "version", "source")
_HOW = ("missing", "changed", "surplus")
_NOTHING = {f"{what}_{how}": 0 for how in ("written", "removed") for what in ("nodes", "relationships")}
_COLUMNS = {"documents": list(_DOCUMENT), "extractions": ["passage", "mentions"]}

Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A node or edge as the tables want it: `group` is the node's labels, or the label of the edge's target."""

    uid: str
    row: str
    group: tuple[str, ...]
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A node or edge that is missing, changed or surplus in the graph; `unwanted` are labels that it must lose."""

    how: str
    uid: str
    wanted: Wanted | None = None
    unwanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Nodes of one label or edges of one type: what is wanted, in uid order, and the Cypher texts about them."""

    name: str
    n_rows: int
    wanted: Callable[[], Iterator[Wanted]]
    pages: str
    create: Callable[[tuple[str, ...], tuple[str, ...]], str]
    """Of group and keys of the properties; `write` also of labels that are unwanted."""
    write: Callable[[tuple[str, ...], tuple[str, ...], tuple[str, ...]], str]
    remove: str
    relationships: bool = False


def load(store: Store, workspace: Workspace, *, n_writers: int = 1, progress: Progress = silent) -> dict[str, int]:
    """Makes the graph equal to the workspace; counts of nodes and relationships written and removed.

    `n_writers` transactions are written at a time (see `write`).

    StoreError when the database belongs to something else; WorkspaceError when the tables do not fit together.
    """
    if claim(store, workspace) == snapshot_fingerprint(workspace, workspace_schema(workspace)):
        return dict(_NOTHING)
    return _make_equal(store, workspace, n_writers, progress, named=("surplus",))[1]


def repair(
    store: Store, workspace: Workspace, *, progress: Progress = silent
) -> tuple[dict[str, dict[str, list[str]]], dict[str, int]]:  # fmt: skip
    """What differed, as of `compare`, and what was written and removed, as of `load`, in one walk over everything.

    Nothing is trusted: rows are compared also where the last load was complete. Errors as of `load`.
    """
    claim(store, workspace)
    return _make_equal(store, workspace, 1, progress, named=_HOW)


def compare(
    store: Store, workspace: Workspace, *, only: Collection[str] | None = None, progress: Progress = silent
) -> dict[str, dict[str, list[str]]]:
    """What of the graph differs from the workspace, all of it read: {label or type: {missing, changed, surplus: [uid]}}.

    `only` names the labels and types that are read. Nothing is written; an empty result means that they agree.
    What a user added by hand is not looked at, and a property changed by hand without its `row` is not seen.
    Errors as of `load`.
    """
    refuse_other(store, workspace)
    tables, schema = _checked(workspace)
    names = _index_names(store)
    parts = _parts(tables, schema, _former(store, names, schema))
    parts = [part for part in parts if only is None or part.name in only]
    found = _lacking_indexes(names, schema) if only is None or "indexes" in only else {}
    total, done = sum(part.n_rows for part in parts), 0
    for part in parts:
        differing: dict[str, list[str]] = {how: [] for how in _HOW}
        for difference in _differences(part, _present(store, part.pages)):
            differing[difference.how].append(difference.uid)
        done += part.n_rows
        progress("check graph", done, total)
        _add_differing(found, part, differing)
    return found


def _make_equal(
    store: Store, workspace: Workspace, n_writers: int, progress: Progress, *, named: Collection[str]
) -> tuple[dict[str, dict[str, list[str]]], dict[str, int]]:
    """One walk over tables and graph that writes what differs; what differed, and the counts.

    `named` says of which differences the uids are kept: those of a first load are as many as the graph has elements.
    """
    counts = dict(_NOTHING)
    tables, schema = _checked(workspace)
    store.read(cypher.END_EARLIER, timeout_s=600)
    fingerprint = snapshot_fingerprint(workspace, schema)
    before = _index_names(store)
    found = _lacking_indexes(before, schema)
    known = constraints_and_indexes(store, schema, progress)
    parts = _parts(tables, schema, _former(store, known, schema))
    total, done = sum(part.n_rows for part in parts), 0
    gone: list[tuple[Part, list[str]]] = []
    with Writers(store, n_writers, schema=schema.to_json()) as writers:
        # only now: until it has begun, a batch of a killed load may still arrive
        empty = store.read(cypher.NODES_NOW, timeout_s=600)[1] == [[0]]
        for part, before in zip(parts, [None, *parts], strict=False):
            if part.relationships and not (before and before.relationships):
                writers.flush()  # ends before what joins them
            differing, n_written = _apply(
                store, writers, part, named, empty, lambda n, base=done: progress("load graph", base + n, total)
            )
            counts["relationships_written" if part.relationships else "nodes_written"] += n_written
            gone.append((part, differing["surplus"]))
            _add_differing(found, part, differing)
            done += part.n_rows
            progress("load graph", done, total)
        writers.flush()
        for part, uids in sorted(gone, key=lambda pair: not pair[0].relationships):  # edges before nodes
            retract.remove(writers, part.remove, uids, progress=progress, what=f"remove {part.name}")
            counts["relationships_removed" if part.relationships else "nodes_removed"] += len(uids)
        writers.finish(fingerprint)
    return found, counts


def claim(store: Store, workspace: Workspace) -> str:
    """Fingerprint of the last complete load, empty when there is none or when what it left has been changed.

    An empty database becomes this workspace's; any other that is not is refused before the first write.
    """
    owner, fingerprint, nodes, relationships, nodes_now, relationships_now = refuse_other(store, workspace)
    if owner is None:
        store.read(cypher.END_EARLIER, timeout_s=600)
        store.write(cypher.MARKER_CONSTRAINT)
        store.write(cypher.CLAIM, {"workspace": workspace.uid})
        refuse_other(store, workspace)  # another process may have been faster
    same = (nodes, relationships) == (nodes_now, relationships_now)
    return fingerprint if fingerprint and same else ""


def refuse_other(store: Store, workspace: Workspace) -> list[Any]:
    """The row of `cypher.OWNER`; StoreError, with nothing written, when the database is not empty and not ours."""
    _, [row] = store.read(cypher.OWNER, timeout_s=600)
    owner, nodes_now = row[0], row[4]
    if owner is None and nodes_now:
        raise StoreError(
            f"The database at {store.uri} holds {nodes_now:,} nodes that kgpipe did not write; it stays as it is. "
            "Name an empty database with --neo4j / NEO4J_URI, or leave it out for a server of our own."
        )
    if owner not in (None, workspace.uid):
        raise StoreError(
            f"The database at {store.uri} belongs to another workspace ({owner}), not to {workspace.path} "
            f"({workspace.uid}). Name an empty database with --neo4j / NEO4J_URI, or leave it out for a server of our own."
        )
    return row


def snapshot_fingerprint(workspace: Workspace, schema: Schema) -> str:
    """A hash that changes with any table of the workspace, the schema and the layout of the graph.

    Files are told by name, size and time: they are only ever replaced as a whole.
    """
    parts: list[object] = ["graph", 1, schema.fingerprint]
    for table in TABLES:
        for path in workspace.files(table):
            stat = path.stat()
            parts += [table, path.name, stat.st_size, stat.st_mtime_ns]
    return content_id(*parts)


def check(tables: dict[str, pa.Table], schema: Schema, workspace: Workspace) -> None:
    """Raises when a table names what another does not hold, or a type that the schema does not."""
    ends = pa.concat_tables([tables["entities"].select(["uid"]), tables["literals"].select(["uid"])])
    said = pa.table({"uid": pc.list_flatten(tables["entities"].column("mentions"))})
    for table, column, values, keys in (
        ("passages", "document", tables["passages"], tables["documents"]),
        ("entities", "mentions", said.rename_columns(["mentions"]), mentions_of(tables["extractions"])),
        ("facts", "subject", tables["facts"], tables["entities"]),
        ("facts", "object", tables["facts"], ends),
        ("evidence", "fact", tables["evidence"], tables["facts"]),
        ("evidence", "passage", tables["evidence"], tables["passages"]),
    ):
        lost = values.filter(pc.invert(pc.is_in(values.column(column), keys.column("uid").combine_chunks())))
        if lost.num_rows:
            raise WorkspaceError(
                f'{lost.num_rows:,} rows of the table {table} in {workspace.path} have a "{column}" that is not there '
                f"(first: {lost.column(column)[0].as_py()}): a stage before this one has not run to its end. "
                "Run kgpipe build again."
            )
    literals = {name for name, e in schema.entities.items() if e.literal}
    for table, column, known in (
        ("entities", "entity", set(schema.entities) - literals),
        ("literals", "literal", literals),
        ("facts", "relation", set(schema.relations)),
    ):
        unknown = sorted(set(tables[table].column("type").unique().to_pylist()) - known)
        if unknown:
            raise SchemaError(
                f'Unknown {column} type "{unknown[0]}" in the table {table} of {workspace.path}; known in the schema '
                f"{schema.name}: {', '.join(sorted(known))}. Run kgpipe build again, so that all stages use one schema."
            )


def node_parts(tables: dict[str, pa.Table], schema: Schema) -> list[Part]:
    """Entities, literals, documents, passages and evidence."""
    twins = {
        row["document"]: row["representative"]
        for row in tables["duplicates"].to_pylist()
        if row["document"] != row["representative"]
    }
    made: dict[str, tuple[str, Callable[[dict[str, Any]], Properties]]] = {
        # what comes first has the lower ids, and Neo4j Browser opens a node's neighbours in order of id, the first 100
        "Entity": ("entities", entity_properties),
        "Literal": ("literals", literal_properties),
        "Document": ("documents", lambda row: document_properties(row, twins.get(row["uid"]))),
        "Passage": ("passages", passage_properties),
        "Evidence": ("evidence", evidence_properties),
    }

    def part(label: str, table: str, properties: Callable[[dict[str, Any]], Properties]) -> Part:
        def wanted() -> Iterator[Wanted]:
            for row in _rows(tables[table]):
                labels = (label, *schema.ancestors(row["type"])) if label in ("Entity", "Literal") else (label,)
                yield _node(labels, properties(row))

        return Part(
            name=label,
            n_rows=tables[table].num_rows,
            wanted=wanted,
            pages=cypher.node_pages(label),
            create=cypher.create_nodes,
            write=cypher.write_nodes,
            remove=cypher.remove_nodes(label),
        )

    return [part(label, *rest) for label, rest in made.items()]


def link_parts(tables: dict[str, pa.Table]) -> list[Part]:
    """PART_OF and IN, which have no properties."""

    def links(source: str, kind: str, target: str, table: str, column: str) -> Part:
        pairs = tables[table].select(["uid", column])

        def wanted() -> Iterator[Wanted]:
            for row in _rows(pairs):
                uid, end = row["uid"], row[column]
                yield Wanted(uid, end, (target,), {"source": uid, "target": end})

        return Part(
            name=kind,
            n_rows=pairs.num_rows,
            wanted=wanted,
            pages=cypher.link_pages(source, kind, target),
            create=lambda group, _: cypher.create_links(source, kind, *group),
            write=lambda group, *_: cypher.write_links(source, kind, *group),
            remove=cypher.remove_links(source, kind, target),
            relationships=True,
        )

    return [
        links("Passage", "PART_OF", "Document", "passages", "document"),
        links("Evidence", "IN", "Passage", "evidence", "passage"),
    ]


def edge_parts(tables: dict[str, pa.Table], relation_types: Iterable[str]) -> list[Part]:
    """PART_OF, IN, MENTIONS, then the facts by relation type."""

    def edges(source: str, kind: str, rows: pa.Table, made: Callable[[dict[str, Any]], Wanted]) -> Part:
        return Part(
            name=kind,
            n_rows=rows.num_rows,
            wanted=lambda: map(made, _rows(rows)),
            pages=cypher.edge_pages(source, kind),
            create=lambda group, keys: cypher.create_edges(source, kind, *group, keys),
            write=lambda group, keys, _: cypher.write_edges(source, kind, *group, keys),
            remove=cypher.remove_edges(source, kind),
            relationships=True,
        )

    said = spoken_of(tables["extractions"], _owners(tables["entities"]))
    parts = [*link_parts(tables), edges("Passage", "MENTIONS", said, mentions_edge)]
    kinds = tables["facts"].column("type")
    for kind in relation_types:
        parts.append(edges("Entity", kind, tables["facts"].filter(pc.equal(kinds, kind)), fact_edge))
    return parts


def spoken_of(extractions: pa.Table, owners: pa.Table) -> pa.Table:
    """One row a passage and entity that it names: uid, passage, entity, starts and ends of the mentions.

    `owners` has the `entity` of each mention's `uid`.
    """
    joined = mentions_of(extractions).join(owners, "uid", join_type="inner")
    pairs = joined.sort_by([(c, "ascending") for c in ("passage", "entity", "start", "end")])
    grouped = pairs.group_by(["passage", "entity"], use_threads=False).aggregate([("start", "list"), ("end", "list")])
    uids = [
        content_id("mentions", passage, entity)
        for passage, entity in zip(*(grouped.column(c).to_pylist() for c in ("passage", "entity")), strict=True)
    ]
    return grouped.append_column("uid", pa.array(uids, pa.string())).sort_by("uid")


def _owners(entities: pa.Table) -> pa.Table:
    mentions = entities.column("mentions").combine_chunks()  # parent indices count from the start of a chunk
    uids = entities.column("uid").take(pc.list_parent_indices(mentions))
    return pa.table({"uid": pc.list_flatten(mentions), "entity": uids})


def document_properties(row: dict[str, Any], duplicate_of: str | None = None) -> Properties:
    """A document node; its text is in its passages."""
    name = row["title"] or _last_segment(row["uri"])
    found = {"name": shortened(name), **{key: row[key] for key in _DOCUMENT}}
    return found | ({"duplicate_of": duplicate_of} if duplicate_of else {})


def passage_properties(row: dict[str, Any]) -> Properties:
    """A passage node, named by its first words."""
    return {"name": shortened(row["text"]), **{key: row[key] for key in ("uid", "text", "start", "end")}}


def evidence_properties(row: dict[str, Any]) -> Properties:
    """An evidence node, named by its sentence; its document is found over IN and PART_OF."""
    return {
        "name": shortened(row["sentence"]),
        **{key: value for key, value in row.items() if key not in ("document", "passage")},
    }


def entity_properties(row: dict[str, Any]) -> Properties:
    """An entity node."""
    return {key: row[key] for key in ("uid", "type", "name", "aliases")}


def literal_properties(row: dict[str, Any]) -> Properties:
    """A literal node: `text` is the normalised value as text, `value` the same as a date, a number (with `unit`) or text.

    A date of less than day precision stands on its first day and says its `precision`: day, month, year, decade
    or century. What is no date or number that Neo4j can hold stays text, with precision `text`.
    """
    text = row["value"]
    found: Properties = {"uid": row["uid"], "type": row["type"], "kind": row["kind"], "name": shortened(text)}
    value, extra = text, {}
    if row["kind"] == "date":
        value, precision = parse_date(text) or (text, "text")
        extra = {"precision": precision}
    elif row["kind"] == "number":
        value, unit = parse_number(text) or (text, "")
        extra = {"unit": unit} if unit else {}
    return found | {"text": text, "value": value} | extra


def parse_date(text: str) -> tuple[date, str] | None:
    """First day and precision of `1815-12-10`, `1943-05`, `1943`, `194X` or `18XX`; None for what is no such date."""
    found = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?|(\d{3})X|(\d\d)XX", text, re.ASCII)
    if not found:
        return None
    year, month, day, decade, century = found.groups()
    precision = "century" if century else "decade" if decade else "day" if day else "month" if month else "year"
    try:
        return date(int((year or decade or century).ljust(4, "0")), int(month or 1), int(day or 1)), precision
    except ValueError:
        return None


def parse_number(text: str) -> tuple[float, str] | None:
    """Number and unit of `30` or `30 t`; None for what is no finite number."""
    number, _, unit = text.partition(" ")
    try:
        value = float(number)
    except ValueError:
        return None
    return (value, unit) if math.isfinite(value) else None


def shortened(text: str, width: int = 60) -> str:
    """The text on one line of at most `width` characters, for the caption of a node."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)


def row_hash(properties: Properties) -> str:
    """16 hexadecimal digits that change with any property."""
    return content_id(_ENCODER.encode(properties))[:16]


def _node(labels: tuple[str, ...], properties: Properties) -> Wanted:
    row = row_hash(properties)
    return Wanted(properties["uid"], row, labels, {"properties": properties | {"row": row}})


def _edge(uid: str, source: str, target: str, label: str, properties: Properties) -> Wanted:
    row = row_hash(properties)
    held = {"uid": uid, **properties, "row": row}
    return Wanted(uid, row, (label,), {"source": source, "target": target, "properties": held})


def fact_edge(row: dict[str, Any]) -> Wanted:
    properties = {key: row[key] for key in ("support", "score", "sentence", "source")}
    return _edge(row["uid"], row["subject"], row["object"], "Literal" if row["literal"] else "Entity", properties)


def mentions_edge(row: dict[str, Any]) -> Wanted:
    """`spans` are the mentions as `start:end`, offsets into the document."""
    spans = [f"{start}:{end}" for start, end in zip(row["start_list"], row["end_list"], strict=True)]
    return _edge(row["uid"], row["passage"], row["entity"], "Entity", {"count": len(spans), "spans": spans})


def mentions_of(extractions: pa.Table) -> pa.Table:
    """One row a mention: uid, start, end, passage."""
    mentions = extractions.column("mentions").combine_chunks()
    flat = pc.list_flatten(mentions)
    passages = extractions.column("passage").take(pc.list_parent_indices(mentions))
    return pa.table({**{c: pc.struct_field(flat, c) for c in ("uid", "start", "end")}, "passage": passages})


def _last_segment(uri: str) -> str:
    found = urlsplit(uri)
    name = PurePosixPath(unquote(found.path)).name or uri
    return f"{name}#{unquote(found.fragment)}" if found.fragment else name


def columns_of(table: str) -> list[str] | None:
    """The columns of a table that the graph is made of; None: all."""
    return _COLUMNS.get(table)


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


def workspace_schema(workspace: Workspace) -> Schema:
    kept = workspace.state("schema")
    if not kept:
        raise WorkspaceError(f"{workspace.path} has not been built yet. Run: kgpipe build FOLDER")
    schema = schemas.from_json(kept["json"])
    for relation in schema.relations.values():
        if relation.stored != "relationship":
            raise SchemaError(
                f'Relation "{relation.name}" of the schema {schema.name} is stored as a {relation.stored}; the graph '
                "that kgpipe builds holds every fact as a relationship. Remove `stored:` from the schema file."
            )
    return schema


def _checked(workspace: Workspace) -> tuple[dict[str, pa.Table], Schema]:
    """The tables of the graph and the schema, which fit together."""
    schema = workspace_schema(workspace)
    tables = {name: workspace.read(name, _COLUMNS.get(name)) for name in TABLES}
    check(tables, schema, workspace)
    return tables, schema


def _parts(tables: dict[str, pa.Table], schema: Schema, former: list[str]) -> list[Part]:
    return [*node_parts(tables, schema), *edge_parts(tables, [*schema.relations, *former])]


def _index_names(store: Store) -> set[str]:
    return {name for [name] in store.read(cypher.INDEXES, max_rows=None, timeout_s=600)[1]}


def _lacking_indexes(names: set[str], schema: Schema) -> dict[str, dict[str, list[str]]]:
    lacking = sorted(set(cypher.constraints_and_indexes(schema)) - names)
    return {"indexes": {"missing": lacking}} if lacking else {}


def _add_differing(
    found: dict[str, dict[str, list[str]]], part: Part, differing: dict[str, list[str]]
) -> None:  # fmt: skip
    if any(differing.values()):
        known = found.setdefault(part.name, {})  # a relation may be named like one of our own edges
        for how, uids in differing.items():
            known[how] = known.get(how, []) + uids


def constraints_and_indexes(store: Store, schema: Schema, progress: Progress) -> set[str]:
    """Creates the constraints and indexes that are missing; returns the names of all."""
    known = _index_names(store)
    texts = cypher.constraints_and_indexes(schema)
    missing = [name for name in texts if name not in known]
    if not missing:
        return known
    for done, name in enumerate(missing):
        progress("graph constraints", done, len(missing))
        store.write(texts[name])
    store.write(cypher.AWAIT_INDEXES, timeout_s=660)
    progress("graph constraints", len(missing), len(missing))
    return known | set(texts)


def _former(store: Store, indexes: set[str], schema: Schema) -> list[str]:
    """Relation types of earlier schemas that still have edges."""
    former = [kind for kind in cypher.relation_types(indexes) if kind not in schema.relations]
    return [kind for kind in former if store.read(cypher.count_edges("Entity", kind), timeout_s=600)[1] != [[0]]]


def _differences(part: Part, present: Iterator[list[Any]]) -> Iterator[Difference]:
    """All of one part that differs, in uid order; what was added by hand (it has no `row`) is left out."""
    for wanted, uid, row, labels in _side_by_side(part.wanted(), present):
        if wanted is None:
            if row is not None:
                yield Difference("surplus", uid)
        elif row is None:
            yield Difference("missing", uid, wanted)
        else:
            unwanted = () if part.relationships else tuple(sorted(set(labels) - set(wanted.group)))
            complete = part.relationships or len(set(labels)) - len(unwanted) == len(set(wanted.group))
            if row != wanted.row or unwanted or not complete:
                yield Difference("changed", uid, wanted, unwanted)


def _apply(
    store: Store, writers: Writers, part: Part, named: Collection[str], empty: bool, told: Callable[[int], None]
) -> tuple[dict[str, list[str]], int]:
    """Hands over what is missing or changed of one part; the uids of what differed in a way that is named, and how many.

    Where the graph was `empty` before the load, it is not read.
    """
    differing: dict[str, list[str]] = {how: [] for how in _HOW}
    texts: dict[tuple[object, ...], tuple[str, str]] = {}
    n_rows = 0
    for found in _differences(part, iter(()) if empty else _present(store, part.pages)):
        if found.how in named:
            differing[found.how].append(found.uid)
        if found.wanted is None:
            continue
        group, keys = found.wanted.group, tuple(found.wanted.values.get("properties", ()))
        kind = (found.how, group, keys, found.unwanted)
        if kind not in texts:
            merging = part.write(group, keys, found.unwanted)
            texts[kind] = (part.create(group, keys) if found.how == "missing" else merging, merging)
        writers.add(Row(texts[kind], found.wanted.values))
        n_rows += 1
        if n_rows % 1_000 == 0:
            told(n_rows)
    return differing, n_rows


def _present(store: Store, pages: str) -> Iterator[list[Any]]:
    after = ""
    while True:
        _, [[page]] = store.read(pages, {"after": after, "limit": PAGE_ROWS}, timeout_s=600)
        yield from page
        if len(page) < PAGE_ROWS:
            return
        after = page[-1][0]


def _side_by_side(
    wanted: Iterator[Wanted], present: Iterator[list[Any]]
) -> Iterator[tuple[Wanted | None, str, str | None, list[str]]]:
    """Both in uid order, joined on the uid: (wanted or None, uid, hash found or None, labels found)."""
    want, have = next(wanted, None), next(present, None)
    while want or have:
        if have is None or (want is not None and want.uid < have[0]):
            yield want, want.uid, None, []
            want = next(wanted, None)
        elif want is None or have[0] < want.uid:
            yield None, *have
            have = next(present, None)
        else:
            yield want, *have
            want, have = next(wanted, None), next(present, None)
