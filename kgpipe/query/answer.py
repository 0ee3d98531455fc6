"""A question to an answer with its facts and the sentences that state them, or to 'the graph does not tell'."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kgpipe import schema as schemas
from kgpipe.errors import InputError, WorkspaceError
from kgpipe.query import connect, guard
from kgpipe.query import show as shown
from kgpipe.query.cite import check_filled, listed, sentences_of
from kgpipe.query.compile import COLUMNS, Compiled, compiled
from kgpipe.query.link import Candidate, Linked, Vocabulary, link, named, vocabulary
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
    if not entities and (found := _of_whole(question, store, known)):
        return found
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


def _of_whole(question: str, store: Store, known: Vocabulary) -> Answer | None:
    """The answer to `How are A and B connected?` and `What do we know about A?`; None when something else is asked."""
    lower = question.islower()
    if asked := connect.ends(question):
        names = named([text for pair in asked.pairs for text in pair], store, known, lower_question=lower)
        for a, b in asked.pairs:
            if a in names and b in names:
                return _connection(question, names[a], names[b], asked.whether, store, known)
    for text in about_what(question):
        if candidates := named([text], store, known, lower_question=lower).get(text):
            persons = [c for c in candidates if known.likeness(c.type, ("person",)) > 0.8]
            who = re.match(r"\W*who\b", question, re.IGNORECASE)
            return _about(question, persons if who and persons else candidates, store, known)
    return None


_ABOUT = re.compile(
    r"(?:what\s+(?:do|does|did|can)\s+(?:we|you|i|one|anyone|the\s+graph)\s+(?:know|say|tell(?:\s+me|\s+us)?)\s+(?:about|of|on)|"
    r"what\s+(?:is|are)\s+(?:known|said|there)\s+(?:about|of|on)|(?:please\s+)?(?:tell|show|give)\s+(?:me|us)\s+"
    r"(?:more\s+|everything\s+|all\s+|something\s+|what\s+you\s+know\s+|(?:all\s+)?(?:the\s+)?(?:facts|information)\s+)?(?:about|on)|"
    r"describe|(?:all\s+)?(?:the\s+)?(?:facts|information)\s+(?:about|on)|who\s+(?:is|was|are|were)|who's|what's|what\s+(?:is|was|are|were)|)"
    r"\s*(?P<name>\S.*)",
    re.IGNORECASE,
)


def about_what(question: str) -> list[str]:
    """What a question asks everything about, as texts that may be names; `Who is A?` does when A is a name as a whole."""
    text = re.sub(r"[\s?!.]+$", "", question.strip())
    match = _ABOUT.fullmatch(text)
    return [match["name"].strip(" \"'“”,")] if match and match["name"].strip(" \"'“”,") else []


def _connection(
    question: str, a: Sequence[Candidate], b: Sequence[Candidate], whether: bool, store: Store, known: Vocabulary
) -> Answer:
    """The shortest paths between the entities that two names stand for."""
    one = [f"Both are names of {x.name}." for x in a for y in b if x.uid == y.uid]
    pairs = [(x, y) for x in a for y in b if x.uid != y.uid]
    if not pairs:
        return Answer(question, confidence=1.0, source="graph", text=" ".join(one))
    shape = connect.own_shape(known.schema)
    cypher, params, columns, rows = connect.paths([(x.uid, y.uid) for x, y in pairs], shape, store)
    call = _called([*a, *b], known.schema)
    facts = {fact["uid"]: fact for path, _ in rows for fact in path}.values()
    ends_ = [((x.uid, y.uid), (call[x.uid], call[y.uid])) for x, y in pairs]
    told = connect.told(ends_, rows, whether=whether and not one)
    return Answer(
        question=question,
        answers=tuple(tuple(row) for row in rows),
        columns=tuple(columns),
        confidence=round(min(a[0].score, b[0].score), 4),
        cypher=cypher,
        params=params,
        facts=tuple(facts),
        evidence=tuple(sentences_of(list(facts), store, most=1)),
        text="\n".join([*one, told] if rows or not one else one),
        source="graph",
    )


def _called(candidates: Sequence[Candidate], schema: Schema) -> dict[str, str]:
    """What to call entities, by uid: the name, with the type where several have that name."""
    alike = [c.name for c in {c.uid: c for c in candidates}.values()]

    def label(c: Candidate) -> str:
        return f" ({schema.entities[c.type].label})" if c.type and alike.count(c.name) > 1 else ""

    return {c.uid: c.name + label(c) for c in candidates}


def _about(question: str, candidates: Sequence[Candidate], store: Store, known: Vocabulary) -> Answer | None:
    """What the graph holds about the entities that a name stands for; None when that is no fact."""
    cypher, params, columns, rows, facts = shown.about([c.uid for c in candidates], store, known.schema)
    held = {c.uid: [f for f in facts if f["about"] == c.uid] for c in candidates}
    told = [c for c in candidates if held[c.uid]]
    if not told:
        return None
    lines_ = [line for c in told for line in shown.summary(c.name, c.type, held[c.uid], known.schema)]
    if len(rows) == shown.MOST_TOLD:
        lines_.append(f"  and more: these are {shown.MOST_TOLD} facts; kgpipe show {candidates[0].uid} has all.")
    return Answer(
        question=question,
        answers=tuple(tuple(row) for row in rows),
        columns=tuple(columns),
        confidence=round(candidates[0].score, 4),
        cypher=cypher,
        params=params,
        facts=tuple(facts),
        evidence=tuple(sentences_of(facts, store, most=1)),
        text="\n".join(lines_),
        source="graph",
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


def _facts(query: Compiled, store: Store) -> list[dict[str, Any]]:
    """The facts that the rows rest on, as {"uid", "subject", "relation", "object", "support", "score", "sentence", ...}."""
    if not query.facts:
        return []
    columns, rows = guard.run(f"{query.facts} LIMIT {MOST_FACTS}", query.params, store)
    return [dict(zip(columns, row, strict=True)) for row in rows]


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
