"""Statistics over seeds against numbers worked out by hand."""

import pytest

from convlens.evaluation import seeds

RUNS = [dict.fromkeys(seeds.METRICS, value) for value in (0.80, 0.82, 0.87)]


def test_mean_spread_and_student_interval():
    found = seeds.study(RUNS, 0.95)["accuracy"]
    assert found["mean"] == pytest.approx(0.83)
    assert found["sd"] == pytest.approx(0.036056, abs=1e-6)  # sqrt((9 + 1 + 16) / 2) / 100
    # t(0.975, 2) = 4.302653; half = t * sd / sqrt(3)
    assert found["high"] - found["mean"] == pytest.approx(4.302653 * 0.036056 / 3**0.5, abs=1e-5)
    assert found["values"] == [0.80, 0.82, 0.87]


def test_one_seed_has_no_spread():
    found = seeds.study(RUNS[:1], 0.95)["brier"]
    assert (found["sd"], found["low"], found["high"]) == (0.0, 0.80, 0.80)


def test_the_band_is_four_spreads_but_never_nothing():
    low, high = seeds.band(RUNS, "accuracy")
    assert (low, high) == pytest.approx((0.83 - 4 * 0.036056, 0.83 + 4 * 0.036056), abs=1e-5)
    low, high = seeds.band(RUNS[:1], "accuracy")
    assert (low, high) == pytest.approx((0.78, 0.82))
