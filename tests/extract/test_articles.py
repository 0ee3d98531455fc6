"""The annotations that stand off from public articles: well formed, and put together only with the text they were made of."""

import gzip
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from kgpipe import schema as schemas

HOME = Path(__file__).parents[2] / "training"


def rows(name):
    return [json.loads(line) for line in (HOME / f"{name}.jsonl").read_text("utf-8").splitlines()]


def test_the_annotations_are_well_formed():
    general = schemas.load("general")
    types = {e.label for e in general.entities.values()}
    labels = {r.label for r in general.relations.values()}
    found = rows("articles")
    assert len(found) > 2000 and len({(r["title"], r["start"]) for r in found}) == len(found)
    for row in found:
        length = row["end"] - row["start"]
        assert all(0 <= s < e <= length and t in types for s, e, t, _ in row["mentions"]), row
        ends = range(len(row["mentions"]))
        assert all(a in ends and b in ends and a != b and t in labels for a, t, b in row["relations"]), row


def test_the_schemas_of_their_own_are_well_formed():
    found = rows("varied")
    assert len(found) > 200 and len({s["domain"] for s in found}) == len(found)
    for schema in found:
        for label, (domain, range_, *_) in schema["relations"].items():
            assert {*domain, *range_} <= schema["types"].keys(), (schema["domain"], label)
        for row in schema["passages"]:
            length = row["end"] - row["start"]
            assert all(0 <= s < e <= length and t in schema["types"] for s, e, t, _ in row["mentions"]), row
            for head, label, tail in row["relations"]:
                domain, range_, *_ = schema["relations"][label]
                assert row["mentions"][head][2] in domain and row["mentions"][tail][2] in range_, row


def test_the_questions_are_well_formed():
    for row in rows("questions"):
        length = row["end"] - row["start"]
        (a, b), (c, d) = row["about"], row["answer"]
        assert 0 <= a < b <= length and 0 <= c < d <= length and (b <= c or d <= a) and row["questions"], row


@pytest.fixture
def copy(tmp_path):
    """The script beside one annotated passage and one question of our own, and the text of both."""
    text = "Ida Rhodes was born in 1900. She worked on the C-10 language."
    spec = importlib.util.spec_from_file_location("articles", HOME / "articles.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "articles.py").write_text((HOME / "articles.py").read_text("utf-8"), "utf-8")
    passage = {
        "title": "Ida Rhodes", "start": 0, "end": 28, "check": module.check(text[:28]),
        "mentions": [[0, 10, "person", "Ida Rhodes"], [23, 27, "date", "1900"]], "relations": [[0, "date of birth", 1]],
    }  # fmt: skip
    question = {
        "title": "Ida Rhodes", "start": 29, "end": len(text), "check": module.check(text[29:]), "about": [0, 3],
        "answer": [18, 22], "questions": ["Which language did Ida Rhodes work on?", "What did Rhodes help to design?"],
    }  # fmt: skip
    schema = {
        "domain": "programming", "types": {"programmer": "", "programming language": "what programs are written in"},
        "relations": {"worked on": [["programmer"], ["programming language"], ["built"], ["built by"], ""]},
        "passages": [{
            "title": "Ida Rhodes", "start": 29, "end": len(text), "check": module.check(text[29:]),
            "mentions": [[0, 3, "programmer", "?0"], [18, 22, "programming language", "C-10"]],
            "relations": [[0, "worked on", 1]],
        }],
    }  # fmt: skip
    (tmp_path / "varied.jsonl").write_text(json.dumps(schema) + "\n", "utf-8")
    (tmp_path / "articles.jsonl").write_text(json.dumps(passage) + "\n", "utf-8")
    (tmp_path / "questions.jsonl").write_text(json.dumps(question) + "\n", "utf-8")
    return tmp_path, text


def run(folder, text):
    (folder / "texts.jsonl").write_text(json.dumps({"title": "Ida Rhodes", "text": text}) + "\n", "utf-8")
    command = [sys.executable, folder / "articles.py", folder / "texts.jsonl", "--out", folder / "data"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_annotations_and_questions_become_annotated_lines(copy):
    folder, text = copy
    assert run(folder, text).returncode == 0
    made = {}
    for name in ("articles.train", "articles.dev", "varied.train", "varied.dev", "questions.train"):
        with gzip.open(folder / "data" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            made[name] = [json.loads(line) for line in lines]
    [row] = made["articles.train"] + made["articles.dev"]
    head, tail = (row["mentions"][row["relations"][0][side]] for side in ("head", "tail"))
    assert [row["text"][m["start"] : m["end"]] for m in (head, tail)] == ["Ida Rhodes", "1900"]
    assert row["complete"] == {"mentions": True, "relations": True} and "employer" in row["relation_types"]
    [own] = made["varied.train"] + made["varied.dev"]
    assert [own["text"][m["start"] : m["end"]] for m in own["mentions"]] == ["She", "C-10"]
    assert own["entity_types"] == ["programmer", "programming language"] and own["relation_types"] == ["worked on"]
    [asked] = made["questions.train"]
    assert [asked["text"][m["start"] : m["end"]] for m in asked["mentions"]] == ["She", "C-10"]
    assert asked["relations"][0]["type"] == "which language did [a] entity work on"
    labels = json.loads((folder / "data" / "labels.json").read_text("utf-8"))
    ways = labels["questions"]["relation_types"]["which language did [a] entity work on"]["synonyms"]
    assert "what did [a] entity help to design" in ways
    assert labels["articles"]["relation_types"]["FOUNDED"]["inverse"] == ["founded by"]
    told = labels["varied"]["relation_types"]["programming: worked on"]
    assert (told["label"], told["range"], told["synonyms"]) == ("worked on", ["programming language"], ["built"])


def test_another_text_is_refused(copy):
    folder, text = copy
    done = run(folder, text.replace("1900", "1901"))
    assert done.returncode == 1 and "articles.jsonl:1: Ida Rhodes" in done.stdout
    assert not (folder / "data").exists()
