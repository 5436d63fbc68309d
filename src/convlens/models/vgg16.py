"""VGG16 as one flat graph: preprocessing, the ImageNet base, and a small head of ours.

Source: Simonyan & Zisserman 2014, https://arxiv.org/abs/1409.1556, configuration D.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from convlens.models import heads
from convlens.models.initialisers import glorot
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


def base(weights: Weights, params: FeaturesParams, image_size: int, policy: str) -> keras.Model:
    """Return the frozen net from the image to the feature map of layer `params.layer`.

    Input: (N, S, S, 3) RGB in 0..255, any dtype.
    """
    import keras

    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = _blocks(_preprocess(params.preprocessing)(inputs), policy, until=params.layer)
    model = keras.Model(inputs, x, name="vgg16_base")
    _load(model, weights, params.preprocessing)
    return model


def build(
    weights: Weights, params: FeaturesParams, head: Vgg16Params, image_size: int, classes: int = 2
) -> keras.Model:
    """Return the whole flat net in float32, its head fresh from `head.seed`.

    Input: (N, S, S, 3) RGB in 0..255. Output: logits as `heads.logits` says.
    """
    import keras

    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = _blocks(_preprocess(params.preprocessing)(inputs), "float32")
    model = keras.Model(inputs, _head(x, head, "float32", classes), name="vgg16")
    _load(model, weights, params.preprocessing)
    return model


def tail(model: keras.Model, after: str, head: Vgg16Params, policy: str) -> keras.Model:
    """Return a copy of what follows layer `after`, computed in `policy`: blocks, then the head.

    Its input is the feature map of `after`; its layers have `model`'s names and weights.
    """
    import keras

    inputs = keras.Input(model.get_layer(after).output.shape[1:], name="features")
    x = _blocks(inputs, policy, after)
    part = keras.Model(inputs, _head(x, head, policy, heads.count(model)))
    copy_weights(model, part)
    return part


def between(model: keras.Model, after: str, until: str, policy: str) -> keras.Model:
    """Return a copy of the layers behind `after` up to `until`, computed in `policy`."""
    import keras

    inputs = keras.Input(model.get_layer(after).output.shape[1:], name="features")
    part = keras.Model(inputs, _blocks(inputs, policy, after, until))
    copy_weights(model, part)
    return part


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give each layer of `target` that `source` has by name the weights it has there."""
    trained = {layer.name: layer for layer in source.layers}
    for layer in target.layers:
        if layer.weights and layer.name in trained:
            layer.set_weights(trained[layer.name].get_weights())


def _load(model: keras.Model, weights: Weights, preprocessing: str) -> None:
    """Set the convolutions from `weights` (kernel HWIO for BGR input, bias).

    For `caffe` preprocessing the channel order is folded into the first kernel, so that the
    model takes RGB; for `0..1` the kernel stays as it is, which is the tutorials' mistake.
    """
    present = {layer.name: layer for layer in model.layers}
    for name in CONVOLUTIONS:
        if name not in present:
            continue
        kernel, bias = weights[name]
        if name == CONVOLUTIONS[0] and preprocessing == "caffe":
            kernel = kernel[:, :, ::-1, :]
        present[name].set_weights([kernel, bias])


def _preprocess(preprocessing: str) -> keras.layers.Layer:
    import keras

    if preprocessing == "0..1":
        return keras.layers.Rescaling(1 / 255, dtype="float32", name="preprocess")
    return keras.layers.Normalization(
        mean=IMAGENET_MEAN_RGB, variance=(1.0, 1.0, 1.0), dtype="float32", name="preprocess"
    )


def _blocks(x: Any, policy: str, after: str = "", until: str = "block5_pool") -> Any:
    import keras

    layers = keras.layers
    for block, (filters, count) in BLOCKS.items():
        if not after < f"block{block}_pool" <= until:
            continue
        for number in range(1, count + 1):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", dtype=policy,
                name=f"block{block}_conv{number}",
            )(x)  # fmt: skip
        x = layers.MaxPooling2D(2, dtype=policy, name=f"block{block}_pool")(x)
    return x


def _head(x: Any, params: Vgg16Params, policy: str, classes: int) -> Any:
    import keras

    layers, fresh = keras.layers, glorot(params.seed)
    pool = layers.Flatten if params.pooling == "flatten" else layers.GlobalAveragePooling2D
    x = pool(dtype=policy, name=params.pooling)(x)
    if params.units:
        x = layers.Dense(
            params.units, activation="relu", kernel_initializer=next(fresh), dtype=policy, name="fc"
        )(x)
    x = layers.Dropout(params.dropout, seed=params.seed, dtype=policy, name="dropout")(x)
    return heads.logits(x, classes, next(fresh))
