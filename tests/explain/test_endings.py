"""Logits are found in front of every softmax and sigmoid, however it is written."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from nets import L

from convlens.errors import InputError
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import heatmaps

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3)).astype(np.uint8)


@keras.saving.register_keras_serializable("tests")
class Shares(L.Layer):
    """A softmax that nobody would find by its name."""

    def call(self, x):
        return keras.ops.exp(x) / keras.ops.sum(keras.ops.exp(x), axis=-1, keepdims=True)


@keras.saving.register_keras_serializable("tests")
class Head(L.Layer):
    """A head with weights and a softmax in one."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 3))

    def call(self, x):
        return keras.ops.softmax(x @ self.kernel)


def _nested(x):
    inner = keras.Input((6,))
    return keras.Model(inner, L.Dense(3, activation="softmax")(inner), name="head")(x)


def _deep(x):
    inner = keras.Input((6,))
    deeper = keras.Sequential([L.Dense(3), L.Activation("softmax")])
    return keras.Sequential([keras.Model(inner, L.Dropout(0.1)(deeper(inner)))])(x)


ops = keras.ops
ENDINGS = {
    "softmax": lambda x: L.Dense(3, activation="softmax")(x),
    "Softmax layer": lambda x: L.Softmax()(L.Dense(3)(x)),
    "Dense(activation=Softmax())": lambda x: L.Dense(3, activation=L.Softmax())(x),
    "ops.softmax": lambda x: ops.softmax(L.Dense(3)(x)),
    "Activation": lambda x: L.Activation("softmax")(L.Dense(3)(x)),
    "TensorFlow's function": lambda x: L.Dense(3, activation=tf.nn.softmax)(x),
    "Dropout behind": lambda x: L.Dropout(0.5)(L.Dense(3, activation="softmax")(x)),
    "Reshape behind": lambda x: L.Reshape((3,))(L.Softmax()(L.Reshape((1, 3))(L.Dense(3)(x)))),
    "Flatten behind": lambda x: L.Flatten()(
        L.Conv2D(3, 1, activation="softmax")(L.Reshape((1, 1, 6))(x))
    ),
    "nested head": _nested,
    "deeper head": _deep,
    "temperature": lambda x: ops.softmax(L.Dense(3)(x) / 2.0),
    "written out": lambda x: Shares()(L.Dense(3)(x)),
    "two named classes": lambda x: (lambda p: L.Concatenate()([1 - p, p]))(
        ops.sigmoid(L.Dense(1)(x))
    ),
    "sigmoid": lambda x: L.Dense(1, activation="sigmoid")(x),
    "ops.sigmoid": lambda x: ops.sigmoid(L.Dense(1)(x)),
    "written-out sigmoid": lambda x: 1 / (1 + ops.exp(-L.Dense(1)(x))),
    "several sigmoids": lambda x: L.Dense(3, activation=keras.activations.sigmoid)(x),
    "logits": lambda x: L.Dense(3)(x),
    "one logit": lambda x: L.Rescaling(2.0)(L.Dense(1)(x)),
}


def _net(ending, scale=1.0):
    keras.utils.set_random_seed(5)
    inputs = keras.Input((12, 12, 3))
    x = L.Conv2D(6, 3, activation="relu", name="conv")(L.Rescaling(scale / 127.5, -scale)(inputs))
    return keras.Model(inputs, ending(L.GlobalAveragePooling2D()(x)))


@pytest.mark.parametrize("name", ENDINGS)
def test_the_ending_is_cut_and_put_back(name):
    """Probabilities are the model's own, and a saturated score still has a gradient."""
    model = _net(ENDINGS[name])
    net = Classifier(model)
    own = model.predict(IMAGES, verbose=0).astype(np.float64).reshape(3, -1)
    if "logit" in name:
        assert net.ending == "logits"
    elif own.shape[1] == 1:
        own = np.hstack([1 - own, own])
    if "logit" not in name:
        np.testing.assert_allclose(net.probabilities(IMAGES), own, atol=1e-6)
    assert net.default_layer == "conv"
    steep = Classifier(_net(ENDINGS[name], scale=1000.0))
    first, second = (heatmaps(each, IMAGES, classes=1).raw for each in (net, steep))
    assert np.abs(second).max() > 10 * np.abs(first).max()


REFUSED = {
    "tanh": lambda x: L.Dense(3, activation="tanh")(x),
    "softmax of softmax": lambda x: L.Softmax()(L.Dense(3, activation="softmax")(x)),
    "average of two nets": lambda x: L.Average()(
        [L.Dense(3, activation="softmax")(x), L.Dense(3, activation="softmax")(x)]
    ),
    "one class": lambda x: L.Dense(1, activation="softmax")(x),
    "one of two": lambda x: L.Dense(2, activation="softmax")(x)[:, 1:],
    "opaque": lambda x: Head()(x),
    "a map": lambda x: L.Conv2D(3, 1)(L.Reshape((2, 3, 1))(x)),
    "a choice": lambda x: ops.argmax(L.Dense(3)(x), axis=-1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_cut_is_refused_with_the_reason(name):
    with pytest.raises(InputError, match=r"one logit a class"):
        Classifier(_net(REFUSED[name]))
