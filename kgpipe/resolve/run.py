"""The stage `resolve`: extractions to entities, merges, literals, facts and evidence, as one snapshot."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kgpipe import names
from kgpipe import schema as schemas
from kgpipe.config import Config
from kgpipe.engine import Progress, silent, without_collection
from kgpipe.errors import WorkspaceError
from kgpipe.records import Entity, Literal, Merge, content_id, rounded
from kgpipe.resolve import cluster, coref, facts, review
from kgpipe.resolve.coref import NamedSpan
from kgpipe.schema import Schema
from kgpipe.sentences import sentences
from kgpipe.workspace import Workspace

VERSION = 12
"""Changes when the rules do, so that old snapshots are made anew."""

TITLED = 0.8
"""How well a person's name and a title have to agree: not where words stand before the name, as in a headline."""

SURE = 0.7
"""Least score of a relation that can tell two people of one name apart: below it, every third date of birth is a slip."""

DOMINANCE = 3.0
"""A name has one family when that one's score is this many times the rest's."""


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, int | list[str]]:
    """Resolves all extractions and replaces the snapshot; returns counts, all zero when no input has changed.

    `left_out_...` counts relations that became no fact, by reason; `review` the pairs that wait for a decision.
    """
    kept = workspace.state("schema")
    if not kept:
        raise WorkspaceError(f"{workspace.path} has no schema yet. Run: kgpipe build FOLDER --schema NAME")
    schema = schemas.from_json(kept["json"])
    decisions = review.load(config.decisions, schema)
    inputs = _fingerprint(workspace, schema, decisions)
    if workspace.snapshot_inputs("resolution") == inputs:
        return {"entities": 0, "merges": 0, "literals": 0, "facts": 0, "evidence": 0}
    documents = {row["uid"]: row for row in workspace.read("documents", ["uid", "uri", "title", "text"]).to_pylist()}
    previous = {
        mention: row["uid"]
        for row in workspace.read("entities", ["uid", "mentions"]).to_pylist()
        for mention in row["mentions"]
    }
    extractions = workspace.read("extractions")
    with without_collection():
        tables, counts = resolve(extractions, documents, schema, decisions, previous, progress=progress)
    workspace.snapshot("resolution", tables, inputs=inputs)
    return counts


def _fingerprint(workspace: Workspace, schema: Schema, decisions: review.Decisions) -> str:
    extractions = workspace.read("extractions", ["passage", "fingerprint", "error"])
    documents = workspace.read("documents", ["uid", "uri", "version", "title"])
    return content_id(
        VERSION, schema.fingerprint, decisions.fingerprint,
        *(content_id(*row) for table in (extractions, documents) for row in zip(*table.to_pydict().values(), strict=True)),
    )  # fmt: skip


def resolve(
    extractions: pa.Table,
    documents: Mapping[str, Mapping[str, Any]],
    schema: Schema,
    decisions: review.Decisions,
    previous: Mapping[str, str],
    *,
    progress: Progress = silent,
) -> tuple[dict[str, list[Any]], dict[str, int | list[str]]]:
    """The tables of the snapshot and the counts, from the table `extractions` and rows of `documents` (by uid).

    `previous` is mention uid to entity uid of the snapshot before, from which uids are carried over.
    """
    by_document = _ByDocument(extractions, documents)
    usual = _usual_families(by_document, documents, schema)
    found: list[cluster.Name] = []
    links: list[tuple[tuple[str, str, str], tuple[str, str, str], cluster.Link]] = []
    stands_for: dict[str, str] = {}
    texts: dict[str, tuple[str, str, list[tuple[int, int]]]] = {}
    unresolved = 0
    for done, uid in enumerate(by_document):
        progress("resolve: names", done, len(by_document))
        document = documents[uid]
        spans = sentences(document["text"])
        texts[uid] = (document["uri"], document["text"], spans)
        read = _read_document(by_document[uid], document, [s for s, _ in spans], schema, usual)
        found += read.names
        links += read.links
        stands_for |= read.stands_for
        unresolved += read.unresolved
    progress("resolve: names", len(by_document), len(by_document))
    found.sort(key=_key)
    place = {_key(name): index for index, name in enumerate(found)}
    explicit = [replace(link, a=place[a], b=place[b]) for a, b, link in links]
    progress("resolve: clusters", 0, 1)
    clusters = cluster.resolve(found, decisions, explicit)
    progress("resolve: clusters", 1, 1)
    entities = _entities(found, clusters, stands_for, schema, previous)
    entity_of = {mention: entity.uid for entity in entities for mention in entity.mentions}
    statements, literals = _statements(by_document, entity_of, schema)
    types = {entity.uid: entity.type for entity in entities} | {uid: row.type for uid, row in literals.items()}
    fact_rows, evidence, left_out = facts.facts_of(statements, schema, texts, types)
    used = {fact.object for fact in fact_rows if fact.literal}
    merges = _merges(found, clusters, clusters.links)
    doubtful = _merges(found, clusters, clusters.review, decided_by="review")
    known = {merge.uid for merge in merges}
    doubtful = [merge for merge in doubtful if merge.uid not in known]
    tables = {
        "entities": sorted(entities, key=lambda e: e.uid),
        "merges": sorted([*merges, *doubtful], key=lambda m: m.uid),
        "literals": [literals[uid] for uid in sorted(used)],
        "facts": fact_rows,
        "evidence": evidence,
    }
    counts: dict[str, int | list[str]] = {name: len(rows) for name, rows in tables.items()}
    counts["merges"] = len(merges)
    counts["review"] = len(doubtful)
    counts["pronouns_left_out"] = unresolved
    counts |= {f"left_out_{reason}": left_out[reason] for reason in sorted(left_out)}
    if unused := _unused(found, decisions):
        counts["decisions_unused"] = unused
    return tables, counts


class _ByDocument(Mapping[str, list[dict[str, Any]]]):
    """Documents, in order, to their rows of `extractions` that are no failures, in order of passages.

    Rows are made into Python objects when asked for, which take ten times the memory of the table.
    """

    def __init__(self, extractions: pa.Table, documents: Container[str]) -> None:
        known = pa.array([uid in documents for uid in extractions.column("document").to_pylist()], pa.bool_())
        kept = extractions.filter(pc.and_(known, pc.equal(extractions.column("error"), "")))
        self._rows = kept.sort_by([("document", "ascending"), ("passage", "ascending")])
        self._place: dict[str, tuple[int, int]] = {}
        start = 0
        for uid, found in itertools.groupby(self._rows.column("document").to_pylist()):
            n = sum(1 for _ in found)
            self._place[uid] = (start, n)
            start += n

    def __getitem__(self, uid: str) -> list[dict[str, Any]]:
        return self._rows.slice(*self._place[uid]).to_pylist()

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)


def _key(name: cluster.Name) -> tuple[str, str, str]:
    return name.document, name.family, name.name


@dataclass(frozen=True, slots=True)
class _Read:
    """What one document gives to resolution."""

    names: list[cluster.Name]
    links: list[tuple[tuple[str, str, str], tuple[str, str, str], cluster.Link]]
    stands_for: dict[str, str]
    """Mention that names nothing to the mention it stands for."""
    unresolved: int


def _read_document(
    rows: Sequence[Mapping[str, Any]],
    document: Mapping[str, Any],
    sentence_starts: list[int],
    schema: Schema,
    usual: Mapping[str, str],
) -> _Read:
    people = schema.people
    spans = _agreed(_spans(rows, document["text"], schema), usual)
    stands = coref.antecedents(spans, document["text"], document["title"], sentence_starts, schema)
    named = {span.uid: span for span in spans if span.uid not in stands and span.name}
    functional, neighbours = _said(rows, {**{u: u for u in named}, **stands}, named, schema)
    title = re.sub(r"\s*\([^)]*\)", "", document["title"]).strip()
    titled = _is_titled(title)
    unread = coref.unread(list(named.values()), document["text"], people)
    groups: dict[tuple[str, str], list[NamedSpan]] = defaultdict(list)
    for span in named.values():
        groups[span.family, span.name].append(span)
    found = [_name(members, schema, titled, functional, neighbours, unread) for _, members in sorted(groups.items())]
    found = _entitled(found, title)
    return _Read(
        names=found,
        links=[
            *coref.introduced(list(named.values()), document["text"], document["title"], sentence_starts, schema),
            *coref.married(found, schema),
        ],
        stands_for={uid: name for uid, name in stands.items() if name},
        unresolved=sum(not name for name in stands.values()),
    )


def _span(mention: Mapping[str, Any], row: Mapping[str, Any], text: str, schema: Schema) -> NamedSpan:
    """The mention as resolution sees it; of one that runs on from a heading only what follows the empty line."""
    surface = re.split(r"\n\s*\n", text[mention["start"] : mention["end"]])[-1]
    return NamedSpan(
        mention["uid"], row["document"], row["passage"], mention["end"] - len(surface), mention["end"],
        mention["type"], schema.family(mention["type"]), mention["score"], surface, names.normalise(surface),
    )  # fmt: skip


def _spans(rows: Iterable[Mapping[str, Any]], text: str, schema: Schema) -> list[NamedSpan]:
    return [
        _span(mention, row, text, schema)
        for row in rows
        for mention in row["mentions"]
        if not schema.is_literal(mention["type"])
    ]


def _usual_families(
    by_document: Mapping[str, list[Mapping[str, Any]]], documents: Mapping[str, Mapping[str, Any]], schema: Schema
) -> dict[str, str]:
    """The family that clearly dominates in the corpus for names of several words; Cambridge may be town and university."""
    weight: dict[str, Counter[str]] = defaultdict(Counter)
    for uid in by_document:
        for span in _spans(by_document[uid], documents[uid]["text"], schema):
            if " " in span.name:
                weight[span.name][span.family] += span.score
    return {name: family for name, found in weight.items() if (family := _dominant(found))}


def _dominant(weight: Mapping[str, float]) -> str:
    (top, most), *rest = sorted(weight.items(), key=lambda item: (-item[1], item[0]))
    return top if most >= DOMINANCE * sum(w for _, w in rest) else ""


def _is_titled(title: str) -> Callable[[str, bool], bool]:
    """Whether a name (surface, is a person's) is what the title names."""
    words = f" {names.normalise(title)} "
    whole = names.person(title)

    def titled(surface: str, person: bool) -> bool:
        if person and not names.person(surface).full:
            return False
        return f" {names.normalise(surface)} " in words or (
            person and names.compare_persons(names.person(surface), whole) > 0
        )

    return titled if title else lambda surface, person: False


def _agreed(spans: list[NamedSpan], usual: Mapping[str, str]) -> list[NamedSpan]:
    """The spans, those of one name moved to its usual family, or to the one that dominates in the document."""
    weight: dict[str, Counter[str]] = defaultdict(Counter)
    for span in spans:
        weight[span.name][span.family] += span.score
    family = {name: usual.get(name) or _dominant(found) for name, found in weight.items()}
    return [replace(span, family=family[span.name] or span.family) for span in spans]


def _name(
    members: Sequence[NamedSpan],
    schema: Schema,
    titled: Callable[[str, bool], bool],
    functional: Mapping[str, set[tuple[str, str]]],
    neighbours: Mapping[str, set[tuple[str, str]]],
    unread: Mapping[str, set[str]],
) -> cluster.Name:
    surfaces = Counter(names.clean(span.surface) for span in members)
    ordered = sorted(surfaces.items(), key=lambda item: (-item[1], -len(item[0]), item[0]))
    also = sorted({other for span in members for other in unread.get(span.uid, ())} - set(surfaces))
    votes: Counter[str] = Counter()
    for span in members:
        votes[span.type] += span.score
    first = members[0]
    person, place = first.family in schema.people, first.family in schema.places
    return cluster.Name(
        document=first.document, family=first.family, name=first.name, surface=ordered[0][0],
        surfaces=(*ordered, *((other, 0) for other in also)), mentions=tuple(sorted(span.uid for span in members)),
        types=tuple(sorted((t, rounded(v)) for t, v in votes.items())), person=person, place=place,
        titled=titled(ordered[0][0], person), places=tuple(sorted(span.start for span in members)), functional=tuple(sorted({v for span in members for v in functional.get(span.uid, ())})),
        neighbours=tuple(sorted({v for span in members for v in neighbours.get(span.uid, ())})),
    )  # fmt: skip


def _entitled(found: list[cluster.Name], title: str) -> list[cluster.Name]:
    """The names; the person whose name the title is, if any, has it as `title`: of several the one that is named most."""
    if title.islower():  # of a file's name
        return found
    key, whole = names.normalise(title), names.person(title)

    def fits(parts: names.PersonName) -> bool:
        return names.compare_persons(parts, whole) >= TITLED and parts.generation == whole.generation

    fitting = [
        (name.name == key, len(name.mentions), -i)
        for i, name in enumerate(found)
        if name.person and (name.name == key or fits(names.person(name.surface)))
    ]
    if not fitting:
        return found
    chosen = -max(fitting)[2]
    return [replace(name, title=title) if i == chosen else name for i, name in enumerate(found)]


def _said(
    rows: Iterable[Mapping[str, Any]], stands: Mapping[str, str], named: Mapping[str, NamedSpan], schema: Schema
) -> tuple[dict[str, set[tuple[str, str]]], dict[str, set[tuple[str, str]]]]:
    """(functional relation, value) and (relation, other end's name) that the text asserts of each named mention.

    Functional only of people and where the extractor is SURE: what organisations are said to be founded on varies.
    """
    people = schema.people
    functional: dict[str, set[tuple[str, str]]] = defaultdict(set)
    neighbours: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        for relation in row["relations"]:
            if relation["polarity"] != "asserted":
                continue
            ends = []
            for index in (relation["subject"], relation["object"]):
                mention = row["mentions"][index]
                span = named.get(stands.get(mention["uid"], ""))
                ends.append((span.uid if span else "", span.name if span else mention["value"]))
            (subject, subject_name), (object_, object_name) = ends
            known = schema.relations.get(relation["type"])
            if subject and object_name:
                neighbours[subject].add((relation["type"], object_name))
                human = named[subject].family in people
                if known and known.functional and human and relation["score"] >= SURE:
                    functional[subject].add((relation["type"], object_name))
            if object_ and subject_name:
                neighbours[object_].add((f"-{relation['type']}", subject_name))
    return functional, neighbours


def _entities(
    found: Sequence[cluster.Name],
    clusters: cluster.Clusters,
    stands_for: Mapping[str, str],
    schema: Schema,
    previous: Mapping[str, str],
) -> list[Entity]:
    stand_ins: dict[str, list[str]] = defaultdict(list)
    for mention, name in stands_for.items():
        stand_ins[name].append(mention)
    groups: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(clusters.label):
        groups[label].append(index)
    made = []
    for members in groups.values():
        votes: Counter[str] = Counter()
        families: Counter[str] = Counter()
        for index in members:
            for kind, value in found[index].types:
                votes[kind] += value
                families[found[index].family] += value
        family = min(families, key=lambda f: (-families[f], f))
        inside = {t: v for t, v in votes.items() if schema.family(t) == family} or {family: 1.0}
        name, aliases = cluster.entity_name([found[i] for i in members], [i in clusters.short for i in members])
        own = [m for i in members for m in found[i].mentions]
        mentions = sorted([*own, *(s for m in own for s in stand_ins.get(m, ()))])
        made.append(Entity("", cluster.entity_type(inside, schema.ancestors), name, aliases, tuple(mentions)))
    return _with_uids(made, previous)


def _with_uids(entities: Sequence[Entity], previous: Mapping[str, str]) -> list[Entity]:
    """The entities with the uids of those before with which they share most mentions, else with new ones."""
    shared: list[tuple[int, str, str, int]] = []
    for place, entity in enumerate(entities):
        counted = Counter(previous[m] for m in entity.mentions if m in previous)
        shared += [(-n, old, entity.mentions[0], place) for old, n in counted.items()]
    uid: dict[int, str] = {}
    taken: set[str] = set()
    for _, old, _, place in sorted(shared):
        if place not in uid and old not in taken:
            uid[place] = old
            taken.add(old)
    for place in sorted(set(range(len(entities))) - set(uid), key=lambda p: entities[p].mentions[0]):
        new, n = content_id("entity", entities[place].mentions[0]), 1
        while new in taken:  # another part of a cluster that fell apart kept it
            n += 1
            new = content_id("entity", entities[place].mentions[0], n)
        uid[place] = new
        taken.add(new)
    return [replace(entity, uid=uid[place]) for place, entity in enumerate(entities)]


def _statements(
    by_document: Mapping[str, list[Mapping[str, Any]]], entity_of: Mapping[str, str], schema: Schema
) -> tuple[list[facts.Statement], dict[str, Literal]]:
    """Every relation with its ends resolved, and the literals by uid."""
    statements = []
    literals: dict[str, Literal] = {}
    for uid in by_document:
        for row in by_document[uid]:
            ends: list[tuple[str, bool]] = []
            for mention in row["mentions"]:
                if schema.is_literal(mention["type"]) and mention["value"]:
                    literal = Literal(mention["type"], mention["value"], schema.entities[mention["type"]].literal)
                    literals[literal.uid] = literal
                    ends.append((literal.uid, True))
                else:
                    ends.append((entity_of.get(mention["uid"], ""), False))
            for relation in row["relations"]:
                first, last = (row["mentions"][relation[end]] for end in ("subject", "object"))
                (subject, subject_literal), (object_, object_literal) = (
                    ends[relation["subject"]],
                    ends[relation["object"]],
                )
                statements.append(
                    facts.Statement(
                        uid=relation["uid"], type=relation["type"], subject=subject, object=object_,
                        subject_literal=subject_literal, object_literal=object_literal, document=uid,
                        passage=row["passage"], start=min(first["start"], last["start"]),
                        end=max(first["end"], last["end"]), polarity=relation["polarity"],
                        extractor=relation["extractor"], score=relation["score"], run=row["fingerprint"],
                    )
                )  # fmt: skip
    return statements, literals


def _merges(
    found: Sequence[cluster.Name], clusters: cluster.Clusters, links: Iterable[cluster.Link], *, decided_by: str = ""
) -> list[Merge]:
    """One row for two different names that a link joins (or may join) in one entity, the best link of each."""
    first: dict[tuple[int, str], str] = {}
    for index, name in enumerate(found):
        key = (clusters.label[index], name.name)
        first[key] = min(first.get(key, name.mentions[0]), name.mentions[0])
    rows: dict[tuple[str, str], Merge] = {}
    for link in sorted(links, key=lambda n: (-n.score, n.a, n.b)):
        one, other = found[link.a], found[link.b]
        a, b = ((first[clusters.label[i], found[i].name], found[i].surface) for i in (link.a, link.b))
        if one.name == other.name and clusters.label[link.a] == clusters.label[link.b] or a[0] == b[0]:
            continue
        (a, name_a), (b, name_b) = sorted((a, b))
        row = Merge(a, b, name_a, name_b, link.reason, rounded(link.score), decided_by or link.decided_by)
        rows.setdefault((a, b), row)
    return list(rows.values())


def _unused(found: Sequence[cluster.Name], decisions: review.Decisions) -> list[str]:
    """Names in the decisions that no mention bears."""
    present: dict[str, set[str]] = defaultdict(set)
    for name in found:
        present[name.name].add(name.family)
    pairs = (*decisions.must_link, *decisions.cannot_link)
    return sorted(
        {key.written for pair in pairs for key in pair if not any(key.matches(key.name, f) for f in present[key.name])}
    )
