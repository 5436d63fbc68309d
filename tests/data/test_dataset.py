"""Batches: every image once an epoch, in an order that only seed and epoch decide."""

from pathlib import Path

import numpy as np
import pytest

from convlens.data.dataset import (
    AugmentedImages,
    CachedViews,
    Split,
    load_split,
    plain_batches,
    training_batches,
)
from convlens.errors import InputError
from convlens.files import write_json
from convlens.params import AugmentParams

NONE = AugmentParams(
    rotation=0, shift=0, shear=0, zoom=0, flip=False, brightness=0, contrast=0, colour=0
)


@pytest.fixture
def numbered():
    """23 images, each of one colour that is its index."""
    images = np.zeros((23, 4, 4, 3), np.uint8) + np.arange(23, dtype=np.uint8)[:, None, None, None]
    return Split(images, (np.arange(23) % 2).astype(np.uint8), ("cat", "dog"))


def drawn_order(source, first_epoch=0, epochs=3, batch_size=5, take=15):
    batches = training_batches(source, batch_size, seed=1, first_epoch=first_epoch, epochs=epochs)
    return [
        (np.rint(x.numpy()[:, 0, 0, 0]).astype(int).tolist(), y.numpy()[:, 0].tolist())
        for x, y in batches.take(take)
    ]


def test_every_epoch_shows_every_image_once_with_its_label_in_a_new_order(numbered):
    batches = drawn_order(AugmentedImages(numbered, NONE, 1))
    epochs = [[i for x, _ in batches[start : start + 5] for i in x] for start in (0, 5, 10)]
    assert all(sorted(epoch) == list(range(23)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != list(range(23))
    assert all(y == [index % 2 for index in x] for x, y in batches)


def test_starting_at_a_later_epoch_gives_the_batches_of_an_uninterrupted_run(numbered):
    source = AugmentedImages(numbered, NONE.model_copy(update={"rotation": 40.0}), 1)
    whole = [x.numpy() for x, _ in training_batches(source, 5, 1, 0, 3).take(15)]
    rest = [x.numpy() for x, _ in training_batches(source, 5, 1, 2, 3).take(5)]
    for expected, found in zip(whole[10:], rest, strict=True):
        np.testing.assert_array_equal(expected, found)


def test_a_view_does_not_depend_on_the_batch_it_comes_in(numbered):
    source = AugmentedImages(numbered, NONE.model_copy(update={"brightness": 0.5}), 1)
    alone, together = source.read(4, np.array([7])), source.read(4, np.array([3, 7, 9]))
    for one, three in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], three[1])


def test_cached_views_are_all_drawn_and_belong_to_their_image():
    views, images = 3, 40
    features = np.zeros((views, images, 1, 1, 1), np.float16)
    features += 100 * np.arange(views)[:, None, None, None, None]
    features += np.arange(images)[None, :, None, None, None]
    source = CachedViews(
        features.astype(np.float16), np.zeros(images, np.uint8), ("a", "b"), seed=1
    )
    seen = [source.read(epoch, np.arange(images))[0].reshape(-1) for epoch in range(4)]
    for values in seen:
        np.testing.assert_array_equal(values % 100, np.arange(images))
        assert set(values // 100) == {0, 1, 2}
    assert not np.array_equal(seen[0], seen[1])


def test_plain_batches_are_all_rows_in_order(numbered):
    batches = list(plain_batches(numbered, 10))
    assert [len(x) for x, _ in batches] == [10, 10, 3]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), numbered.images)


def test_arrays_that_are_missing_or_do_not_belong_together_are_refused(tmp_path, numbered):
    write_json(tmp_path / "data.json", {"classes": ["one"]})
    with pytest.raises(InputError, match="dvc repro prepare"):
        load_split(tmp_path, "train")
    np.save(tmp_path / "train.npy", numbered.images)
    np.save(tmp_path / "train_labels.npy", numbered.labels[:-1])
    with pytest.raises(InputError, match="23 labels"):
        load_split(tmp_path, "train")
    np.save(tmp_path / "train_labels.npy", numbered.labels)
    with pytest.raises(InputError, match="labels of 1 classes"):
        load_split(tmp_path, "train")
    write_json(tmp_path / "data.json", {"classes": ["b", "a"]})
    assert load_split(tmp_path, "train").classes == ("b", "a")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_pass_over_a_split_does_not_keep_it_in_memory(tmp_path) -> None:
    np.save(tmp_path / "x.npy", np.ones((640, 200, 200), np.uint8))  # 26 MB
    split = Split(np.load(tmp_path / "x.npy", mmap_mode="r"), np.zeros(640, np.uint8), ("a", "b"))

    def mapped() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

    before = mapped()
    assert all((split.read(slice(n, n + 64)) == 1).all() for n in range(0, 640, 64))
    assert mapped() - before < 8_000  # KiB
