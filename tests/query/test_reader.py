"""Which sentence tells what is asked, by the words around what the question names and a possible answer."""

import numpy as np
import pytest

from kgpipe.extract.base import CHECKPOINT
from kgpipe.extract.encoder import load_checkpoint
from kgpipe.models.embed import Embedder, load_embedder, load_namer
from kgpipe.query import reader
from kgpipe.query.retrieve import asked_for

SENTENCES = [
    "Herman Hollerith (February 29, 1860 – November 17, 1929) was an American inventor.",
    "Hollerith died on November 17, 1929 in Washington.",
    "He was born in Buffalo, New York, in 1860, where he also spent his early childhood.",
    "Hollerith founded the Tabulating Machine Company in 1896.",
    "He was fond of cats.",
]


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("On what day did Herman Hollerith die?", 1),
        ("Where was Herman Hollerith born?", 2),
        ("Who founded the Tabulating Machine Company?", 3),
    ],
)
def test_the_sentence_that_tells_it_is_told_best(question, best):
    told = reader.told(question, asked_for(question), SENTENCES, load_namer())
    assert int(np.argmax(told)) == best
    assert told[4] == 0.0
    assert all(0 <= t <= 1 for t in told)


def test_nothing_to_read_and_nothing_named():
    assert reader.told("When did he die?", "date", [], load_namer()) == []
    assert reader.told("?", "any", ["", "It rained."], load_namer()) == [0.0, 0.0]
    assert reader.told("When was it?", "date", ["It was in 1912."], load_namer())[0] > 0


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("date", ["May 3, 1912"]),
        ("number", ["40"]),
        ("name", ["Paris", "Marie Curie"]),
    ],
)
def test_what_may_be_the_answer(kind, found):
    sentence = "In Paris 40 people met Marie Curie and Lise Meitner on May 3, 1912."
    named = {"lise", "meitner", "may"}
    assert [sentence[a:b] for a, b in reader.answers(sentence, kind, named)] == found


def test_the_namer_is_that_of_the_checkpoint_and_shares_what_is_frozen():
    texts = ["[a] person was born in [b] city", "when was [a] entity born"]
    whole = Embedder(backbone=load_checkpoint(CHECKPOINT).namer.backbone)
    assert np.allclose(load_namer().encode(texts, exact=True), whole.encode(texts, exact=True), atol=1e-6)
    one, other = (dict(e.backbone.named_parameters()) for e in (load_namer(), load_embedder()))
    shared = [name for name in one if one[name] is other[name]]
    assert "embeddings.word_embeddings.weight" in shared
    assert any(name.startswith("encoder.layer.0.") for name in shared)
    assert not [name for name in shared if name.startswith("encoder.layer.5.")]
