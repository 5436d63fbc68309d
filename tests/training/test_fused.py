"""The convnet's fused pass is the tutorials' layers: outputs, loss and gradients, ties included."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from convlens.models import convnet
from convlens.training.fused import pooled, training_form


def keras_own(maps, bias):
    return tf.nn.max_pool2d(tf.nn.relu(tf.nn.bias_add(maps, bias)), 2, 2, "VALID")


def out_and_gradients(block, maps, bias, upstream):
    """Compute as training does, in a graph."""

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            tape.watch([maps, bias])
            out = block(maps, bias)
        return out, *tape.gradient(out, [maps, bias], upstream)

    return [tf.cast(x, tf.float32).numpy() for x in run()]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("side", [(6, 8), (7, 5), (17, 15)])
def test_the_first_maximum_takes_the_gradient_as_in_tensorflow(dtype, side):
    rng = np.random.default_rng(0)
    # Few values: most windows have ties, many are below ReLU. Behind the last bias all but the
    # largest differences round away in bfloat16, so that sums tie which the maps did not.
    maps = rng.integers(-2, 3, (4, *side, 3)) * np.array([1, 1, 2**-9])
    bias, half = [0.25, -1, 1], (side[0] // 2, side[1] // 2)
    given = [tf.constant(x, dtype) for x in (maps, bias, rng.normal(size=(4, *half, 3)))]
    (out, back, back_bias), expected = (
        out_and_gradients(block, *given) for block in (pooled, keras_own)
    )
    np.testing.assert_array_equal(out, expected[0])
    np.testing.assert_array_equal(back, expected[1])
    rounding = 1e-6 if dtype == "float32" else 0.02
    np.testing.assert_allclose(back_bias, expected[2], rtol=rounding, atol=10 * rounding)


@pytest.mark.parametrize("side", [48, 62])
def test_loss_and_gradients_of_the_net_are_those_of_its_layers(small_convnet, side):
    net = convnet.build(small_convnet.model_copy(update={"dropout": 0.0}), side)
    fused = training_form(net)
    assert [v.path for v in fused.variables] == [v.path for v in net.variables]
    assert all(one is other for one, other in zip(fused.variables, net.variables, strict=True))
    rng = np.random.default_rng(1)
    for layer in net.layers[1:-1]:
        if layer.weights:
            layer.bias.assign(rng.normal(0, 0.1, layer.bias.shape))
    images = tf.constant(rng.integers(0, 256, (5, side, side, 3)), tf.float32)
    labels = tf.constant([[0.0], [1], [1], [0], [1]])
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(form):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, form(tf.cast(images, form.dtype), training=True))
        return loss, tape.gradient(loss, [v.value for v in form.trainable_variables])

    (loss, gradients), (own_loss, own), (_, exact) = step(fused), step(net), step(_wide(net))
    np.testing.assert_allclose(loss, own_loss, rtol=1e-6)
    for mine, keras_gradient, true in zip(gradients, own, exact, strict=True):
        error, usual = (_apart(gradient, true) for gradient in (mine, keras_gradient))
        assert error <= max(1e-6, 1.05 * usual)  # a bias has thousands of terms, in any order


def _wide(net):
    """Return `net` in float64, with the same weights."""

    def wide(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "float64"})

    copy = keras.models.clone_model(net, clone_function=wide)
    copy.set_weights(net.get_weights())
    return copy


def _apart(gradient, true):
    return np.linalg.norm(np.asarray(gradient, np.float64) - true) / np.linalg.norm(true)
