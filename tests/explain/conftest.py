"""Tiny networks with known answers, and small photos to show them."""

import keras
import numpy as np
import pytest

SIDE = 24


@pytest.fixture(scope="session")
def gap_net() -> keras.Model:
    """conv → GAP → Dense(1): whose Grad-CAM must add up to logit - bias."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1, name="rescaling")(inputs)
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv1")(x)
    x = keras.layers.MaxPooling2D(name="pool1")(x)
    x = keras.layers.Conv2D(8, 3, activation="relu", name="conv2")(x)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    outputs = keras.layers.Dense(1, name="logit", bias_initializer="ones")(x)
    return keras.Model(inputs, outputs, name="gap")


@pytest.fixture(scope="session")
def flat_net() -> keras.Model:
    """Like the tutorials' convnet: pooled, flattened, with a hidden layer; three classes."""
    keras.utils.set_random_seed(4)
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1, name="rescaling")(inputs)
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv1")(x)
    x = keras.layers.MaxPooling2D(name="pool1")(x)
    x = keras.layers.Conv2D(8, 3, activation="relu", name="conv2")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(16, activation="relu", name="dense")(x)
    outputs = keras.layers.Dense(3, name="logits")(x)
    return keras.Model(inputs, outputs, name="flat")


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Five photos-like images: uint8, smooth and varied."""
    coarse = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 3))
    return np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2).astype(np.uint8)


@pytest.fixture(scope="session")
def detector() -> keras.Model:
    """Says "dog" for a red 4 × 4 square, "cat" for a blue one, wherever it is."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(inputs)
    conv = keras.layers.Conv2D(2, 4, activation="relu", padding="same", name="conv")
    x = keras.layers.GlobalAveragePooling2D(name="average")(conv(x))
    logit = keras.layers.Dense(1, name="logit")
    model = keras.Model(inputs, logit(x), name="detector")
    kernel = np.zeros((4, 4, 3, 2), np.float32)
    kernel[..., 0, 0], kernel[..., 1:, 0] = 1, -1
    kernel[..., 2, 1], kernel[..., :2, 1] = 1, -1
    conv.set_weights([kernel, np.full(2, -3, np.float32)])
    logit.set_weights([np.array([[100.0], [-100.0]], np.float32), np.zeros(1, np.float32)])
    return model
