import json

import pytest

from kgpipe.errors import InputError
from kgpipe.evaluate.extraction import extraction, facts
from kgpipe.pipeline import prepare
from kgpipe.records import Document, Entity, Evidence, Fact, Literal
from kgpipe.schema import parse
from kgpipe.workspace import Workspace


def record(name, text, mentions, relations):
    return {
        "id": name,
        "text": text,
        "mentions": [
            {"start": text.index(surface), "end": text.index(surface) + len(surface), "type": kind, **more}
            for surface, kind, more in mentions
        ],
        "relations": [{"head": head, "tail": tail, "type": kind} for head, kind, tail in relations],
    }


ADA = "Ada Lovelace was born in London on 10 December 1815."
IBM = "IBM of Armonk made the System/360."


def test_relations_and_entities_are_scored_strictly():
    gold = [
        record(
            "1",
            ADA,
            [("Ada Lovelace", "human", {}), ("London", "city", {}), ("10 December 1815", "date", {})],
            [(0, "place of birth", 1), (0, "date of birth", 2)],
        ),
        record(
            "2",
            IBM,
            [("IBM", "company", {}), ("System/360", "machine", {"name": "IBM System 360"})],
            [(0, "developer", 1)],
        ),
    ]
    predictions = [
        record(
            "1",
            ADA,
            [("Ada Lovelace", "human", {}), ("London", "city", {}), ("December 1815", "date", {})],
            [(0, "place of birth", 1), (0, "date of birth", 2), (0, "residence", 1)],
        )
    ]

    found = extraction(predictions, gold)

    assert found["records"] == 2 and found["not_predicted"] == 1
    assert found["relations"] == {
        "right": 1, "predicted": 3, "gold": 3, "precision": 0.3333, "recall": 0.3333, "f1": 0.3333
    }  # fmt: skip
    assert found["entities"] == {"right": 2, "predicted": 3, "gold": 5, "precision": 0.6667, "recall": 0.4, "f1": 0.5}
    assert found["by_relation"]["place of birth"]["f1"] == 1
    # sentence 1: the relation that its gold lacks is left out, so one of two is right; sentence 2 counts 0
    assert found["text2kgbench"] == {
        "precision": 0.25, "recall": 0.25, "f1": 0.25, "f1_surface": 0.25, "sentences": 2
    }  # fmt: skip


def test_text2kgbench_compares_strings_without_spaces_underscores_and_case():
    gold = [
        record("1", "IBM made the System/360 .", [("IBM", "c", {}), ("System/360 ", "m", {})], [(0, "developer", 1)]),
        record("2", IBM, [("IBM", "c", {}), ("System/360", "m", {"name": "System 360"})], [(0, "developer", 1)]),
    ]
    predictions = [
        record("1", "IBM made the System/360 .", [("IBM", "c", {}), ("System/360", "m", {})], [(0, "developer", 1)]),
        record("2", IBM, [("IBM", "c", {}), ("System/360", "m", {})], [(0, "developer", 1)]),
    ]
    measured = extraction(predictions, gold)["text2kgbench"]
    assert measured["f1"] == 0.5  # the source calls the second machine otherwise than its sentence does
    assert measured["f1_surface"] == 1


def test_names_of_types_are_read_as_labels_when_the_schema_is_given():
    schema = parse(
        "entities: {Person: {label: human}, City: {label: city}}\nrelations: {BORN_IN: {label: place of birth}}"
    )
    gold = [record("1", ADA, [("Ada Lovelace", "human", {}), ("London", "city", {})], [(0, "place of birth", 1)])]
    made = [record("1", ADA, [("Ada Lovelace", "Person", {}), ("London", "City", {})], [(0, "BORN_IN", 1)])]
    assert extraction(made, gold)["relations"]["f1"] == 0
    assert extraction(made, gold, schema=schema)["relations"]["f1"] == 1


def test_predictions_of_other_records_are_refused():
    with pytest.raises(InputError, match='the gold lacks, as "9"'):
        extraction([record("9", ADA, [], [])], [record("1", ADA, [], [])])


@pytest.fixture
def workspace(tmp_path):
    """Two documents about Hopper, with two facts each of which one is right."""
    made = Workspace(tmp_path / "workspace")
    prepare(made, [], schema="computing")
    one, two = Document("file:///c/one.txt", "one"), Document("file:///c/two.jsonl#7", "two")
    made.commit("documents", [one, two])
    birth = Literal("Date", "1906-12-09", "date")
    hopper = Entity("e1", "Person", "Grace Hopper", ("Hopper",), ("m1",))
    ibm, navy = Entity("e2", "Company", "I.B.M.", (), ("m2",)), Entity("e3", "Organization", "Navy", (), ("m3",))
    vincent = Entity("e4", "Person", "Vincent Hopper", (), ("m4",))
    said = [
        (one, Fact("e1", "BORN_ON", birth.uid, literal=True)),
        (one, Fact("e1", "WORKED_FOR", "e2")),
        (two, Fact("e1", "WORKED_FOR", "e3")),
        (two, Fact("e4", "SPOUSE", "e1")),
    ]
    evidence = [
        Evidence(f"r{i}", f.uid, f.type, f.subject, f.object, d.uid, "p", 0, 3, d.text, "encoder", 0.9)
        for i, (d, f) in enumerate(said)
    ]
    tables = {"entities": [hopper, ibm, navy, vincent], "merges": [], "literals": [birth]}
    made.snapshot("resolution", {**tables, "facts": [f for _, f in said], "evidence": evidence}, inputs="1")
    return made


def test_facts_are_compared_by_document_names_and_values(workspace, tmp_path):
    gold = [
        ("one.txt", "Hopper", "BORN_ON", "9 December 1906"),
        ("one.txt", "Grace Hopper", "BORN_IN", "New York City"),
        ("two.jsonl#7", "Hopper", "WORKED_FOR", "US Navy"),
        ("two.jsonl#7", "Grace Hopper", "SPOUSE", "Vincent Hopper"),
    ]
    rows = [dict(zip(("document", "subject", "relation", "object"), row, strict=True)) for row in gold]
    (tmp_path / "facts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "aliases.json").write_text(json.dumps({"United States Navy": ["US Navy", "Navy"]}))

    found = facts(workspace, tmp_path / "facts.jsonl", tmp_path / "aliases.json")

    assert {k: found[k] for k in ("documents", "right", "predicted", "gold", "f1")} == {
        "documents": 2, "right": 3, "predicted": 4, "gold": 4, "f1": 0.75
    }  # fmt: skip
    assert found["missed"] == [rows[1]]
    assert found["wrong"] == [
        {
            "document": "file:///c/one.txt",
            "subject": "Grace Hopper",
            "relation": "WORKED_FOR",
            "object": "I.B.M.",
            "sentence": "one",
        }
    ]
    assert found["by_relation"]["WORKED_FOR"] == {
        "right": 1, "predicted": 2, "gold": 1, "precision": 0.5, "recall": 1.0, "f1": 0.6667
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("three.txt", "a", "SPOUSE", "b"), '"three.txt", which 0 documents'),
        (("one.txt", "a", "SPOUSES", "b"), '"SPOUSES" is not in the schema'),
    ],
)
def test_gold_of_another_corpus_or_schema_is_refused(workspace, tmp_path, row, message):
    line = dict(zip(("document", "subject", "relation", "object"), row, strict=True))
    (tmp_path / "facts.jsonl").write_text(json.dumps(line))
    with pytest.raises(InputError, match=message):
        facts(workspace, tmp_path / "facts.jsonl")
