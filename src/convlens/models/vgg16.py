"""VGG16 as one flat graph: preprocessing, the ImageNet base, and a small head of ours.

Source: Simonyan & Zisserman 2014, https://arxiv.org/abs/1409.1556, configuration D.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from convlens.params import FeaturesParams, Vgg16Params

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


def build(
    vgg16: Vgg16Params, features: FeaturesParams, image_size: int, policy: str = "float32"
) -> keras.Model:
    """Return the whole flat net with a fresh head drawn from `vgg16.seed`.

    Input: (N, S, S, 3) RGB in 0..255. Output: (N, 1) float32 logit of "dog".
    The base's weights are random until `load_base` sets them.
    """
    import keras

    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = _preprocess(features.preprocessing)(inputs)
    return keras.Model(inputs, _tail(x, vgg16, policy), name="vgg16")


def base(model: keras.Model, until: str) -> keras.Model:
    """Return the part of `model` from the image to the feature map of layer `until`."""
    import keras

    return keras.Model(model.input, model.get_layer(until).output, name=f"vgg16_to_{until}")


def tail(model: keras.Model, after: str, vgg16: Vgg16Params, policy: str) -> keras.Model:
    """Return a copy of what follows layer `after`: perhaps block 5, then the head.

    Its input is the feature map of `after`; its layers have the same names as `model`'s, and
    those that `model` holds trained weights for start from them.
    """
    import keras

    inputs = keras.Input(model.get_layer(after).output.shape[1:], name="features")
    part = keras.Model(inputs, _tail(inputs, vgg16, policy, after), name="vgg16_tail")
    copy_weights(model, part)
    return part


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give each layer of `target` the weights of the layer of that name in `source`."""
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())


def load_base(model: keras.Model, weights: Weights, preprocessing: str) -> None:
    """Set the 13 convolutions from `weights` (kernel HWIO for BGR input, bias).

    For `caffe` preprocessing the channel order is folded into the first kernel, so that the
    model takes RGB; for `0..1` the kernel stays as it is, which is the tutorials' mistake.
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


def _tail(x: Any, vgg16: Vgg16Params, policy: str, after: str = "") -> Any:
    """Apply everything behind layer `after` (all blocks if empty), up to the logit."""
    import keras

    keras.utils.set_random_seed(vgg16.seed)
    layers = keras.layers
    for block, (filters, count) in BLOCKS.items():
        if f"block{block}_pool" <= after:
            continue
        for number in range(1, count + 1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                dtype=policy,
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(2, dtype=policy, name=f"block{block}_pool")(x)
    pool = layers.Flatten if vgg16.pooling == "flatten" else layers.GlobalAveragePooling2D
    x = pool(dtype=policy, name=vgg16.pooling)(x)
    if vgg16.units:
        x = layers.Dense(vgg16.units, activation="relu", dtype=policy, name="fc")(x)
    x = layers.Dropout(vgg16.dropout, seed=vgg16.seed, dtype=policy, name="dropout")(x)
    return layers.Dense(1, dtype="float32", name="logit")(x)
