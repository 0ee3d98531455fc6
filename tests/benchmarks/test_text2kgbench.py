"""Text2KGBench on a benchmark folder of two sentences, and its figures against ones computed by hand."""

import importlib.util
import json
from pathlib import Path

import pytest

from kgpipe.errors import InputError
from kgpipe.schema import EntityType, RelationType


@pytest.fixture(scope="module")
def text2kgbench():
    path = Path(__file__).parents[2] / "benchmarks" / "text2kgbench.py"
    spec = importlib.util.spec_from_file_location("text2kgbench", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMPUTER = {
    "title": "Computer Ontology",
    "id": "ont_6_computer",
    "concepts": [{"qid": "Q7397", "label": "software"}, {"qid": "Q9135", "label": "operating system"}],
    "relations": [
        {"pid": "P178", "label": "developer", "domain": "Q7397", "range": "Q4830453"},
        {"pid": "P571", "label": "inception", "domain": "Q7397", "range": ""},
        {"pid": "P306", "label": "operating system", "domain": "Q99", "range": "Q9135"},
    ],
}
PERSON = {
    "id": "ont_18_scientist",
    "concepts": [{"qid": "Scientist", "label": "Scientist"}, {"qid": "WrittenWork", "label": "WrittenWork"}],
    "relations": [
        {"pid": "birthPlace", "label": "birthPlace", "domain": "Scientist", "range": "Place"},
        {"pid": "birthDate", "label": "birthDate", "domain": "Scientist", "range": "Date"},
        {"pid": "foundingYear", "label": "foundingYear", "domain": "Organisation", "range": "Year"},
        {"pid": "motto", "label": "motto", "domain": "Organisation", "range": "string"},
        {"pid": "areaTotal", "label": "areaTotal", "domain": "Place", "range": "number"},
        {"pid": "birthPlace", "label": "birthPlace", "domain": "WrittenWork", "range": "Place"},
    ],
}
SENTENCES = [
    ("ont_18_scientist_test_1", "Ada Lovelace was born in London on 10 December 1815."),
    ("ont_18_scientist_test_2", "Marie Curie was born in Warsaw."),
]
GOLD = [
    [("Ada_Lovelace", "birthPlace", "London"), ("Ada_Lovelace", "birthDate", "1815-12-10")],
    [("Marie_Curie", "birthPlace", "Warsaw")],
]


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def half(tmp_path):
    """The folder of one half of the benchmark; the second sentence is among the manually verified ones."""
    half = tmp_path / "dbpedia_webnlg"
    lines(half / "ontologies" / "18_scientist_ontology.json", [PERSON])
    rows = [{"id": identity, "sent": sentence} for identity, sentence in SENTENCES]
    lines(half / "test" / "ont_18_scientist_test.jsonl", rows)
    lines(
        half / "ground_truth" / "ont_18_scientist_ground_truth.jsonl",
        [
            row | {"triples": [dict(zip(("sub", "rel", "obj"), triple, strict=True)) for triple in made]}
            for row, made in zip(rows, GOLD, strict=True)
        ],
    )
    return half


def test_an_ontology_is_a_schema_with_labels_in_words(text2kgbench):
    schema = text2kgbench.as_schema(PERSON)

    assert list(schema.entities.values()) == [
        EntityType("Scientist", "scientist"),
        EntityType("WrittenWork", "written work"),
        EntityType("Place", "place"),
        EntityType("Date", "date", literal="date"),
        EntityType("Organisation", "organisation"),
        EntityType("Year", "date", literal="date"),
        EntityType("string", "text", literal="text"),
        EntityType("number", "number", literal="number"),
        EntityType("entity", "entity"),
        EntityType("Number", "number", literal="number"),
    ]
    assert schema.relations["birthPlace"] == RelationType(
        "birthPlace", "birth place", domain=("Scientist", "WrittenWork"), range=("Place",)
    )
    assert schema.relations["foundingYear"].range == ("Year",)


def test_items_that_are_no_concepts_and_empty_ranges(text2kgbench):
    schema = text2kgbench.as_schema(COMPUTER)

    assert [(e.name, e.label) for e in schema.entities.values()] == [
        ("Q7397", "software"),
        ("Q9135", "operating system"),
        ("Q4830453", "business"),
        ("entity", "entity"),
        ("Date", "date"),
        ("Number", "number"),
    ]
    assert [(r.name, r.domain, r.range) for r in schema.relations.values()] == [
        ("developer", ("Q7397",), ("Q4830453",)),
        ("inception", ("Q7397",), ("Date",)),
        ("operating system", (), ("Q9135",)),
    ]


@pytest.mark.parametrize(
    ("value", "in_wikidata", "in_dbpedia"),
    [
        ("2007-10-05", "05 October 2007", "2007-10-05"),
        ("1995-04", "01 April 1995", "1995-04"),
        ("1978", "01 January 1978", "1978"),
        ("194X", "", ""),
    ],
)
def test_dates_are_written_as_the_half_writes_them(text2kgbench, value, in_wikidata, in_dbpedia):
    assert text2kgbench.date(value, wikidata=True) == in_wikidata
    assert text2kgbench.date(value, wikidata=False) == in_dbpedia


def test_ends_are_surfaces_and_numbers_have_no_unit(text2kgbench):
    text = "London has an area of 1,572 km2."
    found = {
        "mentions": [{"start": 0, "end": 6, "type": "Place"}, {"start": 22, "end": 31, "type": "number", "value": "1572 km2"}],
        "relations": [{"head": 0, "tail": 1, "type": "area of place"}],
    }  # fmt: skip
    schema = text2kgbench.as_schema(PERSON)
    assert text2kgbench.triples(found, text, schema, wikidata=False) == [("London", "area_of_place", "1572")]


def test_figures_by_hand(text2kgbench, half, tmp_path):
    """Sentence 1: one of two kept triples is right, of two in the gold; sentence 2: the one kept is right.

    Left out are `areaTotal` and `diedIn`, whose relations the gold of their sentence lacks; without that rule 2 of 5
    are right. Of the triples of sentence 2 one of two has a relation of the ontology.
    """
    (half / "manually_verified_sentences").mkdir()
    selected = half / "manually_verified_sentences" / "selected_ont_18_scientist.txt"
    selected.write_text("ont_18_scientist_test_2\nont_18_scientist_test_9\n", encoding="utf-8")
    one = [
        ("Ada Lovelace", "birthPlace", "london"),
        ("Ada", "birthDate", "1815-12-10"),
        ("London", "areaTotal", "1572"),
    ]
    two = [("Marie Curie", "birthPlace", "Warsaw"), ("Marie Curie", "diedIn", "Warsaw")]
    rows = [{"id": i, "triples": made} for (i, _), made in zip(SENTENCES, (one, two), strict=True)]
    lines(tmp_path / "given" / "ont_18_scientist_responses.jsonl", rows)

    assert text2kgbench.scores(half, "18_scientist", tmp_path / "given") == {
        "all": {"precision": 0.75, "recall": 0.75, "f1": 0.75},
        "selected": {"precision": 0.5, "recall": 0.5, "f1": 0.5},  # of two ids, one of which is no sentence
        "micro": {"precision": 0.4, "recall": 0.6667, "f1": 0.5, "right": 2, "predicted": 5, "gold": 3},
        "micro_selected": {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "right": 1, "predicted": 2, "gold": 1},
        "conformance": 0.75,
    }


def test_a_sentence_without_output_counts_zero(text2kgbench, half, tmp_path):
    identity, made = (
        SENTENCES[0][0],
        [("Ada Lovelace", "birthPlace", "London"), ("Ada Lovelace", "birthDate", "1815-12-10")],
    )
    lines(tmp_path / "ont_18_scientist_responses.jsonl", [{"id": identity, "triples": made}])

    found = text2kgbench.scores(half, "18_scientist", tmp_path)
    assert found["all"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert (found["conformance"], found["selected"]) == (0.5, None)


def test_the_mean_over_ontologies_counts_selected_ones_where_there_are_some(text2kgbench):
    def figure(value, selected):
        row = {"precision": value, "recall": value, "f1": value}
        return {"all": row, "selected": selected and row, "micro": row, "micro_selected": None, "conformance": value}

    found = text2kgbench.mean([figure(0.2, False), figure(0.6, True)])
    assert found["all"] == {"precision": 0.4, "recall": 0.4, "f1": 0.4}
    assert found["selected"] == {"precision": 0.6, "recall": 0.6, "f1": 0.6}
    assert (found["micro_selected"], found["conformance"]) == ({}, 0.4)


def test_a_half_is_read_and_its_outputs_are_what_the_benchmark_reads(text2kgbench, half, tmp_path):
    text2kgbench.extract(half, tmp_path / "out")

    (path,) = (tmp_path / "out").iterdir()
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert (path.name, [row["id"] for row in rows]) == ("ont_18_scientist_responses.jsonl", [i for i, _ in SENTENCES])
    assert ["Marie Curie", "birthPlace", "Warsaw"] in rows[1]["triples"]
    assert text2kgbench.scores(half, "18_scientist", tmp_path / "out")["conformance"] == 1


def test_a_folder_that_is_no_half_is_refused(text2kgbench, tmp_path):
    with pytest.raises(InputError, match="data/wikidata_tekgen"):
        text2kgbench.ontologies(tmp_path)
