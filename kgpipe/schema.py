"""Schema files (YAML) to `Schema`, checked, with errors that name file and line."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kgpipe.errors import SchemaError
from kgpipe.records import content_id

RESERVED = ("Document", "Passage", "Evidence", "Entity", "Literal", "KgpipeWorkspace")
LITERAL_KINDS = ("date", "number", "text")
BUNDLED = Path(__file__).parent / "schemas"


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of things, or of literals when `literal` is one of date, number, text."""

    name: str
    label: str
    description: str = ""
    literal: str = ""
    parent: str = ""
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RelationType:
    """A relation, read as: subject `label` object. An empty domain or range means any type."""

    name: str
    label: str
    description: str = ""
    domain: tuple[str, ...] = ()
    range: tuple[str, ...] = ()
    inverse: str = ""
    symmetric: bool = False
    transitive: bool = False
    functional: bool = False
    synonyms: tuple[str, ...] = ()
    stored: str = "relationship"


@dataclass(frozen=True)
class Schema:
    """Entity and relation types by name, in file order."""

    name: str
    description: str = ""
    entities: dict[str, EntityType] = field(default_factory=dict)
    relations: dict[str, RelationType] = field(default_factory=dict)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of everything a model reads in the schema."""
        return content_id("schema", self.to_json())

    def to_json(self) -> str:
        """The schema as JSON text; `from_json` reads it back."""
        return json.dumps(
            {
                "name": self.name,
                "description": self.description,
                "entities": [asdict(e) for e in self.entities.values()],
                "relations": [asdict(r) for r in self.relations.values()],
            },
            ensure_ascii=False,
        )

    def ancestors(self, entity_type: str) -> tuple[str, ...]:
        """The type itself, then its parents upwards."""
        chain: list[str] = []
        while entity_type and entity_type not in chain:
            chain.append(entity_type)
            known = self.entities.get(entity_type)
            entity_type = known.parent if known else ""
        return tuple(chain)

    def family(self, entity_type: str) -> str:
        """The topmost parent: mentions of one family may name the same thing."""
        return self.ancestors(entity_type)[-1]

    def fits(self, entity_type: str, allowed: Iterable[str]) -> bool:
        """Whether the type is one of those allowed or below one; nothing allowed means anything is."""
        allowed = tuple(allowed)
        return not allowed or any(a in allowed for a in self.ancestors(entity_type))

    @functools.cached_property
    def people(self) -> frozenset[str]:
        """The type families whose members are human beings, told by name, label and synonyms."""
        return self._families({"person", "people", "human", "human being", "individual"})

    @functools.cached_property
    def places(self) -> frozenset[str]:
        """The type families whose members are places, told in the same way."""
        return self._families(
            {"place", "location", "geographic location", "geographic region", "region", "territory", "settlement", "city",
             "country", "state"}
        )  # fmt: skip

    def _families(self, called: set[str]) -> frozenset[str]:
        return frozenset(
            self.family(e.name)
            for e in self.entities.values()
            if not e.literal and called & {e.name.lower(), e.label.lower(), *(s.lower() for s in e.synonyms)}
        )

    def is_literal(self, entity_type: str) -> bool:
        known = self.entities.get(entity_type)
        return bool(known and known.literal)

    def literal_types(self) -> dict[str, str]:
        """Kind of literal (date, number, text) to the first type of that kind."""
        kinds: dict[str, str] = {}
        for e in self.entities.values():
            if e.literal:
                kinds.setdefault(e.literal, e.name)
        return kinds


def from_json(text: str) -> Schema:
    """The schema that `Schema.to_json` wrote."""
    data = json.loads(text)
    tuples = ("domain", "range", "synonyms")

    def made(kind: type, rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {r["name"]: kind(**{k: tuple(v) if k in tuples else v for k, v in r.items()}) for r in rows}

    return Schema(
        name=data["name"],
        description=data["description"],
        entities=made(EntityType, data["entities"]),
        relations=made(RelationType, data["relations"]),
    )


def names() -> list[str]:
    """Names of the schemas that come with kgpipe."""
    return sorted(p.stem for p in BUNDLED.glob("*.yaml"))


def load(name_or_path: str | Path) -> Schema:
    """The schema of that name or file; SchemaError names file, line, what is allowed and the fix."""
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        bundled = BUNDLED / f"{name_or_path}.yaml"
        if bundled.is_file():
            path = bundled
        elif not path.is_file():
            raise SchemaError(
                f'Unknown schema "{name_or_path}"; known: {", ".join(names())}. '
                "Give one of these names or the path of a .yaml file."
            )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(
            f"Cannot read the schema file {path}: {error}. Check the path and its encoding (UTF-8)."
        ) from error
    return parse(text, where=str(path))


def to_yaml(schema: Schema) -> str:
    """The schema as a file that `parse` reads back; what is empty is left out."""

    def row(made: EntityType | RelationType) -> dict[str, Any]:
        found = {"is" if k == "parent" else k: list(v) if isinstance(v, tuple) else v for k, v in asdict(made).items()}
        kept = {k: v for k, v in found.items() if v and k != "name" and not (k == "stored" and v == "relationship")}
        return {k: v for k, v in kept.items() if not (k == "label" and v == in_words(made.name))}

    held = {"name": schema.name, "description": schema.description} if schema.description else {"name": schema.name}
    held["entities"] = {e.name: row(e) for e in schema.entities.values()}
    held["relations"] = {r.name: row(r) for r in schema.relations.values()}
    return yaml.safe_dump(held, sort_keys=False, allow_unicode=True)


_TOP = {"name", "description", "entities", "relations"}
_ENTITY = {"label", "description", "literal", "is", "synonyms"}
_RELATION = {
    "label", "description", "domain", "range", "inverse", "symmetric", "transitive", "functional", "synonyms", "stored",
}  # fmt: skip


def parse(text: str, *, where: str = "schema") -> Schema:
    """The schema written in YAML text; `where` stands for the file in messages."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise SchemaError(
            f"{where}{line} is not YAML: {getattr(error, 'problem', error)}. Correct the syntax."
        ) from error
    if not isinstance(root, yaml.MappingNode):
        raise SchemaError(f"{where} holds no mapping; expected the keys {', '.join(sorted(_TOP))}.")
    reader = _Reader(where)
    top = reader.mapping(root, _TOP, "the schema file")
    entities: dict[str, EntityType] = {}
    relations: dict[str, RelationType] = {}
    lines: dict[str, int] = {}
    for name, node, line in reader.items(top.get("entities"), "entities"):
        reader.check_name(name, line, entities)
        body = reader.mapping(node, _ENTITY, f'entity "{name}"')
        kind = reader.text(body.get("literal"))
        if kind and kind not in LITERAL_KINDS:
            reader.fail(body["literal"], f'Unknown literal kind "{kind}"', LITERAL_KINDS, "Choose one of these")
        entities[name] = EntityType(
            name=name,
            label=reader.text(body.get("label")) or in_words(name),
            description=reader.text(body.get("description")),
            literal=kind,
            parent=reader.text(body.get("is")),
            synonyms=reader.texts(body.get("synonyms")),
        )
        lines[name] = line
    if not entities:
        raise SchemaError(f"{where} defines no entity type. Add at least one under entities:.")
    for e in entities.values():
        if e.parent and e.parent not in entities:
            reader.unknown("entity type", e.parent, lines[e.name], entities, "under entities:")
        if len({*_chain(e.name, entities)}) != len(_chain(e.name, entities)):
            raise SchemaError(f'{where} line {lines[e.name]}: "{e.name}" is its own ancestor. Correct its `is:`.')
    for name, node, line in reader.items(top.get("relations"), "relations"):
        reader.check_name(name, line, relations)
        body = reader.mapping(node, _RELATION, f'relation "{name}"')
        for side in ("domain", "range"):
            for item in reader.nodes(body.get(side)):
                if item.value not in entities:
                    reader.unknown("entity type", item.value, item.start_mark.line + 1, entities, "under entities:")
        stored = reader.text(body.get("stored")) or "relationship"
        if stored not in ("relationship", "property"):
            reader.fail(
                body["stored"],
                f'Unknown value "{stored}" for stored',
                ("relationship", "property"),
                "Choose one",
            )
        relations[name] = RelationType(
            name=name,
            label=reader.text(body.get("label")) or in_words(name),
            description=reader.text(body.get("description")),
            domain=reader.texts(body.get("domain")),
            range=reader.texts(body.get("range")),
            inverse=reader.text(body.get("inverse")),
            symmetric=reader.flag(body.get("symmetric")),
            transitive=reader.flag(body.get("transitive")),
            functional=reader.flag(body.get("functional")),
            synonyms=reader.texts(body.get("synonyms")),
            stored=stored,
        )
    return Schema(
        name=reader.text(top.get("name")) or Path(where).stem,
        description=reader.text(top.get("description")),
        entities=entities,
        relations=relations,
    )


def json_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of schema files, for editors; written from the same key sets as `parse`."""
    names_ = {"type": "array", "items": {"type": "string"}}
    kinds: dict[str, Any] = {
        "literal": {"enum": list(LITERAL_KINDS)},
        "stored": {"enum": ["relationship", "property"]},
        "domain": names_, "range": names_, "synonyms": names_,
        "symmetric": {"type": "boolean"}, "transitive": {"type": "boolean"}, "functional": {"type": "boolean"},
    }  # fmt: skip

    def types(keys: set[str]) -> dict[str, Any]:
        return {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"enum": list(RESERVED)}},
            "additionalProperties": {
                "type": ["object", "null"],
                "properties": {k: kinds.get(k, {"type": "string"}) for k in sorted(keys)},
                "additionalProperties": False,
            },
        }

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kgpipe schema file",
        "type": "object",
        "required": ["entities"],
        "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "entities": types(_ENTITY),
            "relations": types(_RELATION),
        },
        "additionalProperties": False,
    }


def in_words(name: str) -> str:
    """The words of a name: FOUNDED_BY is `founded by`, ProgrammingLanguage `programming language`."""
    spaced = "".join(f" {c}" if c.isupper() and i and name[i - 1].islower() else c for i, c in enumerate(name))
    return spaced.replace("_", " ").lower()


def _chain(name: str, entities: dict[str, EntityType]) -> list[str]:
    chain = [name]
    while (parent := entities[chain[-1]].parent) in entities:
        chain.append(parent)
        if chain.count(parent) > 1:
            break
    return chain


class _Reader:
    """Takes YAML nodes apart and knows the line of each for messages."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, node: yaml.Node, what: str, allowed: Iterable[str], fix: str) -> None:
        raise SchemaError(
            f"{what} in {self.where} line {node.start_mark.line + 1}; known: {', '.join(allowed)}. {fix}."
        )

    def unknown(self, kind: str, name: str, line: int, known: Iterable[str], place: str) -> None:
        near = difflib.get_close_matches(name, list(known), n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise SchemaError(
            f'Unknown {kind} "{name}" in {self.where} line {line}; known: {", ".join(known)}. '
            f"Add it {place} or correct the spelling.{hint}"
        )

    def check_name(self, name: str, line: int, seen: dict[str, Any]) -> None:
        if not name.replace("_", "a").isalnum() or not name.isascii() or name[0].isdigit():
            raise SchemaError(
                f'"{name}" in {self.where} line {line} cannot be a name; allowed: ASCII letters, digits and _, '
                "not beginning with a digit. Put free text under label:."
            )
        if name in RESERVED:
            raise SchemaError(
                f'"{name}" in {self.where} line {line} is a label that kgpipe itself writes ({", ".join(RESERVED)}). '
                f'Choose another, for example "Named{name}".'
            )
        if name in seen:
            raise SchemaError(f'"{name}" in {self.where} line {line} is defined twice. Remove one of the two.')

    def mapping(self, node: yaml.Node, allowed: set[str], what: str) -> dict[str, yaml.Node]:
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"Expected keys and values for {what}", sorted(allowed), "Write `key: value` lines")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value not in allowed:
                self.fail(
                    key,
                    f'Unknown key "{key.value}" for {what}',
                    sorted(allowed),
                    "Remove it or correct the spelling",
                )
            found[key.value] = value
        return found

    def items(self, node: yaml.Node | None, what: str) -> list[tuple[str, yaml.Node, int]]:
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
            return []
        if not isinstance(node, yaml.MappingNode):
            self.fail(
                node,
                f"Expected a mapping under {what}:",
                ("Name: {label: ..., description: ...}",),
                "Write it so",
            )
        return [(str(k.value), v, k.start_mark.line + 1) for k, v in node.value]

    def nodes(self, node: yaml.Node | None) -> list[yaml.ScalarNode]:
        if node is None:
            return []
        listed = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for item in listed:
            if not isinstance(item, yaml.ScalarNode):
                self.fail(item, "Expected a list of names", ("[Name, Name]",), "Write plain names")
        return listed

    def text(self, node: yaml.Node | None) -> str:
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self.fail(node, "Expected a text", ("one line of text",), "Write it in quotes if it holds : or [")
        return str(node.value)

    def texts(self, node: yaml.Node | None) -> tuple[str, ...]:
        return tuple(str(n.value) for n in self.nodes(node))

    def flag(self, node: yaml.Node | None) -> bool:
        if node is None:
            return False
        if self.text(node).lower() not in ("true", "false"):
            self.fail(node, f'Unknown value "{node.value}"', ("true", "false"), "Choose one of these")
        return self.text(node).lower() == "true"
