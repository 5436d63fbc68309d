"""Statistics over seeds against numbers worked out by hand."""

import pytest

from convlens.evaluation import studies


def runs(variant, *values):
    return [dict.fromkeys(studies.METRICS, value) | {"variant": variant} for value in values]


def test_mean_spread_and_student_interval_of_each_variant():
    found = studies.spread(runs("a", 0.80, 0.82, 0.87) + runs("b", 0.5, 0.5), 0.95)
    assert list(found) == ["a", "b"]
    a = found["a"]["accuracy"]
    assert a["mean"] == pytest.approx(0.83)
    assert a["sd"] == pytest.approx(0.036056, abs=1e-6)  # sqrt((9 + 1 + 16) / 2) / 100
    # t(0.975, 2) = 4.302653; half = t * sd / sqrt(3)
    assert a["high"] - a["mean"] == pytest.approx(4.302653 * 0.036056 / 3**0.5, abs=1e-5)
    assert found["b"]["accuracy"] == {"mean": 0.5, "sd": 0.0, "low": 0.5, "high": 0.5}


def test_one_seed_has_no_spread():
    found = studies.spread(runs("a", 0.80), 0.95)["a"]["brier"]
    assert (found["sd"], found["low"], found["high"]) == (0.0, 0.80, 0.80)


def test_the_table_has_a_row_a_variant():
    text = studies.table(studies.spread(runs("5 views", 0.80, 0.82, 0.87), 0.95))
    assert text.splitlines()[-1].split("  ")[:2] == ["5 views", "0.8300 ± 0.0361"]


def test_the_band_is_four_spreads_but_never_nothing():
    three = studies.bands(runs("a", 0.80, 0.82, 0.87), ["accuracy"])["a"]["accuracy"]
    assert three == pytest.approx([0.83 - 4 * 0.036056, 0.83 + 4 * 0.036056], abs=1e-5)
    one = studies.bands(runs("a", 0.80), ["accuracy"])["a"]["accuracy"]
    assert one == pytest.approx([0.78, 0.82])


def test_the_band_promises_nothing_beyond_what_a_metric_can_be():
    near = studies.bands(runs("a", 0.99, 0.995) + runs("b", 0.01), ["accuracy", "log_loss"])
    assert near["a"]["accuracy"][1] == 1.0
    assert near["a"]["log_loss"][1] > 1.0
    assert near["b"]["log_loss"][0] == near["b"]["accuracy"][0] == 0.0


def test_a_study_without_mirror_images_says_so():
    plain = [{k: v for k, v in run.items() if "mirror" not in k} for run in runs("a", 0.8, 0.9)]
    assert studies.table(studies.spread(plain, 0.95)).splitlines()[-1].split()[4] == "–"


def test_of_a_search_those_that_ran_to_the_end_come_first_and_those_that_failed_last():
    trials = [
        {"trial": 0, "rate": 0.1, "epochs": 2, "val_loss": 0.2, "val_accuracy": 0.9},
        {"trial": 1, "rate": 9.0, "reason": "training, epoch 1\n  expected: a finite loss"},
        {"trial": 2, "rate": 0.2, "epochs": 4, "val_loss": 0.4, "val_accuracy": 0.8},
        {"trial": 3, "rate": 0.3, "epochs": 4, "val_loss": 0.3, "val_accuracy": 0.7},
    ]
    ranked = studies.ranked(trials)
    assert [trial["trial"] for trial in ranked] == [3, 2, 0, 1]
    lines = studies.trials_table(ranked).splitlines()
    assert lines[0].split() == ["trial", "rate", "epochs", "log", "loss", "validation"]
    assert lines[2].split() == ["3", "0.3", "4", "0.3000", "0.7000"]
    assert lines[-1].split("  ")[-1].strip() == "training, epoch 1"
