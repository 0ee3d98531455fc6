"""What training knows of its labels: other wordings and inverses from a label file, and which it knows afterwards."""

import random

import pytest
import torch

from kgpipe.extract.data import Example, windows
from kgpipe.extract.learn import LabelBank, training_batch
from kgpipe.models.backbone import WEIGHTS, load_tokenizer
from kgpipe.models.embed import Embedder

DESCRIBED = {
    "mine": {
        "entity_types": {"p": {"label": "person"}},
        "relation_types": {
            "m": {"label": "mentor", "description": "who guides", "synonyms": ["adviser"], "inverse": ["pupil"]}
        },
    }
}


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


def example(source):
    (window,) = windows("Ada guided Bo.", load_tokenizer(WEIGHTS / "embedder"))
    return Example(
        source, window, [(0, 0, "person"), (2, 2, "person")], [(1, 0, "mentor")], set(), ("person",), ("mentor",)
    )


def test_a_label_is_asked_in_its_other_wordings_and_turned_round(embedder):
    bank = LabelBank(embedder, [example("mine")], DESCRIBED)
    assert [(ways[0], swapped) for ways, swapped in bank.relations["mine", "mentor"]] == [
        ("mentor", False), ("adviser", False), ("pupil", True),
    ]  # fmt: skip
    said = {way: bank.vector([way]) for way in ("mentor", "adviser", "pupil")}
    ends = {}
    for seed in range(60):
        batch, gold = training_batch([example("mine")], bank, random.Random(seed))
        ((_, subject, object_, _),) = gold.pairs.tolist()
        nearest = max(said, key=lambda way: float(said[way] @ batch.relations[0]))
        ends.setdefault(nearest, set()).add((subject, object_))
    # Bo's mentor is Ada; Ada's pupil is Bo
    assert ends == {"mentor": {(1, 0)}, "adviser": {(1, 0)}, "pupil": {(0, 1)}}
    assert torch.isfinite(bank.vectors).all()


def test_labels_of_sets_with_a_few_examples_of_each_are_no_known_ones(embedder):
    known, few = example("mine"), example("written.train")
    few.entity_types = (few.spans[0][2], "lighthouse")
    types, relations = LabelBank(embedder, [known, few], DESCRIBED).said()
    assert relations == ["adviser", "mentor", "pupil"]
    assert "person" in types and "lighthouse" not in types
    assert LabelBank(embedder, [few], {}).said()[1] == []
