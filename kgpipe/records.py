"""The nouns of kgpipe, their content-addressed ids, and the Arrow schemas in which they travel in bulk.

A record is a frozen dataclass that knows nothing of storage. Offsets are Python str offsets into the
cleaned text of the document. Scores are rounded to four digits (see `rounded`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

POLARITIES = ("asserted", "negated", "hedged")


def content_id(*parts: object) -> str:
    """32 hexadecimal digits that depend on the parts, their order and their borders (BLAKE2b, 128 bit)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def rounded(score: float) -> float:
    """The score with the four digits that do not depend on how passages were batched."""
    return round(float(score), 4)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a document's text that is of a kind: `code`, `references`, or `page` with its number as label."""

    start: int
    end: int
    kind: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What cleaning took out of a document, by kind: how often, how many characters, and one sample."""

    kind: str
    count: int
    characters: int
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One source text after cleaning."""

    uri: str
    text: str
    title: str = ""
    language: str = ""
    time: str = ""
    metadata: str = "{}"
    source: str = ""
    marks: tuple[Mark, ...] = ()
    removals: tuple[Removal, ...] = ()

    @property
    def uid(self) -> str:
        return content_id("document", self.uri)

    @property
    def version(self) -> str:
        return content_id("version", self.text)


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that a quality filter kept out: why, how long it was, and how it begins."""

    uri: str
    reason: str
    characters: int
    sample: str
    title: str = ""
    source: str = ""

    @property
    def uid(self) -> str:
        return content_id("document", self.uri)


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document: `text == document.text[start:end]`."""

    document: str
    version: str
    start: int
    end: int
    text: str

    @property
    def uid(self) -> str:
        return content_id("passage", self.document, self.version, self.start, self.end)


@dataclass(frozen=True, slots=True)
class Mention:
    """A span that names something; `value` is the normalised value of a literal, else empty."""

    start: int
    end: int
    type: str
    score: float = 1.0
    value: str = ""

    def uid(self, passage: str) -> str:
        return content_id("mention", passage, self.start, self.end, self.type)


@dataclass(frozen=True, slots=True)
class Relation:
    """Two mentions of one extraction, by index, and what the text says of them."""

    subject: int
    type: str
    object: int
    score: float = 1.0
    polarity: str = "asserted"
    extractor: str = "encoder"

    def uid(self, passage: str, mentions: tuple[Mention, ...]) -> str:
        head, tail = mentions[self.subject], mentions[self.object]
        return content_id(
            "relation", passage, head.start, head.end, self.type, tail.start, tail.end,
            self.polarity, self.extractor,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one passage gave under one fingerprint of model, schema and settings, or why it failed."""

    passage: str
    fingerprint: str
    document: str
    mentions: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """What several mentions name."""

    uid: str
    type: str
    name: str
    aliases: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """Two clusters became one: `a` and `b` are the smallest mention uids of each, in order.

    `decided_by` is `rule` or `user`, or `review` for a doubtful pair that was not merged and waits for the user.
    """

    a: str
    b: str
    name_a: str
    name_b: str
    reason: str
    score: float
    decided_by: str = "rule"

    @property
    def uid(self) -> str:
        return content_id("merge", *sorted((self.a, self.b)))


@dataclass(frozen=True, slots=True)
class Literal:
    """A date, number or text as a node, keyed by its type and normalised value."""

    type: str
    value: str
    kind: str = "text"

    @property
    def uid(self) -> str:
        return content_id("literal", self.type, self.value)


@dataclass(frozen=True, slots=True)
class Fact:
    """Subject entity, relation type, and an object that is an entity or a literal."""

    subject: str
    type: str
    object: str
    literal: bool = False
    support: int = 1
    score: float = 1.0
    sentence: str = ""
    source: str = ""

    @property
    def uid(self) -> str:
        return content_id("fact", self.subject, self.type, self.object)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence that states one fact; its uid is that of its relation."""

    uid: str
    fact: str
    relation: str
    subject: str
    object: str
    document: str
    passage: str
    start: int
    end: int
    sentence: str
    extractor: str
    score: float
    run: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be done, where and why."""

    stage: str
    key: str
    reason: str
    exception: str = ""

    @property
    def uid(self) -> str:
        return content_id("failure", self.stage, self.key)


@dataclass(frozen=True, slots=True)
class Run:
    """One stage, or a shard of one, that ended: when it started (ISO, UTC), how long it took, and what it counted.

    `failed` is how many texts or passages failed in it; `error` says why the whole stage ended without a result.
    """

    uid: str
    stage: str
    shard: str
    started: str
    seconds: float
    failed: int = 0
    counts: str = "{}"
    error: str = ""


_MENTION = pa.struct([
    ("uid", pa.string()), ("start", pa.int32()), ("end", pa.int32()), ("type", pa.string()),
    ("score", pa.float64()), ("value", pa.string()),
])  # fmt: skip
_RELATION = pa.struct([
    ("uid", pa.string()), ("subject", pa.int32()), ("type", pa.string()), ("object", pa.int32()),
    ("score", pa.float64()), ("polarity", pa.string()), ("extractor", pa.string()),
])  # fmt: skip

_MARK = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("kind", pa.string()), ("label", pa.string())])
_REMOVAL = pa.struct([
    ("kind", pa.string()), ("count", pa.int64()), ("characters", pa.int64()), ("sample", pa.string()),
])  # fmt: skip


def _schema(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns])


_S, _I, _F = pa.string(), pa.int64(), pa.float64()
TABLES: dict[str, pa.Schema] = {
    "sources": _schema(("uri", _S), ("path", _S), ("version", _S), ("size", _I)),
    "documents": _schema(
        ("uid", _S), ("uri", _S), ("version", _S), ("source", _S), ("source_version", _S), ("title", _S),
        ("language", _S), ("time", _S), ("metadata", _S), ("text", _S), ("marks", pa.list_(_MARK)),
        ("removals", pa.list_(_REMOVAL)),
    ),
    "removed": _schema(
        ("uid", _S), ("uri", _S), ("source", _S), ("source_version", _S), ("title", _S), ("reason", _S),
        ("characters", _I), ("sample", _S),
    ),
    "signatures": _schema(
        ("document", _S), ("version", _S), ("fold", _S), ("bands", pa.list_(pa.uint64())),
    ),
    "duplicates": _schema(("document", _S), ("representative", _S), ("reason", _S)),
    "passages": _schema(
        ("uid", _S), ("document", _S), ("version", _S), ("start", _I), ("end", _I), ("text", _S),
    ),
    "extractions": _schema(
        ("passage", _S), ("fingerprint", _S), ("document", _S), ("mentions", pa.list_(_MENTION)),
        ("relations", pa.list_(_RELATION)), ("error", _S),
    ),
    "vectors": _schema(
        ("passage", _S), ("document", _S), ("model", _S), ("vector", pa.list_(pa.float16())),
    ),
    "entities": _schema(
        ("uid", _S), ("type", _S), ("name", _S), ("aliases", pa.list_(_S)), ("mentions", pa.list_(_S)),
    ),
    "merges": _schema(
        ("uid", _S), ("a", _S), ("b", _S), ("name_a", _S), ("name_b", _S), ("reason", _S), ("score", _F),
        ("decided_by", _S),
    ),
    "literals": _schema(("uid", _S), ("type", _S), ("value", _S), ("kind", _S)),
    "facts": _schema(
        ("uid", _S), ("subject", _S), ("type", _S), ("object", _S), ("literal", pa.bool_()), ("support", _I),
        ("score", _F), ("sentence", _S), ("source", _S),
    ),
    "evidence": _schema(
        ("uid", _S), ("fact", _S), ("relation", _S), ("subject", _S), ("object", _S), ("document", _S),
        ("passage", _S), ("start", _I), ("end", _I), ("sentence", _S), ("extractor", _S), ("score", _F),
        ("run", _S),
    ),
    "failures": _schema(("uid", _S), ("stage", _S), ("key", _S), ("reason", _S), ("exception", _S)),
    "runs": _schema(
        ("uid", _S), ("stage", _S), ("shard", _S), ("started", _S), ("seconds", _F), ("failed", _I), ("counts", _S),
        ("error", _S),
    ),
}  # fmt: skip
"""Columns of every table of the workspace."""

KEYS = {
    "sources": "uri",
    "duplicates": "document",
    "signatures": "document",
    "extractions": "passage",
    "vectors": "passage",
}
"""The column that identifies a row, where it is not `uid`."""


def key_of(table: str) -> str:
    """The name of the key column of a table."""
    return KEYS.get(table, "uid")


def to_table(name: str, records: Iterable[Any]) -> pa.Table:
    """The records as an Arrow table of that name; properties such as `uid` become columns."""
    rows = [record if isinstance(record, dict) else as_row(record) for record in records]
    columns = TABLES[name].names
    return pa.Table.from_pylist([{c: row[c] for c in columns} for row in rows], schema=TABLES[name])


def as_row(record: Any) -> dict[str, Any]:
    """A record as one row of its table."""
    row: dict[str, Any] = {f.name: getattr(record, f.name) for f in fields(record)}
    if isinstance(record, Extraction):
        row["mentions"] = [{**as_row(m), "uid": m.uid(record.passage)} for m in record.mentions]
        row["relations"] = [{**as_row(r), "uid": r.uid(record.passage, record.mentions)} for r in record.relations]
    elif isinstance(record, Document):
        row |= {"uid": record.uid, "version": record.version, "source_version": ""}
        row |= {"marks": [as_row(m) for m in record.marks], "removals": [as_row(r) for r in record.removals]}
    elif isinstance(record, Removed):
        row |= {"uid": record.uid, "source_version": ""}
    elif "uid" not in row and not isinstance(record, Mention | Relation | Mark | Removal):
        row["uid"] = record.uid
    return {k: list(v) if isinstance(v, tuple) else v for k, v in row.items()}
