import random

import pytest
import torch

from kgpipe.extract.data import Example, collate, retokenised, windows
from kgpipe.extract.learn import LabelBank, training_batch
from kgpipe.extract.naming import AROUND, MIDDLE, Namer, Teachers, pair_pieces, type_pieces
from kgpipe.extract.network import JointNetwork
from kgpipe.models.backbone import WEIGHTS, load_backbone, load_tokenizer
from kgpipe.models.bert import Bert, BertConfig
from kgpipe.models.embed import Embedder

TEXT = "In 1842 the engineer Ada met Charles Babbage, who showed her the machine of his firm in London one evening."
TYPES = ["person", "city"]


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(WEIGHTS / "embedder")


def read(tokenizer, pairs, kinds, *, text=TEXT, around=AROUND):
    """The texts of pairs of words of one window, as the namer reads them."""
    made = windows(text, tokenizer)
    ends = (tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]"))
    rows = torch.tensor([(0, *pair) for pair in pairs])
    pieces, mask = pair_pieces(
        collate(made), rows, torch.tensor(kinds), type_pieces(TYPES, tokenizer), ends, around=around
    )
    return [
        " ".join(tokenizer.id_to_token(int(i)) for i in row[: int(n)])
        for row, n in zip(pieces, mask.sum(1), strict=True)
    ]


def test_a_pair_is_its_types_with_the_words_between_and_some_around(tokenizer):
    ada, babbage, london = (4, 4), (6, 7), (18, 18)
    assert read(tokenizer, [(*ada, *babbage), (*babbage, *ada), (*babbage, *london)], [(0, 0), (0, 0), (0, 1)]) == [
        "[CLS] in 1842 the engineer [ a ] person met [ b ] person , who showed her [SEP]",
        "[CLS] in 1842 the engineer [ b ] person met [ a ] person , who showed her [SEP]",
        "[CLS] the engineer ada met [ a ] person , who showed her the machine of his firm in [ b ] city one evening . [SEP]",
    ]


def test_of_many_words_between_the_first_and_last_stay(tokenizer):
    text = "Ada " + " ".join(["one"] * 30 + ["two"] * 30) + " London"
    (made,) = read(tokenizer, [(0, 0, 61, 61)], [(0, 1)], text=text, around=0)
    assert made == f"[CLS] [ a ] person {'one ' * (MIDDLE // 2)}{'two ' * (MIDDLE // 2)}[ b ] city [SEP]"


def test_ends_that_overlap_have_nothing_between(tokenizer):
    assert read(tokenizer, [(4, 7, 6, 7)], [(0, 1)], around=0) == ["[CLS] [ a ] person [ b ] city [SEP]"]


def test_the_network_comes_nearer_to_what_the_encoders_say(tokenizer):
    torch.manual_seed(0)
    (window,) = windows(TEXT, tokenizer)
    spans = [(4, 4, "person"), (6, 7, "person"), (18, 18, "city")]
    example = Example("mine", window, spans, [(0, 1, "met")], entity_types=("person", "city"), relation_types=("met",))
    embedder = Embedder()
    config = BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    network = JointNetwork(Bert(config), dropout=0)
    teachers = Teachers(Namer(load_backbone(WEIGHTS / "embedder")), embedder, tokenizer)
    batch, _ = training_batch([example], LabelBank(embedder, [example], {}), random.Random(0))
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-3)
    seen = []
    for _ in range(30):
        scores = network(batch, top_k=2)
        found = teachers.losses(network, batch, scores, [example], random.Random(0))
        assert set(found) == {"names", "phrases"}
        optimiser.zero_grad()
        sum(found.values()).backward()
        optimiser.step()
        seen.append({name: float(loss.detach()) for name, loss in found.items()})
    assert all(seen[-1][name] < 0.5 * seen[0][name] for name in seen[0]), seen[::10]


def test_a_name_is_read_by_the_teacher_as_it_stands_alone(tokenizer):
    (window,) = windows(TEXT, tokenizer)
    embedder = Embedder()
    teachers = Teachers(Namer(load_backbone(WEIGHTS / "embedder")), embedder, tokenizer)
    with torch.inference_mode():
        made = teachers._names(collate([window]), torch.tensor([0]), torch.tensor([[6, 7]]))
    assert torch.allclose(made, torch.from_numpy(embedder.encode(["Charles Babbage"], exact=True)), atol=1e-4)


def test_a_window_in_other_word_pieces_has_the_same_words(tokenizer):
    (window,) = windows(TEXT, tokenizer)
    assert retokenised(window, tokenizer) == window
