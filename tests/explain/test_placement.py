"""Where units look: arithmetic, against where the gradient comes from."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from nets import L

from convlens.explain.classifier import Classifier
from convlens.explain.windows import Geometry

ONES = {"kernel_initializer": "ones"}
SHAPE = (61, 64, 1)


def _net(*layers):
    inputs = keras.Input(SHAPE)
    x = inputs
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, L.GlobalAveragePooling2D()(x))


class Shifted(L.Layer):
    """Looks three pixels further down; nobody knows it."""

    def call(self, x):
        return keras.ops.roll(x, -3, axis=1) * 1.0


CHAINS = {
    "valid, pooled, same, strided, dilated": [
        L.Conv2D(1, (3, 5), **ONES), L.AveragePooling2D(2), L.Conv2D(1, 3, padding="same", **ONES),
        L.Conv2D(1, 4, strides=2, padding="same", **ONES), L.Conv2D(1, 3, dilation_rate=2, **ONES),
    ],
    "padded and cropped unevenly": [
        L.ZeroPadding2D(((5, 1), (0, 4))), L.Conv2D(1, 3, strides=2, **ONES),
        L.Cropping2D(((2, 0), (1, 3))), L.Conv2D(1, 3, **ONES),
    ],
    "enlarged": [L.Conv2D(1, 4, strides=4, **ONES), L.UpSampling2D(2, interpolation="bilinear")],
    "resized": [L.Conv2D(1, 3, **ONES), L.Resizing(30, 31), L.Conv2D(1, 3, **ONES)],
    "transposed, same": [
        L.Conv2D(1, 4, strides=4, **ONES),
        L.Conv2DTranspose(1, 4, strides=2, padding="same", **ONES), L.Conv2D(1, 2, **ONES),
    ],
    "transposed, valid": [
        L.Conv2D(1, 3, strides=3, **ONES), L.Conv2DTranspose(1, 3, **ONES), L.AveragePooling2D(2),
    ],
    "depthwise and separable": [
        L.DepthwiseConv2D(3, strides=2, depthwise_initializer="ones"),
        L.SeparableConv2D(2, 5, padding="same", depthwise_initializer="ones",
                          pointwise_initializer="ones"),
    ],
    "the middle cut out": [L.Conv2D(1, 3, strides=2, **ONES), L.CenterCrop(21, 22)],
    "augmented in training": [L.RandomFlip(), L.RandomZoom(0.2), L.Conv2D(1, 3, **ONES)],
    "a layer that nobody knows": [L.Conv2D(1, 3, strides=2, **ONES), Shifted()],
}  # fmt: skip


def _seen_by(model, layer, unit):
    """Return where the gradient of one unit lies: its square's sums over rows and columns."""
    part = keras.Model(model.inputs, model.get_layer(layer).output)
    image = tf.Variable(tf.ones((1, *SHAPE)))
    with tf.GradientTape() as tape:
        answer = part(image, training=False)[0, unit[0], unit[1], 0]
    energy = tape.gradient(answer, image).numpy()[0, :, :, 0] ** 2
    return energy.sum(axis=1), energy.sum(axis=0)


@pytest.mark.parametrize("name", CHAINS)
def test_units_look_where_their_gradient_comes_from(name):
    model = _net(*CHAINS[name])
    net = Classifier(model)
    layer = net.layers[-1]
    where = net.placement(layer)
    assert where.how == ("measured" if "nobody" in name else "exact")
    high, wide = net.sites[net.slot(layer)].grid
    for unit in ((high // 2, wide // 2), (high // 2 - 2, wide // 2 + 1)):
        for axis, along in enumerate(_seen_by(model, layer, unit)):
            centre = along @ np.arange(len(along)) / along.sum()
            assert where.start[axis] + unit[axis] * where.jump[axis] == pytest.approx(centre, abs=1)
            extent = np.ptp(np.flatnonzero(along)) + 1
            if not name.startswith(("resized", "enlarged", "transposed", "a layer")):
                assert where.field[axis] == extent


def test_geometry_of_the_tutorials_convnet():
    inputs = keras.Input((150, 150, 3))
    x = inputs
    for number in range(1, 5):
        x = L.Conv2D(2, 3, name=f"conv{number}")(x)
        x = L.MaxPooling2D(name=f"pool{number}")(x)
    net = Classifier(keras.Model(inputs, L.GlobalAveragePooling2D()(x)))
    assert net.placement("conv4").axes[0] == Geometry(38, 8, 18.5)
    assert net.default_layer == "pool4"


def _branches(pads):
    """Two strided paths whose kernels stand `pads` pixels apart, and their sum."""
    inputs = keras.Input(SHAPE)
    paths = []
    for pad in pads:
        x = L.ZeroPadding2D(((pad, 8 - pad), (pad, 8 - pad)))(inputs)
        paths.append(L.Conv2D(1, 3, strides=2, **ONES)(x))
    return keras.Model(inputs, L.GlobalAveragePooling2D()(L.Add(name="sum")(paths)))


def test_strides_of_branches_do_not_multiply():
    where = Classifier(_branches((4, 4))).placement("sum")
    assert where == ((3, 3), (2, 2), (-3, -3), "exact")


def test_paths_that_disagree_are_measured():
    net = Classifier(_branches((0, 6)))
    where = net.placement("sum")
    assert where.how == "measured"
    assert where.jump == (2, 2)
    np.testing.assert_allclose(where.start, (1 - 3, 1 - 3), atol=0.2)  # halfway: equal kernels


def test_units_that_nothing_moves_are_left_out_of_the_measurement():
    """A net of few channels has dead units; one of them must not spoil the others' places."""
    inputs = keras.Input(SHAPE)
    dead = np.ones((61, 64, 1), np.float32)
    dead[30, 32] = 0
    x = L.Rescaling(dead)(L.Conv2D(1, 3, padding="same", **ONES)(inputs))
    model = keras.Model(inputs, L.GlobalAveragePooling2D()(Shifted(name="shifted")(x)))
    where = Classifier(model).placement("shifted")
    assert where.how == "measured"
    np.testing.assert_allclose((*where.jump, *where.start), (1, 1, 3, 0), atol=0.3)


def test_a_gate_for_the_whole_map_has_no_place():
    """Squeeze and excitation multiplies by one number a channel."""
    inputs = keras.Input(SHAPE)
    x = L.Conv2D(2, 3, strides=2, name="conv")(inputs)
    gate = L.Dense(2, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    model = keras.Model(inputs, L.GlobalAveragePooling2D()(L.Multiply(name="gated")([x, gate])))
    net = Classifier(model)
    assert net.placement("gated") == net.placement("conv") == ((3, 3), (2, 2), (1, 1), "exact")
    assert net.default_layer == "gated"


def test_photos_of_another_size_than_the_default_of_an_open_net():
    """Padding "same" depends on the size: even ones are padded behind only."""
    inputs = keras.Input((None, None, 3))
    x = L.Conv2D(2, 3, strides=2, padding="same", name="conv")(inputs)
    net = Classifier(keras.Model(inputs, L.GlobalAveragePooling2D()(x)))
    assert net.placement("conv", (60, 61)).start == (1, 0)
    assert net.placement("conv").start == (1, 1)
