"""Gradient ascent finds what was planted."""

import keras
import numpy as np
import pytest
from nets import seen

from convlens.errors import InputError
from convlens.explain.filters import ascend, first_kernels


@pytest.fixture(scope="module")
def planted():
    """Channel 0: dark-to-bright edge from left to right; 1: red; 2: can never answer."""
    inputs = keras.Input((40, 40, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1, name="rescaling")(inputs)
    conv = keras.layers.Conv2D(3, 4, activation="relu", name="conv")
    x = keras.layers.MaxPooling2D(name="pool")(conv(x))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    kernel = np.zeros((4, 4, 3, 3), np.float32)
    kernel[:, :2, :, 0], kernel[:, 2:, :, 0] = -1, 1
    kernel[..., 0, 1], kernel[..., 1:, 1] = 2, -1
    conv.set_weights([kernel, np.array([0, 0, -1000], np.float32)])
    return model, kernel


@pytest.mark.parametrize("recipe", ["classic", "smooth"])
@pytest.mark.parametrize("layer", ["conv", "pool"])
def test_planted_kernels_are_recovered(planted, recipe, layer):
    model, kernel = planted
    found = ascend(seen(model), layer, [0, 1], size=48, steps=30, recipe=recipe)
    assert found.images.shape == (2, 48, 48, 3)
    assert found.images.dtype == np.uint8
    assert found.moved.all()
    red = found.images[1].astype(float)[8:-8, 8:-8].mean(axis=(0, 1))
    assert red[0] > red[1:].max() + 20
    edge = found.images[0].astype(float).mean(axis=2)
    likeness = [
        np.corrcoef(edge[y : y + 4, x : x + 4].ravel(), kernel[..., 0, 0].ravel())[0, 1]
        for y in range(4, 40)
        for x in range(4, 40)
    ]
    assert max(likeness) > 0.9  # somewhere the picture is the kernel


def test_channel_that_cannot_answer_is_marked(planted):
    found = ascend(seen(planted[0]), "conv", [2, 0], size=32, steps=8)
    assert found.moved.tolist() == [False, True]
    assert np.isfinite(found.end).all()


def test_picture_depends_on_neither_batch_nor_neighbours(planted):
    together = ascend(seen(planted[0]), "conv", [0, 1, 2], size=32, steps=6, batch_size=2)
    alone = ascend(seen(planted[0]), "conv", [1], size=32, steps=6)
    assert np.abs(together.images[1].astype(int) - alone.images[0]).max() <= 1
    again = ascend(seen(planted[0]), "conv", [1], size=32, steps=6)
    np.testing.assert_array_equal(alone.images, again.images)


def test_reduced_precision_finds_the_same(planted):
    exact = ascend(seen(planted[0]), "conv", [0], size=32, steps=20)
    rough = ascend(seen(planted[0]), "conv", [0], size=32, steps=20, policy="mixed_bfloat16")
    assert rough.end[0] == pytest.approx(exact.end[0], rel=0.1)


def test_model_is_left_as_it_was(planted):
    ascend(seen(planted[0]), "conv", [0], size=32, steps=1)
    assert planted[0].get_layer("conv").activation.__name__ == "relu"


def test_unknown_channel_and_layer(planted):
    with pytest.raises(InputError, match="from 0 to 2"):
        ascend(seen(planted[0]), "conv", [3], size=32)
    with pytest.raises(InputError, match="conv, pool"):
        ascend(seen(planted[0]), "block1_conv1", [0], size=32)


def test_first_kernels_are_the_weights(planted):
    name, kernels = first_kernels(seen(planted[0]))
    assert name == "conv"
    np.testing.assert_array_equal(kernels, planted[1])
