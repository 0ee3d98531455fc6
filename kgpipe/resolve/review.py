"""The user's decisions about names (must-link, cannot-link) as a YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from kgpipe import names
from kgpipe.errors import InputError
from kgpipe.records import content_id
from kgpipe.schema import Schema

_KEYS = ("must_link", "cannot_link")


@dataclass(frozen=True, slots=True)
class NameKey:
    """A name as the user wrote it: normalised, with the family of `name|Type`, else any ("")."""

    name: str
    family: str = ""
    written: str = ""

    def matches(self, name: str, family: str) -> bool:
        return self.name == name and self.family in ("", family)


@dataclass(frozen=True, slots=True)
class Decisions:
    """Pairs of names that are one thing, and pairs that are not."""

    must_link: tuple[tuple[NameKey, NameKey], ...] = ()
    cannot_link: tuple[tuple[NameKey, NameKey], ...] = ()

    @property
    def fingerprint(self) -> str:
        return content_id("decisions", self.must_link, self.cannot_link)


def load(path: str, schema: Schema) -> Decisions:
    """The decisions of that file, none for an empty path; InputError names file, line and the fix."""
    if not path:
        return Decisions()
    try:
        root = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read the decisions file {path}: {error}. Check the path and its encoding.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise InputError(
            f"{path}{line} is not YAML: {getattr(error, 'problem', error)}. Correct the syntax."
        ) from error
    if root is None:
        return Decisions()
    if not isinstance(root, yaml.MappingNode):
        raise InputError(f"{path} holds no mapping; expected the keys {', '.join(_KEYS)}.")
    found: dict[str, list[tuple[NameKey, NameKey]]] = {key: [] for key in _KEYS}
    lines: dict[str, list[int]] = {key: [] for key in _KEYS}
    for key, node in root.value:
        if key.value not in _KEYS:
            raise InputError(
                f'Unknown key "{key.value}" in {path} line {key.start_mark.line + 1}; known: {", ".join(_KEYS)}. '
                "Correct the spelling."
            )
        if not isinstance(node, yaml.SequenceNode):
            raise InputError(
                f"{path} line {node.start_mark.line + 1}: expected a list of pairs under {key.value}:, "
                "like - [IBM, International Business Machines]."
            )
        for pair in node.value:
            found[key.value].append(_pair(pair, path, schema))
            lines[key.value].append(pair.start_mark.line + 1)
    decisions = Decisions(tuple(found["must_link"]), tuple(found["cannot_link"]))
    _check(decisions, lines["cannot_link"], path)
    return decisions


def _pair(node: yaml.Node, path: str, schema: Schema) -> tuple[NameKey, NameKey]:
    line = node.start_mark.line + 1
    items = node.value if isinstance(node, yaml.SequenceNode) else []
    if len(items) != 2 or not all(isinstance(item, yaml.ScalarNode) and str(item.value).strip() for item in items):
        raise InputError(f'{path} line {line}: expected two names in brackets, like [IBM, "Cambridge|Place"].')
    keys = []
    for item in items:
        name, _, wanted = str(item.value).rpartition("|") if "|" in item.value else (str(item.value), "", "")
        if wanted and wanted not in schema.entities:
            raise InputError(
                f'Unknown type "{wanted}" in {path} line {line}; known: {", ".join(schema.entities)}. '
                "Correct the spelling or leave |Type out."
            )
        keys.append(NameKey(names.normalise(name), schema.family(wanted) if wanted else "", str(item.value)))
    if keys[0].name == keys[1].name and keys[0].family == keys[1].family:
        raise InputError(
            f'{path} line {line}: "{keys[0].written}" and "{keys[1].written}" are one name for kgpipe, which cannot '
            "tell its bearers apart by a decision. Name two that differ, or add |Type."
        )
    return keys[0], keys[1]


def _check(decisions: Decisions, lines: list[int], path: str) -> None:
    """Raises where must-links, followed through, join what a cannot-link holds apart."""
    joined: dict[tuple[str, str], tuple[str, str]] = {}

    def root(key: NameKey) -> tuple[str, str]:
        place = (key.name, key.family)
        while joined.get(place, place) != place:
            place = joined[place]
        return place

    for a, b in decisions.must_link:
        joined[root(a)] = root(b)
    for (a, b), line in zip(decisions.cannot_link, lines, strict=True):
        if root(a) == root(b):
            raise InputError(
                f'{path} line {line}: cannot_link ["{a.written}", "{b.written}"] contradicts the must_link pairs, '
                "which join the two. Remove one of them."
            )
