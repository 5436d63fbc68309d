"""Scores against hand-made and independent answers."""

import numpy as np
import pytest
from sklearn.metrics import log_loss as reference_log_loss

from convlens.evaluation import metrics
from convlens.evaluation.intervals import wilson
from convlens.evaluation.metrics import Scored


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500).astype(np.uint8)
    return Scored(labels, rng.normal(size=500) + labels - 0.5)


def test_wilson_equals_the_formula_and_covers_extremes():
    # Newcombe 1998, table I: 81 of 263 at 95 %.
    assert wilson(81, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    low, high = wilson(100, 100, 0.95)
    assert 0.96 < low < 0.965
    assert high == pytest.approx(1.0)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    intervals = [wilson(int(s), 200, 0.9) for s in rng.binomial(200, 0.9, 400)]
    assert 0.86 <= np.mean([low <= 0.9 <= high for low, high in intervals]) <= 0.94


def test_log_loss_equals_the_reference_and_survives_sure_mistakes(scored):
    expected = reference_log_loss(scored.labels, scored.probabilities)
    assert metrics.log_loss(scored) == pytest.approx(expected)
    surely_wrong = Scored(np.array([1], np.uint8), np.array([-1000.0]))
    assert metrics.log_loss(surely_wrong) == pytest.approx(1000.0)


def test_a_perfect_and_a_constant_model(scored):
    perfect = metrics.summary(Scored(scored.labels, (2.0 * scored.labels - 1) * 50), 0.95, 10)
    assert perfect["accuracy"] == perfect["roc_auc"] == 1.0
    assert perfect["ece"] == pytest.approx(0, abs=1e-12)
    flat = metrics.summary(Scored(scored.labels, np.zeros(500)), 0.95, 10)
    assert flat["roc_auc"] == 0.5
    assert flat["brier"] == pytest.approx(0.25)
    assert flat["log_loss"] == pytest.approx(np.log(2))
    assert flat["accuracy"] == np.mean(scored.labels == 0)  # a tie counts as cat


def test_auc_is_the_share_of_pairs_in_order(scored):
    cats, dogs = (scored.logits[scored.labels == label] for label in (0, 1))
    pairs = np.mean(dogs[:, None] > cats[None, :])
    assert metrics.summary(scored, 0.95, 10)["roc_auc"] == pytest.approx(pairs)


def test_calibration_error_of_a_known_bias():
    """80 images said 0.75 of which 60 are dogs: calibrated; 20 said 0.95 of which 9 are."""
    labels = np.array([1] * 60 + [0] * 20 + [1] * 9 + [0] * 11, np.uint8)
    said = np.array([0.75] * 80 + [0.95] * 20)
    scored = Scored(labels, np.log(said / (1 - said)))
    assert metrics.expected_calibration_error(scored, 10) == pytest.approx(0.2 * (0.95 - 0.45))
    assert metrics.calibration(scored, 10).count.tolist() == [80, 20]


def test_mistakes_are_the_wrong_ones_the_surest_first():
    labels = np.array([1, 0, 1, 0, 1], np.uint8)
    scored = Scored(labels, np.array([-1.0, 5.0, 3.0, -2.0, -9.0]))
    assert metrics.most_confident_mistakes(scored, 10).tolist() == [4, 1, 0]
    assert metrics.most_confident_mistakes(scored, 2).tolist() == [4, 1]
