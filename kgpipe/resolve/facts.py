"""Relations between mentions to facts between entities, each with the sentences that state it."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kgpipe.records import Evidence, Fact, rounded
from kgpipe.schema import Schema


@dataclass(frozen=True, slots=True)
class Statement:
    """One extracted relation whose ends are known: where it stands in the document, and who says so."""

    uid: str
    type: str
    subject: str
    object: str
    subject_literal: bool
    object_literal: bool
    document: str
    passage: str
    start: int
    """Where the first of its two mentions begins in the document; `end`: where the last one ends."""
    end: int
    polarity: str
    extractor: str
    score: float
    run: str


def facts_of(
    statements: Iterable[Statement],
    schema: Schema,
    texts: Mapping[str, tuple[str, str, list[tuple[int, int]]]],
    types: Mapping[str, str],
) -> tuple[list[Fact], list[Evidence], Counter[str]]:
    """Facts and evidence in uid order, and how many statements were left out, by reason.

    `texts` is document uid to (uri, text, sentence spans), `types` entity or literal uid to its type. A statement is
    left out that is negated or hedged, lacks an end, has a literal as subject, says something of a thing and itself,
    or does not fit the schema now that the type of its ends is settled. The score of a fact is that of its best
    evidence: sentences of one corpus are no independent witnesses, and `support` counts them.
    """
    left_out: Counter[str] = Counter()
    turned = canonical_relations(schema)
    evidence: dict[str, list[Evidence]] = {}
    facts: dict[str, Fact] = {}
    for statement in statements:
        reason = _reason_to_leave_out(statement)
        subject, object_ = statement.subject, statement.object
        relation, swap = turned.get(statement.type, (statement.type, False))
        literal = statement.object_literal
        if not reason and swap:
            subject, object_ = object_, subject
            if statement.object_literal:
                reason = "literal_subject"
        known = schema.relations.get(relation)
        if (
            not reason
            and known
            and not (schema.fits(types[subject], known.domain) and schema.fits(types[object_], known.range))
        ):
            reason = "type"
        if reason:
            left_out[reason] += 1
            continue
        if known and known.symmetric and not literal:
            subject, object_ = sorted((subject, object_))
        uri, text, sentences = texts[statement.document]
        start, end = around(sentences, statement.start, statement.end)
        fact = Fact(subject=subject, type=relation, object=object_, literal=literal)
        facts[fact.uid] = fact
        evidence.setdefault(fact.uid, []).append(
            Evidence(
                uid=statement.uid, fact=fact.uid, relation=relation, subject=subject, object=object_,
                document=statement.document, passage=statement.passage, start=start, end=end,
                sentence=text[start:end], extractor=statement.extractor,
                score=rounded(statement.score), run=statement.run,
            )
        )  # fmt: skip
    finished = []
    for uid, fact in sorted(facts.items()):
        best = min(evidence[uid], key=lambda e: (-e.score, len(e.sentence), e.uid))
        finished.append(
            Fact(
                subject=fact.subject, type=fact.type, object=fact.object, literal=fact.literal,
                support=n_sentences({(e.document, e.start, e.end) for e in evidence[uid]}),
                score=best.score, sentence=" ".join(best.sentence.split()), source=texts[best.document][0],
            )
        )  # fmt: skip
    rows = sorted((e for found in evidence.values() for e in found), key=lambda e: e.uid)
    return finished, rows, left_out


def n_sentences(spans: Collection[tuple[str, int, int]]) -> int:
    """How many of the (document, start, end) hold none of the others: a stretch around a sentence is no second one."""
    by_document: dict[str, list[tuple[int, int]]] = {}
    for document, start, end in spans:
        by_document.setdefault(document, []).append((start, end))
    return sum(
        not any(start <= s and e <= end and (s, e) != (start, end) for s, e in found)
        for found in by_document.values()
        for start, end in found
    )


def _reason_to_leave_out(statement: Statement) -> str:
    if statement.polarity != "asserted":
        return statement.polarity
    if not statement.subject or not statement.object:
        return "unresolved"
    if statement.subject_literal:
        return "literal_subject"
    if statement.subject == statement.object:
        return "self"
    return ""


def canonical_relations(schema: Schema) -> dict[str, tuple[str, bool]]:
    """Relation type to (the type under which its facts are kept, whether the ends change places).

    Of two types that are inverses of each other the one listed first in the schema is kept. An inverse that is no
    type of the schema is only a name.
    """
    order = {name: place for place, name in enumerate(schema.relations)}
    turned: dict[str, tuple[str, bool]] = {}
    for name, relation in schema.relations.items():
        other = relation.inverse
        if other in order and other != name:
            first, second = sorted((name, other), key=order.__getitem__)
            turned[second] = (first, True)
    return turned


def around(sentences: list[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """The span from the start of the sentence that holds `start` to the end of the one that holds `end`."""
    starts = [s for s, _ in sentences]
    first = max(0, bisect.bisect_right(starts, start) - 1)
    last = max(first, bisect.bisect_left(starts, end) - 1)
    if not sentences:
        return start, end
    return min(sentences[first][0], start), max(sentences[last][1], end)
