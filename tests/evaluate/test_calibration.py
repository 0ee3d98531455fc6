import math
import random

import numpy as np
import pytest

from kgpipe.evaluate.calibration import (
    best_threshold,
    calibrated,
    fit_logistic,
    precisions,
)
from kgpipe.evaluate.extraction import expected_calibration_error


def overconfident(n=20_000):
    """Scores that say more than they know: of those with logit x, sigmoid(x / 2 - 1) are right."""
    generator = random.Random(3)
    logits = [generator.uniform(-4, 4) for _ in range(n)]
    scores = np.array([1 / (1 + math.exp(-x)) for x in logits])
    right = np.array([float(generator.random() < 1 / (1 + math.exp(1 - x / 2))) for x in logits])
    return scores, right


def test_the_curve_makes_overconfident_scores_honest():
    scores, right = overconfident()
    slope, offset = fit_logistic(scores, right)
    assert (slope, offset) == pytest.approx((0.5, -1.0), abs=0.05)
    assert expected_calibration_error(scores, right) > 0.15
    assert expected_calibration_error(calibrated(scores, slope, offset), right) < 0.015


def test_all_right_keeps_the_curve_finite():
    slope, offset = fit_logistic(np.array([0.9, 0.95, 0.99]), np.ones(3))
    assert math.isfinite(slope) and math.isfinite(offset)


def test_the_best_threshold_is_that_of_the_best_f1():
    scores, right = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1, 1, 0, 1, 0])
    # F1 against 4 gold relations: 2/5, 4/6, 4/7, 6/8, 6/9
    assert best_threshold(scores, right, 4) == 0.6


def test_a_precision_is_promised_only_where_data_supports_it():
    scores = np.linspace(0.99, 0.01, 200)
    right = np.array([1] * 40 + [1, 0] * 40 + [0] * 80)
    found = precisions(scores, right)
    assert found["0.95"] == round(float(scores[44]), 4)  # 40 right ones in a row, then every second: 43 of 45
    assert float(found["0.5"]) < float(found["0.7"]) < float(found["0.95"])
    assert precisions(scores, np.zeros(200)) == {}
