"""The shipped extractor on texts, schemas and checkpoints that nobody meant for it: a correct result or a clear error."""

import json
import shutil
import time

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from kgpipe import schema
from kgpipe.corpus.split import passage_spans
from kgpipe.errors import ModelError, SchemaError
from kgpipe.extract.base import CHECKPOINT
from kgpipe.extract.encoder import EncoderExtractor
from kgpipe.extract.files import extract_rows
from kgpipe.records import Passage

SMALL = schema.parse("""
entities:
  Person: {label: person}
  Place: {label: location, synonyms: [city, town]}
  Company: {label: company}
  Title: {literal: text, label: title of a work}
  Date: {literal: date}
  Number: {literal: number}
relations:
  BORN_IN: {label: place of birth, domain: [Person], range: [Place], synonyms: [born in]}
  BORN_ON: {label: date of birth, domain: [Person], range: [Date], synonyms: [born on, born]}
  FOUNDED: {label: founded, domain: [Person], range: [Company], synonyms: [started]}
""")
BORN = "Ada Lovelace was born in London on 10 December 1815."


@pytest.fixture(scope="module")
def extractor():
    return EncoderExtractor(SMALL)


def passage(text, start=0):
    return Passage("document", "version", start, start + len(text), text)


def read(extractor, text):
    """What `kgpipe extract` gives for the text: mentions as (surface, type), relations as (surface, type, surface)."""
    (row,) = extract_rows([{"id": 1, "text": text}], extractor)
    assert "error" not in row
    surfaces = [text[m["start"] : m["end"]] for m in row["mentions"]]
    mentions = [(surface, m["type"]) for surface, m in zip(surfaces, row["mentions"], strict=True)]
    return mentions, [(surfaces[r["head"]], r["type"], surfaces[r["tail"]]) for r in row["relations"]]


FACTS = [("Ada Lovelace", "BORN_IN", "London"), ("Ada Lovelace", "BORN_ON", "10 December 1815")]


@pytest.mark.parametrize(
    "text", ["", " ", " \n\t\u00a0\u2003\n ", "\ufeff", "\0", "\u200b\u200d", "...", "\u0301\u0301"]
)
def test_texts_without_a_word_say_nothing(extractor, text):
    assert read(extractor, text) == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("the quick brown fox jumps over a lazy dog in 1933 or 7 km from there and " * 14_000, id="words"),
        pytest.param("x" * 1_000_000, id="one word"),
        pytest.param("." * 1_000_000, id="dots"),
        pytest.param("图灵出生于伦敦" * 14_300, id="Chinese"),
    ],
)
def test_a_line_without_an_end_is_cut_into_passages(text):
    spans = passage_spans(text)
    assert text[spans[0][0] : spans[0][1]]
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))


def test_a_line_without_an_end_takes_time_and_memory_of_its_length_only(extractor):
    """A tenth of a megabyte here; measured once on the whole of it: 34 s of one core, 0.4 GB above the bare model."""
    text = "and then they went on from there to where the others had been for some time, " * 1_300 + BORN
    process = psutil.Process()
    n_bytes, began = process.memory_info().rss, time.process_time()
    assert set(read(extractor, text)[1]) >= set(FACTS)
    assert time.process_time() - began < 60
    assert process.memory_info().rss - n_bytes < 500e6


def test_ten_thousand_line_breaks(extractor):
    mentions, relations = read(extractor, "\n" * 5_000 + BORN + "\n" * 5_000)
    assert relations == FACTS
    lines = "no\n" * 10_000 + BORN
    assert read(extractor, lines)[1] == FACTS


@pytest.mark.parametrize("emoji", ["😀", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "❤️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣"])
def test_emoji_shift_no_offset(extractor, emoji):
    mentions, relations = read(extractor, f"{emoji} {BORN} {emoji}{emoji}")
    assert relations == FACTS
    _, glued = read(extractor, f"{emoji}{BORN}{emoji}")
    assert set(glued) <= {(a.strip(emoji), r, b) for a, r, b in FACTS}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("עדה לאבלייס נולדה בלונדון ב-10 בדצמבר 1815.", id="Hebrew"),
        pytest.param("وُلِدَ آلان تورينغ في لندن في ٢٣ يونيو ١٩١٢.", id="Arabic"),
        pytest.param("图灵于1912年出生于伦敦，在剑桥大学学习。", id="Chinese"),
        pytest.param("แอดา เลิฟเลซ เกิดที่ลอนดอนเมื่อวันที่ 10 ธันวาคม พ.ศ. 2358", id="Thai"),
        pytest.param("アラン・チューリングはロンドンで生まれた。", id="Japanese"),
        pytest.param("एडा लवलेस का जन्म लंदन में हुआ था।", id="Hindi"),
        pytest.param("Qwxz vprt klmn zzgh Bbrt.", id="no language"),
    ],
)
def test_other_scripts_and_languages_are_read_without_harm(extractor, text):
    mentions, relations = read(extractor, text)
    assert all(surface.strip() == surface and surface for surface, _ in mentions)
    for a, _, b in relations:
        assert a in text
        assert b in text


@pytest.mark.parametrize("other", ["עדה לאבלייס", "آدا لوفلايس", "艾达·洛夫莱斯", "เอดา เลิฟเลซ"])
def test_english_beside_another_script_is_read(extractor, other):
    mentions, relations = read(extractor, BORN.replace("Lovelace", f"Lovelace ({other})"))
    assert ("Ada Lovelace", "BORN_ON", "10 December 1815") in relations


@st.composite
def texts(draw):
    """Names and odd characters side by side: any Unicode but surrogates, astral, marks, NUL, bidi controls."""
    odd = st.one_of(
        st.text(max_size=12),
        st.text(st.characters(min_codepoint=0x10000), max_size=4),
        st.text(st.characters(categories=["Mn", "Me", "Cf", "Cc"]), max_size=4),
        st.sampled_from(["\0", "\u202e", "\u2067", "\u2069", "\u200d", "\ufeff", "\r\n", "\n\n", "\u2028", "\x85", "İ", "ﬁ"]),
    )  # fmt: skip
    plain = st.sampled_from(
        [BORN, "Ada", "Bob Noyce founded Intel in 1968", " in ", "1912", "30 km", "he", ". ", " ", "'s "]
    )
    return "".join(draw(st.lists(st.one_of(odd, plain), max_size=12)))


@settings(max_examples=80, deadline=None)
@given(text=texts(), start=st.integers(0, 3_000))
def test_every_offset_is_that_of_the_surface(extractor, text, start):
    document = "#" * start + text + "#"
    ((mentions, relations),) = extractor([passage(text, start)])
    spans = [(m.start, m.end) for m in mentions]
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
    for m in mentions:
        assert start <= m.start < m.end <= start + len(text)
        surface = document[m.start : m.end]
        assert surface == text[m.start - start : m.end - start] == surface.strip()
        if m.type == "Title":
            assert m.value == surface
    assert all(r.subject != r.object and r.subject < len(mentions) > r.object for r in relations)


@settings(max_examples=40, deadline=None)
@given(text=texts())
def test_a_passage_gives_the_same_wherever_it_begins(extractor, text):
    ((here, one),) = extractor([passage(text)])
    ((there, other),) = extractor([passage(text, 1_000)])
    assert [(m.start + 1_000, m.end + 1_000, m.type, m.value) for m in here] == [
        (m.start, m.end, m.type, m.value) for m in there
    ]
    assert one == other


def test_a_schema_of_a_thousand_relations():
    many = "".join(
        f"  R{i}: {{label: kind {i} of link, domain: [Person], range: [Place], synonyms: [links {i} times to]}}\n"
        for i in range(998)
    )
    wide = schema.parse(
        "entities: {Person: {label: person}, Place: {label: location}, Date: {literal: date}}\nrelations:\n"
        "  BORN_IN: {label: place of birth, domain: [Person], range: [Place], synonyms: [born in]}\n"
        f"  BORN_ON: {{label: date of birth, domain: [Person], range: [Date], synonyms: [born on, born]}}\n{many}"
    )
    assert len(wide.relations) == 1_000
    assert read(EncoderExtractor(wide), BORN)[1] == FACTS


def test_a_schema_without_relations_gives_mentions():
    names = schema.parse("entities: {Person: {label: person}, Place: {label: location}}")
    assert read(EncoderExtractor(names), BORN) == ([("Ada Lovelace", "Person"), ("London", "Place")], [])


def test_a_schema_of_literals_only():
    dates = schema.parse("entities: {Date: {literal: date}}")
    assert read(EncoderExtractor(dates), BORN) == ([("10 December 1815", "Date")], [])


def test_a_schema_without_entity_types_is_refused():
    for text in ("relations: {KNOWS: {label: knows}}", "entities: {}\nrelations: {KNOWS: {label: knows}}"):
        with pytest.raises(SchemaError, match="defines no entity type"):
            schema.parse(text)


@pytest.fixture
def checkpoint(tmp_path):
    """A copy of the shipped checkpoint, to be damaged."""
    return shutil.copytree(CHECKPOINT, tmp_path / "checkpoint")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(checkpoint, bad):
    state = load_file(checkpoint / "model.safetensors")
    name = sorted(state)[len(state) // 2]
    state[name].view(-1)[0] = bad
    save_file(state, checkpoint / "model.safetensors")
    with pytest.raises(ModelError, match=f"checkpoint hold values that are no numbers .*{name}"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_truncated_weights(checkpoint, kept):
    data = (checkpoint / "model.safetensors").read_bytes()
    (checkpoint / "model.safetensors").write_bytes(data[: int(kept * len(data))])
    with pytest.raises(ModelError, match=r"weights of .*checkpoint .* cannot be read"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)


@pytest.mark.parametrize("version", [0, 99, None, "1"])
def test_a_checkpoint_of_another_format(checkpoint, version):
    config = json.loads((checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps(config | {"format": version}))
    with pytest.raises(ModelError, match=f"has format {version}, this kgpipe reads"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)


@pytest.mark.parametrize("text", ["", "{", '{"format": 1'])
def test_a_damaged_config(checkpoint, text):
    (checkpoint / "config.json").write_text(text)
    with pytest.raises(ModelError, match="config.json|has format"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)


def test_weights_of_another_network(checkpoint):
    state = load_file(checkpoint / "model.safetensors")
    state["strange.weight"] = state.pop(sorted(state)[0])
    save_file(state, checkpoint / "model.safetensors")
    with pytest.raises(ModelError, match="do not fit their configuration: missing .* unknown .*strange.weight"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)


def test_a_missing_backbone_or_tokenizer(checkpoint):
    config = json.loads((checkpoint / "config.json").read_text())
    home = checkpoint.parent / "backbone"
    (checkpoint / "config.json").write_text(json.dumps(config | {"backbone": str(home)}))
    with pytest.raises(ModelError, match="backbone .* cannot be read"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)
    shutil.copytree(CHECKPOINT.parent / "embedder", home)
    (home / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="tokenizer.json is missing"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)
    (home / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="tokenizer.json"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_missing_file(checkpoint, missing):
    (checkpoint / missing).unlink()
    with pytest.raises(ModelError, match="holds no checkpoint: config.json and model.safetensors are needed"):
        EncoderExtractor(SMALL, checkpoint=checkpoint)
