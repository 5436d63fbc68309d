"""The ready head's training: what is learned, what chooses, and what the card says."""

import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from convlens.evaluation.metrics import Scored, of_two, scores
from convlens.models import ready
from convlens.models.ready import CLASSES
from convlens.params import DataParams
from convlens.training.ready import STRENGTHS, train
from ready_head import card

SIZES = (32, 48)


def photo(label: str, seed: int) -> Image.Image:
    """Smooth blobs, dark for cats and bright for dogs: which a mean of the pixels tells apart."""
    low = 20 if label == "cat" else 90
    blobs = np.random.default_rng(seed).integers(low, low + 140, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(blobs).resize((40, 40), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive with splits of its own; half of the test split's labels are wrong."""
    folder, seed = tmp_path_factory.mktemp("photos"), 0
    for split, count in {"train": 24, "validation": 10, "test": 10}.items():
        for number in range(count):
            for label in CLASSES:
                seed += 1
                path = folder / split / f"{label}s" / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                wrong = split == "test" and number % 2
                photo(CLASSES[1 - CLASSES.index(label)] if wrong else label, seed).save(path)
    return shutil.make_archive(str(folder), "zip", folder)


@pytest.fixture(scope="module")
def trained(archive, real, tmp_path_factory):
    """A head on the mean of each colour, in place of VGG16's features."""

    def features(_, size, __):
        inputs = keras.Input((size, size, 3))
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))

    split = {"train": 0.5, "validation": 0.25, "test": 0.25}
    changes = {"source": "archive", "archive": archive, "split": split}
    data = DataParams.model_validate(real.data.model_dump() | changes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ready, "features", features)
        return train(data, {}, "float32", tmp_path_factory.mktemp("scratch"), sizes=SIZES)


def test_the_least_validation_loss_chooses_and_the_test_split_only_counts(trained):
    assert len(trained.tried) == len(SIZES) * len(STRENGTHS)
    best = min(trained.tried, key=lambda row: row["log_loss"])
    assert best["accuracy"] > 0.9
    assert trained.head.image_size == best["image_size"]
    assert trained.head.kernel.mean() > 0  # bright means dog
    assert len(trained.labels) == 20
    assert ((trained.logits > 0) == trained.labels).mean() == pytest.approx(0.5, abs=0.1)


def test_the_card_says_what_was_measured(trained):
    test = scores(Scored(trained.labels, of_two(trained.logits)), 0.95, bins=10)
    text = card(trained, test, "python tools/ready_head.py photos.zip")
    low, high = test["accuracy_low"], test["accuracy_high"]
    assert f"{low:.1%} to {high:.1%}" in text
    assert "48 train, 20 validation, 20 test" in text
    assert "on 20 test photos" in text
    assert trained.data["digest"] in text
