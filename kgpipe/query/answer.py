"""A question to an answer with its facts and the sentences that state them, or to 'the graph does not tell'."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kgpipe import schema as schemas
from kgpipe.errors import InputError, StoreError, WorkspaceError
from kgpipe.query import guard
from kgpipe.query.compile import COLUMNS, Compiled, compiled
from kgpipe.query.link import Linked, Vocabulary, link, vocabulary
from kgpipe.query.plan import plan
from kgpipe.query.rank import Ranked, confidence, rank
from kgpipe.query.retrieve import retrieve
from kgpipe.query.words import one_line
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

if TYPE_CHECKING:
    from kgpipe.config import Config
    from kgpipe.graph.store import Store
    from kgpipe.models.embed import Embedder

THRESHOLD = 0.62
"""Least confidence of an answer from the graph."""
LONGEST_QUESTION = 2_000
"""Characters of a question."""
MOST_FACTS = 100
"""Facts whose sentences are fetched for one answer."""
MOST_SENTENCES = 3
"""Sentences cited for one fact."""
UNTOLD = "The graph does not tell."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question. `source` is graph, text (passages only) or none."""

    question: str
    answers: tuple[tuple[Any, ...], ...] = ()
    columns: tuple[str, ...] = ()
    confidence: float = 0.0
    cypher: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    facts: tuple[dict[str, Any], ...] = ()
    evidence: tuple[dict[str, Any], ...] = ()
    text: str = UNTOLD
    source: str = "none"
    understood: str = ""
    """The winning query graph in words."""
    candidates: tuple[dict[str, Any], ...] = ()
    """The best query graphs, the winner first, as {"said", "score", "features"}."""

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON can hold it; the shape of `kgpipe ask --json` less the id."""
        row = dataclasses.asdict(self)
        return {**row, "answers": [list(a) for a in self.answers], "columns": list(self.columns),
                "facts": list(self.facts), "evidence": list(self.evidence), "candidates": list(self.candidates)}  # fmt: skip


def ask(
    question: str, store: Store, schema: Schema, *, embedder: Embedder | None = None,
    entities: Sequence[dict[str, Any]] = (), threshold: float = THRESHOLD,
) -> Answer:  # fmt: skip
    """The answer that the graph gives; below `threshold` passages of the text instead, marked as such.

    `entities` ({"text", "label"?, "value"?}) says what the question names, so that nothing is searched.
    """
    question = checked_question(question)
    if embedder is None:
        from kgpipe.models.embed import load_embedder

        embedder = load_embedder()
    check_filled(store)
    known = vocabulary(schema, embedder)
    linked = link(question, store, known, entities=entities)
    ranked = rank(linked, plan(linked, store, known), known)
    sure = confidence(ranked)
    candidates = tuple({"said": r.said, "score": r.score, "features": dict(r.features)} for r in ranked[:8])
    if sure < threshold:
        return _from_text(question, linked, store, embedder, sure, candidates)
    best = ranked[0]
    query = compiled(best.planned.graph, schema)
    columns, rows = guard.run(query.cypher, query.params, store)
    facts = _facts(query, store)
    return Answer(
        question=question,
        answers=tuple(tuple(row) for row in rows),
        columns=tuple(columns),
        confidence=sure,
        cypher=query.cypher,
        params=query.params,
        facts=tuple(facts),
        evidence=tuple(sentences_of(facts, store)),
        text=_sentence(rows, best, facts, known),
        source="graph",
        understood=best.said,
        candidates=candidates,
    )


def checked_question(question: str) -> str:
    """The question on one line; InputError when it is empty or too long."""
    question = one_line(question)
    if not question:
        raise InputError('The question is empty. Ask something, for example: kgpipe ask "Who designed the ENIAC?"')
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read. Shorten it."
        )
    return question


def check_filled(store: Store) -> None:
    """StoreError when the graph holds no entity."""
    _, rows = store.read("MATCH (e:Entity) RETURN count(e)")
    if not rows[0][0]:
        raise StoreError(f"The graph at {store.uri} is empty: nothing can be asked. Run: kgpipe build FOLDER")


def _facts(query: Compiled, store: Store) -> list[dict[str, Any]]:
    """The facts that the rows rest on, as {"uid", "subject", "relation", "object", "support", "score", "sentence", ...}."""
    if not query.facts:
        return []
    columns, rows = guard.run(f"{query.facts} LIMIT {MOST_FACTS}", query.params, store)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def sentences_of(facts: Sequence[dict[str, Any]], store: Store) -> list[dict[str, Any]]:
    """The sentences that state the facts, best first within each; the edge's own sentence where no Evidence node is."""
    if not facts:
        return []
    columns, rows = store.read(
        "UNWIND $facts AS fact MATCH (e:Evidence {fact: fact}) "
        "OPTIONAL MATCH (e)-[:IN]->(p:Passage)-[:PART_OF]->(d:Document) "
        "RETURN e.fact AS fact, e.sentence AS sentence, d.title AS document, d.uri AS uri, e.start AS start, e.end AS end, "
        "e.score AS score ORDER BY fact, score DESC, uri, start",
        {"facts": [f["uid"] for f in facts]},
        max_rows=None,
    )
    by_fact: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        sentence = dict(zip(columns, row, strict=True))
        by_fact.setdefault(sentence["fact"], []).append(sentence)
    cited = []
    for fact in facts:
        found = by_fact.get(fact["uid"], [])
        if not found and fact["sentence"]:
            found = [{"fact": fact["uid"], "sentence": fact["sentence"], "document": "", "uri": fact["source"] or "",
                      "start": None, "end": None, "score": fact["score"]}]  # fmt: skip
        cited.extend(found[:MOST_SENTENCES])
    return cited


def _from_text(
    question: str, linked: Linked, store: Store, embedder: Embedder, sure: float, candidates: tuple[dict[str, Any], ...]
) -> Answer:
    """No answer, and the passages nearest to the question."""
    passages = retrieve(question, store, embedder)
    text = UNTOLD
    if linked.unknown:
        text += f" It knows nothing called {', '.join(linked.unknown[:3])}."
    if passages:
        text += " From the text, not the graph:"
    return Answer(
        question=question,
        confidence=sure,
        evidence=tuple(
            {"sentence": p.text, "document": p.document, "uri": p.uri, "start": p.start, "end": p.end, "score": p.score}
            for p in passages
        ),
        text=text,
        source="text" if passages else "none",
        candidates=candidates,
    )  # fmt: skip


def _sentence(rows: list[list[Any]], best: Ranked, facts: Sequence[dict[str, Any]], known: Vocabulary) -> str:
    """The answer in one sentence, from the rows and facts alone."""
    output = best.planned.graph.output
    if output == "exists":
        if rows[0][0]:
            return "Yes."
        return "No: the graph holds no such fact."
    if output == "count":
        names = _counted(best, facts)
        return f"{rows[0][0]}: {listed(names)}" if len(names) == rows[0][0] > 0 else f"{rows[0][0]}."
    values = [str(row[0]) for row in rows]
    return listed(values) if values else "Nothing in the graph fits."


def _counted(best: Ranked, facts: Sequence[dict[str, Any]]) -> list[str]:
    """Names of what was counted, as far as the facts tell."""
    graph = best.planned.graph
    for subject, relation, object_ in graph.edges:
        if graph.returns in (subject, object_):
            side = "subject" if graph.returns == subject else "object"
            return sorted({f[f"{side}_uid"]: str(f[side]) for f in facts if f["relation"] == relation}.values())
    return []


def listed(values: Sequence[str]) -> str:
    """Values as a sentence, the first twelve of them."""
    if len(values) > 12:
        return f"{', '.join(values[:12])} and {len(values) - 12} more."
    return f"{values[0]}." if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}."


@contextlib.contextmanager
def opened(config: Config) -> Iterator[tuple[Store, Schema]]:
    """The store and the schema of the configured workspace, for as long as the context lasts."""
    from kgpipe.graph.store import open_store

    if not (config.workspace / "workspace.json").is_file():
        raise WorkspaceError(
            f"There is no workspace at {config.workspace.absolute()}. "
            "Build one with: kgpipe build FOLDER, or name another with --workspace."
        )
    workspace = Workspace(config.workspace)
    kept = workspace.state("schema")
    if not kept:
        raise WorkspaceError(
            f"{workspace.path} has not been built yet. Run: kgpipe build FOLDER --workspace {workspace.path}"
        )
    with open_store(config, workspace) as store:
        yield store, schemas.from_json(kept["json"])


def read_questions(path: Path) -> list[dict[str, Any]]:
    """The questions of a JSON Lines file, all checked before the first is asked; InputError names file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read {path}: {error}. Give a UTF-8 file with one JSON object a line.") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        expected = 'expected {"id": ..., "question": "..."}'
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{path} line {number} is not JSON ({error.msg}); {expected}. Correct it.") from error
        if not isinstance(item, dict) or "id" not in item or not isinstance(item.get("question"), str):
            raise InputError(f"{path} line {number} has no id or question; {expected}. Add what is missing.")
        if not item["question"].strip() or len(item["question"]) > LONGEST_QUESTION:
            raise InputError(
                f"{path} line {number}: the question is empty or longer than {LONGEST_QUESTION:,} characters. Correct it."
            )
        entities = item.get("entities") or []
        if not isinstance(entities, list) or not all(
            isinstance(e, dict) and isinstance(e.get("text"), str) for e in entities
        ):
            raise InputError(
                f'{path} line {number}: entities is no list of {{"text": ...}}. Correct it or leave it out.'
            )
        found.append(item)
    if not found:
        raise InputError(
            f'{path} holds no question; expected one JSON object a line, like {{"id": 1, "question": "..."}}.'
        )
    return found


def lines(found: Answer, *, verbose: bool = False) -> list[str]:
    """The answer as lines for people: what it says, then the sentences with their documents."""
    out = [found.text]
    if found.understood:
        out.append(f"  (understood as: {found.understood})")
    shown: set[tuple[str, str, Any]] = set()  # one sentence may state several facts
    for cited in found.evidence:
        key = (cited["uri"], cited["sentence"], cited["start"])
        if key in shown:
            continue
        shown.add(key)
        where = cited["document"] or PurePosixPath(unquote(urlsplit(cited["uri"]).path)).name
        place = f" [{cited['start']}:{cited['end']}]" if cited["start"] is not None else ""
        sentence = " ".join(cited["sentence"].split())
        out.append(f'  "{sentence if len(sentence) < 300 else sentence[:297] + "..."}"')
        out.append(f"    {where}, {cited['uri']}{place}")
    if verbose:
        out.append(f"confidence {found.confidence}")
        out += [f"  {line}" for line in found.cypher.splitlines()] + ([f"  {found.params}"] if found.params else [])
        out += [f"  {c['score']:.3f}  {c['said']}" for c in found.candidates]
    return out


__all__ = ["Answer", "COLUMNS", "THRESHOLD", "ask", "lines", "opened", "read_questions"]
