"""Sentences that may answer a question which the graph cannot: passages found by words, by meaning and by what these name."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgpipe.query import reader
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
# By these sentences are chosen to be read, and by WEIGHTS ranked when they are; fitted on 320 questions over 80 articles of
# Wikipedia (benchmarks/text_answers.py), as is how sure it is that the first holds the answer, in logits.
PASSAGE, SHARED, AGAIN = 2.0, 1.5, 0.1
WEIGHTS = {"cosine": 2.9, "near": 3.5, "shared": 4.1, "told": 6.1}
SURE = {"share": 3.8, "date": -0.8, "truth": -3.0, "": -1.6}
_LONGEST_TITLE = 8
N_READ = 12
"""Sentences that are read; the softmax of their scores is the share of each."""
MOST_KEPT = 2_000
"""Passages whose sentences and their vectors are kept from one question to the next."""
_ASKED = (
    ("date", r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:year|date|day|month|decade|century)\b|\b(?:birth date|date of)\b"),
    ("number", r"\bhow (?:many|much|old|long|far|tall|high|large|big|fast|often|deep|wide)\b|"
     r"\b(?:percentage|percent|number|population|amount|size|income|price|cost|share) of\b"),
    ("truth", r"^(?:is|are|was|were|did|does|do|has|have|had|can|could|will)\b"),
    ("name", r"\b(?:who|whom|whose|where|which)\b|\bwhat (?!is|are|was|were|do|does|did|has|have|had|can|could|will|would|happened)\w"),
)  # fmt: skip

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
    likely: float
    """How likely it holds the answer."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage that may be shown, and what speaks for it: cosine, score of its passage, share of the
    question's words, rare ones counting more, and how well it tells what is asked (see `reader`)."""

    text: str
    passage: str
    document: str
    uri: str
    start: int
    end: int
    cosine: float
    near: float
    shared: float
    told: float = 0.0

    @property
    def glance(self) -> float:
        """The score by which it is chosen to be read."""
        return self.cosine + PASSAGE * self.near + SHARED * self.shared

    @property
    def score(self) -> float:
        return sum(weight * getattr(self, name) for name, weight in WEIGHTS.items())


def retrieve(question: str, passages: Passages, *, n_sentences: int = 5) -> list[Found]:
    """The sentences that tell most of what is asked, best first, of the passages that `Passages.ranked` puts first.

    Every further one of the same passage scores less. Empty when nothing in the text is near, or the question has no
    word of content.
    """
    found: list[Found] = []
    before: dict[str, int] = defaultdict(int)
    ranked = read(question, candidates(question, passages))
    for one, likely in zip(ranked, likelihoods(question, ranked), strict=True):
        score = round(one.score - AGAIN * before[one.passage], 4)
        before[one.passage] += 1
        found.append(Found(one.text, one.document, one.uri, one.start, one.end, score, likely))
    return sorted(found, key=lambda f: -f.score)[:n_sentences]


def candidates(question: str, passages: Passages) -> list[Candidate]:
    """All sentences of the best passages."""
    wanted = _content(question)
    if not wanted:
        return []
    vector = encoded([question[:1000]], passages.embedder)[0]
    ranked = passages.ranked(question, vector)[:N_PASSAGES]
    found = [
        (text[start:end], uid, title, uri, at + start, at + end, float(made @ vector), score)
        for (*_, score), ((text, uid, at, title, uri), spans, vectors) in zip(
            ranked, passages.sentences([i for i, *_ in ranked]), strict=True
        )
        for (start, end), made in zip(spans, vectors, strict=True)
    ]
    return [
        Candidate(*row, share) for row, share in zip(found, _shared(wanted, [row[0] for row in found]), strict=True)
    ]


def _shared(wanted: set[str], sentences: Sequence[str]) -> list[float]:
    """For each sentence the share of the wanted stems that it holds, weighed by how few of the sentences do."""
    held = [wanted & _content(sentence) for sentence in sentences]
    n = Counter(stem for stems in held for stem in stems)
    weight = {stem: math.log(1 + len(sentences) / (1 + n[stem])) for stem in wanted}
    total = sum(weight.values())
    return [sum(weight[stem] for stem in stems) / total for stems in held]


def read(question: str, found: Sequence[Candidate]) -> list[Candidate]:
    """The N_READ candidates that look best, read and best first."""
    chosen = sorted(found, key=lambda c: -c.glance)[:N_READ]
    if not chosen:
        return []
    from kgpipe.models.embed import load_namer

    told = reader.told(question, asked_for(question), [c.text for c in chosen], load_namer())
    return sorted((replace(c, told=t) for c, t in zip(chosen, told, strict=True)), key=lambda c: -c.score)


def likelihoods(question: str, ranked: Sequence[Candidate]) -> list[float]:
    """How likely each candidate holds the answer: a logistic function of `signs`.

    0 where a date or number is wanted and there is none in the sentence.
    """
    countable = asked_for(question) in ("date", "number")
    return [
        0.0
        if countable and not c.told
        else round(1 / (1 + math.exp(-sum(SURE[name] * value for name, value in row.items()))), 4)
        for c, row in zip(ranked, signs(question, ranked), strict=True)
    ]


def signs(question: str, ranked: Sequence[Candidate]) -> list[dict[str, float]]:
    """What tells whether each of the candidates, best first, holds the answer."""
    if not ranked:
        return []
    best = np.array([c.score for c in ranked])
    share = np.exp(best - best[0])
    kind = asked_for(question)
    asked = {"date": float(kind == "date"), "truth": float(kind == "truth")}
    return [{"share": float(part), **asked, "": 1.0} for part in share / share.sum()]


def asked_for(question: str) -> str:
    """What kind of answer a question wants: date, number, truth (yes or no), name, or any."""
    return next((kind for kind, cue in _ASKED if re.search(cue, question, re.IGNORECASE)), "any")


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
        self._read: dict[str, tuple[str, list[tuple[int, int]], np.ndarray]] = {}

    def ranked(self, question: str, vector: np.ndarray) -> list[tuple[int, float, float]]:
        """Passages (indexes into `uids`) with their score, best first; `vector` (width,) is the question's.

        A weighted sum of the cosine and of BM25 divided by that of the best, a bonus where the question names
        the passage's document by its title, and a second step: a bonus for the document that one of the best passages
        names by its title, in proportion to that passage's score. Each bonus goes to one passage of the document, so that
        one document does not fill the list; the last value is the score that a passage has if it shares in it, as its
        sentences do.
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
        plain = scores.copy()
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
        bonus: dict[str, float] = defaultdict(float)
        for i in np.flatnonzero(second > plain).tolist():
            bonus[self._document[i]] = max(bonus[self._document[i]], float(second[i] - plain[i]))
        order = [i for i in (-second).argsort(kind="stable").tolist() if kept[i]]
        return [(i, float(second[i]), float(plain[i]) + bonus[self._document[i]]) for i in order]

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

    def sentences(
        self, indexes: Sequence[int]
    ) -> list[tuple[tuple[str, str, int, str, str], list[tuple[int, int]], np.ndarray]]:
        """What `texts` says of passages, the spans of their sentences, and the unit vectors of these (n, width)."""
        rows = self.texts(indexes)
        new = {row[1]: (row[0], sentences(row[0])) for row in rows if self._read.get(row[1], ("",))[0] != row[0]}
        cut = [text[start:end] for text, spans in new.values() for start, end in spans]
        made = encoded(cut, self.embedder) if cut else self.vectors[:0]
        at = 0
        for uid, (text, spans) in new.items():
            self._read[uid] = text, spans, made[at : at + len(spans)]
            at += len(spans)
        kept = {row[1]: self._read.get(row[1], ("", [], self.vectors[:0])) for row in rows}
        for uid in list(self._read)[: max(0, len(self._read) - MOST_KEPT)]:
            del self._read[uid]
        return [(row, *kept[row[1]][1:]) for row in rows]

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
    """The stems of its words of content."""
    return {w.stem for w in words(text) if w.lower not in FUNCTION}
