"""Sentences that may answer a question which the graph cannot: passages found by words, by meaning and by what these name."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgpipe.query.link import encoded
from kgpipe.query.words import FUNCTION, words
from kgpipe.records import TABLES
from kgpipe.sentences import sentences

if TYPE_CHECKING:
    from kgpipe.graph.store import Store
    from kgpipe.models.embed import Embedder
    from kgpipe.workspace import Workspace

N_WORD_HITS = 200
"""Passages that the word search gives."""
NEAR = 0.4
"""Least cosine of a passage that shares no word with the question; nonsense reaches 0.37 among 1,600 passages."""
N_FIRST = 8
"""Best passages whose text is read for titles of documents."""
N_PASSAGES = 10
"""Passages whose sentences are compared."""
MOST_NEW = 2_000
"""Passages that one question embeds at most, some 12 s on one core."""
GROUP = 256
"""Passages of one commit of vectors."""
# Weights beside the cosine, chosen on one half of the HotpotQA questions (benchmarks/retrieval.py reports the other).
BY_WORDS, TITLE_ASKED, TITLE_NAMED = 0.4, 0.2, 0.4
SHARED, AGAIN = 0.5, 0.1
_LONGEST_TITLE = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence of the text with its document, its offsets in that document, and its score among those found."""

    text: str
    document: str
    uri: str
    start: int
    end: int
    score: float


def retrieve(question: str, passages: Passages, *, n_sentences: int = 5) -> list[Found]:
    """The sentences that tell most of what is asked, best first.

    They come from the passages that `Passages.ranked` puts first. A sentence scores the cosine of its vector with
    the question's, the score of its passage, and the share of the question's words in it; every further one of the
    same passage scores less. Empty when nothing in the text is near, or the question has no word of content.
    """
    wanted = _content(question)
    if not wanted:
        return []
    vector = encoded([question[:1000]], passages.embedder)[0]
    ranked = passages.ranked(question, vector)[:N_PASSAGES]
    rows = passages.texts([i for i, _ in ranked])
    cut = [(score, row, span) for (_, score), row in zip(ranked, rows, strict=True) for span in sentences(row[0])]
    if not cut:
        return []
    texts = [row[0][start:end] for _, row, (start, end) in cut]
    shared = [len(wanted & _content(text)) / len(wanted) for text in texts]
    scores = encoded(texts, passages.embedder) @ vector + [score for score, *_ in cut] + SHARED * np.array(shared)
    found: list[Found] = []
    before: dict[str, int] = defaultdict(int)
    for i in (-scores).argsort(kind="stable").tolist():
        _, (_, passage, at, document, uri), (start, end) = cut[i]
        score = round(float(scores[i]) - AGAIN * before[passage], 4)
        before[passage] += 1
        found.append(Found(texts[i], document, uri, at + start, at + end, score))
    return sorted(found, key=lambda f: -f.score)[:n_sentences]


class Passages:
    """The passages of a graph with their sentence vectors, which are made when they are first wanted and kept.

    They are kept in the table `vectors` of the workspace, by passage and embedder, so that only new passages cost
    time; without a workspace, in memory. A passage's uid changes with its text, so a vector never grows old.
    """

    def __init__(self, store: Store, embedder: Embedder, workspace: Workspace | None = None) -> None:
        self.store, self.embedder, self.workspace = store, embedder, workspace
        self.uids: list[str] = []
        self.vectors = np.zeros((0, embedder.backbone.config.hidden_size), np.float32)
        self._embedded = np.zeros(0, bool)
        self._state = ""

    def ranked(self, question: str, vector: np.ndarray) -> list[tuple[int, float]]:
        """Passages (indexes into `uids`) with their score, best first; `vector` (width,) is the question's.

        A weighted sum of the cosine and of BM25 divided by that of the best, a bonus where the question names
        the passage's document by its title, and a second step: a bonus for the document that one of the best passages
        names by its title, in proportion to that passage's score. Each bonus goes to one passage of the document.
        """
        self.refresh()
        words_ = self.by_words(question)
        self.embed(words_)
        near = self.vectors @ vector
        scores = near.copy()
        top = max(words_.values(), default=1.0)
        for i, score in words_.items():
            scores[i] += BY_WORDS * score / top
        kept = (near >= NEAR) & self._embedded
        kept[list(words_)] = True
        for i in {self._best(title, scores) for title in self._named(question)}:
            scores[i] += TITLE_ASKED
            kept[i] = True
        first = [i for i in (-np.where(kept, scores, -np.inf)).argsort(kind="stable")[:N_FIRST].tolist() if kept[i]]
        second = scores.copy()
        for i, (text, *_) in zip(first, self.texts(first), strict=True):
            for title in self._named(text) - {self._title[i]}:
                j = self._best(title, scores)
                second[j] = max(second[j], scores[j] + TITLE_NAMED * scores[i])
                kept[j] = True
        order = (-second).argsort(kind="stable").tolist()
        return [(i, float(second[i])) for i in order if kept[i]]

    def by_words(self, question: str) -> dict[int, float]:
        """Passages that hold a word of the question with their BM25 score from the server's full-text index, best first."""
        from kgpipe.graph.store import PASSAGE_INDEX

        wanted = [w.lower for w in words(question)[:60] if w.lower not in FUNCTION]
        if not wanted:
            return {}
        _, rows = self.store.read(
            "CALL db.index.fulltext.queryNodes($index, $words, {limit: $limit}) YIELD node, score "
            "RETURN node.uid AS uid, score ORDER BY score DESC, uid",
            {
                "index": PASSAGE_INDEX,
                "words": " ".join('"' + w.replace('"', "") + '"' for w in wanted),
                "limit": N_WORD_HITS,
            },
            timeout_s=10,
        )
        return {self._place[uid]: score for uid, score in rows if uid in self._place}

    def texts(self, indexes: Sequence[int]) -> list[tuple[str, str, int, str, str]]:
        """Text, passage uid, offset in the document, title and uri of passages; one gone meanwhile has no text."""
        _, rows = self.store.read(
            "UNWIND $uids AS uid MATCH (p:Passage {uid: uid}) OPTIONAL MATCH (p)-[:PART_OF]->(d:Document) "
            "RETURN uid, p.text, p.start, d.title, d.uri",
            {"uids": [self.uids[i] for i in indexes]},
            max_rows=None,
        )
        found = {uid: (text or "", uid, start or 0, title or "", uri or "") for uid, text, start, title, uri in rows}
        return [found.get(self.uids[i], ("", self.uids[i], 0, "", "")) for i in indexes]

    def refresh(self) -> None:
        """Reads which passages the graph holds, if it may have changed, and the vectors that are kept of them."""
        from kgpipe.graph.introspect import loaded

        state = loaded(self.store)
        if state and state == self._state:
            return
        _, rows = self.store.read(
            "MATCH (p:Passage) OPTIONAL MATCH (p)-[:PART_OF]->(d:Document) "
            "RETURN p.uid AS uid, d.uid, d.title ORDER BY uid",
            timeout_s=300,
            max_rows=None,
        )
        kept = self._kept()
        self._state, self.uids = state, [uid for uid, *_ in rows]
        self._document = [document or "" for _, document, _ in rows]
        self._place = {uid: i for i, uid in enumerate(self.uids)}
        self._title = [_title_key(title or "") for *_, title in rows]
        self._titled: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, title in enumerate(self._title):
            if title:
                self._titled[title].append(i)
        self.vectors = np.zeros((len(rows), self.vectors.shape[1]), np.float32)
        self._embedded = np.zeros(len(rows), bool)
        for uid, vector in kept:
            if (i := self._place.get(uid)) is not None:
                self.vectors[i], self._embedded[i] = vector, True

    def embed(self, first: Iterable[int] = (), *, most: int = MOST_NEW) -> None:
        """Makes vectors of passages that have none, at most `most`, those of `first` before the others."""
        missing = [
            i for i in dict.fromkeys([*first, *np.flatnonzero(~self._embedded).tolist()]) if not self._embedded[i]
        ]
        todo = missing[:most]
        if len(todo) > GROUP:
            _log.warning("the sentence vectors of %s passages are made, once", f"{len(todo):,}")
        for at in range(0, len(todo), GROUP):
            group = todo[at : at + GROUP]
            made = self.embedder.encode([text for text, *_ in self.texts(group)]).astype(np.float16)
            self.vectors[group], self._embedded[group] = made, True
            self._keep(group, made)
        if len(missing) > len(todo):
            _log.warning(
                "%s of %s passages are found by their words alone so far; every question that the text answers adds %s",
                f"{len(missing) - len(todo):,}", f"{len(self.uids):,}", f"{most:,}",
            )  # fmt: skip

    def _kept(self) -> Iterable[tuple[str, np.ndarray]]:
        """Passage uids with their vectors: those of the workspace, and those in memory."""
        memory = [(self.uids[i], self.vectors[i]) for i in np.flatnonzero(self._embedded).tolist()]
        if self.workspace is None:
            return memory
        table = self.workspace.read("vectors")
        former = sorted(set(table.column("model").unique().to_pylist()) - {self.embedder.fingerprint})
        self.workspace.delete("vectors", "model", former)
        table = table.filter(pc.equal(table.column("model"), self.embedder.fingerprint))
        flat = pc.list_flatten(table.column("vector")).to_numpy().reshape(-1, self.vectors.shape[1])
        return [*memory, *zip(table.column("passage").to_pylist(), flat, strict=True)]

    def _keep(self, group: Sequence[int], made: np.ndarray) -> None:
        if self.workspace is None:
            return
        n, width = made.shape
        offsets = pa.array(range(0, n * width + 1, width), pa.int32())
        columns = {
            "passage": [self.uids[i] for i in group],
            "document": [self._document[i] for i in group],
            "model": [self.embedder.fingerprint] * n,
            "vector": pa.ListArray.from_arrays(offsets, pa.array(made.ravel())),
        }
        self.workspace.commit("vectors", pa.table(columns, schema=TABLES["vectors"]))

    def _named(self, text: str) -> set[tuple[str, ...]]:
        """Titles of documents that stand in the text; one of a single word only where it is written like a name."""
        found = words(text)
        lower = [w.lower for w in found]
        titles = set()
        for i, word in enumerate(found):
            for length in range(1, _LONGEST_TITLE + 1):
                key = tuple(lower[i : i + length])
                if key in self._titled and (length > 1 or (word.text[0].isupper() and len(word.text) > 2)):
                    titles.add(key)
        return titles

    def _best(self, title: tuple[str, ...], scores: np.ndarray) -> int:
        return max(self._titled[title], key=lambda i: scores[i])


def _title_key(title: str) -> tuple[str, ...]:
    """The words of a title without what stands in parentheses; empty for one of function words alone."""
    key = tuple(w.lower for w in words(re.sub(r"\s*\([^)]*\)", "", title)))
    return () if FUNCTION.issuperset(key) else key


def _content(text: str) -> set[str]:
    return {w.lower for w in words(text) if w.lower not in FUNCTION}
