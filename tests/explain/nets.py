"""Nets of many kinds, each built once with seeded weights; and each seen by one Classifier."""

import functools

import keras
import numpy as np

from convlens.explain.classifier import Classifier

APPLICATIONS = (
    "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "ResNet50",
    "ResNet50V2", "DenseNet121", "Xception", "InceptionV3", "ConvNeXtTiny", "NASNetMobile",
)  # fmt: skip
SIDE = 96
L = keras.layers

seen = functools.cache(Classifier)


def _conv(x, width, *, stride=1, kind="Conv2D"):
    given = {"strides": stride, "padding": "same", "use_bias": False}
    x = L.DepthwiseConv2D(3, **given)(x) if kind == "Depthwise" else L.Conv2D(width, 3, **given)(x)
    return L.Activation("relu")(L.BatchNormalization()(x))


def _body(x, *, residual=False, kind="Conv2D"):
    x = _conv(L.Rescaling(1 / 127.5, -1)(x), 12, stride=2)
    x = _conv(x, 16, stride=2)
    y = _conv(x, 16, kind=kind)
    return L.Activation("relu")(x + y) if residual else y


def plain(shape=(SIDE, SIDE, 3), **kind):
    """A few convolutions, an average and three logits; `kind` makes it residual or depthwise."""
    inputs = keras.Input(shape)
    x = L.GlobalAveragePooling2D()(_body(inputs, **kind))
    return keras.Model(inputs, L.Dense(4, activation="softmax")(x))


def nested():
    """A base as a layer of a transfer model, on another size than it was built for."""
    base = keras.Input((None, None, 3))
    base = keras.Model(base, _body(base, residual=True), name="base")
    inputs = keras.Input((SIDE, SIDE, 3))
    x = L.GlobalAveragePooling2D()(base(inputs, training=False))
    return keras.Model(inputs, L.Dense(4, activation="softmax")(x))


def sequential():
    """The same in a Sequential that was never called, its head a Sequential too."""
    base = keras.Input((SIDE, SIDE, 3))
    base = keras.Model(base, _body(base, residual=True), name="base")
    head = keras.Sequential([L.GlobalAveragePooling2D(), L.Dropout(0.5), L.Dense(4), L.Softmax()])
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), base, head])


def mixed():
    """Computes in 16 bits, but for nothing."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return plain(residual=True)
    finally:
        keras.config.set_dtype_policy(policy)


def sigmoid():
    """Ends in one sigmoid."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = L.GlobalAveragePooling2D()(_body(inputs))
    return keras.Model(inputs, L.Dense(1, activation="sigmoid")(x))


def vit(shape=(SIDE, SIDE, 3), patch=8, width=24):
    """A small vision transformer: patches, a class token, two blocks."""
    inputs = keras.Input(shape)
    x = L.Conv2D(width, patch, strides=patch)(L.Rescaling(1 / 127.5, -1)(inputs))
    count = x.shape[1] * x.shape[2]
    x = L.Reshape((count, width))(x)
    token = L.Dense(width, use_bias=True)(0 * x[:, :1])
    x = L.Concatenate(axis=1)([token, x])
    for _ in range(2):
        y = L.LayerNormalization()(x)
        x = x + L.MultiHeadAttention(2, width // 2)(y, y)
        x = x + L.Dense(width)(L.Dense(2 * width, activation="gelu")(L.LayerNormalization()(x)))
    x = L.LayerNormalization()(x)[:, 0]
    return keras.Model(inputs, L.Dense(4, activation="softmax")(x))


BUILT = {
    "plain": plain,
    "residual": functools.partial(plain, residual=True),
    "depthwise": functools.partial(plain, kind="Depthwise"),
    "nested transfer": nested,
    "nested, Sequential": sequential,
    "72 × 104 pixels": functools.partial(plain, (72, 104, 3)),
    "grey": functools.partial(plain, (SIDE, SIDE, 1)),
    "4 channels": functools.partial(plain, (SIDE, SIDE, 4)),
    "any size": functools.partial(plain, (None, None, 3), residual=True),
    "mixed precision": mixed,
    "sigmoid": sigmoid,
    "small ViT": vit,
}


def build(name):
    """Build a net by name; its layers have the same names whatever was built before."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)
    if name in BUILT:
        model = BUILT[name]()
    else:
        side = 139 if name == "InceptionV3" else SIDE  # less leaves it one place at the end
        make = getattr(keras.applications, name)
        model = make(weights=None, input_shape=(side, side, 3), classes=4)
    calibrate(model)
    return model


def photos(model, count=3, seed=0):
    """Coarse noise (count, H, W, c) uint8 of the model's size."""
    _, high, wide, channels = model.inputs[0].shape
    high, wide = high or SIDE, wide or SIDE
    coarse = np.random.default_rng(seed).integers(
        0, 256, (count, -(-high // 8), -(-wide // 8), channels)
    )
    return np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)[:, :high, :wide].astype(np.uint8)


def calibrate(model):
    """Give BatchNormalization the statistics of noise: with fresh ones deep nets fade or explode.

    A gain below 1 keeps random nets from making much of rounding.
    """
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, L.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
        if layer.scale:
            layer.gamma.assign(0.5 * np.ones(layer.gamma.shape))
    if norms:
        model(photos(model, 4).astype(np.float32), training=True)
        for layer in norms:  # one batch at a small size may have no spread at all
            layer.moving_variance.assign(np.maximum(np.asarray(layer.moving_variance), 1e-4))
