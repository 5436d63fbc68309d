"""The frozen base run once over K views of each image, kept on disk in float16.

Running the base costs 13 GFLOP an image and a head costs nothing beside it, so views are drawn
once and every training of a head reads them from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.data import augment
from convlens.data.dataset import Split, load_split
from convlens.data.space import check_space
from convlens.errors import InputError
from convlens.files import atomic
from convlens.models import vgg16, weights
from convlens.params import FeaturesParams
from convlens.progress import Progress, silent
from convlens.runtime import Runtime
from convlens.training.memory import check_forward_batch

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def extract_features(
    params: FeaturesParams,
    runtime: Runtime,
    prepared: Path,
    base_weights: Path,
    out: Path,
    progress: Progress = silent,
) -> None:
    """Write `out`/train.npy with K views of each image and `out`/validation.npy with one."""
    image_size = load_split(prepared, "train").images.shape[1]
    base = vgg16.base(weights.read(base_weights), params, image_size, runtime.policy)
    for name, views in (("train", params.views), ("validation", 1)):
        extract(
            base, load_split(prepared, name), out / f"{name}.npy", params,
            views=views, what=f"features of {name}", progress=progress,
        )  # fmt: skip


def extract(
    base: keras.Model,
    split: Split,
    out: Path,
    params: FeaturesParams,
    *,
    views: int,
    what: str,
    progress: Progress = silent,
) -> None:
    """Write the features of `views` views of each image: float16 (views, N, h, w, c), .npy.

    View 0 is the plain image; view k is drawn from (`params.seed`, k, image index).

    Raises
    ------
    InputError
        Before the first batch if memory can't hold one, or the disk the result.
    """
    shape = (views, len(split), *base.output_shape[1:])
    check_forward_batch(base, params.batch_size)
    out.parent.mkdir(parents=True, exist_ok=True)
    check_space(out.parent, int(np.prod(shape)) * 2, "lower features.views or free some space")
    run = _compiled(base)
    batches = list(_batches(len(split), views, params.batch_size))
    # Written, not memory-mapped: on a full disk a write raises, a map kills the process.
    with atomic(out) as partial, partial.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for view, rows in progress(batches, what=what, unit="batch"):
            features = run(_view(split, params, view, rows)).numpy().astype("<f2")
            if not np.isfinite(features).all():  # the sum of a corrupt base, not of any photo
                raise InputError(
                    out, expected="features within float16's range", found="infinite values",
                    fix="use features.preprocessing caffe and the ImageNet base",
                )  # fmt: skip
            file.write(features.tobytes())


def _batches(count: int, views: int, size: int) -> Iterator[tuple[int, slice]]:
    for view in range(views):
        for start in range(0, count, size):
            yield view, slice(start, min(start + size, count))


def _view(split: Split, params: FeaturesParams, view: int, rows: slice) -> tf.Tensor:
    import tensorflow as tf

    images = split.read(rows)
    if view == 0:
        return tf.cast(images, tf.float32)
    u = augment.draws(params.seed, view, len(split))[rows]
    views = augment.warp(images, augment.transforms(u, params.augment, images.shape[1]))
    return augment.relight(views, augment.photometric(u, params.augment))


def _compiled(base: keras.Model) -> Any:
    import tensorflow as tf

    signature = tf.TensorSpec((None, *base.input_shape[1:]), tf.float32)

    def forward(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(base(images, training=False), tf.float32)

    return tf.function(forward, input_signature=[signature])
