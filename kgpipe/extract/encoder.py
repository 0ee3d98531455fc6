"""The default extractor: a checkpoint of the joint network, given a schema at call time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kgpipe import engine, literals
from kgpipe.errors import ModelError
from kgpipe.extract import cues
from kgpipe.extract.base import CHECKPOINT, FORMAT, Found, checkpoint_config, fingerprint
from kgpipe.extract.data import Window, collate, windows
from kgpipe.extract.decode import Decoded, decode
from kgpipe.extract.labels import label_vectors, mean_vectors
from kgpipe.extract.network import MAX_WIDTH, Batch, JointNetwork, Scores
from kgpipe.extract.polarity import polarity
from kgpipe.extract.proposals import PRONOUN, name_runs
from kgpipe.models.backbone import WEIGHTS, empty_backbone, load_tokenizer, load_weights, token_batches
from kgpipe.models.embed import Embedder
from kgpipe.records import Mention, Passage, Relation, rounded
from kgpipe.schema import Schema
from kgpipe.sentences import sentences

FROZEN = "backbone.embeddings.word_embeddings.weight"
FORCED_THRESHOLD = 0.03
"""Least score of a span that is written like a name (or is `it`); one below it stays if a relation needs it."""
KNOWN_NAMES = 100_000
NAME_THRESHOLD = 0.1
"""Spans below this are not worth a look at their name."""
TOP_K = 24
HEAD_BONUS = 0.01
"""By how much a type whose label or synonym is the head word of a name is put before the likeliest other one: a Turing
Award is an award. Too little to change which of two overlapping spans wins."""
NAME_WEIGHT = 8.0
"""Logits a unit of cosine between a name and a type label, chosen on crossner.dev."""
POSSIBLE_TYPE = 0.03
"""A name may still be of a type with this score when the words state a relation that needs it to be."""
STATED_SCORE = 0.75
"""Least score of a relation whose cue stands between two names that fit it, with no nearer ones."""
CUE_WEIGHT, CUE_AGAINST = 2.0, 1.0
"""Logits that a relation gains from a cue word of its own, and loses where there is only one of another relation."""
_AFTER_HEAD = ("of", "for", "at", "in")


@dataclass(slots=True)
class _Read:
    """One window of one passage, with the spans it must keep: by words, and their type or -1."""

    passage: int
    window: Window
    forced: list[tuple[int, int]]
    fixed: list[int]
    values: dict[tuple[int, int], str]


@dataclass(slots=True, eq=False)
class _Row:
    """A mention being made: its span in the document, type index, scores by type, and relations as subject."""

    start: int
    end: int
    kind: int
    scores: list[float]
    value: str
    settled: bool = False
    out: list[tuple[int, _Row, float]] = field(default_factory=list)


class EncoderExtractor:
    """Reads passages with one schema. `threshold` 0 means the checkpoint's own."""

    def __init__(
        self, schema: Schema, *, checkpoint: Path | str = "", threshold: float = 0.0, device: str = ""
    ) -> None:  # fmt: skip
        folder = Path(checkpoint or CHECKPOINT)
        self.device = engine.device(device)
        self.dtype = engine.autocast_dtype(self.device)
        self.network, config = load_network(folder)
        self.network.to(self.device)
        self.tokenizer = load_tokenizer(config["tokenizer_folder"])
        self.threshold = threshold or config["threshold"]
        self.mention_threshold = config["mention_threshold"]
        self.fingerprint = fingerprint(schema, checkpoint=folder, threshold=threshold)
        self.schema = schema
        self.types = list(schema.entities.values())
        self.relations = list(schema.relations.values())
        self.person = next((i for i, e in enumerate(self.types) if schema.family(e.name) in schema.people), -1)
        self.human = torch.tensor([schema.family(e.name) in schema.people for e in self.types], dtype=torch.bool)
        self.rule_types = {kind: self._index(name) for kind, name in schema.literal_types().items() if kind != "text"}
        self.embedder = Embedder(device=device)
        types, readings, self.turned = label_vectors(schema, self.embedder)
        self.type_vectors = mean_vectors([[e.label, *e.synonyms] for e in self.types], self.embedder)
        self.cues = cues.phrases(self.relations)
        self.known: dict[str, np.ndarray] = {}
        names = [e.name for e in self.types]
        self.heads = {
            word.lower(): i for i, e in reversed(list(enumerate(self.types))) for word in (e.label, *e.synonyms)
        }
        self.fitting = [self._fitting(side, names) for side in ("domain", "range")]
        self.labels = {
            "types": torch.from_numpy(types),
            "relations": torch.from_numpy(readings.reshape(-1, types.shape[1])),
            "domain": torch.cat((self.fitting[0], self.fitting[1][self.turned])),
            "range": torch.cat((self.fitting[1], self.fitting[0][self.turned])),
            "by_rule": torch.tensor([e.literal in ("date", "number") for e in self.types], dtype=torch.bool),
        }
        # a University may be the object where an Organization was seen: types of one family, mended afterwards
        family = torch.tensor([[schema.family(a) == schema.family(b) for b in names] for a in names], dtype=torch.float)
        self.directed = ((self.fitting[0].float() @ family) * self.fitting[1] > 0).any(-1).to(self.device)
        self.legal = [(side.float() @ family > 0).to(self.device) for side in self.fitting]

    def _fitting(self, side: str, names: list[str]) -> torch.Tensor:
        """(R, T) whether a type may stand on that side of a relation."""
        rows = [[self.schema.fits(n, getattr(r, side)) for n in names] for r in self.relations]
        return torch.tensor(rows, dtype=torch.bool).view(len(self.relations), len(names))

    def __call__(self, passages: Sequence[Passage]) -> list[Found]:
        """What each passage says, in order; offsets are those of the document."""
        reads = [read for i, passage in enumerate(passages) for read in self._reads(i, passage)]
        found: list[list[_Row]] = [[] for _ in passages]
        for chosen, decoded in self._decoded(reads, passages):
            self._collect(chosen, decoded, passages, found)
        return [self._finished(passage, rows) for passage, rows in zip(passages, found, strict=True)]

    def _index(self, name: str) -> int:
        return next(i for i, e in enumerate(self.types) if e.name == name)

    def _reads(self, index: int, passage: Passage) -> Iterator[_Read]:
        spans = [(*m.span(), self.person if m["person"] else -1, "") for m in PRONOUN.finditer(passage.text)]
        for f in literals.find(passage.text):
            if f.kind in self.rule_types:
                spans.append((f.start, f.end, self.rule_types[f.kind], f.value))
        for window in windows(passage.text, self.tokenizer, start=passage.start):
            read = _Read(index, window, [], [], {})
            for start, end, kind, value in spans:
                found = window.word_span(passage.start + start, passage.start + end)
                if found and found[1] - found[0] < MAX_WIDTH:
                    read.forced.append(found)
                    read.fixed.append(kind)
                    read.values[found] = value
            dates = [found for found in read.values if len(read.values[found]) > 3 and "-" in read.values[found]]
            for first, last in name_runs(self._words(read, passage, lower=False), window.sentences):
                if (first, last) not in read.forced and all(b < first or last < a for a, b in dates):
                    read.forced.append((first, last))
                    read.fixed.append(-1)
            yield read

    @torch.inference_mode()
    def _decoded(
        self, reads: Sequence[_Read], passages: Sequence[Passage], *, budget: int = 4096
    ) -> Iterator[tuple[list[_Read], Decoded]]:
        if not self.relations and not self.types:
            return
        for indexes in token_batches([len(r.window.pieces) for r in reads], budget=budget):
            chosen = [reads[i] for i in indexes]
            tensors = collate(
                [r.window for r in chosen], forced=[r.forced for r in chosen], fixed=[r.fixed for r in chosen]
            )
            b, t, n = len(chosen), len(self.types), len(self.labels["relations"])
            masks = {
                "type_mask": torch.ones(b, t, dtype=torch.bool),
                "relation_mask": torch.ones(b, n, dtype=torch.bool),
            }
            batch = Batch(**tensors, **self.labels, **masks).to(self.device)
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
                scores = self.network(batch, top_k=TOP_K)
            words = [self._words(read, passages[read.passage]) for read in chosen]
            places, pronouns = _sentences_of(chosen, words, batch)
            said = cues.marked(words, self.cues, n_words=batch.words.shape[1], n_relations=len(self.relations))
            said = cues.evidence(said.to(self.device), scores.spans, places, pronouns, self.directed)
            against = said.amax(-1, keepdim=True) * (1 - said) if said.shape[-1] else said
            scores.relations = self._turned_back(scores.relations) + CUE_WEIGHT * said - CUE_AGAINST * against
            open_ = self._open(scores, batch)
            scores.types = scores.types.masked_fill(self._joined_people(words, scores), -torch.inf)
            scores.types = scores.types.masked_fill(_astride(places, scores.spans).unsqueeze(-1), -torch.inf)
            scores.types = scores.types + self._name_types(chosen, passages, scores, open_)
            named = self._head_types(words, scores).bool()
            scores.types = torch.where(named, scores.types.amax(-1, keepdim=True) + HEAD_BONUS, scores.types)
            yield (
                chosen,
                decode(
                    scores, batch, domain=self.legal[0], range_=self.legal[1], threshold=self.threshold,
                    mention_threshold=torch.where(open_, 0, self.mention_threshold),
                ),
            )  # fmt: skip

    def _name_types(
        self, chosen: list[_Read], passages: Sequence[Passage], scores: Scores, open_: torch.Tensor
    ) -> torch.Tensor:  # fmt: skip
        """(B, K, T): what the names alone suggest: cosine of name and type label, over the mean of the types.

        The embedder knows many names from its own training, also of kinds that the extractor's data lacks.
        """
        likely = scores.kept & ((scores.types.amax(-1).sigmoid() >= NAME_THRESHOLD) | open_)
        b, k = likely.nonzero(as_tuple=True)
        names = []
        for row, (first, last) in zip(b.tolist(), scores.spans[b, k].tolist(), strict=True):
            offsets, passage = chosen[row].window.offsets, passages[chosen[row].passage]
            names.append(passage.text[offsets[first][0] - passage.start : offsets[last][1] - passage.start])
        new = [name for name in dict.fromkeys(names) if name not in self.known]
        if len(self.known) > KNOWN_NAMES:  # memory stays flat over a corpus of any length
            self.known = {name: self.known[name] for name in names if name in self.known}
        if new:
            self.known.update(zip(new, self.embedder.encode(new) @ self.type_vectors.T, strict=True))
        out = torch.zeros_like(scores.types)
        if names:
            cosine = torch.from_numpy(np.stack([self.known[name] for name in names])).to(out.device)
            out[b, k] = NAME_WEIGHT * (cosine - cosine.mean(-1, keepdim=True))
        return out

    def _turned_back(self, readings: torch.Tensor) -> torch.Tensor:
        """(B, K, K, R + I) to (B, K, K, R): a relation scores as its better reading, its own or its inverse turned."""
        n = len(self.relations)
        own, turned = readings[..., :n].clone(), readings[..., n:].transpose(1, 2)
        own[..., self.turned] = torch.maximum(own[..., self.turned], turned)
        return own

    def _words(self, read: _Read, passage: Passage, *, lower: bool = True) -> list[str]:
        words = [passage.text[s - passage.start : e - passage.start] for s, e in read.window.offsets]
        return [word.lower() for word in words] if lower else words

    def _joined_people(self, windows_words: list[list[str]], scores: Scores) -> torch.Tensor:
        """(B, K, T): types of people for spans with `and` or a comma in them: those are several people."""
        joins = torch.zeros(len(windows_words), scores.span_types.shape[1] + 1)
        for b, words in enumerate(windows_words):
            joins[b, 1 : len(words) + 1] = torch.tensor([float(w in ("and", "&", ",")) for w in words])
        total = joins.cumsum(1).to(scores.spans.device)
        within = total.gather(1, scores.spans[..., 1] + 1) - total.gather(1, scores.spans[..., 0]) > 0
        return within.unsqueeze(-1) & self.human.to(within.device)

    def _head_types(self, windows_words: list[list[str]], scores: Scores) -> torch.Tensor:
        """(B, K, T): 1 for the type that the head word of a span of several words names, else 0.

        The head is the last word, or the one before of, for, at, in: the University of Manchester is a university.
        """
        n = scores.span_types.shape[1]
        named = torch.full((len(windows_words), n), -1)
        border = torch.full((len(windows_words), n), n)  # the next word at or after this one that ends the head
        for b, words in enumerate(windows_words):
            for i, word in enumerate(words):
                two = f"{words[i - 1]} {word}" if i else word
                named[b, i] = self.heads.get(two, self.heads.get(word, -1))
                if word in _AFTER_HEAD:
                    border[b, i] = i
        border = border.flip(1).cummin(1).values.flip(1).to(scores.spans.device)
        first, last = scores.spans[..., 0], scores.spans[..., 1]  # (B, K)
        head = torch.minimum(last, border.gather(1, first) - 1).clamp(min=0)
        kind = named.to(head.device).gather(1, head)
        good = (kind >= 0) & (last > first) & (head >= first)
        return torch.nn.functional.one_hot(kind.clamp(min=0), len(self.types)) * good.unsqueeze(-1)

    @staticmethod
    def _open(scores: Scores, batch: Batch) -> torch.Tensor:
        """(B, K): the forced spans whose type is not given."""
        where = batch.forced[..., 0] * MAX_WIDTH + batch.forced[..., 1] - batch.forced[..., 0]
        open_ = batch.forced_mask & (batch.fixed < 0)
        return ((scores.flat.unsqueeze(-1) == where.unsqueeze(1)) & open_.unsqueeze(1)).any(-1)

    def _collect(
        self, chosen: list[_Read], decoded: Decoded, passages: Sequence[Passage], found: list[list[_Row]]
    ) -> None:  # fmt: skip
        """Adds the mentions of a batch to the rows of their passages, and to each its relations as subject."""
        rows: list[_Row] = []
        for (b, first, last, kind), scores in zip(decoded.mentions.tolist(), decoded.type_scores.tolist(), strict=True):
            read = chosen[b]
            span = read.window.offsets[first][0], read.window.offsets[last][1]
            rows.append(_Row(*span, kind, scores, read.values.get((first, last), "")))
            found[read.passage].append(rows[-1])
        ranked = decoded.relation_scores.argsort(descending=True).tolist()
        relations, scores = decoded.relations.tolist(), decoded.relation_scores.tolist()
        for subject, label, object_, score in ((*relations[i], scores[i]) for i in ranked):
            self._refine(rows[subject], self.fitting[0][label])
            self._refine(rows[object_], self.fitting[1][label])
            rows[subject].out.append((label, rows[object_], score))
        by_window: dict[int, list[int]] = {}
        for number, (b, *_) in enumerate(decoded.mentions.tolist()):
            by_window.setdefault(b, []).append(number)
        for b, numbers in by_window.items():
            self._add_stated(chosen[b], passages, [rows[n] for n in numbers], decoded.mentions[numbers].tolist())

    def _add_stated(self, read: _Read, passages: Sequence[Passage], rows: list[_Row], where: list[list[int]]) -> None:
        """Adds the relations of a window that its words state outright; other relations of such a pair give way."""
        order = sorted(range(len(rows)), key=lambda n: where[n][1])
        rows = [rows[n] for n in order]
        words, places = self._words(read, passages[read.passage]), read.window.sentences
        for place, row in zip(order, rows, strict=True):
            first = where[place][1]
            if words[first] in ("it", "its"):
                self._guess(
                    row, [r for n, r in zip(order, rows, strict=True) if places[where[n][2]] == places[first] - 1]
                )

        def legal(subject: int, relation: int, object_: int) -> bool:
            ends = ((rows[subject], self.legal[0]), (rows[object_], self.legal[1]))
            return subject != object_ and all(
                bool(side[relation, row.kind])
                or (not row.settled and max(compress(row.scores, side[relation].tolist()), default=0) >= POSSIBLE_TYPE)
                for row, side in ends
            )

        found = cues.stated(
            words, places, [(where[n][1], where[n][2]) for n in order], self.cues, legal, self.directed.tolist(),
        )  # fmt: skip
        for subject, label, object_ in sorted(found):
            head, tail = rows[subject], rows[object_]
            score = max([STATED_SCORE, *(s for r, other, s in head.out if r == label and other is tail)])
            for one, other in ((head, tail), (tail, head)):
                one.out = [out for out in one.out if out[1] is not other or out[2] == STATED_SCORE]
            self._refine(head, self.fitting[0][label])
            self._refine(tail, self.fitting[1][label])
            head.out.append((label, tail, score))

    def _guess(self, pronoun: _Row, before: list[_Row]) -> None:
        """Gives `it` the types of what the sentence before it speaks of first, people and literals aside."""
        things = [row for row in before if row.kind != self.person and not row.value and row is not pronoun]
        if things and not pronoun.settled:
            pronoun.kind = things[0].kind
            pronoun.scores = [max(scores) for scores in zip(*(row.scores for row in things[:2]), strict=True)]

    def _refine(self, row: _Row, allowed: torch.Tensor) -> None:
        """Gives a mention the likeliest of the types that its relation allows, once."""
        if not row.settled and not allowed[row.kind]:
            row.kind = max(allowed.nonzero().flatten().tolist(), key=row.scores.__getitem__)
        row.settled = True

    def _finished(self, passage: Passage, rows: list[_Row]) -> Found:
        needed = {id(end) for row in rows for _, other, _ in row.out for end in (row, other)}
        rows = [row for row in rows if max(row.scores) >= FORCED_THRESHOLD or id(row) in needed]
        rows.sort(key=lambda row: (row.start, row.end))
        place = {id(row): i for i, row in enumerate(rows)}
        mentions = []
        for row in rows:
            entity_type = self.types[row.kind]
            surface = passage.text[row.start - passage.start : row.end - passage.start]
            value = surface if entity_type.literal == "text" else row.value
            score = max(row.scores) if row.settled else row.scores[row.kind]
            mentions.append(Mention(row.start, row.end, entity_type.name, rounded(score), value))
        borders = sentences(passage.text) if any(row.out for row in rows) else []
        taken: set[tuple[int, str, int]] = set()
        relations = []
        for score, i, label, j in sorted(
            ((score, i, label, place[id(other)]) for i, row in enumerate(rows) for label, other, score in row.out),
            key=lambda r: (-r[0], *r[1:]),
        ):
            known = self.relations[label]
            if not (self._fits(mentions[i], known.domain) and self._fits(mentions[j], known.range)):
                continue  # another, surer relation settled the type of one end
            if known.functional:  # one object a subject; a date is that of one subject
                ends = [(label, "subject", i)] + [(label, "object", j)] * bool(mentions[j].value)
                if any(end in taken for end in ends):
                    continue
                taken.update(ends)
            said = _polarity(passage, borders, mentions[i], mentions[j])
            relations.append(Relation(i, known.name, j, rounded(score), said))
        return tuple(mentions), tuple(sorted(relations, key=lambda r: (r.subject, r.object, r.type)))

    def _fits(self, mention: Mention, allowed: tuple[str, ...]) -> bool:
        return self.schema.fits(mention.type, allowed)


def _astride(places: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """(B, K): whether a span begins in one sentence and ends in another."""
    return places.gather(1, spans[..., 0]) != places.gather(1, spans[..., 1])


def _sentences_of(chosen: list[_Read], words: list[list[str]], batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, N) the number of each word's sentence, and whether a pronoun stands in that sentence."""
    places = torch.zeros(batch.words.shape, dtype=torch.long)
    pronouns = torch.zeros(batch.words.shape, dtype=torch.bool)
    for b, (read, row) in enumerate(zip(chosen, words, strict=True)):
        numbers = read.window.sentences
        back = {number for number, word in zip(numbers, row, strict=True) if PRONOUN.fullmatch(word)}
        places[b, : len(numbers)] = torch.tensor(numbers)
        pronouns[b, : len(numbers)] = torch.tensor([number in back for number in numbers])
    return places.to(batch.words.device), pronouns.to(batch.words.device)


def _polarity(passage: Passage, borders: list[tuple[int, int]], a: Mention, b: Mention) -> str:
    """Polarity in the sentence that holds both; of ends in two sentences, the first that is not asserted counts."""
    spans = sorted((m.start - passage.start, m.end - passage.start) for m in (a, b))
    homes = [next(((s, e) for s, e in borders if s <= at < e), (0, len(passage.text))) for at, _ in spans]
    if homes[0] == homes[1]:
        start, end = homes[0]
        return polarity(passage.text[start:end], *((s - start, e - start) for s, e in spans))
    for (start, end), span in zip(homes, spans, strict=True):
        said = polarity(passage.text[start:end], (0, 0), (span[0] - start, span[1] - start))
        if said != "asserted":
            return said
    return "asserted"


def save_checkpoint(network: JointNetwork, folder: Path, *, backbone: Path, training: dict[str, Any]) -> None:
    """Writes config.json and model.safetensors (fp16); the frozen word embeddings stay with the backbone's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = backbone.resolve() == (WEIGHTS / "embedder").resolve()
    state = {k: v.detach().half().contiguous().cpu() for k, v in network.state_dict().items() if k != FROZEN}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "format": FORMAT,
        "backbone": "embedder" if shipped else str(backbone.resolve()),
        "threshold": 0.5,
        "mention_threshold": 0.4,
        "training": training,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def load_network(folder: Path) -> tuple[JointNetwork, dict[str, Any]]:
    """The network of a checkpoint in fp32, and its config with the folders of backbone and tokenizer.

    ModelError when files are missing, damaged, or of another format version.
    """
    config = checkpoint_config(folder)
    home = WEIGHTS / "embedder" if config["backbone"] == "embedder" else Path(config["backbone"])
    try:
        state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
        words = load_file(home / "model.safetensors")["embeddings.word_embeddings.weight"].float()
    except (OSError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"The weights of {folder} (backbone {home}) cannot be read: {error}. Fetch or train them anew."
        ) from error
    network = JointNetwork(empty_backbone(home))
    load_weights(network, state | {FROZEN: words}, folder)
    return network.eval(), config | {"backbone_folder": str(home), "tokenizer_folder": str(home)}
