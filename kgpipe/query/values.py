"""The values of a property graph that the words of a question name."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgpipe import literals
from kgpipe.errors import InputError
from kgpipe.graph.store import quoted
from kgpipe.query.grammar import is_participle
from kgpipe.query.words import FUNCTION, LIGHT, Word, words

if TYPE_CHECKING:
    from kgpipe.graph.store import Store
    from kgpipe.query.catalog import Catalog

LONGEST_VALUE = 120
"""Characters of a text value that can be named in a question."""
LONGEST_SPAN = 10
"""Words of a span that is looked up."""
FEW = 60
"""Distinct values up to which a property is a set of categories, found also by likeness of meaning."""
SPELLINGS = 1
"""Version of what is kept; an index of another one is made anew."""
_MEASURED = re.compile(r"(\d[\d.,]*)-[a-z]+")
_TIME = re.compile(
    r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?::(?P<second>\d\d))?\s*(?P<half>[ap])\.?m\b\.?|\b(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d))?\b"
    r"|\b(?P<word>noon|midnight)\b", re.IGNORECASE
)  # fmt: skip
_NUMERIC_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True, slots=True)
class Match:
    """Words [start, end) of a question name `value` of property `key` of nodes of type `type`, `score` sure (0 to 1).

    With a `uid` it is the node of that uid which is named, where several may have the value.
    """

    start: int
    end: int
    type: str
    key: str
    value: Any
    score: float
    uid: str = ""
    operator: str = "="


class Values:
    """An index of the text values of a database, kept in an SQLite file beside the workspace, or in memory."""

    def __init__(self, catalog: Catalog, store: Store, path: Path | None = None) -> None:
        self.catalog = catalog
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        if self._db.execute("PRAGMA user_version").fetchone()[0] != SPELLINGS:
            for table in ("spelled", "held"):
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
            self._db.execute(f"PRAGMA user_version = {SPELLINGS}")
        self._db.execute("CREATE TABLE IF NOT EXISTS spelled (norm TEXT, type TEXT, key TEXT, value TEXT)")
        self._db.execute("CREATE TABLE IF NOT EXISTS held (type TEXT, key TEXT, n INTEGER, day_first INTEGER)")
        done = {(t, k) for t, k in self._db.execute("SELECT type, key FROM held")}
        for t in catalog.types:
            for key, attribute in catalog.attributes[t].items():
                texts = attribute.kind in ("text", "date") or attribute.as_text
                if (t, key) not in done and texts and not (attribute.as_text and is_id(key)):
                    self._read(t, key, store)
        self._db.execute("CREATE INDEX IF NOT EXISTS by_norm ON spelled (norm)")
        self._db.commit()
        self.day_first = {(t, k): bool(d) for t, k, d in self._db.execute("SELECT type, key, day_first FROM held")}
        self.counts = {(t, k): n for t, k, n in self._db.execute("SELECT type, key, n FROM held")}
        self.categories = self._categories()

    def close(self) -> None:
        self._db.close()

    def _read(self, t: str, key: str, store: Store) -> None:
        prop = f"n.{quoted(key)}"
        pattern = f"()-[n:{quoted(t)}]->()" if t in self.catalog.relationships else f"(n:{quoted(t)})"
        _, rows = store.read(
            f"MATCH {pattern} WHERE {prop} IS :: STRING AND size({prop}) <= {LONGEST_VALUE} RETURN DISTINCT {prop}",
            timeout_s=300,
            max_rows=None,
        )
        found = [row[0] for row in rows]
        parts = [m for v in found if (m := _NUMERIC_DATE.fullmatch(v))]
        day_first = not any(int(m[2]) > 12 for m in parts)
        self._db.executemany(
            "INSERT INTO spelled VALUES (?, ?, ?, ?)",
            ((norm, t, key, v) for v in found for norm in _spellings(v, day_first)),
        )
        self._db.execute("INSERT INTO held VALUES (?, ?, ?, ?)", (t, key, len(found), day_first))

    def _categories(self) -> dict[tuple[str, str], list[str]]:
        """The values of those properties that have few."""
        found = {}
        for (t, key), n in self.counts.items():
            if 0 < n <= FEW and n <= 0.2 * self.catalog.sizes[t]:
                rows = self._db.execute("SELECT DISTINCT value FROM spelled WHERE type = ? AND key = ?", (t, key))
                found[t, key] = [v for (v,) in rows]
        return found

    def look_up(self, norms: Iterable[str]) -> dict[str, list[tuple[str, str, str]]]:
        """For each normalised text the (type, key, value) that are spelled so."""
        norms = list(dict.fromkeys(norms))
        found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for start in range(0, len(norms), 500):
            page = norms[start : start + 500]
            marks = ",".join("?" * len(page))
            for norm, t, key, value in self._db.execute(f"SELECT * FROM spelled WHERE norm IN ({marks})", page):
                found[norm].append((t, key, value))
        return found

    def beginning(self, prefix: str, keys: dict[str, str], *, most: int = 50) -> list[str]:
        """The values of naming properties (`keys` by type) that begin so, in order."""
        low = norm(prefix)
        rows = self._db.execute(
            "SELECT DISTINCT type, key, value FROM spelled WHERE norm >= ? AND norm < ? ORDER BY value LIMIT 1000",
            (low, low + "\U0010ffff"),
        )
        found = [v for t, key, v in rows if low and keys.get(t) == key and v.casefold().startswith(prefix.casefold())]
        return list(dict.fromkeys(found))[:most]

    def find(self, question: str) -> list[Match]:
        """Every span of the question that names values, longest first; none inside a longer one of the same score."""
        found = words(question)
        stems_of_schema = self.catalog.nouns
        spans: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
        for i in range(len(found)):
            for j in range(i + 1, min(len(found), i + LONGEST_SPAN) + 1):
                inside = found[i:j]
                if _no_name(inside, stems_of_schema):
                    continue
                raw = question[found[i].start : found[j - 1].end]
                spans[norm(raw)].append((i, j, 1.0))
                for one in _singulars(inside[-1]):
                    spans[" ".join([*(w.lower for w in inside[:-1]), one])].append((i, j, 0.95))
            if number := _MEASURED.match(found[i].lower):  # "66-second calls"
                spans[number[1]].append((i, i + 1, 0.95))
        for literal in literals.find(_days(question, self._any_day_first())):
            inside = [k for k, w in enumerate(found) if w.start < literal.end and literal.start < w.end]
            if literal.kind == "date" and inside:
                spans[f"date {literal.value}"].append((inside[0], inside[-1] + 1, 1.0))
        for start, end, time in _times(question):
            inside = [k for k, w in enumerate(found) if w.start < end and start < w.end]
            spans[f"time {time}"].append((inside[0], inside[-1] + 1, 1.0))
        hits = self.look_up(spans)
        matches = [
            Match(i, j, t, key, value, score)
            for text, places in spans.items() for i, j, score in places for t, key, value in hits.get(text, ())
        ]  # fmt: skip
        matches += self._alike(question, found, matches, stems_of_schema)
        return _longest([m for m in matches if not self._passive(m, found)])

    def _passive(self, match: Match, found: Sequence[Word]) -> bool:
        """Whether the words of a category say a relation with its agent: "under investigation by", "possessed by"."""
        by = match.end < len(found) and found[match.end].lower == "by"
        if not by or (match.type, match.key) not in self.categories:
            return False
        inside = [w for w in found[match.start : match.end] if w.lower not in FUNCTION]
        return all(w.stem in self.catalog.verbs for w in inside) or (
            len(inside) == 1 and is_participle(inside[0].lower)
        )

    def given(self, question: str, entities: Sequence[dict[str, Any]]) -> list[Match]:
        """Matches for what is said to be named: {"text", "label"?, "value"?}; InputError when the graph has no such value."""
        found = words(question)
        lower = [w.lower for w in found]
        matches = []
        for entity in entities:
            wanted = [w.lower for w in words(entity["text"])]
            at = next((i for i in range(len(lower)) if wanted and lower[i : i + len(wanted)] == wanted), None)
            if at is None:
                raise InputError(
                    f'"{entity["text"]}" does not stand in the question. Give the words as they stand there.'
                )
            key = norm(str(entity.get("value") or entity["text"]))
            hits = [h for h in self.look_up([key])[key] if entity.get("label") in (None, "", h[0])]
            if not hits:
                raise InputError(
                    f'The graph holds no value "{entity.get("value") or entity["text"]}". Leave it out or correct it.'
                )
            matches += [Match(at, at + len(wanted), t, k, value, 1.0) for t, k, value in hits]
        return matches

    def _any_day_first(self) -> bool:
        return any(self.day_first.values())

    def _alike(
        self, question: str, found: Sequence[Word], exact: Sequence[Match], stems_of_schema: frozenset[str]
    ) -> list[Match]:  # fmt: skip
        """Values of categories that share most of their rarer stems with a span, where no exact match stands.

        Words by which the schema calls its types, properties and relations are not rare: who "investigated a crime" names
        no outcome "Under investigation".
        """
        taken = {k for m in exact for k in range(m.start, m.end)}
        matches = []
        for (t, key), values in self.categories.items():
            for value in values:
                wanted = [w.stem for w in words(value) if w.lower not in FUNCTION]
                if not wanted:
                    continue
                at = [k for k, w in enumerate(found) if w.stem in wanted and k not in taken]
                for i, j in _runs(at, found):
                    inside = {found[k].stem for k in range(i, j)} & set(wanted)
                    share = len(inside) / len(set(wanted))
                    rare = [s for s in inside if s not in stems_of_schema and s not in self.catalog.verbs]
                    if rare and share >= 0.5 and (share == 1 or len(inside) >= 2 or len(rare[0]) > 4):
                        matches.append(Match(i, j, t, key, value, 0.5 + 0.4 * share))
        return matches


def is_id(key: str) -> bool:
    """Whether a property is a number that only a machine reads."""
    return bool(re.search(r"(^|_|[a-z])(uu|u|g)?(id|ID|Id|_id)$", key)) and not key.lower().endswith(
        ("paid", "valid", "void")
    )


def norm(text: str) -> str:
    """Lower-case words with their inner punctuation, joined by one space."""
    return " ".join(re.findall(r"\w+(?:[.'’@/&+:-]+\w+)*", text.casefold().replace("(", " ").replace(")", " ")))


def _singulars(word: Word) -> list[str]:
    """What the word may be the plural or the genitive of."""
    text = word.lower
    if word.possessive:
        return [text]
    if not text.endswith("s"):
        return []
    if text.endswith("ies"):  # "parties", "Stephanies"
        return [text[:-3] + "y", text[:-1]]
    return [text[:-2] if text.endswith(("ches", "shes", "sses", "xes")) else text[:-1]]


def _spellings(value: str, day_first: bool) -> set[str]:
    found = {norm(value)}
    for literal in literals.find(_days(value, day_first)):
        if literal.kind == "date" and literal.end - literal.start >= len(value.strip()) - 1:
            found.add(f"date {literal.value}")
    found |= {f"time {time}" for start, end, time in _times(value) if end - start == len(value)}
    found.discard("")
    return found


def _times(text: str) -> list[tuple[int, int, str]]:
    """(start, end, HH:MM or HH:MM:SS) of each time of the day: 22:26, 8:01, 10:26 PM, noon."""
    found = []
    for m in _TIME.finditer(text):
        if m["word"]:
            hour, minute = 12 if m["word"].lower() == "noon" else 0, 0
        elif m["half"]:
            hour, minute = int(m["hour"]), int(m["minute"] or 0)
            hour = hour % 12 + 12 * (m["half"].lower() == "p") if 1 <= hour <= 12 else 24
        else:
            hour, minute = int(m["h"]), int(m["m"])
        second = int(m["second"] or m["s"] or 0)
        if hour < 24 and minute < 60 and second < 60:
            found.append((m.start(), m.end(), f"{hour:02}:{minute:02}" + f":{second:02}" * (second > 0)))
    return found


def _days(text: str, day_first: bool) -> str:
    """The text with dates in figures as ISO dates of the same length where that is possible."""

    def iso(m: re.Match[str]) -> str:
        day, month = (m[1], m[2]) if day_first else (m[2], m[1])
        if int(month) > 12:
            day, month = month, day
        return f"{m[3]}-{int(month):02}-{int(day):02}"[: max(10, len(m[0]))]

    return _NUMERIC_DATE.sub(iso, text)


def _no_name(inside: Sequence[Word], stems_of_schema: frozenset[str]) -> bool:
    """Whether a span begins or ends with a word that no name begins or ends with."""
    if len(inside) == 1:
        w = inside[0]
        return (w.lower in FUNCTION or w.lower in LIGHT or w.stem in stems_of_schema) and not w.text[:1].isdigit()
    return inside[-1].lower in FUNCTION and inside[0].lower in FUNCTION


def _runs(at: Sequence[int], found: Sequence[Word]) -> list[tuple[int, int]]:
    """Spans over positions that lie next to each other, with at most one word between, or only words without content."""
    runs: list[list[int]] = []
    for k in at:
        if runs and (
            k - runs[-1][1] <= 1 or all(w.lower in FUNCTION or w.lower in LIGHT for w in found[runs[-1][1] : k])
        ):
            runs[-1][1] = k + 1
        else:
            runs.append([k, k + 1])
    return [(i, j) for i, j in runs]


def _longest(matches: Sequence[Match]) -> list[Match]:
    """The matches without those inside a longer one."""
    ordered = sorted(set(matches), key=lambda m: (m.start - m.end, -m.score, m.start, m.type, m.key, str(m.value)))
    spans: list[tuple[int, int]] = []
    kept = []
    for m in ordered:
        inside = [s for s in spans if s[0] < m.end and m.start < s[1]]
        if not inside or (m.start, m.end) in spans:
            kept.append(m)
            if (m.start, m.end) not in spans:
                spans.append((m.start, m.end))
    best: dict[tuple[int, int, str, str], Match] = {}
    for m in kept:
        best.setdefault((m.start, m.end, m.type, m.key), m)
    return sorted(best.values(), key=lambda m: (m.start, -m.score))
