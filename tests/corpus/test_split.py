"""Passages are whole sentences within the encoder's window, with true offsets."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from kgpipe import models
from kgpipe.config import Config
from kgpipe.corpus import dedup, split
from kgpipe.corpus.clean import cleaned
from kgpipe.corpus.split import MAX_PIECES, MAX_WORDS, passage_spans
from kgpipe.records import Document, Extraction, content_id
from kgpipe.sentences import WORD, n_words, sentences
from kgpipe.workspace import Workspace

TOKENIZER = Tokenizer.from_file(str(Path(models.__file__).parent / "weights" / "embedder" / "tokenizer.json"))
TOKENIZER.no_truncation()
TOKENIZER.no_padding()
ENGLISH = "Grace Hopper wrote the first compiler for the UNIVAC I in 1952, and few believed her. "
CHINESE = "王选生于1937年，是中国计算机科学家。他领导研制了汉字激光照排系统！"

PIECES = st.sampled_from(
    [ENGLISH, CHINESE, "\n\n", "\n", " ", "Life", "Dr. No. ", "😀", "e\u0301", "\u0301", "-" * 90, "ſ", "x" * 300]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=25).map("".join))  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(TEXTS, st.booleans())
def test_passages_are_ordered_disjoint_within_the_window_and_cover_all_text(text, clean):
    text = cleaned(text) if clean else text
    spans = passage_spans(text)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False))
    between = [text[e:s] for (_, e), (s, _) in zip([(0, 0), *spans], [*spans, (len(text), len(text))], strict=True)]
    assert "".join(between).strip() == ""
    for start, end in spans:
        words = [match[0] for match in WORD.finditer(text[start:end])]
        assert len(words) <= MAX_WORDS
        assert len(words) == 1 or len(TOKENIZER.encode(words, is_pretokenized=True).ids) <= MAX_PIECES


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_a_sentence_is_cut_only_where_it_is_longer_than_the_window(text):
    borders = {edge for span in passage_spans(text) for edge in span}
    for start, end in sentences(text):
        words = [match[0] for match in WORD.finditer(text[start:end])]
        if len(words) <= MAX_WORDS and len(TOKENIZER.encode(words, is_pretokenized=True).ids) <= MAX_PIECES:
            assert not any(start < border < end for border in borders)


def test_a_passage_half_full_ends_with_its_paragraph_and_a_heading_goes_with_what_follows():
    first, second = (ENGLISH * 4).strip(), (ENGLISH * 2).strip()
    text = f"{first}\n\nLater life\n\n{second}"
    assert [text[start:end] for start, end in passage_spans(text)] == [first, f"Later life\n\n{second}"]


def test_a_sentence_longer_than_the_window_is_cut_between_words():
    text = "and then " * 130 + "it ended."
    spans = passage_spans(text)
    assert [n_words(text[start:end]) for start, end in spans] == [100, 100, 63]


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "ws")


DOCUMENTS = [
    Document(uri="file:///en.txt", text=(ENGLISH * 10).strip(), language="en"),
    Document(uri="file:///unknown.txt", text="IBM 704", language=""),
    Document(uri="file:///de.txt", text="Konrad Zuse baute die Z3 in Berlin.", language="de"),
    Document(uri="file:///copy-of-en.txt", text=(ENGLISH * 10).strip(), language="en"),
]


def passages(workspace):
    uris = {document.uid: document.uri for document in DOCUMENTS}
    return {uris[uid] for uid in workspace.read("passages", ["document"]).column(0).to_pylist()}


def test_documents_in_other_languages_and_duplicates_get_no_passages(workspace, tmp_path):
    workspace.commit("documents", DOCUMENTS)
    dedup.run(workspace, Config())
    assert split.run(workspace, Config()) == {"documents": 2, "passages": 3, "stale": 0}
    assert passages(workspace) == {"file:///en.txt", "file:///unknown.txt"}
    assert split.run(workspace, Config()) == {"documents": 0, "passages": 0, "stale": 0}
    for row in workspace.read("passages").to_pylist():
        document = next(d for d in DOCUMENTS if d.uid == row["document"])
        assert row["text"] == document.text[row["start"] : row["end"]]
        assert row["uid"] == content_id("passage", document.uid, document.version, row["start"], row["end"])


def test_other_languages_wanted_bring_passages_and_take_others_away_with_what_they_gave(workspace):
    workspace.commit("documents", DOCUMENTS[:3])
    split.run(workspace, Config())
    rows = workspace.read("passages").to_pylist()
    workspace.commit("extractions", [Extraction(row["uid"], "f", row["document"]) for row in rows])
    vectors = [{"passage": r["uid"], "document": r["document"], "model": "m", "vector": [0.5]} for r in rows]
    workspace.commit("vectors", vectors)
    assert split.run(workspace, Config(languages=("de",))) == {"documents": 1, "passages": 1, "stale": 2}
    assert passages(workspace) == {"file:///unknown.txt", "file:///de.txt"}
    for table in ("extractions", "vectors"):
        assert workspace.read(table, ["document"]).column(0).to_pylist() == [DOCUMENTS[1].uid]


def test_shards_together_make_what_one_makes(tmp_path):
    tables = []
    for n_shards in (1, 3):
        workspace = Workspace(tmp_path / str(n_shards))
        workspace.commit("documents", DOCUMENTS)
        for i in range(n_shards):
            split.run(workspace, Config(), shard=(i, n_shards))
        tables.append(workspace.read("passages"))
    assert tables[0] == tables[1]
    assert not re.search(r"^\s|\s$", tables[0].column("text")[0].as_py())
