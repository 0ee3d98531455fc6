"""The joint network on a tiny random backbone."""

import torch

from kgpipe.extract.network import Batch, JointNetwork
from kgpipe.models.bert import Bert, BertConfig


def a_batch(n_words=(9, 3), n_types=3, n_relations=4):
    b, n = len(n_words), max(n_words)
    words = torch.arange(n) < torch.tensor(n_words).unsqueeze(1)
    place = torch.arange(n).expand(b, n)
    return Batch(
        pieces=torch.randint(1, 50, (b, n)), shapes=torch.zeros(b, n, dtype=torch.long), mask=words.long(),
        first=place, last=place, words=words, types=torch.randn(n_types, 384), relations=torch.randn(n_relations, 384),
        type_mask=torch.ones(b, n_types, dtype=torch.bool), relation_mask=torch.ones(b, n_relations, dtype=torch.bool),
        domain=torch.rand(n_relations, n_types) < 0.6, range=torch.rand(n_relations, n_types) < 0.6,
        forced=torch.tensor([[[0, 1]]] * b), forced_mask=torch.ones(b, 1, dtype=torch.bool),
        fixed=torch.full((b, 1), -1), by_rule=torch.tensor([False, False, True]),
    )  # fmt: skip


def test_single_pairs_score_as_among_all_pairs():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )  # fmt: skip
    network, batch = JointNetwork(Bert(config)).eval(), a_batch()
    with torch.inference_mode():
        scores = network(batch, top_k=6)
        window, subject, object_ = (scores.relations[..., 0] > -torch.inf).nonzero().T
        relations, related = network.pairs(batch, network.look(batch, top_k=6), window, subject, object_)
    assert len(window) > 40
    assert torch.allclose(relations, scores.relations[window, subject, object_], atol=1e-5)
    assert torch.allclose(related, scores.related[window, subject, object_], atol=1e-5)


def test_spans_end_inside_the_window():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )  # fmt: skip
    network = JointNetwork(Bert(config)).eval()
    with torch.inference_mode():
        scores = network(a_batch((5, 1)), top_k=30)
    real = (scores.span_types[..., 0] > -torch.inf).nonzero().tolist()
    assert [row for row in real if row[0] == 1] == [[1, 0, 0]]
    assert len([row for row in real if row[0] == 0]) == 5 * 6 // 2


def test_what_is_said_of_spans_and_pairs_does_not_depend_on_the_rest_of_the_batch():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )  # fmt: skip
    network, both = JointNetwork(Bert(config)).eval(), a_batch((9, 4))
    alone = {
        name: t[1:, :4]
        if name in ("pieces", "shapes", "mask", "first", "last", "words")
        else t[1:]
        if len(t) == 2
        else t
        for name, t in vars(both).items()
    }
    with torch.inference_mode():
        among, single = network.look(both, top_k=3), network.look(Batch(**alone), top_k=3)
        order = [among.flat[1].tolist().index(f // 12 * 12 + f % 12) for f in single.flat[0].tolist()]
        subject, object_ = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0])
        place = torch.tensor(order)
        pairs = network.phrases(both, among, torch.ones(3, dtype=torch.long), place[subject], place[object_])
        same = network.phrases(Batch(**alone), single, torch.zeros(3, dtype=torch.long), subject, object_)
    assert torch.allclose(among.name[1, place], single.name[0], atol=1e-5)
    assert torch.allclose(among.context[1, place], single.context[0], atol=1e-5)
    assert torch.allclose(pairs, same, atol=1e-5)
    assert torch.allclose(pairs.norm(dim=-1), torch.ones(3))
    assert not torch.allclose(same[0], same[1], atol=1e-3)
