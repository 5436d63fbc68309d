"""Scores against hand-made and independent answers."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import (
    brier_score_loss,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.metrics import log_loss as reference_log_loss

from convlens.evaluation import metrics
from convlens.evaluation.metrics import Scored, of_two, wilson


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500).astype(np.uint8)
    return Scored(labels, of_two(rng.normal(size=500) + labels - 0.5))


@pytest.fixture
def five():
    """Scores of five classes that are not equally many; the last one is not in the split."""
    rng = np.random.default_rng(2)
    labels = rng.choice(4, 700, p=(0.6, 0.2, 0.15, 0.05)).astype(np.uint8)
    return Scored(labels, rng.normal(size=(700, 5)) + 1.5 * np.eye(5)[labels])


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
    expected = reference_log_loss(scored.labels, scored.probabilities[:, 1])
    assert metrics.log_loss(scored) == pytest.approx(expected)
    surely_wrong = Scored(np.array([1], np.uint8), of_two(np.array([-1000.0])))
    assert metrics.log_loss(surely_wrong) == pytest.approx(1000.0)


def test_a_perfect_and_a_constant_model(scored):
    perfect = metrics.scores(
        Scored(scored.labels, of_two((2.0 * scored.labels - 1) * 50)), 0.95, 10
    )
    assert perfect["accuracy"] == perfect["roc_auc"] == 1.0
    assert perfect["ece"] == pytest.approx(0, abs=1e-12)
    flat = metrics.scores(Scored(scored.labels, np.zeros((500, 2))), 0.95, 10)
    assert flat["roc_auc"] == 0.5
    assert flat["brier"] == pytest.approx(0.25)
    assert flat["log_loss"] == pytest.approx(np.log(2))
    assert flat["accuracy"] == np.mean(scored.labels == 0)  # a tie counts as cat


def test_auc_is_the_share_of_pairs_in_order(scored):
    cats, dogs = (scored.logits[scored.labels == label, 1] for label in (0, 1))
    pairs = np.mean(dogs[:, None] > cats[None, :])
    assert metrics.scores(scored, 0.95, 10)["roc_auc"] == pytest.approx(pairs)


def test_calibration_error_of_a_known_bias():
    """80 images said 0.75 of which 60 are dogs: calibrated; 20 said 0.05 of which 9 are cats."""
    labels = np.array([1] * 60 + [0] * 20 + [0] * 9 + [1] * 11, np.uint8)
    said = np.array([0.75] * 80 + [0.05] * 20)
    scored = Scored(labels, of_two(np.log(said / (1 - said))))
    assert metrics.expected_calibration_error(scored, 10) == pytest.approx(0.2 * (0.95 - 0.45))
    assert metrics.calibration(scored, 10).count.tolist() == [80, 20]


def test_mistakes_are_the_wrong_ones_the_surest_first():
    labels = np.array([1, 0, 1, 0, 1], np.uint8)
    scored = Scored(labels, of_two(np.array([-1.0, 5.0, 3.0, -2.0, -9.0])))
    assert metrics.most_confident_mistakes(scored, 10).tolist() == [4, 1, 0]
    assert metrics.most_confident_mistakes(scored, 2).tolist() == [4, 1]


def test_the_scores_of_many_classes_are_the_reference_s(five):
    labels, said, predicted = five.labels, softmax(five.logits, axis=1), five.logits.argmax(axis=1)
    np.testing.assert_allclose(five.probabilities, said, rtol=1e-12)
    found, each = metrics.scores(five, 0.95, 10), metrics.by_class(five)
    expected = precision_recall_fscore_support(labels, predicted, labels=range(5), zero_division=0)
    for mine, reference in zip(
        (each.precision, each.recall, each.f1, each.support), expected, strict=True
    ):
        np.testing.assert_allclose(mine, reference)
    assert found["accuracy"] == np.mean(predicted == labels)
    assert found["balanced_accuracy"] == pytest.approx(expected[1][:4].mean())
    assert found["macro_f1"] == pytest.approx(
        f1_score(labels, predicted, labels=range(4), average="macro")
    )
    assert found["log_loss"] == pytest.approx(reference_log_loss(labels, said, labels=range(5)))
    assert found["brier"] == pytest.approx(brier_score_loss(labels, said, labels=range(5)) / 2)
    areas = [roc_auc_score(labels == c, said[:, c]) for c in range(4)]
    np.testing.assert_allclose(each.roc_auc, [*areas, np.nan])
    assert found["roc_auc"] == pytest.approx(np.mean(areas))
    assert metrics.positive(five) == [0, 1, 2, 3]


def test_sure_answers_of_many_classes_neither_overflow_nor_tie():
    logits = np.array([[3000.0, 0, -3000], [3001, 0, -3000], [0, 800, 0]])
    scored = Scored(np.array([1, 0, 2], np.uint8), logits)
    np.testing.assert_allclose(scored.log_losses, [3000, 0, 800], atol=1e-9)
    assert scored.odds[1, 0] > scored.odds[0, 0] == 3000
    assert metrics.most_confident_mistakes(scored, 5).tolist() == [0, 2]


def test_two_classes_as_two_logits_or_as_one_are_the_same(scored):
    shifted = Scored(scored.labels, scored.logits + np.arange(500)[:, None])
    one, other = (metrics.scores(s, 0.95, 10) for s in (scored, shifted))
    assert one == pytest.approx(other)
    assert metrics.positive(scored) == [1]


def test_top_label_calibration_of_many_classes_counts_the_predicted_class_only(five):
    c = metrics.calibration(five, 20)
    top = five.probabilities.max(axis=1)
    assert c.count.sum() == len(top)
    assert np.average(c.confidence, weights=c.count) == pytest.approx(top.mean())
    assert np.average(c.accuracy, weights=c.count) == pytest.approx(five.correct.mean())
