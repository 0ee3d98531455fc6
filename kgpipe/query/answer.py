"""A question to an answer with its facts and the sentences that state them, or to 'the graph does not tell'."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kgpipe import literals
from kgpipe import schema as schemas
from kgpipe.errors import InputError, WorkspaceError
from kgpipe.query import connect, follow, guard, own
from kgpipe.query import lm as lms
from kgpipe.query import show as shown
from kgpipe.query.cite import check_filled, listed, sentences_of
from kgpipe.query.follow import Asked, Named
from kgpipe.query.link import (
    LEAST_NAME,
    PERSON,
    PLACE,
    Candidate,
    Linked,
    Vocabulary,
    entities_with,
    link,
    named,
    vocabulary,
)
from kgpipe.query.plain import plain
from kgpipe.query.retrieve import Found, Passages, retrieve
from kgpipe.query.settle import Settled, in_words, settle
from kgpipe.query.words import FUNCTION, one_line, words
from kgpipe.schema import Schema
from kgpipe.workspace import Workspace

if TYPE_CHECKING:
    from kgpipe.config import Config
    from kgpipe.graph.store import Store
    from kgpipe.models.embed import Embedder
    from kgpipe.models.generate import LM

THRESHOLD = 0.62
"""Least likelihood that a question is understood."""
LEAST_TRUE = 0.4
"""Least confidence, that it is understood and the facts are true, of an answer from the graph."""
DOUBTFUL = 0.7
"""Confidence below which an answer of the graph is held against the text."""
LONGEST_QUESTION = 2_000
"""Characters of a question."""
AGREES = 1.0
"""Gained by a query tree with the rows of the query that a language model wrote."""
RETRY_S = 3
"""Seconds after which a server that does not answer is given up: somebody waits."""
LEAST_TEXT = 0.5
"""Least likelihood of the first sentence from which on the text is said to tell."""
UNTOLD = "The graph does not tell."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question. `source` is graph, text (sentences that likely tell) or none (the nearest, if any)."""

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
    """The winning query tree in words."""
    candidates: tuple[dict[str, Any], ...] = ()
    """The best query trees, the winner first, as {"said", "score", "features"}."""
    notes: tuple[str, ...] = ()
    """How the question was read where that is not plain, and what else there is to know of the answer."""
    named: tuple[Named, ...] = ()
    """What the question names, in its order."""
    gave: tuple[Named, ...] = ()
    """The entities and dates among the answers."""
    tries: tuple[dict[str, str], ...] = ()
    """What a language model wrote and what became of it, as {"wrote", "outcome"}."""

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON can hold it; the shape of `kgpipe ask --json` less the id."""
        row = dataclasses.asdict(self)
        return {**row, "answers": [list(a) for a in self.answers], "columns": list(self.columns),
                "facts": list(self.facts), "evidence": list(self.evidence), "candidates": list(self.candidates),
                "notes": list(self.notes), "named": list(row["named"]), "gave": list(row["gave"]),
                "tries": list(self.tries)}  # fmt: skip


def ask(
    question: str, store: Store, schema: Schema, *, embedder: Embedder | None = None,
    entities: Sequence[dict[str, Any]] = (), threshold: float = THRESHOLD, meant: frozenset[str] = frozenset(),
    lm: LM | None = None, passages: Passages | None = None,
) -> Answer:  # fmt: skip
    """The answer that the graph gives; sentences of the text instead, marked as such, where it is not surely
    understood (below `threshold`), rests on doubtful facts (below `LEAST_TRUE` or `threshold`, whichever is less), or the
    text is surer and names none of its answers (below `DOUBTFUL`).

    `entities` ({"text", "label"?, "value"?}) says what the question names, so that nothing is searched. `meant` are
    uids: a name of several entities is that of one of these where it can be. `lm` writes one more query and words the
    answer. `passages` keeps the sentence vectors of the text from one question to the next; without it they are made
    anew.
    """
    question = checked_question(question)
    if embedder is None:
        from kgpipe.models.embed import load_embedder

        embedder = load_embedder()
    check_filled(store)
    known = vocabulary(schema, embedder)
    if not entities and (found := _of_whole(question, store, known, meant)):
        return found
    linked = link(question, store, known, entities=entities, meant=meant)
    catalog = own.own_catalog(store, schema, embedder)
    if not entities and (wording := plain(question, catalog, own.matches(linked, catalog))) != question:
        linked = link(wording, store, known, meant=meant)
    ranked = own.ranked(linked, catalog, store)
    run = lm is not None or own.most_likely(ranked, linked) >= threshold
    settled = settle(ranked, catalog, store, most=own.MOST_RUN) if run else []
    written = lms.Written()
    if lm is not None:
        brief = lms.brief_of_ours(linked, store, known)
        written = lms.write(question, brief, store, lm)
        if written.rows:
            settled = lms.weighed(settled, written, AGREES)
    together = own.together(settled, linked, catalog)
    sure = own.likely([s for s in settled if s not in together[1:]], linked)
    candidates = tuple(
        {"said": found.said, "score": round(score, 3), "features": found.features}
        for found, score in [(s.found, s.score) for s in settled] or [(r, r.score) for r in ranked[: own.MOST_RUN]]
    )
    doubts: tuple[str, ...] = ()
    shown: list[Found] | None = None

    def of_text() -> list[Found]:
        return retrieve(question, passages or Passages(store, embedder))

    if sure >= threshold:
        told = [own.told(one, catalog, store) for one in together]
        sure = round(sure * sum(one.truth for one in told) / len(told), 4)
        if len(together) > 1:
            found = _of_several(question, together, told, linked, sure, candidates, catalog, store, known)
        else:
            found = _of_one(question, settled[0], told[0], linked, sure, candidates, catalog, store, known)
        if LEAST_TRUE <= sure < DOUBTFUL and threshold >= LEAST_TRUE:
            shown = of_text()
        surer = bool(shown) and shown[0].likely > max(sure, LEAST_TEXT) and not _names(shown[0].text, found.answers)
        if sure >= min(LEAST_TRUE, threshold) and not surer:
            return worded(found, written, _phrases(found.facts, known), lm) if lm else found
        cited = dict.fromkeys(one_line(one["sentence"]) for one in found.evidence[:2])
        doubts = (
            " ".join(
                (
                    f"from facts that are doubtful the graph would say: {one_line(found.text)}",
                    *(f'"{c}"' for c in cited),
                )
            ),
        )
    elif written.rows:
        facts, lacking = lms.facts_of(written, brief, store)
        found = of_written(question, written, candidates, facts, sentences_of(facts, store), lacking)
        found = dataclasses.replace(found, named=_named(linked, known))
        return worded(found, written, _phrases(facts, known), lm)
    found = _from_text(question, linked, known, of_text() if shown is None else shown, sure, candidates)
    found = dataclasses.replace(found, notes=(*found.notes, *doubts))
    return worded(found, written, (), lm) if lm else found


def _names(sentence: str, answers: Sequence[Sequence[Any]]) -> bool:
    """Whether a sentence has a word of content of an answer in it, or its date in any form; of yes or no none can tell."""
    said = {w.lower for w in words(sentence)}
    dates = [f.value for f in literals.find(sentence) if f.kind == "date"]
    for value, *_ in answers:
        text = str(value)
        if isinstance(value, bool) or any(text.startswith(d) or d.startswith(text) for d in dates):
            return True
        if said & ({w.lower for w in words(text)} - FUNCTION):
            return True
    return False


def _of_one(
    question: str, best: Settled, told: own.Told, linked: Linked, sure: float, candidates: tuple[dict[str, Any], ...],
    catalog: own.OwnCatalog, store: Store, known: Vocabulary,
) -> Answer:  # fmt: skip
    """The answer of one reading."""
    taken = own.meant(best)
    return Answer(
        question=question,
        answers=tuple(tuple(row) for row in best.rows),
        columns=best.columns,
        confidence=sure,
        cypher=best.cypher,
        params=best.params,
        facts=tuple(told.facts),
        evidence=tuple(sentences_of(told.facts, store)),
        text=in_words(best, told.names),
        source="graph",
        understood=best.found.said,
        candidates=candidates,
        notes=_notes(linked, taken, known),
        named=_named(linked, known, taken),
        gave=_gave(best, told, catalog, known),
    )


def _gave(best: Settled, told: own.Told, catalog: own.OwnCatalog, known: Vocabulary) -> tuple[Named, ...]:
    """The entities and dates that an answer names."""
    tree = best.tree
    root = tree.nodes[tree.root].type
    if len(told.pairs) > own.MOST_FACTS:
        return ()
    if tree.key and catalog.attributes[root][tree.key].linked:
        dated = catalog.attributes[root][tree.key].kind == "date"
        return tuple(Named(value, follow.DATE) for value in told.names) if dated else ()
    kind = kind_of("" if root == own.UNTYPED else root, known)
    return tuple(Named(name, kind, uid) for name, uid in told.pairs)


def _of_several(
    question: str, together: Sequence[Settled], tolds: Sequence[own.Told], linked: Linked, sure: float,
    candidates: tuple[dict[str, Any], ...], catalog: own.OwnCatalog, store: Store, known: Vocabulary,
) -> Answer:  # fmt: skip
    """The answers for each thing that a name in the question is that of, and which is whose."""
    best = together[0]
    calls = _call(together, linked, store, known.schema)
    cypher = "\nUNION ALL\n".join(_branch(one, k) for k, one in enumerate(together))
    params: dict[str, Any] = {}
    for k, (one, call) in enumerate(zip(together, calls, strict=True)):
        params |= {f"r{k}{name}": value for name, value in one.params.items()} | {f"r{k}": call}
    columns, rows = guard.run(cypher, params, store)
    texts, facts, gave = [], [], []
    for one, told, call in zip(together, tolds, calls, strict=True):
        texts.append(f"{call}: {in_words(one, told.names)}")
        facts += told.facts
        gave += _gave(one, told, catalog, known)
    facts = list({f["uid"]: f for f in facts}.values())
    return Answer(
        question=question,
        answers=tuple(tuple(row) for row in rows),
        columns=tuple(columns),
        confidence=sure,
        cypher=cypher,
        params=params,
        facts=tuple(facts),
        evidence=tuple(sentences_of(facts, store)),
        text="\n".join(texts),
        source="graph",
        understood=best.found.said,
        candidates=candidates,
        notes=_notes(linked, own.meant(best), known, decided=False),
        named=tuple(dict.fromkeys(n for one in together for n in _named(linked, known, own.meant(one)))),
        gave=tuple(dict.fromkeys(gave)),
    )


def _branch(one: Settled, k: int) -> str:
    """A query as one branch of a union: with parameters and a column of its own."""
    inner = re.sub(r"\$(v\d)", rf"$r{k}\1", one.cypher)
    return f"WITH $r{k} AS reading\nCALL () {{\n{inner}\n}}\nRETURN {', '.join(one.columns)}, reading"


def _call(together: Sequence[Settled], linked: Linked, store: Store, schema: Schema) -> list[str]:
    """What to call each reading: the names in which they differ, told apart by type, by a fact, or by uid."""
    entities = {c.uid: c for s in linked.entities for c in s.candidates}
    meant = [own.meant_by(one) for one in together]
    differing = [span for span in meant[0] if len({m[span] for m in meant}) > 1]
    chosen = [entities[m[span]] for m in meant for span in differing if m[span] in entities]
    call = _called(chosen, schema)
    alike = [uid for uid in call if list(call.values()).count(call[uid]) > 1]
    facts = shown.about(alike, store, schema)[-1] if alike else []
    for uid in alike:
        first = next((f for f in facts if f["about"] == uid), None)
        call[uid] += f" ({shown.phrase(first, schema)})" if first else f" ({uid})"
    still = [uid for uid in call if list(call.values()).count(call[uid]) > 1]
    call |= {uid: f"{call[uid]} {uid}" for uid in still}
    return [", ".join(call.get(m[span], m[span]) for span in differing) for m in meant]


def _notes(linked: Linked, taken: set[str], known: Vocabulary, *, decided: bool = True) -> tuple[str, ...]:
    """What names were taken for, where they are misspelt, or those of several things of which one fits the question."""
    notes = []
    for span in linked.entities:
        chosen = next((c for c in span.candidates if c.uid in taken), None)
        if chosen and chosen.read_from:
            notes.append(f'"{chosen.read_from}" read as {chosen.name}')
        elif chosen and decided:
            rivals = [c for c in span.candidates if c is chosen or c.rivals(chosen)]
            if len(rivals) > 1:
                notes.append(
                    f'"{_words_of(linked, span.start, span.end)}" read as {_called(rivals, known.schema)[chosen.uid]}'
                )
    return tuple(notes)


def _spelled(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """What misspelt names were taken for."""
    return tuple(dict.fromkeys(f'"{c.read_from}" read as {c.name}' for c in candidates if c.read_from))


def kind_of(entity_type: str, known: Vocabulary) -> str:
    """Whether entities of a type are persons, places or other things."""
    if entity_type and known.likeness(entity_type, PERSON) > 0.8:
        return follow.PERSON
    return follow.PLACE if entity_type and known.likeness(entity_type, PLACE) > 0.8 else follow.THING


def _named(linked: Linked, known: Vocabulary, taken: set[str] | None = None) -> tuple[Named, ...]:
    """What the question names: of the entities of one name those that are `taken`, without that the likeliest."""
    found: list[tuple[int, Named]] = []
    for span in linked.entities:
        fitting = [c for c in span.candidates if c.uid in taken] if taken is not None else span.candidates
        chosen = next(iter(fitting), None)
        if chosen and chosen.score >= LEAST_NAME:
            text = _words_of(linked, span.start, span.end)
            found.append((span.start, Named(chosen.name, kind_of(chosen.type, known), chosen.uid, text)))
    for value in linked.values:
        if value.kind == "date":
            text = _words_of(linked, value.start, value.end)
            found.append((value.start, Named(value.value, follow.DATE, "", text)))
    return tuple(named_ for _, named_ in sorted(found, key=lambda f: f[0]))


def _words_of(linked: Linked, start: int, end: int) -> str:
    if start >= len(linked.words):
        return ""
    text = linked.question[linked.words[start].start : linked.words[end - 1].end]
    return re.sub(r"['’]s?$", "", text)


def _of_whole(question: str, store: Store, known: Vocabulary, meant: frozenset[str]) -> Answer | None:
    """The answer to `How are A and B connected?` and `What do we know about A?`; None when something else is asked."""
    lower = question.islower()
    if asked := connect.ends(question):
        names = named([text for pair in asked.pairs for text in pair], store, known, lower_question=lower, meant=meant)
        for a, b in asked.pairs:
            if a in names and b in names:
                return _connection(question, names[a], names[b], asked.whether, store, known)
    for text in about_what(question):
        if candidates := named([text], store, known, lower_question=lower, meant=meant).get(text):
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
_DEEDS = re.compile(r"what\s+(?:do|does|did|has|have)\s+(?P<name>\S.*?)\s+(?:do|done)", re.IGNORECASE)


def about_what(question: str) -> list[str]:
    """What a question asks everything about, as texts that may be names.

    `Who is A?` and `What did A do?` do when A is a name as a whole.
    """
    text = re.sub(r"[\s?!.]+$", "", question.strip())
    match = _DEEDS.fullmatch(text) or _ABOUT.fullmatch(text)
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
        named=_entities_named([a[0], b[0]], known),
        notes=_spelled([*a, *b]),
    )


def _entities_named(candidates: Sequence[Candidate], known: Vocabulary) -> tuple[Named, ...]:
    return tuple(Named(c.name, kind_of(c.type, known), c.uid, c.name) for c in candidates)


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
        named=_entities_named(told[:1], known),
        notes=_spelled(told),
    )


def of_written(
    question: str, written: lms.Written, candidates: tuple[dict[str, Any], ...], facts: Sequence[dict[str, Any]] = (),
    evidence: Sequence[dict[str, Any]] = (), note: str = "",
) -> Answer:  # fmt: skip
    """The answer of a query that a language model wrote, where no reading of the question is sure enough."""
    truth = written.rows[0][0] if len(written.rows) == 1 and isinstance(written.rows[0][0], bool) else None
    held = {True: "Yes.", False: "No: the graph holds no such fact."}
    return Answer(
        question=question,
        answers=tuple(tuple(row) for row in written.rows),
        columns=written.columns,
        confidence=written.confidence,
        cypher=written.cypher,
        params=written.params,
        facts=tuple(facts),
        evidence=tuple(evidence),
        text=listed(lms.row_texts(written.rows)) if truth is None else held[truth],
        source="graph",
        understood=written.said,
        candidates=candidates,
        notes=(note,) if note else (),
    )


def worded(found: Answer, written: lms.Written, phrases: Sequence[str], lm: LM) -> Answer:
    """The answer with what the language model did, and in its words where they hold; else in ours."""
    said, dropped = "", []
    if found.answers and not written.gone:
        said, dropped = lms.phrase(found.question, found.answers, found.facts, phrases, lm)
    truth = len(found.answers) == 1 and isinstance(found.answers[0][0], bool)
    noted = lms.remark(written, found.answers)
    return dataclasses.replace(
        found,
        text=f"{found.text} {said}".strip() if truth else said or found.text,
        notes=(*found.notes, noted) if noted else found.notes,
        tries=(*written.tries, *dropped),
    )


def _phrases(facts: Sequence[dict[str, Any]], known: Vocabulary) -> tuple[str, ...]:
    """The words of the schema for the relations of facts."""
    return tuple(p for r in {f["relation"] for f in facts} for p in known.relation_phrases[r])


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


def _from_text(
    question: str, linked: Linked, known: Vocabulary, found: Sequence[Found], sure: float,
    candidates: tuple[dict[str, Any], ...],
) -> Answer:  # fmt: skip
    """The sentences of the text that are nearest to the question, as far as they are likely to hold the answer."""
    text = UNTOLD
    if linked.unknown:
        text += f" It knows nothing called {', '.join(linked.unknown[:3])}."
    tells = bool(found) and found[0].likely >= LEAST_TEXT
    if found:
        text += " From the text, not the graph:" if tells else " Nor surely does the text; nearest in it:"
    return Answer(
        question=question,
        confidence=found[0].likely if found else sure,
        evidence=tuple(
            {"sentence": f.text, "document": f.document, "uri": f.uri, "start": f.start, "end": f.end, "score": f.score}
            for f in found
        ),
        text=text,
        source="text" if tells else "none",
        candidates=candidates,
        named=_named(linked, known),
        notes=_spelled([s.candidates[0] for s in linked.entities]),
    )  # fmt: skip


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
    with open_store(config, workspace, retry_s=RETRY_S) as store:
        yield store, schemas.from_json(kept["json"])


def asked(store: Store, schema: Schema, lm: LM | None = None, *, workspace: Workspace | None = None) -> Asked:
    """The graph of a workspace for conversations; vectors of the text are kept in the workspace, else in memory."""
    from kgpipe.models.embed import load_embedder

    @functools.cache
    def text() -> Passages:
        return Passages(store, load_embedder(), workspace)

    def known() -> Vocabulary:
        return vocabulary(schema, load_embedder())

    def kinds(text: str) -> frozenset[str]:
        found = named([text], store, known()).get(text, ())
        return frozenset(kind_of(c.type, known()) for c in found)

    def names_like(prefix: str) -> list[str]:
        parts = re.findall(r"\w+", prefix)[:8]
        if not parts or len(prefix) > 100:
            return []
        query = " ".join([*(f'+"{p}"' for p in parts[:-1]), f"+{parts[-1].lower()}*"])
        rows = entities_with(store, [prefix], query=query).get(prefix, [])
        found = {n: r["degree"] for r in rows for n in (r["name"], *(r["aliases"] or ()))}
        return sorted((n for n in found if n.casefold().startswith(prefix.casefold())), key=lambda n: (-found[n], n))

    return Asked(
        ask=lambda question, **options: ask(question, store, schema, lm=lm, passages=text(), **options),
        kinds=kinds,
        names=names_like,
    )


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
        for text in (e["text"] for e in entities):
            if one_line(text).casefold() not in one_line(item["question"]).casefold():
                raise InputError(
                    f'{path} line {number}: "{text}" does not stand in the question. Give the words as they stand there.'
                )
        found.append(item)
    if not found:
        raise InputError(
            f'{path} holds no question; expected one JSON object a line, like {{"id": 1, "question": "..."}}.'
        )
    return found


def lines(found: Answer, *, verbose: bool = False) -> list[str]:
    """The answer as lines for people: what it says, then the sentences with their documents."""
    out = [*(f"  ({note})" for note in found.notes), found.text]
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
        out += [
            f"  the language model wrote: {lms.printable(t['wrote'])}\n    → {lms.printable(t['outcome'])}"
            for t in found.tries
        ]
    return out


__all__ = ["Answer", "THRESHOLD", "ask", "lines", "opened", "read_questions"]
