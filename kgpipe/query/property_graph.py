"""Asking a Neo4j that kgpipe did not build: schema read from it, values indexed beside, query trees ranked and run."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kgpipe import schema as schemas
from kgpipe.config import Config, cache_folder
from kgpipe.errors import InputError, SchemaError, StoreError
from kgpipe.graph.introspect import read_schema, told_schema
from kgpipe.graph.store import Store, open_store, quoted
from kgpipe.models.embed import Embedder, load_embedder
from kgpipe.models.generate import LM, load_lm
from kgpipe.query import answer, connect, follow, guard
from kgpipe.query import lm as lms
from kgpipe.query.answer import Answer, checked_question
from kgpipe.query.catalog import Catalog
from kgpipe.query.follow import Asked, Named
from kgpipe.query.plain import plain
from kgpipe.query.settle import Settled, confidence, in_words, settle, shown
from kgpipe.query.trees import Held, Scored, Search, asked, identity
from kgpipe.query.values import Match, Values
from kgpipe.query.words import words
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

THRESHOLD = 0.3
"""Least confidence of an answer."""
MOST_RUN = 6
"""Candidates that are run against the database."""
AGREES = 1.0
"""Gained by a candidate with the rows of the query that a language model wrote."""
MOST_NAMESAKES = 4
"""Nodes of one name that are told of."""
HELD_S = 0.5
"""Time after which no further value is looked up for the relations of its nodes."""
MOST_ALIKE = 20
"""Nodes of one value of which it is read what relations they have."""
MOST_GIVEN = 100
"""Nodes of an answer that the next question may speak of."""
MOST_OTHERS = 12
"""Nodes at the other ends of the links of one kind that are named."""


class PropertyGraph:
    """A database that can be asked. Making one reads its schema and, the first time, its text values (kept in the cache)."""

    def __init__(
        self,
        store: Store,
        *,
        schema: Schema | None = None,
        embedder: Embedder | None = None,
        values_file: Path | None = None,
        most_nodes: int = 4,
    ) -> None:
        """`schema` stands for the one read from the database, with descriptions; `values_file` for the cache."""
        self.store = store
        self.catalog = Catalog(schema or read_schema(store), store, embedder or load_embedder())
        self.values = Values(self.catalog, store, values_file or _values_file(store))
        self.most_nodes = most_nodes

    def close(self) -> None:
        self.values.close()

    def read(self, question: str) -> tuple[str, list[Match]]:
        """The question in plainer words, and what it names."""
        found = self.values.find(question)
        wording = plain(question, self.catalog, found)
        return wording, found if wording == question else self.values.find(wording)

    def settle(
        self, question: str, matches: Sequence[Match] | None = None, *, nodes: bool = False, distinct: bool = True
    ) -> list[Settled]:
        """The best candidates, run, best first; what the question names is looked up unless `matches` says it."""
        if matches is None:
            question, matches = self.read(question)
        ranked = self.ranked(question, matches)
        return settle(ranked, self.catalog, self.store, most=MOST_RUN, nodes=nodes, distinct=distinct)

    def ranked(self, question: str, matches: Sequence[Match]) -> list[Scored]:
        """The trees of a question that names what `matches` say, best first."""
        made = asked(question, matches, self.catalog)
        held = {} if made.frame.output == "exists" else self._held(matches)
        return Search(made, self.catalog, most_nodes=self.most_nodes, held=held).ranked()

    def _held(self, matches: Sequence[Match]) -> Held:
        """The relations of the nodes that have the values of a question, where these are few."""
        found: dict[Any, frozenset[tuple[str, bool, str]]] = {}
        until = time.monotonic() + HELD_S
        for m in matches:
            if m.operator != "=" or m.type in self.catalog.relationships or identity(m.type, m) in found:
                continue
            if time.monotonic() > until:
                break  # a large database without indexes: what is not known bars nothing
            _, [[n, held]] = self.store.read(
                f"MATCH (n:{quoted(m.type)}) WHERE n.{quoted(m.key)} = $value WITH n LIMIT {MOST_ALIKE + 1}\n"
                "OPTIONAL MATCH (n)-[r]-(m) RETURN count(DISTINCT n), collect(DISTINCT [type(r), startNode(r) = n, labels(m)])",
                {"value": m.value},
            )
            if 0 < n <= MOST_ALIKE:
                found[identity(m.type, m)] = frozenset((r, out, t) for r, out, labels in held if r for t in labels)
        return found

    def _of_whole(self, question: str, meant: frozenset[str]) -> Answer | None:
        """The answer to `How are A and B connected?` and `What do we know about A?`; None when something else is asked."""
        if asked_ends := connect.ends(question):
            for a, b in asked_ends.pairs:
                if (first := self.named(a)) and (second := self.named(b)):
                    return self._connection(question, first, second, asked_ends.whether)
        for text in answer.about_what(question):
            if nodes := self.named(text):
                return self._about(question, [n for n in nodes if n[0] in meant] or nodes)
        return None

    def named(self, text: str) -> list[tuple[str, str]]:
        """The nodes that a whole text names, as (key, name), at most four."""
        bare = re.sub(r"^(?:the|a|an)\s+", "", text.strip(), flags=re.IGNORECASE)
        matches = [m for m in self.values.find(bare) if m.start == 0 and m.end == len(words(bare)) and m.score >= 0.95]
        naming = [m for m in matches if self.catalog.name_keys.get(m.type) == m.key]
        found: dict[str, str] = {}
        for m in naming:
            _, rows = self.store.read(
                f"MATCH (n:{quoted(m.type)}) WHERE n.{quoted(m.key)} = $value RETURN elementId(n), {self._name('n')} "
                f"ORDER BY elementId(n) LIMIT {MOST_NAMESAKES}",
                {"value": m.value},
            )
            found |= dict(rows)
        return list(found.items())[:MOST_NAMESAKES]

    def _name(self, node: str) -> str:
        """The expression for what a node is called: the first property that names nodes, else its label."""
        keys = sorted({k for t, k in self.catalog.name_keys.items() if k and t not in self.catalog.relationships})
        return f"coalesce({', '.join([*(f'{node}.{quoted(k)}' for k in keys), f'head(labels({node}))'])})"

    def _connection(
        self, question: str, a: list[tuple[str, str]], b: list[tuple[str, str]], whether: bool
    ) -> Answer:  # fmt: skip
        """The shortest paths between the nodes that two names stand for, over any relationships."""
        pairs = [(x, y) for x in a for y in b if x[0] != y[0]]
        if not pairs:
            return Answer(question, confidence=1.0, source="graph", text=f"Both are names of {a[0][1]}.")
        shape = connect.Shape(
            node="({n}) WHERE elementId({n}) = {key}", key="elementId({n})", name=self._name("{n}")
        )  # fmt: skip
        cypher, params, columns, rows = connect.paths([(x[0], y[0]) for x, y in pairs], shape, self.store)
        facts = {fact["uid"]: fact for path, _ in rows for fact in path}.values()
        ends_ = [((x[0], y[0]), (str(x[1]), str(y[1]))) for x, y in pairs]
        return Answer(
            question=question,
            answers=tuple(tuple(row) for row in rows),
            columns=tuple(columns),
            confidence=1.0,
            cypher=cypher,
            params=params,
            facts=tuple(facts),
            text=connect.told(ends_, rows, whether=whether),
            source="graph",
        )

    def _about(self, question: str, nodes: list[tuple[str, str]]) -> Answer:
        """The properties of the nodes that a name stands for, and what they are linked to."""
        cypher = (
            "UNWIND $keys AS key MATCH (n) WHERE elementId(n) = key\n"
            f"OPTIONAL MATCH (n)-[r]-(m) WITH n, r, startNode(r) = n AS out, {self._name('m')} AS other\n"
            f"ORDER BY other WITH n, type(r) AS relation, out, count(r) AS n_links, collect(DISTINCT other)[..{MOST_OTHERS}] AS others\n"
            "RETURN labels(n) AS labels, properties(n) AS properties, relation, out, n_links, others, elementId(n) AS key "
            "ORDER BY key, n_links DESC, relation, out"
        )
        params = {"keys": [key for key, _ in nodes]}
        columns, rows = guard.run(cypher, params, self.store)
        lines: list[str] = []
        for key, name in nodes:
            mine = [row for row in rows if row[6] == key]
            if not mine:
                continue  # deleted meanwhile
            lines.append(f"{name} ({', '.join(mine[0][0])}):")
            lines += [f"  {k}: {shown(v)}" for k, v in sorted(mine[0][1].items()) if v != name]
            for _, _, relation, out, n_links, others, _ in mine:
                if relation:
                    arrow = f"-[{relation}]->" if out else f"<-[{relation}]-"
                    more = f" and more: {n_links} in all" if n_links > len(others) else ""
                    lines.append(f"  {arrow} {', '.join(map(str, others))}{more}")
        return Answer(
            question=question,
            answers=tuple(tuple(row) for row in rows),
            columns=tuple(columns),
            confidence=1.0,
            cypher=cypher,
            params=params,
            text="\n".join(lines),
            source="graph",
        )

    def ask(
        self, question: str, *, entities: Sequence[dict[str, Any]] = (), threshold: float = THRESHOLD,
        meant: frozenset[str] = frozenset(), lm: LM | None = None,
    ) -> Answer:  # fmt: skip
        """The answer of the best candidate; none below `threshold`.

        `entities` ({"text", "label"?, "value"?}) says what the question names, so that nothing is searched; `meant`,
        keys of nodes, which nodes of one name it speaks of when it asks all about them. `lm` writes one more query and
        words the answer.
        """
        question = checked_question(question)
        if not entities and (whole := self._of_whole(question, meant)):
            return whole
        wording, matches = (question, self.values.given(question, entities)) if entities else self.read(question)
        named = self._spoken_of(wording, matches)
        settled = self.settle(wording, matches)
        written = lms.Written()
        if lm is not None:
            written = lms.write(question, lms.brief_of_others(question, matches, self.catalog), self.store, lm)
            if written.rows:
                settled = lms.weighed(settled, written, AGREES)
        candidates = tuple(
            {"said": s.found.said, "score": round(s.score, 3), "features": s.found.features} for s in settled
        )
        sure = confidence(settled)
        if sure < threshold and written.rows:
            found = dataclasses.replace(answer.of_written(question, written, candidates), named=named)
            return answer.worded(found, written, lms.names_in(written.cypher), lm)
        if sure < threshold:
            found = Answer(question=question, confidence=sure, candidates=candidates, named=named)
            return answer.worded(found, written, (), lm) if lm else found
        best = settled[0]
        found = Answer(
            question=question,
            answers=tuple(tuple(row) for row in best.rows),
            columns=best.columns,
            confidence=sure,
            cypher=best.cypher,
            params=best.params,
            text=in_words(best),
            source="graph",
            understood=best.found.said,
            candidates=candidates,
            named=named,
            gave=self._gave(best),
        )
        return answer.worded(found, written, (best.found.said, *lms.names_in(best.cypher)), lm) if lm else found

    def asked(self, lm: LM | None = None) -> Asked:
        """The database for conversations."""
        return Asked(
            ask=functools.partial(self.ask, lm=lm),
            kinds=lambda text: frozenset(
                self._kind(m.type)
                for m in self.values.find(text)
                if m.end - m.start == len(words(text)) and self._names(m)
            ),
            names=lambda prefix: self.values.beginning(prefix, self.catalog.name_keys),
        )

    def _names(self, match: Match) -> bool:
        return self.catalog.name_keys.get(match.type) == match.key

    def _kind(self, entity_type: str) -> str:
        if self.catalog.human(entity_type):
            return follow.PERSON
        place = self.catalog.vectors(["place location city"])[0]
        near = float((self.catalog.vectors(self.catalog.type_phrases(entity_type)) @ place).max())
        return follow.PLACE if near >= 0.6 else follow.THING

    def _spoken_of(self, question: str, matches: Sequence[Match]) -> tuple[Named, ...]:
        """The nodes that a question names by what names them."""
        tokens = words(question)
        return tuple(
            Named(str(m.value), self._kind(m.type), "", question[tokens[m.start].start : tokens[m.end - 1].end])
            for m in matches if self._names(m) and m.score >= 0.95
        )  # fmt: skip

    def _gave(self, best: Settled) -> tuple[Named, ...]:
        """The nodes that an answer names."""
        tree = best.found.tree
        asked_for = tree.nodes[tree.root].type
        if tree.output != "node" or tree.group >= 0 or tree.key not in ("", self.catalog.name_keys.get(asked_for)):
            return ()
        kind = self._kind(asked_for)
        return tuple(Named(str(row[0]), kind) for row in best.rows[:MOST_GIVEN] if isinstance(row[0], str))


@contextlib.contextmanager
def asking(config: Config, schema: str = "") -> Iterator[Asked]:
    """The configured graph, to be asked: the workspace's, or a database of others.

    `schema` is a schema file for such a database, with descriptions, labels and synonyms of what it holds.
    """
    lm = load_lm(config.lm, key=config.lm_key, device=config.device, seconds=config.lm_seconds) if config.lm else None
    if config.neo4j:
        with open_store(config, retry_s=answer.RETRY_S) as store:
            if not told_schema(store):
                with contextlib.closing(PropertyGraph(store, schema=_described(schema, store))) as graph:
                    yield graph.asked(lm)
                return
    if schema:
        raise InputError(
            f"--schema {schema} is for a Neo4j that kgpipe did not build; a graph of ours tells its schema itself. Leave it out."
        )
    with answer.opened(config) as (store, known):
        yield answer.asked(store, known, lm, workspace=Workspace(config.workspace))


def _described(file: str, store: Store) -> Schema | None:
    """The schema of the database with the words of a file: labels, descriptions, synonyms, inverses, symmetry."""
    if not file:
        return None
    told, held = schemas.load(file), read_schema(store)
    for kind, mine, theirs in (("type", told.entities, held.entities), ("relation", told.relations, held.relations)):
        for name in mine:
            if name not in theirs and not (kind == "type" and mine[name].literal):
                raise SchemaError(
                    f'{file}: the database at {store.uri} has no {kind} "{name}"; it has {", ".join(sorted(theirs))}. '
                    "Take it out, or begin anew with: kgpipe schema read --neo4j URI"
                )
    entities = {
        e.name: dataclasses.replace(held.entities[e.name], label=e.label, description=e.description, synonyms=e.synonyms)
        for e in told.entities.values() if e.name in held.entities
    }  # fmt: skip
    relations = {
        r.name: dataclasses.replace(
            held.relations[r.name], label=r.label, description=r.description, synonyms=r.synonyms, inverse=r.inverse,
            symmetric=r.symmetric,
        )
        for r in told.relations.values()
    }  # fmt: skip
    return dataclasses.replace(held, entities=held.entities | entities, relations=held.relations | relations)


def _values_file(store: Store) -> Path:
    """The file of the index of this database as it is now: another count of nodes or relationships, another index."""
    _, [[nodes]] = store.read("MATCH (n) RETURN count(n)")
    _, [[edges]] = store.read("MATCH ()-[r]->() RETURN count(r)")
    if not nodes:
        raise StoreError(f"The database at {store.uri} is empty: nothing can be asked. Load a graph first.")
    folder = cache_folder() / "values"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(store.uri.encode()).hexdigest()[:16]
    file = folder / f"{name}-{nodes}-{edges}.sqlite"
    for old in folder.glob(f"{name}-*.sqlite"):
        if old != file:
            old.unlink()
    return file
