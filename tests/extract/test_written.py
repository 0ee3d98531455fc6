"""The written training texts: all of them are well formed, and what is wrong with one is told by file and line."""

import importlib.util
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2] / "training"


@pytest.fixture(scope="module")
def written():
    spec = importlib.util.spec_from_file_location("written", HOME / "written.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_texts_of_the_project_are_well_formed(written):
    domains = []
    for file in sorted([*(HOME / "written").glob("*.txt"), *(HOME / "web").glob("*.txt")]):
        read = written.Reader(file)
        assert read.wrong == []
        domains += read.domains
    names = [d["name"] for d in domains]
    assert len(set(names)) == len(names) == 242 and set(names) >= written.HELD_OUT
    row = written.record(domains[0]["texts"][0], domains[0], 1)
    assert all(0 <= m["start"] < m["end"] <= len(row["text"]) for m in row["mentions"])
    assert {r["type"] for r in row["relations"]} <= set(row["relation_types"])


HEAD = """@domain boats
@entity boat
@entity person
@relation built by | boat | person | builder; ~built | who made it
"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("S The {Gull:boat} was built by {Al:person}.\nR 1 built by 2", ""),
        ("S The {Gull:ship} sank.", "'ship'"),
        ("S The {Gull's:boat} mast.", "possessive"),
        ("S {She:person} sailed.", "whom 'She' stands for"),
        ("S The {Gull:boat} sank.\nR 1 built by 2", "counted from 1 to 1"),
        ("S The {Gull:boat} of {Al:person}.\nR 2 built by 1", "mention 2 is a person"),
        ("S The {Gull:boat} of {Al:person}.\nR 1 owned by 2", "built by"),
        ("S The {Gull:boat sank.", "brace"),
        ("S The {Gu:boat}ll sank.", "cuts a word"),
        ("@relation owner | boat | person", "other wordings"),
        ("nonsense", "a line begins with"),
    ],
)
def test_what_is_wrong_with_a_text_is_told(written, tmp_path, line, said):
    file = tmp_path / "boats.txt"
    file.write_text(HEAD + line + "\n", "utf-8")
    wrong = written.Reader(file).wrong
    assert (wrong == []) if not said else any(said in w and f"{file}:" in w for w in wrong), wrong
