"""Verdicts and sentences say what the numbers say."""

import pytest

from convlens.files import write_csv
from convlens.report import words


def bounds(key, low, high):
    return {key: (low + high) / 2, f"{key}_low": low, f"{key}_high": high}


@pytest.mark.parametrize(
    ("key", "low", "high", "verdict"),
    [
        ("deletion_minus_random", -0.3, -0.1, "yes"),  # lower is better
        ("deletion_minus_random", -0.1, 0.1, "open"),
        ("deletion_minus_random", 0.1, 0.3, "no"),
        ("insertion_minus_gaussian", 0.1, 0.3, "yes"),
        ("insertion_minus_gaussian", -0.3, -0.1, "no"),
        ("energy_ratio_animal", 1.1, 1.3, "yes"),  # 1 is what the area explains
        ("energy_ratio_animal", 0.8, 1.2, "open"),
        ("energy_ratio_animal", 0.5, 0.9, "no"),
        ("energy_parts_minus_gaussian", -0.2, -0.1, "no"),
    ],
)
def test_a_check_holds_only_if_the_whole_interval_does(key, low, high, verdict):
    (check,), failures = words.checks({"net": bounds(key, low, high)})
    assert check.answers["net"].verdict == verdict
    assert bool(failures["net"]) == (verdict != "yes")


def test_a_map_that_does_not_beat_the_centre_is_called_by_its_name():
    said = "its maps do not beat the centred Gaussian on the animal"
    _, failures = words.checks({"net": bounds("energy_animal_minus_gaussian", -0.1, -0.02)})
    assert failures == {"net": [said]}
    _, failures = words.checks({"net": bounds("energy_animal_minus_gaussian", -0.1, 0.02)})
    assert failures == {"net": [f"{said}, as far as these images can tell"]}


@pytest.mark.parametrize(("correlation", "verdict"), [(0.1, "yes"), (-0.6, "no"), (0.9, "no")])
def test_a_map_that_survives_random_weights_fails(correlation, verdict):
    (check,), failures = words.checks({"net": {"randomised_correlation": correlation}})
    assert check.answers["net"].verdict == verdict
    assert bool(failures["net"]) == (verdict == "no")


def test_what_one_model_did_not_measure_is_left_blank():
    (check,), failures = words.checks({"a": {}, "b": bounds("deletion_minus_random", -2, -1)})
    assert check.answers["a"] is None
    assert failures == {"a": [], "b": []}


def predictions(folder, model, right):
    rows = [{"path": str(number), "correct": int(number in right)} for number in range(20)]
    write_csv(folder / model, ("path", "correct"), rows)
    return folder / model


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (set(range(20)), set(range(20)), "they err on the same ones"),
        (set(range(20)), set(range(19)), "b alone another 0. Too little"),
        # 10 of 10 disagreements: p = 2 / 2**10
        (set(range(20)), set(range(10)), "another 10, b alone another 0. More than chance"),
        (set(range(20)), set(range(10)), "p = 0.002)"),
    ],
)
def test_models_differ_only_if_a_sign_test_says_so(tmp_path, first, second, said):
    paths = {"a": predictions(tmp_path, "a", first), "b": predictions(tmp_path, "b", second)}
    assert any(said in sentence for sentence in words.comparison(paths))


def test_the_accounting_names_where_every_entry_went():
    of = {"entries": 4000, "manifest": 2000, "quarantine": 3, "duplicates": 7, "ignored": 1990}
    text = words.accounting({"accounting": of, "ignored": {"part mask": 1989, "text file": 1}})
    for part in ("4,000 entries", "2,000 images", "3 could not", "7 were copies", "1,990 are no",
                 "1,989 × part mask, 1 × text file"):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("classes", "asked"),
    [
        (["cat", "dog"], "cat or dog?"),
        (["cat", "dog", "bear"], "cat, dog or bear?"),
        ([str(n) for n in range(102)], "which of 102 classes?"),
    ],
)
def test_the_task_is_a_question_however_many_classes(classes, asked):
    assert words.task(classes) == asked


def test_models_are_counted_introduced_and_compared_however_many(tmp_path):
    assert words.networks(["a"]) == "one network"
    assert words.introduced(["convnet"]) == "A small convnet, trained from scratch"
    assert words.introduced(["a", "b", "c"]) == "A, b, and c"
    paths = {}
    for model, right in (("a", "1100"), ("b", "1111"), ("c", "0011")):
        rows = [{"path": str(n), "correct": mark} for n, mark in enumerate(right)]
        paths[model] = tmp_path / f"{model}.csv"
        write_csv(paths[model], ("path", "correct"), rows)
    assert words.comparison({"a": paths["a"]}) == []
    first, second = words.comparison(paths)
    assert first.startswith("a and b both get 2 of 4 test images right; a alone another 0, b alone")
    assert second.startswith("b and c both get 2")
