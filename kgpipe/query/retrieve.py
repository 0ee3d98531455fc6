"""Passages that may answer a question which the graph cannot: word matches and sentence vectors, fused by rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgpipe.query.link import encoded
from kgpipe.query.words import FUNCTION, words

if TYPE_CHECKING:
    from kgpipe.graph.store import Store
    from kgpipe.models.embed import Embedder

N_CANDIDATES = 30
"""Passages that the word search hands to the sentence vectors."""
FUSION = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage of the text, with its document and its score among those found."""

    text: str
    document: str
    uri: str
    start: int
    end: int
    score: float


def retrieve(question: str, store: Store, embedder: Embedder, *, n_passages: int = 3) -> list[Found]:
    """The passages nearest to a question, best first; empty when no word of it stands in the text.

    The words are searched by the server's full-text index (Lucene's BM25), what it finds is ordered a second time by
    the cosine of sentence vectors, and both orders are fused.
    """
    from kgpipe.graph.store import PASSAGE_INDEX

    wanted = [w.lower for w in words(question)[:60] if w.lower not in FUNCTION]
    if not wanted:
        return []
    _, rows = store.read(
        "CALL db.index.fulltext.queryNodes($index, $words, {limit: $limit}) YIELD node AS p, score "
        "OPTIONAL MATCH (p)-[:PART_OF]->(d:Document) "
        "RETURN p.text, d.title, d.uri, p.start, p.end ORDER BY score DESC, p.uid",
        {
            "index": PASSAGE_INDEX,
            "words": " ".join('"' + w.replace('"', "") + '"' for w in wanted),
            "limit": N_CANDIDATES,
        },
        timeout_s=10,
    )
    if not rows:
        return []
    vectors = encoded([question[:1000], *(text for text, *_ in rows)], embedder)
    near = vectors[1:] @ vectors[0]
    by_vector = (-near).argsort(kind="stable").tolist()
    best = fused(range(len(rows)), by_vector)[:n_passages]
    return [
        Found(rows[i][0], rows[i][1] or "", rows[i][2] or "", rows[i][3] or 0, rows[i][4] or 0, round(score, 4))
        for i, score in best
    ]


def fused(first: Sequence[int], second: Sequence[int]) -> list[tuple[int, float]]:
    """Items of two orders with their fused score, best first; an item that one order lacks scores by the other alone."""
    scores: dict[int, float] = {}
    for order in (first, second):
        for place, item in enumerate(order):
            scores[item] = scores.get(item, 0.0) + 1 / (FUSION + place)
    return sorted(scores.items(), key=lambda s: (-s[1], s[0]))
