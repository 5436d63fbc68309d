"""Memory-mapped arrays as batches, each a function of the global step alone.

Nothing is carried from one step to the next, so a run that resumes at epoch k sees exactly the
batches that an uninterrupted run would have seen.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convlens.data import augment
from convlens.errors import InputError
from convlens.files import read_json
from convlens.params import AugmentParams

if TYPE_CHECKING:
    import tensorflow as tf


Labels = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Split:
    """One split.

    images: uint8 (N, S, S, 3), memory-mapped, or features of them; labels: unsigned integers
    (N,), indices into `classes`, the names of all classes of the data in order.
    """

    images: NDArray[Any]
    labels: Labels
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Return a copy of these images; of a map, what was read does not stay in memory."""
        images = np.ascontiguousarray(self.images[rows])
        if isinstance(self.images.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self.images.base.madvise(mmap.MADV_DONTNEED)
        return images

    def __reduce__(self) -> tuple[Any, ...]:  # a worker opens the file instead of getting it all
        if isinstance(self.images, np.memmap) and self.images.filename:
            return _opened, (Path(self.images.filename), self.labels, self.classes)
        return Split, (self.images, self.labels, self.classes)


def _opened(images: Path, labels: Labels, classes: tuple[str, ...]) -> Split:
    return Split(np.load(images, mmap_mode="r"), labels, classes)


def load_split(folder: Path, name: str) -> Split:
    """Open a split that `prepare` wrote.

    Raises
    ------
    InputError
        If the arrays are missing or don't belong together.
    """
    try:
        images = np.load(folder / f"{name}.npy", mmap_mode="r")
        labels = np.load(folder / f"{name}_labels.npy")
        classes = load_classes(folder)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            folder / f"{name}.npy", expected="an array and its classes, written by stage prepare",
            found=str(error), fix="run `dvc repro prepare`",
        ) from error  # fmt: skip
    if len(images) != len(labels):
        raise InputError(
            folder / f"{name}_labels.npy", expected=f"{len(images)} labels",
            found=f"{len(labels)}", fix="run `dvc repro --force prepare`",
        )  # fmt: skip
    if labels.max(initial=0) >= len(classes):
        raise InputError(
            folder / f"{name}_labels.npy", expected=f"labels of {len(classes)} classes",
            found=f"label {labels.max()}", fix="run `dvc repro --force prepare`",
        )  # fmt: skip
    return Split(images, labels, classes)


def load_classes(folder: Path) -> tuple[str, ...]:
    """Return the names of the classes of the data that `prepare` wrote, in order."""
    return tuple(read_json(folder / "data.json")["classes"])


class TrainingSource(Protocol):
    """What a training draws its batches from."""

    def __len__(self) -> int: ...

    def read(self, epoch: int, rows: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """Return the arrays of one batch; the last one is the labels, as `targets` says."""
        ...

    def finish(self, *arrays: tf.Tensor) -> tf.Tensor:
        """Return the model's input from the arrays before the labels, as TensorFlow ops."""
        ...


@dataclass(frozen=True)
class AugmentedImages:
    """Images with a fresh random view each epoch."""

    split: Split
    params: AugmentParams
    seed: int

    def __len__(self) -> int:
        return len(self.split)

    def read(self, epoch: int, rows: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """Return uint8 views, the light (b, 5) that they are to be seen in, and labels."""
        u = _draws(self.seed, epoch, len(self))[rows]
        images = self.split.read(rows)
        views = augment.warp(images, augment.transforms(u, self.params, images.shape[1]))
        return (
            views,
            augment.photometric(u, self.params),
            targets(self.split.labels[rows], len(self.split.classes)),
        )

    def finish(self, *arrays: tf.Tensor) -> tf.Tensor:
        """Change the light."""
        return augment.relight(*arrays)


@dataclass(frozen=True)
class CachedViews:
    """Features of K views of each image, float16 (K, N, …); each epoch draws one view an image."""

    features: NDArray[np.float16]
    labels: Labels
    classes: tuple[str, ...]
    seed: int

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, epoch: int, rows: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """Return the features of the drawn views and the labels."""
        view = (_draws(self.seed, epoch, len(self))[rows, 0] * len(self.features)).astype(int)
        return self.features[view, rows], targets(self.labels[rows], len(self.classes))

    def finish(self, *arrays: tf.Tensor) -> tf.Tensor:
        """Cast to float32."""
        import tensorflow as tf

        return tf.cast(arrays[0], tf.float32)


def steps_per_epoch(source: TrainingSource, batch_size: int) -> int:
    """Return the number of batches an epoch; the last one may be smaller."""
    return -(-len(source) // batch_size)


def training_batches(
    source: TrainingSource, batch_size: int, seed: int, first_epoch: int, epochs: int
) -> tf.data.Dataset:
    """Return the shuffled batches from epoch `first_epoch` on, one epoch after the other.

    There is one epoch more than asked for: Keras peeks beyond the last batch it uses.
    """
    import tensorflow as tf

    steps = steps_per_epoch(source, batch_size)

    def rows_of(step: int) -> tuple[NDArray[Any], ...]:
        epoch, batch = divmod(int(step), steps)
        rows = _order(seed, epoch, len(source))[batch * batch_size : (batch + 1) * batch_size]
        return source.read(epoch, rows)

    example = source.read(0, np.arange(1))

    def load(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        arrays = tf.numpy_function(rows_of, [step], [a.dtype for a in example], stateful=False)
        for array, known in zip(arrays, example, strict=True):
            array.set_shape([None, *known.shape[1:]])
        return source.finish(*arrays[:-1]), arrays[-1]

    steps_left = tf.data.Dataset.range(first_epoch * steps, (epochs + 1) * steps)
    return untuned(steps_left.map(load, num_parallel_calls=1).prefetch(4))


def untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Return `batches` without the thread that tunes them.

    It looks up once a minute, and `fit` would wait for that at its end.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def plain_batches(
    split: Split, batch_size: int
) -> Iterator[tuple[NDArray[Any], NDArray[np.float32]]]:
    """Yield (inputs, `targets`) in order, without reading the whole array at once."""
    for start in range(0, len(split), batch_size):
        rows = slice(start, start + batch_size)
        labels = targets(split.labels[rows], len(split.classes))
        yield split.read(rows), labels


def targets(labels: Labels, classes: int) -> NDArray[np.float32]:
    """Return what a net with these labels is trained on: (b, 1) for two classes, else 1 of C."""
    if classes == 2:
        return labels[:, None].astype(np.float32)
    return np.eye(classes, dtype=np.float32)[labels]


@lru_cache(maxsize=4)
def _draws(seed: int, epoch: int, count: int) -> NDArray[np.float64]:
    return augment.draws(seed, epoch, count)


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(count)
