"""The default extractor: a checkpoint of the joint network, given a schema at call time."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kgpipe import engine, literals, names
from kgpipe.errors import ModelError
from kgpipe.extract import cues, decode
from kgpipe.extract.base import CHECKPOINT, FORMAT, Found, checkpoint_config, fingerprint
from kgpipe.extract.data import Window, collate, retokenised, windows
from kgpipe.extract.demonyms import is_demonym, national
from kgpipe.extract.labels import label_vectors, mean_vectors, said
from kgpipe.extract.naming import Namer, pair_pieces, type_pieces
from kgpipe.extract.network import MAX_WIDTH, SURE, Batch, JointNetwork, Spans, best_allowed
from kgpipe.extract.polarity import polarity
from kgpipe.extract.proposals import PRONOUN, name_runs
from kgpipe.extract.scoring import FAR, ahead, known_logit, novelty, relation_features, type_features
from kgpipe.models.backbone import (
    WEIGHTS,
    check_finite,
    empty_backbone,
    load_backbone,
    load_tokenizer,
    load_weights,
    token_batches,
)
from kgpipe.models.embed import NAMER, Embedder, sentence_vectors
from kgpipe.records import Mention, Passage, Relation, rounded
from kgpipe.schema import Schema
from kgpipe.sentences import sentences

FROZEN = "backbone.embeddings.word_embeddings.weight"
KNOWN_TYPES, KNOWN_RELATIONS = "known_types", "known_relations"
SETTINGS: dict[str, Any] = {
    "mention_threshold": {"known": 0.4, "new": 0.18},
    "typing": [1, 0, 8, 0, 0, 0, -0.08, 0.224, 3.391, 10.507, 0.113, -4.682],
    "scoring": [1, 0, 0, 0.227, 0.032, -5.253, 8.154, 0.092, 0.205],
    "calibration": {
        "known": {"slope": 1.0, "offset": 0.0, "threshold": 0.5},
        "new": {"slope": 1.0, "offset": 0.0, "threshold": 0.08},
    },
    "precisions": {},
}
"""What a new checkpoint says before `kgpipe calibrate`: thresholds, and the weights of `scoring.relation_features` and
`type_features`, whose halves for new labels were fitted on sets that the network had not seen (docs/training.md)."""
FORCED_THRESHOLD = 0.15
"""Least score of a span that is written like a name (or is `it`)."""
TOP_K = 24
LEAST_FIT = 0.01
"""A pair whose types a relation does not allow is as unlikely as this."""
MAX_PAIRS, RELATED_THRESHOLD = 24, -4.0
"""For labels that are new, so many pairs a window are looked at, none with a lower logit of being related,"""
MAX_READ, READ_THRESHOLD = 10, -2.0
"""and of those the second pass reads so many, none with a lower logit of its best label at the first look."""
OWN_SHARE = 0.3
"""What the network itself would say of a pair counts so much beside what the second pass reads."""
MENTION_THRESHOLD = 0.3
"""A span that names something at least so surely stays when a relation needs it, whatever the scores of its types."""
HEAD_BONUS = 0.01
"""By how much a type whose label or synonym is the head word of a name is put before the likeliest other one: a Turing
Award is an award. Too little to change which of two overlapping spans wins."""
POSSIBLE_TYPE = 0.03
"""A name may still be of a type with this score when the words state a relation that needs it to be."""
STATED_SCORE = 0.75
"""Least raw score of a relation whose cue stands between two names that fit it, with no nearer ones."""
BETWEEN, BETWEEN_KNOWN = 1, 0
"""Words of content that may stand between such a cue and the two; fewer where the network knows the relation and does
not see it. Of 139 such in wiki_en those with none were right in 17 of 24, with one in 4 of 15, with more hardly ever;
with a pronoun, which the network was rarely shown, none 26 of 32, one 9 of 18. Of two pronouns none was right."""
APART = 2.5
"""Logits that a relation loses when its ends stand in two sentences; chosen on the sample corpus."""
SURER = 0.8
"""Raw score from which on another relation of two names stays although the words state one."""
CUE_WEIGHT, CUE_AGAINST = 2.0, 1.0
"""Logits that a relation gains from a cue word of its own, and loses where there is only one of another relation."""
SHARED_WEIGHT = 4.0
"""Logits that a new label gains when all its words stand between two names, by their stems, and for some of them their part:
the likeness of sentence vectors is blurred where a label is rare or means something else elsewhere. A label that the network
knows gains nothing: any such weight lowered F1 on the half of tekgen.dev that sets the threshold."""
MARGIN_WEIGHT = 10.0
"""Logits that a new label gains for each unit by which the cosine of pair and label is ahead of that of the next label, or
loses by which it is behind. Both weights were chosen by looking at WebNLG."""
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
    alone: bool
    """Whether it is a mention also if no relation needs it."""
    demonym: bool
    settled: bool = False
    out: list[tuple[int, _Row, float]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Decoded:
    """What became of a batch of windows; the last three are of pairs (P,) of the mentions."""

    chosen: list[_Read]
    spans: Spans
    """With the final logits of types."""
    mentions: decode.Mentions
    relations: decode.Relations
    pairs: torch.Tensor  # (P, 2)
    legal: torch.Tensor  # (P, R)
    logits: torch.Tensor  # (P, R)


class EncoderExtractor:
    """Reads passages with one schema. `threshold` 0 means the checkpoint's own."""

    def __init__(
        self,
        schema: Schema,
        *,
        checkpoint: Path | str = "",
        threshold: float = 0.0,
        device: str = "",
        like: EncoderExtractor | None = None,
    ) -> None:
        """`like` is one of the same checkpoint and device, whose models are used instead of loading them again."""
        folder = Path(checkpoint or CHECKPOINT)
        self.device = engine.device(device)
        self.dtype = engine.autocast_dtype(self.device)
        self.loaded = loaded = like.loaded if like else load_checkpoint(folder)
        config = loaded.config
        self.network = loaded.network.to(self.device)
        self.tokenizer = load_tokenizer(config["tokenizer_folder"])
        self.fingerprint = fingerprint(schema, checkpoint=folder, threshold=threshold)
        self.schema = schema
        self.types = list(schema.entities.values())
        self.relations = list(schema.relations.values())
        self.person = next((i for i, e in enumerate(self.types) if schema.family(e.name) in schema.people), -1)
        self.human = torch.tensor([schema.family(e.name) in schema.people for e in self.types], dtype=torch.bool)
        self.rule_types = {kind: self._index(name) for kind, name in schema.literal_types().items() if kind != "text"}
        self.embedder = like.embedder if like else Embedder(device=device, backbone=loaded.embedder)
        types, readings, self.turned = label_vectors(schema, self.embedder)
        self.weights, self.type_weights = (
            torch.tensor(config[name], dtype=torch.float, device=self.device) for name in ("scoring", "typing")
        )
        self.novel_types = self._novelty([e.label for e in self.types], loaded.known_types)
        self._prepare_naming(loaded, schema)
        self._prepare_scores(config["calibration"], threshold)
        least = config["mention_threshold"]
        self.mention_threshold = least["known"] + (least["new"] - least["known"]) * self.novel_types  # (T,)
        vectors = mean_vectors([[e.label, *e.synonyms] for e in self.types], self.embedder)
        self.type_vectors = torch.from_numpy(vectors).to(self.device)  # (T, V)
        self.national = torch.tensor([national(r) for r in self.relations], dtype=torch.bool, device=self.device)
        self.cues = cues.phrases(self.relations)
        self.stems = cues.stems(self.relations)
        # labels alone are chosen for reading; who gives synonyms has thought of the words that state a relation
        self.stating = cues.phrases(self.relations, but=[i for i, r in enumerate(self.relations) if not r.synonyms])
        kinds = [e.name for e in self.types]
        self.heads = {
            word.lower(): i for i, e in reversed(list(enumerate(self.types))) for word in (e.label, *e.synonyms)
        }
        self.fitting = [self._fitting(side, kinds) for side in ("domain", "range")]
        self.labels = {
            "types": torch.from_numpy(types),
            "relations": torch.from_numpy(readings.reshape(-1, types.shape[1])),
            "domain": torch.cat((self.fitting[0], self.fitting[1][self.turned])),
            "range": torch.cat((self.fitting[1], self.fitting[0][self.turned])),
            "by_rule": torch.tensor([e.literal in ("date", "number") for e in self.types], dtype=torch.bool),
        }
        # a University may be the object where an Organization was seen: types of one family, mended afterwards
        family = torch.tensor([[schema.family(a) == schema.family(b) for b in kinds] for a in kinds], dtype=torch.float)
        self.directed = ((self.fitting[0].float() @ family) * self.fitting[1] > 0).any(-1).to(self.device)
        self.legal = [(side.float() @ family > 0).to(self.device) for side in self.fitting]

    def _prepare_scores(self, curves: dict[str, dict[str, float]], threshold: float) -> None:
        """The curve from raw to honest scores of each relation (R,), its least honest score and its least raw one."""
        share = self.novel.cpu()
        slope, offset, least = (
            (1 - share) * curves["known"][name] + share * curves["new"][name]
            for name in ("slope", "offset", "threshold")
        )
        self.curves = torch.stack((slope, offset)).T.tolist()
        self.least = torch.full_like(least, threshold).tolist() if threshold else least.tolist()
        wanted = torch.tensor(self.least).clamp(1e-4, 1 - 1e-4)
        self.threshold = ((wanted.logit() - offset) / slope).sigmoid().to(self.device)

    def _honest(self, label: int, score: float) -> float:
        """The share of relations of such a raw score that is right."""
        slope, offset = self.curves[label]
        score = min(max(score, 1e-4), 1 - 1e-4)
        return 1 / (1 + math.exp(-(slope * math.log(score / (1 - score)) + offset)))

    def _novelty(self, labels: list[str], known: torch.Tensor) -> torch.Tensor:
        return novelty(torch.from_numpy(self.embedder.encode(labels, exact=True)), known).to(self.device)

    def _prepare_naming(self, loaded: Checkpoint, schema: Schema) -> None:
        """What the second pass needs of the schema: how new each relation is, its vector, the texts of types."""
        labels = [r.label for r in self.relations]
        self.novel = self._novelty(labels, loaded.known_relations)
        self.any_novel = bool((self.novel > 0).any())
        self.namer = Embedder(device=str(self.device), backbone=loaded.namer.backbone)
        vectors = mean_vectors([said(schema, r)[:2] for r in self.relations], self.namer)
        vectors = vectors.reshape(len(labels), self.namer.backbone.config.hidden_size)
        self.label_names = torch.from_numpy(vectors).to(self.device)  # (R, V)
        tokenizer = self.namer.tokenizer
        self.same_tokenizer = self.tokenizer.to_str() == tokenizer.to_str()
        self.naming_ends = (tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]"))
        self.type_texts = tuple(t.to(self.device) for t in type_pieces([e.label for e in self.types], tokenizer))

    def _fitting(self, side: str, names: list[str]) -> torch.Tensor:
        """(R, T) whether a type may stand on that side of a relation."""
        rows = [[self.schema.fits(n, getattr(r, side)) for n in names] for r in self.relations]
        return torch.tensor(rows, dtype=torch.bool).view(len(self.relations), len(names))

    def __call__(self, passages: Sequence[Passage]) -> list[Found]:
        """What each passage says, in order; offsets are those of the document."""
        reads = [read for i, passage in enumerate(passages) for read in self._reads(i, passage)]
        found: list[list[_Row]] = [[] for _ in passages]
        for decoded in self._decoded(reads):
            self._collect(decoded, passages, found)
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
            dates = [found for found in read.values if read.values[found][4:5] == "-"]
            runs = name_runs(window.words, window.sentences)
            self._drop_numbers_in_names(read, runs, dates)
            for first, last in runs:
                if (first, last) not in read.forced and all(b < first or last < a for a, b in dates):
                    read.forced.append((first, last))
                    read.fixed.append(-1)
            yield read

    @staticmethod
    def _drop_numbers_in_names(read: _Read, runs: list[tuple[int, int]], dates: list[tuple[int, int]]) -> None:
        """The 164 of Alfa Romeo 164 counts nothing."""
        for number in [span for span in read.values if span not in dates]:
            if any(a <= number[0] and number[1] <= b for a, b in runs if (a, b) != number):
                at = read.forced.index(number)
                del read.forced[at], read.fixed[at], read.values[number]

    @torch.inference_mode()
    def _decoded(self, reads: Sequence[_Read], *, budget: int = 4096) -> Iterator[Decoded]:
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
                seen = self.network.look(batch, top_k=TOP_K)
            words = [[word.lower() for word in read.window.words] for read in chosen]
            places, pronouns = _sentences_of(chosen, words, batch)
            open_ = self._open(seen, batch)
            hoped = open_ | (seen.mention.sigmoid() >= MENTION_THRESHOLD)
            types = seen.types.masked_fill(self._joined_people(words, seen), -torch.inf)
            no_name = _astride(places, seen.spans) | (_count(words, _alphanumeric, seen) == 0)
            types = types.masked_fill(no_name.unsqueeze(-1), -torch.inf)
            types = self._retyped(replace(seen, types=types))
            named = self._head_types(words, seen).bool()
            types = torch.where(named, types.amax(-1, keepdim=True) + HEAD_BONUS, types)
            final = replace(seen, types=types)
            least = torch.where(open_, FORCED_THRESHOLD, self.mention_threshold[types.argmax(-1)])
            mentions = decode.mentions(final, by_rule=batch.by_rule, least=least, hoped=hoped)
            pairs, legal = decode.pairs(
                mentions,
                domain=self.legal[0],
                range_=self.legal[1],
                novel=self.novel_types,
                novel_relations=self.novel,
            )
            where = torch.cat((mentions.rows[pairs[:, 0], :1], mentions.slot[pairs]), -1)  # (P, 3)
            said = cues.marked(words, self.cues, n_words=batch.words.shape[1], n_relations=len(self.relations))
            said = cues.evidence(said.to(self.device), seen.spans, where, places, pronouns, self.directed)
            against = said.amax(-1, keepdim=True) * (1 - said) if said.shape[-1] else said
            logits = self._scored(chosen, batch, seen, mentions, pairs, legal)
            logits = logits + CUE_WEIGHT * said - CUE_AGAINST * against
            demonym = torch.tensor(
                [self._is_demonym(chosen[b], *row) for b, *row in mentions.rows.tolist()],
                dtype=torch.bool,
                device=self.device,
            )  # (M,)
            logits[demonym[pairs].any(-1).unsqueeze(-1) & ~self.national] = -FAR
            at = places[where[:, :1], seen.spans[where[:, :1], where[:, 1:], 0]]  # (P, 2) sentences of the two ends
            logits = logits - APART * (at[:, 0] != at[:, 1]).unsqueeze(-1)
            related = decode.relations(logits, pairs, legal, n=len(mentions.rows), threshold=self.threshold)
            yield Decoded(chosen, final, mentions, related, pairs, legal, logits)

    def _retyped(self, seen: Spans) -> torch.Tensor:
        """(B, K, T) final logits of types; a type given by rule stays as it is.

        The sentence encoder knows many names from its own training, also of kinds that the extractor's data lacks: the
        cosines of a type's label with what it would say of the name, and of the name in its context, are features.
        """
        given = (seen.types == SURE).any(-1, keepdim=True)
        cosines = seen.name @ self.type_vectors.T, seen.context @ self.type_vectors.T
        made = type_features(seen.types, seen.mention, *cosines, self.novel_types) @ self.type_weights
        return torch.where(given | (seen.types == -torch.inf), seen.types, made)

    def _scored(
        self,
        chosen: list[_Read],
        batch: Batch,
        seen: Spans,
        mentions: decode.Mentions,
        pairs: torch.Tensor,
        legal: torch.Tensor,
    ) -> torch.Tensor:
        """(P, R) final logits: those of the network where it knows a label, with the second pass where not.

        The second pass reads the pairs that are likeliest by what the network itself would say of them; of the others a
        new label is never said. A relation scores as its better reading, its own or its inverse for the pair turned.
        """
        where = torch.stack((mentions.rows[pairs[:, 0], 0], *mentions.slot[pairs].T))  # (3, P)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
            readings, related = self.network.pairs(batch, seen, *where)  # (P, R + I), (P,)
        n = len(self.relations)
        joint, inverse = readings[:, :n], readings[:, n:][decode.turned(pairs, len(mentions.rows))]
        joint[:, self.turned] = torch.maximum(joint[:, self.turned], inverse)
        out = known_logit(joint, related, self.weights).masked_fill(self.novel > 0, -FAR)
        if not self.any_novel or not len(pairs):
            return out
        new = legal & (self.novel > 0)  # (P, R)
        words = [[word.lower() for word in read.window.words] for read in chosen]
        shared = cues.shared(words, self.stems, mentions.rows, pairs)

        def scored(read: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
            fit = [
                best_allowed(mentions.type_scores[end], side).clamp(min=LEAST_FIT).log()
                for end, side in zip(pairs[read].T, self.legal, strict=True)
            ]
            cosine = vectors @ self.label_names.T
            made = relation_features(joint[read], related[read], cosine, fit[0] + fit[1], self.novel) @ self.weights
            stated = SHARED_WEIGHT * shared[read] + MARGIN_WEIGHT * ahead(cosine, legal[read])
            return made + stated * (self.novel > 0)

        wanted = new.any(-1) & (related >= RELATED_THRESHOLD)
        look = decode.likeliest(torch.where(wanted, related, -torch.inf), where[0], MAX_PAIRS)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
            phrases = self.network.phrases(batch, seen, *where[:, look])
        best = torch.full_like(related, -torch.inf)
        best[look] = scored(look, phrases).masked_fill(~new[look], -torch.inf).amax(-1)
        read = decode.likeliest(best.masked_fill(best < READ_THRESHOLD, -torch.inf), where[0], MAX_READ)
        if len(read):
            subject, object_ = pairs[read].T
            vectors = self._pair_vectors(chosen, batch, mentions.rows[subject], mentions.rows[object_])
            place = torch.zeros_like(where[0])
            place[look] = torch.arange(len(look), device=place.device)
            mixed = (1 - OWN_SHARE) * vectors + OWN_SHARE * phrases[place[read]]
            vectors = torch.nn.functional.normalize(mixed, dim=-1)
            out[read] = torch.where(self.novel > 0, scored(read, vectors), out[read])
        return out

    def _pair_vectors(
        self, chosen: list[_Read], batch: Batch, subject: torch.Tensor, object_: torch.Tensor
    ) -> torch.Tensor:
        """(P, V): the vectors of the texts of pairs of mentions, given as their rows (P, 4)."""
        tensors = {"pieces": batch.pieces, "mask": batch.mask, "first": batch.first, "last": batch.last}
        if not self.same_tokenizer:
            again = collate([retokenised(r.window, self.namer.tokenizer) for r in chosen])
            tensors = {name: t.to(self.device) for name, t in again.items()}
        rows = torch.cat((subject[:, :3], object_[:, 1:3]), -1)
        kinds = torch.stack((subject[:, 3], object_[:, 3]), -1)
        pieces, mask = pair_pieces(tensors, rows, kinds, self.type_texts, self.naming_ends)
        lengths = mask.sum(1).tolist()
        out = torch.zeros(len(rows), self.label_names.shape[1], device=self.device)
        for some in token_batches(lengths, budget=4096):
            longest = lengths[some[0]]
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
                out[some] = sentence_vectors(self.namer.backbone, pieces[some, :longest], mask[some, :longest])
        return out

    def _is_demonym(self, read: _Read, first: int, last: int, kind: int) -> bool:
        return not self.human[kind] and is_demonym(" ".join(read.window.words[first : last + 1]))

    def _joined_people(self, windows_words: list[list[str]], seen: Spans) -> torch.Tensor:
        """(B, K, T): types of people for spans with `and` or a comma in them: those are several people."""
        joined = _count(windows_words, lambda word: word in ("and", "&", ","), seen) > 0
        return joined.unsqueeze(-1) & self.human.to(joined.device)

    def _head_types(self, windows_words: list[list[str]], scores: Spans) -> torch.Tensor:
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
    def _open(scores: Spans, batch: Batch) -> torch.Tensor:
        """(B, K): the forced spans whose type is not given."""
        where = batch.forced[..., 0] * MAX_WIDTH + batch.forced[..., 1] - batch.forced[..., 0]
        open_ = batch.forced_mask & (batch.fixed < 0)
        return ((scores.flat.unsqueeze(-1) == where.unsqueeze(1)) & open_.unsqueeze(1)).any(-1)

    def _collect(self, decoded: Decoded, passages: Sequence[Passage], found: list[list[_Row]]) -> None:
        """Adds the mentions of a batch to the rows of their passages, and to each its relations as subject."""
        chosen, mentions, related = decoded.chosen, decoded.mentions, decoded.relations
        rows: list[_Row] = []
        for (b, first, last, kind), scores, alone in zip(
            mentions.rows.tolist(), mentions.type_scores.tolist(), mentions.alone.tolist(), strict=True
        ):
            read = chosen[b]
            span = read.window.offsets[first][0], read.window.offsets[last][1]
            if (first, last) not in read.values:
                home = passages[read.passage]
                inner = names.trimmed(home.text, span[0] - home.start, span[1] - home.start)
                span = inner[0] + home.start, inner[1] + home.start
            value, people = read.values.get((first, last), ""), self._is_demonym(read, first, last, kind)
            rows.append(_Row(*span, kind, scores, value, alone, people))
            found[read.passage].append(rows[-1])
        ranked = related.scores.argsort(descending=True).tolist()
        relations, scores = related.rows.tolist(), related.scores.tolist()
        for subject, label, object_, score in ((*relations[i], scores[i]) for i in ranked):
            self._refine(rows[subject], self.fitting[0][label])
            self._refine(rows[object_], self.fitting[1][label])
            rows[subject].out.append((label, rows[object_], score))
        by_window: dict[int, list[int]] = {}
        for number, (b, *_) in enumerate(mentions.rows.tolist()):
            by_window.setdefault(b, []).append(number)
        for b, numbers in by_window.items():
            self._add_stated(chosen[b], [rows[n] for n in numbers], mentions.rows[numbers].tolist())

    def _add_stated(self, read: _Read, rows: list[_Row], where: list[list[int]]) -> None:
        """Adds the relations of a window that its words state outright; other relations of such a pair give way."""
        order = sorted(range(len(rows)), key=lambda n: where[n][1])
        rows = [rows[n] for n in order]
        words, places = [word.lower() for word in read.window.words], read.window.sentences
        for place, row in zip(order, rows, strict=True):
            first = where[place][1]
            if words[first] in ("it", "its"):
                self._guess(
                    row, [r for n, r in zip(order, rows, strict=True) if places[where[n][2]] == places[first] - 1]
                )

        def legal(subject: int, relation: int, object_: int) -> bool:
            ends = ((rows[subject], self.legal[0]), (rows[object_], self.legal[1]))
            if (rows[subject].demonym or rows[object_].demonym) and not self.national[relation]:
                return False
            return subject != object_ and all(
                bool(side[relation, row.kind])
                or (not row.settled and max(compress(row.scores, side[relation].tolist()), default=0) >= POSSIBLE_TYPE)
                for row, side in ends
            )

        spans = [(where[n][1], where[n][2]) for n in order]
        found = cues.stated(words, places, spans, self.stating, legal, self.directed.tolist())
        is_pronoun = [a == b and PRONOUN.fullmatch(words[a]) is not None for a, b in spans]
        for (subject, label, object_), apart in sorted(found.items()):
            head, tail = rows[subject], rows[object_]
            seen = [s for r, other, s in head.out if r == label and other is tail]
            least = BETWEEN if self.novel[label] or is_pronoun[subject] or is_pronoun[object_] else BETWEEN_KNOWN
            if not seen and (apart > least or (is_pronoun[subject] and is_pronoun[object_])):
                continue
            score = max([STATED_SCORE, *seen])
            ends = ((head, tail), (tail, head))
            if any(s > max(score, SURER) for one, other in ends for _, end, s in one.out if end is other):
                continue  # the network is surer of another relation of the two
            for one, other in ends:
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
        rows = [row for row in rows if row.alone or id(row) in needed]
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
            (
                (self._honest(label, score), i, label, place[id(other)])
                for i, row in enumerate(rows)
                for label, other, score in row.out
            ),
            key=lambda r: (-r[0], *r[1:]),
        ):
            known = self.relations[label]
            if score < self.least[label]:
                continue
            if not (self._fits(mentions[i], known.domain) and self._fits(mentions[j], known.range)):
                continue  # another, surer relation settled the type of one end
            if known.functional:  # one object a subject; a date is that of one subject
                ends = [(label, "subject", i)] + [(label, "object", j)] * bool(mentions[j].value)
                if any(end in taken for end in ends):
                    continue
                taken.update(ends)
            stands = _polarity(passage, borders, mentions[i], mentions[j], known.label)
            relations.append(Relation(i, known.name, j, rounded(score), stands))
        return tuple(mentions), tuple(sorted(relations, key=lambda r: (r.subject, r.object, r.type)))

    def _fits(self, mention: Mention, allowed: tuple[str, ...]) -> bool:
        return self.schema.fits(mention.type, allowed)


def _alphanumeric(word: str) -> bool:
    return any(c.isalnum() for c in word)


def _count(windows_words: list[list[str]], wanted: Callable[[str], bool], seen: Spans) -> torch.Tensor:
    """(B, K): how many of the words of each span are wanted."""
    found = torch.zeros(len(windows_words), seen.span_types.shape[1] + 1)
    for b, words in enumerate(windows_words):
        found[b, 1 : len(words) + 1] = torch.tensor([float(wanted(word)) for word in words])
    total = found.cumsum(1).to(seen.spans.device)
    return total.gather(1, seen.spans[..., 1] + 1) - total.gather(1, seen.spans[..., 0])


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


def _polarity(passage: Passage, borders: list[tuple[int, int]], a: Mention, b: Mention, label: str) -> str:
    """Polarity in the sentence that holds both; of ends in two sentences, the first that is not asserted counts."""
    spans = sorted((m.start - passage.start, m.end - passage.start) for m in (a, b))
    homes = [next(((s, e) for s, e in borders if s <= at < e), (0, len(passage.text))) for at, _ in spans]
    if homes[0] == homes[1]:
        start, end = homes[0]
        return polarity(passage.text[start:end], *((s - start, e - start) for s, e in spans), label)
    for (start, end), span in zip(homes, spans, strict=True):
        said = polarity(passage.text[start:end], (0, 0), (span[0] - start, span[1] - start), label)
        if said != "asserted":
            return said
    return "asserted"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained extractor: the joint network, the namer, vectors (U, V) of the labels both were trained with.

    `embedder` is the shipped encoder; what is frozen of the namer, and of a network on the same backbone, is its own.
    """

    network: JointNetwork
    namer: Namer
    embedder: torch.nn.Module
    known_types: torch.Tensor
    known_relations: torch.Tensor
    config: dict[str, Any]
    """config.json, with the folders of backbone and tokenizer."""


def save_checkpoint(
    folder: Path,
    network: JointNetwork,
    namer: Namer,
    known: tuple[torch.Tensor, torch.Tensor],
    *,
    backbone: Path,
    training: dict[str, Any],
    settings: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Writes config.json and model.safetensors (fp16); what is frozen stays with the folder it came from.

    `known` are the vectors (U, V) of the types and of the relations of all training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shipped = backbone.resolve() == (WEIGHTS / "embedder").resolve()
    state = {k: v for k, v in network.state_dict().items() if k != FROZEN}
    state |= dict(zip((KNOWN_TYPES, KNOWN_RELATIONS), known, strict=True))
    state |= {NAMER + k: v for k, v in namer.own().items()}
    state = {k: v.detach().half().contiguous().cpu() for k, v in state.items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = {"format": FORMAT, "backbone": "embedder" if shipped else str(backbone.resolve())}
    config |= (settings or SETTINGS) | {"training": training}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def load_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint of a folder in fp32. ModelError when files are missing, damaged, or of another format version."""
    config = checkpoint_config(folder)
    home = WEIGHTS / "embedder" if config["backbone"] == "embedder" else Path(config["backbone"])
    try:
        state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
        words = load_file(home / "model.safetensors")["embeddings.word_embeddings.weight"].float()
        known = state.pop(KNOWN_TYPES), state.pop(KNOWN_RELATIONS)
    except (OSError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"The weights of {folder} (backbone {home}) cannot be read: {error}. Fetch or train them anew."
        ) from error
    check_finite(dict(zip((KNOWN_TYPES, KNOWN_RELATIONS), known, strict=True)), folder)
    embedder = load_backbone(WEIGHTS / "embedder").eval()
    namer = Namer(embedder)  # says which parameters are frozen
    frozen = {id(p): p for p in namer.parameters() if not p.requires_grad}
    namer = copy.deepcopy(namer, frozen)  # one copy of the frozen ones in memory
    own = {k.removeprefix(NAMER): state.pop(k) for k in list(state) if k.startswith(NAMER)}
    load_weights(namer, {k: v for k, v in namer.state_dict().items() if k not in namer.own()} | own, folder)
    network = JointNetwork(empty_backbone(home))
    load_weights(network, state | {FROZEN: words}, folder)
    if home == WEIGHTS / "embedder":
        network.backbone.get_input_embeddings().weight = embedder.get_input_embeddings().weight
    found = config | {"backbone_folder": str(home), "tokenizer_folder": str(home)}
    return Checkpoint(network.eval(), namer.eval(), embedder, *known, found)
