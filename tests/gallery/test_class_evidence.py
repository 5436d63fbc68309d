"""Which classes a photo is asked about, and that each map has gradients of its own class."""

import keras
import numpy as np
import pytest

from convlens.explain.classifier import Classifier
from convlens.explain.evidence import gather
from convlens.explain.gradcam import class_activation
from convlens.gallery import class_evidence
from convlens.gallery.class_evidence import rivals
from convlens.gallery.explanation import Photo, first_of_classes

FOUR = ("ant", "bee", "cow", "doe")


@pytest.mark.parametrize(
    ("probabilities", "label", "asked"),
    [
        ((0.1, 0.6, 0.2, 0.1), "bee", ["bee", "cow", "ant"]),  # right: then what comes next
        ((0.1, 0.6, 0.2, 0.1), "doe", ["bee", "doe", "cow"]),  # wrong: the label comes second
        ((0.1, 0.6, 0.2, 0.1), "", ["bee", "cow", "ant"]),
    ],
)
def test_the_predicted_the_true_and_the_next_class_are_asked(probabilities, label, asked):
    assert [FOUR[c] for c in rivals(np.array(probabilities), FOUR, label)] == asked


def test_two_classes_are_asked_in_their_own_order():
    assert rivals(np.array([0.1, 0.9]), ("cat", "dog"), "dog") == [0, 1]


def test_each_map_is_that_of_its_own_class(tmp_path, monkeypatch):
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(inputs)
    outputs = keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(x))
    classifier = Classifier(keras.Model(inputs, outputs), FOUR)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    photo = Photo("a", pixels, pixels, "doe")
    seen = gather(classifier, pixels[None], ["conv"], ["conv"])
    drawn = []
    monkeypatch.setattr(class_evidence, "views", lambda _, rows, *__: drawn.extend(rows))
    monkeypatch.setattr(class_evidence, "save", lambda *_: None)
    class_evidence.write_classes(
        [photo], [seen], tmp_path, layer="conv", method="grad-cam", colormap="viridis"
    )
    asked = rivals(seen.probabilities[0], FOUR, "doe")
    for label, look in zip(asked, drawn[0], strict=True):
        alone = gather(classifier, pixels[None], ["conv"], ["conv"], classes=label)
        expected = class_activation(alone, "conv", "grad-cam", label).maps[0]
        np.testing.assert_allclose(look.heat, expected, atol=1e-6)
        assert look.caption.startswith(FOUR[label])


def test_the_first_photo_of_each_class_stands_for_it():
    grey = np.zeros((2, 2, 3), np.uint8)
    photos = [Photo(f"{label}_{n}", grey, grey, label) for label in FOUR for n in (0, 1)]
    assert [photo.name for photo in first_of_classes(photos)] == [
        "ant_0",
        "bee_0",
        "cow_0",
        "doe_0",
    ]
