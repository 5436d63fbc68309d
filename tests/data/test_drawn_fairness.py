"""Animals differ by shape alone: the rest is drawn alike, and colour does not tell."""

import io
import zipfile
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from convlens import params
from convlens.data.drawn import picture
from convlens.data.drawn.animals import ANIMALS
from convlens.data.drawn.archive import write_archive
from convlens.data.drawn.canvas import Dice
from convlens.data.drawn.masks import animal_mask
from convlens.data.drawn.picture import draw
from convlens.data.drawn.scene import sample


def test_with_the_same_dice_all_animals_have_the_same_everything_but_shape(monkeypatch):
    def dice_that_ignore_the_label(seed, split, _, index, what):
        return Dice(seed, split, index, what)

    scenes = []
    monkeypatch.setattr(picture, "Dice", dice_that_ignore_the_label)
    monkeypatch.setattr(
        picture, "sample", lambda *given: scenes.append(sample(*given)) or scenes[-1]
    )
    for index in range(12):
        drawn = [draw(label, 3, "train", index, 120) for label in ANIMALS]
        assert all(scene == scenes[-1] for scene in scenes[-len(ANIMALS) :])
        animals = np.any([animal_mask(one.mask, one.mask.width) for one in drawn], axis=0)
        outside = ~binary_dilation(animals, np.ones((3, 3)))
        assert outside.mean() > 0.2
        for other in drawn[1:]:
            difference = np.asarray(drawn[0].image) != np.asarray(other.image)
            assert not difference[outside].any()


def test_scenes_of_every_class_have_one_distribution():
    scenes = {
        label: [sample(Dice(7, "train", label, k, "scene"), 450) for k in range(600)]
        for label in ANIMALS
    }
    numbers = {
        "across": lambda s: s.body.x,
        "down": lambda s: s.body.y,
        "radius": lambda s: s.body.unit,
        "turn": lambda s: s.body.angle + s.tilt,
        "red": lambda s: s.coat.base[0] * s.balance[0],
        "blue": lambda s: s.coat.base[2] * s.balance[2],
        "light": lambda s: s.brightness[0],
    }
    for name, number in numbers.items():
        found = [[number(scene) for scene in scenes[label]] for label in ANIMALS]
        pairs = combinations(found, 2)
        assert min(ks_2samp(*pair).pvalue for pair in pairs) > 0.01 / 3, name
    for choice in ("pose", "background", "occluder"):
        counts = [Counter(getattr(s, choice) for s in scenes[label]) for label in ANIMALS]
        for one, other in combinations(counts, 2):
            assert set(one) == set(other)
            assert max(abs(one[key] - other[key]) for key in one) < 60, choice


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Return pictures of the default recipe's size and their labels, of training and test."""
    side = params.load(Path(__file__).parents[2] / "recipes/drawn.yaml").data.image_size
    return pictures(tmp_path_factory, {"train": 300, "test": 200}, ["cat", "dog"], side)


@pytest.fixture(scope="module")
def sets_of_four(tmp_path_factory):
    """Return small pictures of every animal."""
    return pictures(tmp_path_factory, {"train": 200, "test": 100}, list(ANIMALS), 64)


def pictures(tmp_path_factory, counts, animals, size):
    path = tmp_path_factory.mktemp("drawn") / "source.zip"
    write_archive(path, counts=counts, animals=animals, size=size, seed=7)
    found = {}
    with zipfile.ZipFile(path) as archive:
        for split in ("train", "test"):
            names = [name for name in archive.namelist() if name.startswith(f"drawn/{split}/")]
            pictures = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names]
            found[split] = np.stack(pictures), np.array([name.split("/")[2] for name in names])
    return found


def histogram(pictures, bins):
    levels = pictures.astype(int) * bins // 256
    index = (levels[..., 0] * bins + levels[..., 1]) * bins + levels[..., 2]
    return np.stack([np.bincount(one.ravel(), minlength=bins**3) for one in index]).astype(float)


def small(pictures):
    reduced = [Image.fromarray(one).resize((32, 32), Image.Resampling.BOX) for one in pictures]
    return np.stack([np.asarray(one, np.float32).ravel() for one in reduced])


def whole(pictures):
    return pictures.reshape(len(pictures), -1).astype(np.float32)


def best_accuracy(sets, features, strengths):
    """Return the best test accuracy over the strengths: kinder to the baseline than fair."""
    (train, labels), (test, truth) = sets["train"], sets["test"]
    scaler = StandardScaler().fit(features(train))
    train, test = scaler.transform(features(train)), scaler.transform(features(test))
    # A ridge penalty knows angles only, so the span of the training set holds the same solution.
    values, vectors = np.linalg.eigh(train @ train.T)
    keep = values > values.max() * 1e-6
    root = np.sqrt(values[keep])
    train, test = vectors[:, keep] * root, (test @ train.T) @ vectors[:, keep] / root
    models = (LogisticRegression(C=c, max_iter=500).fit(train, labels) for c in strengths)
    return max(model.score(test, truth) for model in models)


@pytest.mark.slow
def test_raw_pixels_do_not_tell_linearly(sets):
    assert (
        best_accuracy(sets, small, (1e-5, 1e-4, 1e-3, 1e-2)) <= 0.65
    )  # the promise is 0.70; measured 0.56
    assert best_accuracy(sets, whole, (1e-6, 1e-5, 1e-4)) <= 0.65  # measured 0.55


@pytest.mark.slow
@pytest.mark.parametrize("bins", [4, 8])
def test_colours_do_not_tell(sets, bins):
    strengths = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    assert best_accuracy(sets, lambda p: histogram(p, bins), strengths) <= 0.60  # measured 0.56


@pytest.mark.slow
def test_neither_colours_nor_pixels_tell_four_animals_apart(sets_of_four):
    strengths = (1e-5, 1e-3)
    assert best_accuracy(sets_of_four, small, strengths) <= 0.37
    assert best_accuracy(sets_of_four, lambda p: histogram(p, 4), strengths) <= 0.37
