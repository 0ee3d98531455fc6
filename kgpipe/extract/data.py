"""Texts and annotations to model input: words, windows, labels, training examples.

A word is a run of letters and digits or one other character. A window is a stretch of whole sentences of at most
`MAX_WORDS` words; the model sees one window at a time.
"""

from __future__ import annotations

import gzip
import json
import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from kgpipe.errors import InputError
from kgpipe.records import content_id
from kgpipe.sentences import sentences

WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
MAX_WORDS = 100
MAX_PIECES = 240
SHAPES = 6
"""Case and shape of a word: lower, Capitalised, UPPER, mixed, has a digit, other."""


def shape(word: str) -> int:
    """The number of the word's shape, 0 to SHAPES - 1."""
    if any(c.isdigit() for c in word):
        return 4
    if not word[0].isalpha():
        return 5
    if word.islower():
        return 0
    if word.isupper():
        return 2 if len(word) > 1 else 1
    return 1 if word[0].isupper() and word[1:].islower() else 3


@dataclass(slots=True)
class Window:
    """Model input of one stretch of text: its words, and their offsets in the whole text.

    `pieces` are token ids with [CLS] and [SEP]; word i covers pieces first[i] to last[i] (both included).
    """

    start: int
    end: int
    words: list[str]
    offsets: list[tuple[int, int]]
    pieces: list[int]
    shapes: list[int]
    first: list[int]
    last: list[int]
    sentences: list[int]
    """Number of the sentence of each word."""

    def word_span(self, start: int, end: int) -> tuple[int, int] | None:
        """First and last word (both included) of a character span, or None when it cuts through a word."""
        begin = bisect_left(self.offsets, (start,))
        finish = bisect_left(self.offsets, end, key=itemgetter(1))
        if not begin <= finish < len(self.offsets):
            return None
        return (begin, finish) if (self.offsets[begin][0], self.offsets[finish][1]) == (start, end) else None


def windows(text: str, tokenizer: Tokenizer, *, max_words: int = MAX_WORDS, start: int = 0) -> list[Window]:
    """The text in windows of whole sentences; offsets begin at `start`. Longer sentences are cut between words.

    A window ends after a heading: a line that ends in a letter or digit.
    """
    cuts: list[list[tuple[int, int, int]]] = []
    before = 0
    for number, (s, e) in enumerate(sentences(text)):
        if cuts and "\n" in text[before:s] and text[before - 1].isalnum():
            cuts.append([])  # a heading is not the beginning of the sentence below it
        before = e
        words = [(s + m.start(), s + m.end(), number) for m in WORD.finditer(text[s:e])]
        done = 0
        while done < len(words):
            room = max_words - len(cuts[-1]) if cuts else 0
            if len(words) - done > room and (room < max_words or not cuts):
                cuts.append([])
                room = max_words
            cuts[-1].extend(words[done : done + room])
            done += room
    made: list[Window] = []
    todo = deque(cuts)
    while todo:
        words = todo.popleft()
        if not words:
            continue
        window = _window(text, words, tokenizer, start)
        if len(window.pieces) > MAX_PIECES and len(words) > 1:
            todo.extendleft((words[len(words) // 2 :], words[: len(words) // 2]))
        else:
            made.append(window)
    return made


def retokenised(window: Window, tokenizer: Tokenizer) -> Window:
    """The same words in the word pieces of another tokenizer."""
    return _encoded(window.words, window.offsets, window.sentences, tokenizer)


def _window(text: str, words: list[tuple[int, int, int]], tokenizer: Tokenizer, start: int) -> Window:
    surface = [text[s:e] for s, e, _ in words]
    return _encoded(surface, [(start + s, start + e) for s, e, _ in words], [number for *_, number in words], tokenizer)


def _encoded(words: list[str], offsets: list[tuple[int, int]], sentences: list[int], tokenizer: Tokenizer) -> Window:
    encoded = tokenizer.encode(words, is_pretokenized=True)
    first, last = [-1] * len(words), [-1] * len(words)
    by_word = [1 + shape(word) for word in words]
    shapes = [0] * len(encoded.ids)
    for position, word in enumerate(encoded.word_ids):
        if word is not None:
            first[word] = position if first[word] < 0 else first[word]
            last[word] = position
            shapes[position] = by_word[word]
    for i in range(len(words)):  # a word the tokenizer drops altogether (a lone combining mark) borrows a neighbour
        if first[i] < 0:
            first[i] = last[i] = last[i - 1] if i else 0
    ids, keep = encoded.ids[:MAX_PIECES], MAX_PIECES - 1
    return Window(
        start=offsets[0][0],
        end=offsets[-1][1],
        words=words,
        offsets=offsets,
        sentences=sentences,
        pieces=ids,
        shapes=shapes[:MAX_PIECES],
        first=[min(i, keep) for i in first],
        last=[min(i, keep) for i in last],
    )


def collate(
    chosen: Sequence[Window],
    *,
    forced: Sequence[Sequence[tuple[int, int]]] = (),
    fixed: Sequence[Sequence[int]] = (),
) -> dict[str, torch.Tensor]:
    """The tensors of a batch of windows that do not depend on labels (see `network.Batch`)."""
    b = len(chosen)
    pieces, n = max(len(w.pieces) for w in chosen), max(len(w.first) for w in chosen)
    g = max([len(f) for f in forced], default=0)
    out = {
        "pieces": torch.zeros(b, pieces, dtype=torch.long),
        "shapes": torch.zeros(b, pieces, dtype=torch.long),
        "mask": torch.zeros(b, pieces, dtype=torch.long),
        "first": torch.zeros(b, n, dtype=torch.long),
        "last": torch.zeros(b, n, dtype=torch.long),
        "words": torch.zeros(b, n, dtype=torch.bool),
        "forced": torch.zeros(b, g, 2, dtype=torch.long),
        "forced_mask": torch.zeros(b, g, dtype=torch.bool),
        "fixed": torch.full((b, g), -1),
    }
    for i, w in enumerate(chosen):
        out["pieces"][i, : len(w.pieces)] = torch.tensor(w.pieces)
        out["shapes"][i, : len(w.shapes)] = torch.tensor(w.shapes)
        out["mask"][i, : len(w.pieces)] = 1
        out["first"][i, : len(w.first)] = torch.tensor(w.first)
        out["last"][i, : len(w.last)] = torch.tensor(w.last)
        out["words"][i, : len(w.first)] = True
        if forced and forced[i]:
            out["forced"][i, : len(forced[i])] = torch.tensor(forced[i])
            out["forced_mask"][i, : len(forced[i])] = True
            if fixed:
                out["fixed"][i, : len(forced[i])] = torch.tensor(fixed[i])
    return out


@dataclass(slots=True)
class Example:
    """One training window: gold spans by words (first, last, type) and relations between them.

    `entity_types` and `relation_types` were open to the annotators; what is not among them says nothing.
    `weight_mentions` and `weight_relations` are the weights of a missing annotation as a negative.
    """

    source: str
    window: Window
    spans: list[tuple[int, int, str]] = field(default_factory=list)
    relations: list[tuple[int, int, str]] = field(default_factory=list)
    ignored: set[tuple[int, int]] = field(default_factory=set)
    entity_types: tuple[str, ...] = ()
    relation_types: tuple[str, ...] = ()
    weight_mentions: float = 1.0
    weight_relations: float = 1.0


def read_records(path: Path | str) -> Iterator[dict[str, Any]]:
    """The rows of a JSON Lines file (.gz or plain); InputError names file and line of what is wrong."""
    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise InputError(
                        f"{path} line {number} is not JSON: {error}. Correct or remove the line."
                    ) from error
                if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                    raise InputError(f'{path} line {number} has no "text". Each line is {{"id": ..., "text": ...}}.')
                yield row
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read {path}: {error}. Give a JSON Lines file in UTF-8, plain or gzip.") from error


PAIR_SETS = ("fewrel", "semeval")
"""Sets in which only one marked pair of a sentence is annotated."""


def held_out(record: dict[str, Any], share: float) -> bool:
    """Whether a record belongs to the `share` of all records that is kept out of training, by its text."""
    return int(content_id("held out", record["text"])[:8], 16) < share * 2**32


def examples(path: Path | str, tokenizer: Tokenizer, *, hold_out: float = 0.0) -> list[Example]:
    """Training windows of a file in the documented format; relations across windows are dropped.

    Records that are `held_out` at that share are left out.
    """
    made: list[Example] = []
    source = Path(path).name.split(".jsonl")[0]
    for record in read_records(path):
        if held_out(record, hold_out):
            continue
        complete = record.get("complete") or {"mentions": True, "relations": True}
        mentions, relations = record.get("mentions", []), record.get("relations", [])
        pair_only = source.startswith(PAIR_SETS)
        distant = source.startswith("tekgen")
        related = _clustered(mentions, relations)
        for window in windows(record["text"], tokenizer):
            spans: list[tuple[int, int, str]] = []
            index: dict[int, int] = {}
            for m, mention in enumerate(mentions):
                if window.start <= mention["start"] and mention["end"] <= window.end:
                    found = window.word_span(mention["start"], mention["end"])
                    if found:
                        index[m] = len(spans)
                        spans.append((*found, mention["type"]))
            kept = [
                (index[r["head"]], index[r["tail"]], r["type"])
                for r in relations
                if r["head"] in index and r["tail"] in index
            ]
            direct = {(a, b) for a, b, _ in kept}
            made.append(
                Example(
                    source=source,
                    window=window,
                    spans=spans,
                    relations=kept,
                    ignored={
                        (index[a], index[b]) for a, b in related if a in index and b in index
                    } - direct,
                    entity_types=tuple(record.get("entity_types") or sorted({m["type"] for m in mentions})),
                    relation_types=tuple(record.get("relation_types") or sorted({r["type"] for r in relations})),
                    weight_mentions=1.0 if complete["mentions"] else 0.2,
                    weight_relations=0.3 if pair_only else 1.0 if complete["relations"] or distant else 0.3,
                )
            )  # fmt: skip
    return made


def _clustered(mentions: Sequence[dict], relations: Sequence[dict]) -> set[tuple[int, int]]:
    """Mention pairs whose clusters are related, which are no negatives although they are not annotated."""
    members: dict[Any, list[int]] = defaultdict(list)
    for i, mention in enumerate(mentions):
        if mention.get("entity") is not None:
            members[mention["entity"]].append(i)
    pairs: set[tuple[int, int]] = set()
    for r in relations:
        heads = members.get(mentions[r["head"]].get("entity"), [r["head"]])
        tails = members.get(mentions[r["tail"]].get("entity"), [r["tail"]])
        pairs |= {(h, t) for h in heads for t in tails}
    return pairs
