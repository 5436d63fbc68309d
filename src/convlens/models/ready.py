"""The ready model: VGG16's ImageNet base under a head that ships with the package.

Its head is one logit on the averaged features of block5_pool, 513 numbers, trained on photos by
`tools/ready_head.py`; assets/ready_head.md is its card.
"""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.errors import InputError
from convlens.files import atomic
from convlens.models import keras_file, vgg16, weight_sources, weights

if TYPE_CHECKING:
    import keras

HEAD = "assets/ready_head.npz"
CLASSES = ("cat", "dog")


class Head(NamedTuple):
    """A logit of "dog": kernel (512,) float32, bias, and the side of the photos it learned from."""

    kernel: NDArray[np.float32]
    bias: float
    image_size: int


def body(base: vgg16.Weights, image_size: int, policy: str) -> keras.Model:
    """Return the net from photos (N, S, S, 3), RGB in 0..255, to the maps of block5_pool."""
    return keras_file.with_policy(vgg16.base(base, "caffe", image_size), policy)


def features(base: vgg16.Weights, image_size: int, policy: str) -> keras.Model:
    """Return the net from photos (N, S, S, 3), RGB in 0..255, to averaged features (N, 512)."""
    import keras

    maps = body(base, image_size, policy)
    pool = keras.layers.GlobalAveragePooling2D(dtype="float32", name="average")
    return keras.Model(maps.input, pool(maps.output), name="ready")


def build(base: vgg16.Weights, head: Head) -> keras.Model:
    """Return the flat net in float32 from photos (N, S, S, 3), RGB in 0..255, to logits (N, 1)."""
    import keras

    pooled = features(base, head.image_size, "float32")
    logit = keras.layers.Dense(1, dtype="float32", name="logit")
    model = keras.Model(pooled.input, logit(pooled.output), name="ready")
    logit.set_weights([head.kernel[:, None], np.array([head.bias], np.float32)])
    return model


def save_head(head: Head, path: Path) -> None:
    """Write a head as .npz; equal heads give equal bytes."""
    with atomic(path) as partial:
        np.savez(
            partial, kernel=head.kernel.astype("<f4"), bias=np.float32(head.bias),
            image_size=np.int64(head.image_size),
        )  # fmt: skip


def shipped_head() -> Head:
    """Return the head in the package's assets."""
    content = files("convlens").joinpath(HEAD).read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Head(arrays["kernel"], float(arrays["bias"]), int(arrays["image_size"]))


def base_weights(of_pipeline: Path) -> vgg16.Weights:
    """Return VGG16's base: the pipeline's file, the user's copy, or fetched into that copy.

    Raises
    ------
    InputError
        If no source serves; the message lists what was tried.
    """
    mine = user_copy()
    for path in (of_pipeline, mine):
        if path.is_file() and (found := _intact(path)):
            return found
    weight_sources.fetch(mine)
    return weights.read(mine)


def user_copy() -> Path:
    """Return where the base of this user is kept, outside of any repository."""
    return weight_sources.cache() / "vgg16_base.npz"


def _intact(path: Path) -> vgg16.Weights | None:
    try:
        found = weights.read(path)
    except InputError:
        return None
    return found if weights.digest(found) == weights.DIGEST else None
