"""What a search draws from: sound ranges, or one message that names the range."""

import numpy as np
import pytest

from convlens.errors import InputError
from convlens.params import ranges

READ = {
    "vgg16": {
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "units": {"low": 1, "high": 3},
        "fine_tune": {"learning_rate": {"choice": [0.5, 0.25]}},
    }
}


def drawn(count, seed=1, tree=READ):
    found = ranges.read(tree, "x.yaml: ranges")
    return [ranges.draw(found, seed, number) for number in range(count)]


def test_draws_fill_their_ranges_evenly():
    trials = drawn(2000)
    rates = np.log10([trial["vgg16.learning_rate"] for trial in trials])
    assert -4 <= rates.min() < -3.98
    assert -2.02 < rates.max() <= -2
    assert np.histogram(rates, 4, (-4, -2))[0] == pytest.approx([500] * 4, abs=80)
    units = [trial["vgg16.units"] for trial in trials]
    assert {type(value) for value in units} == {int}
    assert np.bincount(units)[1:] == pytest.approx([667] * 3, abs=80)
    assert abs(np.corrcoef(rates, units)[0, 1]) < 0.1
    assert {trial["vgg16.fine_tune.learning_rate"] for trial in trials} == {0.5, 0.25}


def test_a_draw_depends_on_seed_trial_and_its_own_name_alone():
    few, many = drawn(3), drawn(5)
    assert many[:3] == few
    assert drawn(3, seed=2) != few
    fewer = {"vgg16": {"units": READ["vgg16"]["units"]}}
    assert [t["vgg16.units"] for t in few] == [t["vgg16.units"] for t in drawn(3, tree=fewer)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (0.5, "{low: …, high: …}"),
        ({}, "{low: …, high: …}"),
        ({"low": 1}, "{low: …, high: …}"),
        ({"low": 1, "high": 2, "lgo": True}, "{low: …, high: …}"),
        ({"low": 1, "high": 2, "choice": [1]}, "{low: …, high: …}"),
        ({"low": 2, "high": 1}, "low less than high"),
        ({"low": 0, "high": 1, "log": True}, "low above 0"),
        ({"low": 0, "high": 1, "log": "yes"}, "log true or false"),
        ({"low": "0", "high": 1}, "numbers"),
        ({"low": 0, "high": float("inf")}, "numbers"),
        ({"low": False, "high": True}, "numbers"),
        ({"choice": []}, "a list of values"),
        ({"choice": 0.5}, "a list of values"),
    ],
)
def test_what_is_no_range_is_named(wrong, said):
    with pytest.raises(InputError) as error:
        ranges.read({"vgg16": {"dropout": wrong}}, "x.yaml: ranges")
    assert error.value.where == "x.yaml: ranges.vgg16.dropout"
    assert said in error.value.expected
