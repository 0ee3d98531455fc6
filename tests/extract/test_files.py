"""Texts of any length and odd strings through `kgpipe extract`, JSON Lines in and out."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgpipe import schema
from kgpipe.errors import InputError
from kgpipe.extract import files
from kgpipe.literals import find
from kgpipe.records import Mention, Relation

DATES = schema.parse("entities: {Date: {literal: date}}")


class Dates:
    """An extractor of dates by rule, each related to the one before; `bad` in a passage fails."""

    fingerprint = "dates"

    def __init__(self):
        self.sizes = []

    def __call__(self, passages):
        self.sizes.append(sum(len(p.text) for p in passages))
        if any("bad" in p.text for p in passages):
            raise ValueError("no")
        found = []
        for p in passages:
            mentions = [Mention(p.start + f.start, p.start + f.end, "Date", 1.0, f.value) for f in find(p.text)]
            relations = [Relation(i - 1, "BEFORE", i, 0.5) for i in range(1, len(mentions))]
            relations += [Relation(i, "AFTER", i - 1, 0.5, "negated") for i in range(1, len(mentions))]
            found.append((tuple(mentions), tuple(relations)))
        return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["word ", "\n", "。", "a" * 700, "x. ", "😀", "\0", "图" * 90]), max_size=500))
def test_pieces_are_the_whole_text_without_gaps(parts):
    text = "".join(parts) * 3
    spans = files.pieces(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(end - start <= files.LONGEST for start, end in spans)
    assert spans[0][0] == 0


def test_a_long_text_is_cut_where_a_paragraph_a_sentence_or_a_word_ends():
    n = files.LONGEST
    assert files.pieces("short") == [(0, 5)]
    assert files.pieces("") == [(0, 0)]
    assert files.pieces("x. " * 4_000 + "\n" + "x. " * 4_000) == [(0, 12_001), (12_001, 24_001)]
    assert files.pieces("one. " * 5_000) == [(0, n), (n, 25_000)]
    assert files.pieces("seventy " * 3_000)[0] == (0, n)
    assert files.pieces("x" * (n + 1)) == [(0, n), (n, n + 1)]


def test_the_pieces_of_a_text_make_one_row(monkeypatch):
    monkeypatch.setattr(files, "LONGEST", 40)
    text = "In May 1901 and in 1902.\n" * 3
    row, last = files.extract_rows([{"id": "a", "text": text}, {"id": 2, "text": "Since 1815."}], Dates())
    assert [text[m["start"] : m["end"]] for m in row["mentions"]] == ["May 1901", "1902"] * 3
    assert row["relations"] == [
        {"head": h, "tail": h + 1, "type": "BEFORE", "score": 0.5} for h in range(0, 6, 2)
    ]  # fmt: skip
    assert last == {
        "id": 2,
        "mentions": [{"start": 6, "end": 10, "type": "Date", "score": 1.0, "value": "1815"}],
        "relations": [],
    }


def test_every_polarity_is_said_of_each_relation():
    (row,) = files.extract_rows([{"id": 1, "text": "In 1901 and in 1902."}], Dates(), every_polarity=True)
    assert [(r["head"], r["type"], r["tail"], r["polarity"]) for r in row["relations"]] == [
        (0, "BEFORE", 1, "asserted"), (1, "AFTER", 0, "negated"),
    ]  # fmt: skip


def test_the_extractor_gets_bounded_groups(monkeypatch):
    monkeypatch.setattr(files, "GROUP_CHARACTERS", 100)
    extractor = Dates()
    told = []
    rows = [{"id": i, "text": "In 1901. " * 5} for i in range(10)]
    found = list(files.extract_rows(rows, extractor, progress=lambda *said: told.append(said)))
    assert [row["id"] for row in found] == list(range(10))
    assert max(extractor.sizes) <= 100
    assert told[0] == ("extract", 0, 10)
    assert told[-1] == ("extract", 10, 10)


def test_a_piece_that_fails_leaves_what_the_others_gave(monkeypatch):
    monkeypatch.setattr(files, "LONGEST", 20)
    (row,) = files.extract_rows([{"id": 1, "text": "It was in 1901.\nAll bad here, then.\nUntil 1903."}], Dates())
    assert [m["value"] for m in row["mentions"]] == ["1901", "1903"]
    assert row["error"] == "ValueError: no"


def test_half_a_surrogate_pair_is_written_as_json_can():
    assert files.as_line({"id": "\ud83d", "text": "é"}) == '{"id": "\\ud83d", "text": "\\u00e9"}'
    assert files.as_line({"id": "é"}) == '{"id": "é"}'


def test_a_row_without_id_stops_before_anything_is_written(tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "In 1901."}\n{"text": "In 1902."}\n')
    with pytest.raises(InputError, match='Row 2 of .*in.jsonl has no "id"'):
        files.extract_file(source, DATES, out)
    assert list(tmp_path.iterdir()) == [source]


def test_counts_are_those_of_the_rows_written(tmp_path):
    rows = list(files.extract_rows([{"id": 1, "text": "In 1901 and in 1902."}, {"id": 2, "text": "bad"}], Dates()))
    counts = files.write_rows(rows, tmp_path / "out.jsonl")
    assert counts == {"texts": 2, "mentions": 2, "relations": 1, "failed": 1}
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == rows
