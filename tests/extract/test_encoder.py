"""The extractor with a tiny random checkpoint: what must hold whatever the weights are."""

import json
import shutil
from dataclasses import asdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from kgpipe import schema
from kgpipe.errors import InputError, ModelError
from kgpipe.extract import encoder
from kgpipe.extract.base import fingerprint
from kgpipe.extract.encoder import EncoderExtractor, save_checkpoint
from kgpipe.extract.files import extract_file
from kgpipe.extract.learn import train
from kgpipe.extract.naming import Namer
from kgpipe.extract.network import JointNetwork
from kgpipe.extract.run import extracted
from kgpipe.extract.scoring import relation_features
from kgpipe.models.backbone import WEIGHTS, load_backbone
from kgpipe.models.bert import Bert, BertConfig
from kgpipe.records import Passage

COMPUTING = schema.load("computing")


def passage(text, start=0):
    return Passage("document", "version", start, start + len(text), text)


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backbone")
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=256
    )  # fmt: skip
    model = Bert(config)
    (folder / "config.json").write_text(json.dumps(asdict(config) | {"model_type": "bert"}))
    save_file(model.state_dict(), folder / "model.safetensors")
    shutil.copyfile(WEIGHTS / "embedder" / "tokenizer.json", folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="session")
def checkpoint(tiny_backbone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    network, namer = JointNetwork(load_backbone(tiny_backbone)), Namer(load_backbone(WEIGHTS / "embedder"))
    save_checkpoint(folder, network, namer, (torch.zeros(0, 384),) * 2, backbone=tiny_backbone, training={})
    return folder


@pytest.fixture(scope="session")
def extractor(checkpoint):
    return EncoderExtractor(COMPUTING, checkpoint=checkpoint, threshold=0.01)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300), start=st.integers(0, 50))
def test_offsets_stay_in_the_passage_and_relations_point_to_mentions(extractor, text, start):
    ((mentions, relations),) = extractor([passage(text, start)])
    assert all(start <= m.start < m.end <= start + len(text) for m in mentions)
    assert list(mentions) == sorted(mentions, key=lambda m: m.start)
    assert all(a.end <= b.start for a, b in zip(mentions, mentions[1:], strict=False))
    for r in relations:
        known = COMPUTING.relations[r.type]
        assert COMPUTING.fits(mentions[r.subject].type, known.domain)
        assert COMPUTING.fits(mentions[r.object].type, known.range)


@pytest.mark.parametrize(
    "text", ["", "   \n ", "😀😀 🇩🇪", "وُلِدَ آلان تورينغ في لندن", "a" * 5000, "x " * 1000, "\u0301\u0301"]
)
def test_odd_texts_are_read(extractor, text):
    ((mentions, _),) = extractor([passage(text)])
    assert all(text[m.start : m.end] for m in mentions)


def test_dates_and_numbers_come_with_their_value(checkpoint):
    literals = schema.parse("entities: {Date: {literal: date}, Number: {literal: number}}")
    extractor = EncoderExtractor(literals, checkpoint=checkpoint)
    text = "ENIAC weighed 30 tons and was shown on 14 February 1946."
    ((mentions, _),) = extractor([passage(text, 7)])
    found = {text[m.start - 7 : m.end - 7]: (m.type, m.value) for m in mentions if m.value}
    assert found == {"30 tons": ("Number", "30 t"), "14 February 1946": ("Date", "1946-02-14")}


def test_a_number_in_a_name_counts_nothing(checkpoint):
    numbers = schema.parse(
        "name: n\nentities:\n  Machine: {}\n  Number: {literal: number}\nrelations:\n  R: {range: [Number]}\n"
    )
    ((mentions, _),) = EncoderExtractor(numbers, checkpoint=checkpoint)([passage("The Alfa Romeo 164 had 210 seats.")])
    assert [m.value for m in mentions if m.type == "Number"] == ["210"]


def test_a_passage_gives_the_same_alone_and_in_a_batch(extractor):
    texts = ["Ada Lovelace wrote to Charles Babbage in 1843.", "Short.", "IBM sold the 650 from 1954 on, and " * 12]
    extractor.dtype, before = None, extractor.dtype  # fp32: bf16 differs in the last digits
    together = extractor([passage(t) for t in texts])
    alone = [extractor([passage(t)])[0] for t in texts]
    extractor.dtype = before
    assert together == alone


def test_what_is_read_again_is_mixed_with_what_the_network_says_of_the_same_pair(extractor, monkeypatch):
    """With the whole share for the network's own vectors the second look has the cosines of the first, pair by pair."""
    looks = []

    def seen(joint, related, cosine, *rest):
        looks.append({tuple(j.tolist()): c for j, c in zip(joint, cosine, strict=True)})
        return relation_features(joint, related, cosine, *rest)

    monkeypatch.setattr(encoder, "relation_features", seen)
    monkeypatch.setattr(encoder, "OWN_SHARE", 1.0)
    monkeypatch.setattr(encoder, "READ_THRESHOLD", -encoder.FAR)
    extractor(
        [passage("Grace Hopper of Yale met Howard Aiken in Boston. Alan Turing worked in Manchester with Max Newman.")]
    )
    first, second = looks
    assert 0 < len(second) < len(first)
    for pair, cosine in second.items():
        torch.testing.assert_close(cosine, first[pair], rtol=1e-4, atol=1e-4)


def test_a_schema_without_relations_gives_mentions_only(checkpoint):
    people = schema.parse("entities: {Person: {label: person}}")
    ((mentions, relations),) = EncoderExtractor(people, checkpoint=checkpoint)([passage("Ada met Charles.")])
    assert relations == ()
    assert {m.type for m in mentions} <= {"Person"}


def test_the_fingerprint_changes_with_everything_that_changes_the_result(checkpoint):
    same = fingerprint(COMPUTING, checkpoint=checkpoint)
    assert fingerprint(COMPUTING, checkpoint=checkpoint) == same
    assert fingerprint(schema.load("general"), checkpoint=checkpoint) != same
    assert fingerprint(COMPUTING, checkpoint=checkpoint, threshold=0.9) != same


def test_damaged_checkpoints_are_named(checkpoint, tmp_path):
    def broken(name, change):
        folder = shutil.copytree(checkpoint, tmp_path / name)
        change(folder)
        return folder

    def other_format(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"format": 99}))

    def not_numbers(folder):
        state = load_file(folder / "model.safetensors")
        state["mix"] = state["mix"] * float("nan")
        save_file(state, folder / "model.safetensors")

    for name, change, message in (
        ("format", other_format, "format 99"),
        ("nan", not_numbers, "NaN"),
        ("cut", lambda f: (f / "model.safetensors").write_bytes(b"x"), "cannot be read"),
        ("gone", lambda f: (f / "model.safetensors").unlink(), "holds no checkpoint"),
    ):
        with pytest.raises(ModelError, match=message):
            EncoderExtractor(COMPUTING, checkpoint=broken(name, change))


def test_one_bad_passage_is_a_failure_and_the_others_are_read():
    class Choosy:
        fingerprint = "f"

        def __call__(self, passages):
            if any("bad" in p.text for p in passages):
                raise ValueError("no")
            return [((), ()) for _ in passages]

    rows = extracted(Choosy(), [passage("good"), passage("bad"), passage("fine")])
    assert [row.error for row in rows] == ["", "ValueError: no", ""]


def test_files_in_and_out_in_the_public_shape(checkpoint, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 7, "text": "Born in 1912."}\n\n{"id": "b", "text": ""}\n', encoding="utf-8")
    counts = extract_file(source, COMPUTING, out, checkpoint=checkpoint)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [7, "b"]
    assert counts["texts"] == 2
    assert [m for m in rows[0]["mentions"] if m["type"] == "Date"] == [
        {"start": 8, "end": 12, "type": "Date", "score": 1.0, "value": "1912"}
    ]
    source.write_text('{"id": 1, "text": "ok"}\n{"text": "no id"}\nbroken\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 3 is not JSON"):
        extract_file(source, COMPUTING, out, checkpoint=checkpoint)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2


def test_training_from_annotated_lines_gives_a_checkpoint_that_extracts(tiny_backbone, tmp_path):
    people, firms = ["Ada Byron", "Carl Benz", "Ida Tarbell", "Otto Diels"], ["Acme Works", "Benz Cie", "North Mill"]
    rows = []
    for i, (person, firm) in enumerate((p, f) for p in people for f in firms):
        text = f"{person} founded {firm} long ago."
        start = text.index(firm)
        rows.append({
            "id": i, "text": text,
            "mentions": [
                {"start": 0, "end": len(person), "type": "person"},
                {"start": start, "end": start + len(firm), "type": "organization"},
            ],
            "relations": [{"head": 0, "tail": 1, "type": "founded"}],
        })  # fmt: skip
    data = tmp_path / "mine.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = train(
        [data], tmp_path / "out", backbone=tiny_backbone, n_epochs=40, n_naming_steps=20, head_rate=5e-3, encoder_rate=1e-3,
    )  # fmt: skip
    assert done["windows"] == 12
    curve = [json.loads(line) for line in (tmp_path / "out" / "curve.jsonl").read_text().splitlines()]
    assert (
        sum(curve[-1][k] for k in ("look", "types", "pairs")) < sum(curve[0][k] for k in ("look", "types", "pairs")) / 3
    )
    firm_schema = schema.parse(
        "entities: {Person: {label: person}, Organization: {label: organization}}\n"
        "relations: {FOUNDED: {label: founded, domain: [Person], range: [Organization]}}"
    )
    ((mentions, relations),) = EncoderExtractor(firm_schema, checkpoint=tmp_path / "out")(
        [passage("Ada Byron founded North Mill long ago.")]
    )
    assert [(m.start, m.end, m.type) for m in mentions] == [(0, 9, "Person"), (18, 28, "Organization")]
    assert [(r.subject, r.type, r.object) for r in relations] == [(0, "FOUNDED", 1)]


def test_a_pattern_states_a_relation_only_of_names_close_by():
    """His wife is no `she` further on, and who established relations with somebody did not found them."""
    read = EncoderExtractor(schema.load("general"))
    read.threshold = torch.full_like(read.threshold, 2.0)  # nothing by the network, whatever it makes of these

    def said(text):
        ((mentions, relations),) = read([passage(text)])
        return {
            (
                text[mentions[r.subject].start : mentions[r.subject].end],
                r.type,
                text[mentions[r.object].start : mentions[r.object].end],
            )
            for r in relations
        }

    found = said("While his brother Charles protested, Sam told his wife that she was right.")
    assert ("his", "SIBLING", "Charles") in found and ("his", "SPOUSE", "she") not in found
    assert "FOUNDED" not in {r for _, r, _ in said("Justinian established friendly relations with the Abyssinians.")}
