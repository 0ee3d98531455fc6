import math

import pytest
import torch

from kgpipe.extract.scoring import MARGIN, ahead, known_logit, novelty, relation_features, type_features


def test_a_label_is_known_beside_a_training_label_and_new_far_from_all():
    known = torch.tensor([[1.0, 0.0]])
    labels = torch.tensor([[1.0, 0.0], [0.75, math.sqrt(1 - 0.75**2)], [0.0, 1.0]])
    assert novelty(labels, known).tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert novelty(labels, known[:0]).tolist() == [1.0, 1.0, 1.0]


def test_known_labels_need_no_second_pass():
    joint, related, weights = torch.randn(5, 3) * 30, torch.randn(5), torch.randn(9)
    whole = relation_features(joint, related, torch.randn(5, 3), torch.randn(5, 3), torch.zeros(3)) @ weights
    assert torch.allclose(whole, known_logit(joint, related, weights), atol=1e-5)


def test_a_label_is_ahead_of_the_other_labels_that_the_types_allow():
    cosine = torch.tensor([[0.5, 0.4, 0.3], [0.5, 0.4, 0.3], [0.9, 0.1, 0.0]])
    legal = torch.tensor([[True, True, True], [False, True, False], [True, True, False]])
    made = ahead(cosine, legal)
    assert torch.allclose(made[0], torch.tensor([0.1, -0.1, -0.2]))
    assert made[1, 1] == 0  # no other is allowed
    assert torch.allclose(made[2, :2], torch.tensor([MARGIN, -MARGIN]))
    assert ahead(cosine[:, :1], legal[:, :1]).tolist() == [[0], [0], [0]]
    assert ahead(cosine[:, :0], legal[:, :0]).shape == (3, 0)


def test_a_type_is_scored_by_one_set_of_weights_when_known_and_by_the_other_when_new():
    joint, mention, cosine = torch.randn(2, 3, 4), torch.randn(2, 3), torch.rand(2, 3, 4)
    weights = torch.tensor([1.0, 0, 0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0])
    novel = torch.tensor([0.0, 1.0, 0.5, 0.0])
    made = type_features(joint, mention, cosine, cosine, novel) @ weights
    assert torch.allclose(made[..., 0], joint[..., 0])
    assert torch.allclose(made[..., 1], mention)
    assert torch.allclose(made[..., 2], (joint[..., 2] + mention) / 2)
