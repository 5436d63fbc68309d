"""The picture of training views shows what the training really gets."""

import importlib

import numpy as np
import pytest

from convlens import params
from convlens.data.dataset import AugmentedImages, load_split
from convlens.files import write_json


@pytest.fixture
def shown(root, monkeypatch, tmp_path):
    """Run the stage on four made-up pictures; return its rows of pixels."""
    monkeypatch.syspath_prepend(str(root / "pipeline"))
    monkeypatch.chdir(tmp_path)
    stage = importlib.import_module("show_views")
    folder = tmp_path / "data/prepared"
    folder.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    np.save(folder / "train.npy", images)
    np.save(folder / "train_labels.npy", np.array([0, 0, 1, 1], np.uint8))
    write_json(tmp_path / "data/prepared/data.json", {"classes": ["cat", "dog"]})
    kept = []

    def keep(rows, *_):
        kept.extend(rows)

    monkeypatch.setattr(stage, "in_rows", keep)
    monkeypatch.setattr(stage, "save", lambda *_: None)
    convnet = params.load(root / "params.yaml").convnet
    stage.main(convnet)
    return kept, AugmentedImages(load_split(folder, "train"), convnet.augment, convnet.seed)


def test_each_row_is_a_class_s_first_picture_and_its_view_of_each_epoch(shown):
    rows, source = shown
    for row, index in zip(rows, (0, 2), strict=True):
        np.testing.assert_array_equal(row[0].image, source.split.images[index])
        for epoch, picture in enumerate(row[1:]):
            *arrays, _ = source.read(epoch, np.array([index]))
            expected = np.asarray(source.finish(*arrays))[0]
            np.testing.assert_allclose(picture.image, expected, atol=0.51)
            assert np.abs(picture.image - row[0].image.astype(float)).mean() > 1
