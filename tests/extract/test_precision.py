"""What a checkpoint promises: precision as a least score, and `kgpipe calibrate`, which measures it."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from kgpipe.cli import app
from kgpipe.errors import ModelError
from kgpipe.extract.base import CHECKPOINT, fingerprint, least_score
from kgpipe.schema import load

PLACES = ["London", "Paris", "Vienna", "Rome", "Madrid", "Berlin", "Oslo", "Dublin"]


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(CHECKPOINT / name, folder / name)
    return folder


def test_a_wanted_precision_is_a_least_score():
    promised = json.loads((CHECKPOINT / "config.json").read_text())["precisions"]
    assert least_score("", precision=0.9) == promised["0.9"]
    assert least_score("", precision=0.88) == promised["0.9"]  # the next that is promised
    assert least_score("", threshold=0.4) == 0.4
    assert least_score("") == 0.0
    with pytest.raises(ModelError, match=r"precision 0.999 .*promised: 0.5, 0.6"):
        least_score("", precision=0.999)
    with pytest.raises(ModelError, match="Give one"):
        least_score("", threshold=0.4, precision=0.9)


def test_another_threshold_or_curve_is_another_fingerprint(copy):
    schema = load("computing")
    before = fingerprint(schema, checkpoint=copy)
    assert fingerprint(schema, checkpoint=copy, threshold=0.7) != before
    config = json.loads((copy / "config.json").read_text())
    config["calibration"]["known"]["slope"] *= 2
    (copy / "config.json").write_text(json.dumps(config))
    assert fingerprint(schema, checkpoint=copy) != before


def test_extract_keeps_only_what_is_as_sure_as_wanted(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text(
        "Ada Lovelace was born in London in 1815. Bernard, a friend of hers from Paris, may know of Intel."
        " Alan Turing, who studied at Princeton University, worked for the University of Manchester.",
        encoding="utf-8",
    )

    def scores(*options):
        ran = CliRunner().invoke(app, ["extract", str(text), "--schema", "computing", "--json", "--quiet", *options])
        assert ran.exit_code == 0, ran.output
        return [r["score"] for r in json.loads(ran.output.splitlines()[0])["relations"]]

    least = least_score("", precision=0.9)
    sure = scores("--precision", "0.9")
    assert sure and min(sure) >= least
    assert len(scores("--threshold", "0.05")) > len(sure)


def test_calibrate_fits_curve_threshold_and_precisions(copy, tmp_path):
    rows = []
    for i, place in enumerate(PLACES * 5):
        text = f"Ada Smith, number {i} of the list, was born in {place}."
        start = text.index(place)
        rows.append({
            "id": i, "text": text,
            "mentions": [
                {"start": 0, "end": 9, "type": "person"},
                {"start": start, "end": start + len(place), "type": "location"},
            ],
            "relations": [{"head": 0, "tail": 1, "type": "place of birth"}],
            "entity_types": ["person", "location"], "relation_types": ["place of birth", "place of death"],
        })  # fmt: skip
        if not (i + i // len(PLACES)) % 4:  # every fourth, and of every place some
            rows[-1]["relations"] = [{"head": 1, "tail": 0, "type": "place of death"}]
    data = tmp_path / "gold.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = CliRunner().invoke(app, ["calibrate", str(data), "--checkpoint", str(copy), "--json", "--quiet"])
    assert ran.exit_code == 0, ran.output
    fitted, config = json.loads(ran.output), json.loads((copy / "config.json").read_text())
    assert config["calibration"]["known"] == {k: fitted[k] for k in ("slope", "offset", "threshold")}
    assert config["precisions"] == fitted["precisions"]
    assert "0.95" not in fitted["precisions"]  # every fourth sentence is annotated as something else
    assert fitted["precisions"]["0.7"] <= 0.9
    assert config["calibration"]["new"] == json.loads((CHECKPOINT / "config.json").read_text())["calibration"]["new"]


def test_a_complete_text_without_relations_speaks_against_scores(copy, tmp_path):
    """What is found in it is wrong; in a text that was not annotated with relations it is only not known."""
    rows = [
        {
            "id": place, "text": f"Ada Smith was born in {place}.", "entity_types": ["person", "location"],
            "relation_types": ["place of birth"],
            "mentions": [{"start": 0, "end": 9, "type": "person"}, {"start": 22, "end": 22 + len(place), "type": "location"}],
            "relations": [{"head": 0, "tail": 1, "type": "place of birth"}],
        }
        for place in PLACES
    ]  # fmt: skip
    silent = {key: value for key, value in rows[0].items() if key != "relations"}

    def predicted(*more):
        data = tmp_path / "gold.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *more]))
        ran = CliRunner().invoke(app, ["calibrate", str(data), "--checkpoint", str(copy), "--json", "--quiet"])
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.output)["predicted"]

    assert predicted(silent) == predicted()
    assert predicted(silent | {"complete": {"mentions": True, "relations": True}}) > predicted()


def test_calibrate_says_when_nothing_is_right(copy, tmp_path):
    data = tmp_path / "gold.jsonl"
    row = {"id": 1, "text": "Nothing.", "mentions": [], "relations": [], "entity_types": [], "relation_types": []}
    data.write_text(json.dumps(row) + "\n")
    before = (copy / "config.json").read_text()
    ran = CliRunner().invoke(app, ["calibrate", str(data), "--checkpoint", str(copy), "--quiet"])
    assert ran.exit_code != 0
    assert "Nothing to calibrate on" in str(ran.exception)
    assert (copy / "config.json").read_text() == before
