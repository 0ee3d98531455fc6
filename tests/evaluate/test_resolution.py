import json

import pytest

from kgpipe.errors import InputError
from kgpipe.evaluate.resolution import resolution
from kgpipe.records import Entity
from kgpipe.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path / "workspace")
    entities = [
        Entity("e1", "Person", "Grace Hopper", ("Hopper", "Amazing Grace"), ("m1", "m2")),
        Entity("e2", "Company", "International Business Machines", ("IBM",), ("m3",)),
        Entity("e3", "Person", "Thomas Watson", ("Watson", "Thomas Watson Jr."), ("m4",)),
    ]
    made.snapshot(
        "resolution", {"entities": entities, "merges": [], "literals": [], "facts": [], "evidence": []}, inputs="1"
    )
    return made


def test_pairs_are_merged_when_one_entity_bears_both_names(workspace, tmp_path):
    pairs = [
        {"a": "Grace  Hopper", "b": "the Hopper", "type": "Person", "same": True},
        {"a": "IBM", "b": "I.B.M.", "type": "Company", "same": True},
        {"a": "IBM", "b": "Big Blue", "type": "Company", "same": True},
        {"a": "Grace Hopper", "b": "Watson", "type": "Person", "same": False},
        {"a": "Thomas Watson", "b": "Thomas Watson Jr.", "type": "Person", "same": False},
    ]
    file = tmp_path / "names.jsonl"
    file.write_text("\n".join(map(json.dumps, pairs)))

    assert resolution(workspace, file) == {
        "same": 3,
        "same_merged": 2,
        "different": 2,
        "different_merged": 1,
        "missed": [["IBM", "Big Blue"]],
        "wrong": [["Thomas Watson", "Thomas Watson Jr."]],
        "not_found": ["Big Blue"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": "x", "b": "y"}', "line 1 lacks same"),
        ('{"a": "x", "b": "y", "same": true}\n{"a"', "line 2 is not JSON"),
        ("\n", "holds no rows"),
    ],
)
def test_a_bad_gold_file_is_refused_with_its_line(workspace, tmp_path, text, message):
    file = tmp_path / "names.jsonl"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        resolution(workspace, file)
