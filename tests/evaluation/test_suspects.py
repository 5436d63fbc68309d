"""Suspects are the images that both models contradict with confidence, and only those."""

import csv

import numpy as np
import pytest

from convlens.evaluation import suspects
from convlens.gallery import style
from convlens.gallery.suspects import label_suspects


def rows(*probabilities: float, labels: str = "cat dog cat dog cat") -> list[dict[str, str]]:
    return [
        {
            "path": f"{n}.jpg", "label": label, "predicted": ("cat", "dog")[p > 0.5],
            "probability_cat": str(round(1 - p, 6)), "probability_dog": str(p),
        }
        for n, (label, p) in enumerate(zip(labels.split(), probabilities, strict=True))
    ]  # fmt: skip


BOTH = {
    "convnet": rows(0.95, 0.02, 0.99, 0.97, 0.10),
    "vgg16": rows(0.91, 0.01, 0.40, 0.99, 0.02),
}


def test_only_confident_agreement_against_the_label_counts() -> None:
    found = suspects.find(BOTH)
    assert [(s.row, s.label, s.predicted) for s in found] == [(1, "dog", "cat"), (0, "cat", "dog")]
    assert found[0].probability == {"convnet": 0.98, "vgg16": 0.99}


def test_table(tmp_path) -> None:
    suspects.write(suspects.find(BOTH), list(BOTH), tmp_path / "suspects.csv")
    with (tmp_path / "suspects.csv").open(newline="") as source:
        table = list(csv.DictReader(source))
    assert table[1] == {
        "path": "0.jpg", "label": "cat", "predicted": "dog", "convnet": "0.95", "vgg16": "0.91",
    }  # fmt: skip


def test_models_that_saw_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="different images"):
        suspects.find({"convnet": BOTH["convnet"], "vgg16": list(reversed(BOTH["vgg16"]))})


@pytest.mark.parametrize("predictions", [BOTH, {"convnet": rows(*[0.5] * 5)}])
def test_contact_sheet_of_some_and_of_none(tmp_path, predictions) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    path = style.save(label_suspects(suspects.find(predictions), images), tmp_path / "sheet.png")
    assert path.stat().st_size > 1000
