import pytest
import torch

from kgpipe.extract.data import collate, windows
from kgpipe.extract.naming import AROUND, MIDDLE, pair_pieces, type_pieces
from kgpipe.models.backbone import WEIGHTS, load_tokenizer

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
