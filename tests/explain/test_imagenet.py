"""ImageNet's class names."""

import numpy as np
import pytest

from convlens.explain.imagenet import class_names, top


def test_landmarks_of_keras_order():
    names = class_names()
    assert len(names) == 1000
    for index, name in {0: "tench", 208: "Labrador retriever", 281: "tabby", 285: "Egyptian cat",
                        386: "African elephant", 999: "toilet tissue"}.items():  # fmt: skip
        assert names[index] == name
    # ids are sorted, and the two classes with one name are really two: crane and maillot
    twice = {name for name in names if names.count(name) > 1}
    assert twice == {"crane", "maillot"}


def test_top_five_are_sorted_probabilities_of_a_softmax():
    logits = np.zeros((1, 1000), np.float32)
    logits[0, [208, 207, 281]] = [9, 8, 7]
    (guesses,) = top(logits)
    assert [guess.label for guess in guesses[:3]] == [208, 207, 281]
    assert guesses[0].name == "Labrador retriever"
    assert guesses[0].probability == pytest.approx(np.exp(9) / np.exp(logits).sum())
    assert len(guesses) == 5
