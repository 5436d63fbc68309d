"""VGG16's convolutional base: from photos to the maps of block5_pool.

Source: Simonyan & Zisserman 2014, https://arxiv.org/abs/1409.1556, configuration D.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

BLOCKS = {1: (64, 2), 2: (128, 2), 3: (256, 3), 4: (512, 3), 5: (512, 3)}
CONVOLUTIONS = tuple(
    f"block{block}_conv{number}"
    for block, (_, count) in BLOCKS.items()
    for number in range(1, count + 1)
)
IMAGENET_MEAN_RGB = (123.68, 116.779, 103.939)

Weights = Mapping[str, "tuple[NDArray[np.float32], NDArray[np.float32]]"]


def base(weights: Weights, preprocessing: str, image_size: int) -> keras.Model:
    """Return the net in float32 from photos (N, S, S, 3), RGB in 0..255, to block5_pool.

    `preprocessing` is "caffe", as its weights want it, or "0..1", the tutorials' mistake.
    """
    import keras

    inputs = keras.Input((image_size, image_size, 3), name="image")
    model = keras.Model(inputs, maps(inputs, preprocessing), name="vgg16_base")
    load(model, weights, preprocessing)
    return model


def maps(image: Any, preprocessing: str) -> Any:
    """Return the maps of block5_pool of a tensor of photos, with fresh weights."""
    import keras

    layers = keras.layers
    x = _preprocess(preprocessing)(image)
    for block, (filters, count) in BLOCKS.items():
        for number in range(1, count + 1):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", dtype="float32",
                name=f"block{block}_conv{number}",
            )(x)  # fmt: skip
        x = layers.MaxPooling2D(2, dtype="float32", name=f"block{block}_pool")(x)
    return x


def load(model: keras.Model, weights: Weights, preprocessing: str) -> None:
    """Set the convolutions from `weights` (kernel HWIO for BGR input, bias).

    For `caffe` preprocessing the channel order is folded into the first kernel, so that the
    model takes RGB; for `0..1` the kernel stays as it is.
    """
    for name in CONVOLUTIONS:
        kernel, bias = weights[name]
        if name == CONVOLUTIONS[0] and preprocessing == "caffe":
            kernel = kernel[:, :, ::-1, :]
        model.get_layer(name).set_weights([kernel, bias])


def _preprocess(preprocessing: str) -> keras.layers.Layer:
    import keras

    if preprocessing == "0..1":
        return keras.layers.Rescaling(1 / 255, dtype="float32", name="preprocess")
    return keras.layers.Normalization(
        mean=IMAGENET_MEAN_RGB, variance=(1.0, 1.0, 1.0), dtype="float32", name="preprocess"
    )
