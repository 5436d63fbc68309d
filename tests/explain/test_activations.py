"""Activations and the summary over depth."""

import keras
import numpy as np
import pytest
from nets import seen

from convlens.errors import InputError
from convlens.explain import depth, layers
from convlens.explain.evidence import gather
from convlens.explain.maps import most_varied


def activations(net, images, names=None):
    return gather(net, images, names or layers.spatial(net)).maps


def test_planted_kernel_answers_as_computed_by_hand(images):
    inputs = keras.Input((24, 24, 3))
    conv = keras.layers.Conv2D(1, 1, activation="relu", name="conv")
    x = keras.layers.MaxPooling2D(2, name="pool")(conv(inputs))
    model = keras.Model(inputs, keras.layers.GlobalMaxPooling2D()(x))
    conv.set_weights([np.reshape([1.0, -1.0, 0.0], (1, 1, 3, 1)), np.array([-10.0])])
    found = activations(seen(model), images)
    expected = np.maximum(images[..., 0].astype(float) - images[..., 1] - 10, 0)
    np.testing.assert_allclose(found["conv"][..., 0], expected)
    pooled = expected.reshape(5, 12, 2, 12, 2).max(axis=(2, 4))
    np.testing.assert_allclose(found["pool"][..., 0], pooled)
    assert list(found) == ["conv", "pool"]
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}


def test_only_the_layers_asked_for_in_that_order(flat_net, images):
    assert list(activations(seen(flat_net), images, ["conv2", "rescaling"])) == [
        "conv2",
        "rescaling",
    ]
    assert activations(seen(flat_net), images, ["pool1"])["pool1"].shape == (5, 11, 11, 6)


@pytest.mark.parametrize("layer", ["conv7", "dense", ""])
def test_unusable_layer_lists_the_usable_ones(flat_net, images, layer):
    with pytest.raises(InputError, match="conv1, pool1, conv2"):
        activations(seen(flat_net), images, [layer])


def test_most_varied_channel():
    maps = np.zeros((4, 5, 3), np.float32)
    maps[0, 0, 1], maps[..., 2] = 1, 100
    assert most_varied(maps) == 1


def summary(model, images):
    found = depth.Depth(seen(model))
    for start in range(0, len(images), 5):
        found.add(depth.answers(activations(seen(model), images[start : start + 5])))
    return found.layers(images[:4])


def test_depth_summary_of_known_layers():
    """Half of the answers of a channel pair (x, -x) are zero; a channel of zeros is dead."""
    inputs = keras.Input((20, 20, 1))
    conv = keras.layers.Conv2D(3, 3, activation="relu", name="conv")
    x = keras.layers.AveragePooling2D(2, name="pool")(conv(inputs))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    kernel = np.zeros((3, 3, 1, 3))
    kernel[1, 1, 0] = [1, -1, 0]
    conv.set_weights([kernel, np.array([-100.5, 100.5, 0.0])])
    images = np.random.default_rng(0).integers(0, 256, (10, 20, 20, 1)).astype(np.uint8)
    first, second = summary(model, images)
    assert first["sparsity"] == pytest.approx(2 / 3, abs=1e-4)
    assert first["dead"] == pytest.approx(1 / 3, abs=1e-4)
    assert (first["channels"], first["height"], second["width"]) == (3, 18, 9)
    assert (first["receptive_field"], second["receptive_field"]) == (3, 4)
    assert first["effective_field"] == 1.0  # only the kernel's middle is not zero
    assert second["effective_field"] == 2.0


def test_negative_answers_are_not_zeros(images):
    inputs = keras.Input((24, 24, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    assert activations(seen(model), images)["conv"].min() < 0
    assert summary(model, images)[0]["sparsity"] == 0


def test_effective_field_never_exceeds_what_a_unit_can_see(flat_net, images):
    rows = summary(flat_net, images)
    assert all(0 < row["effective_field"] <= row["receptive_field"] for row in rows)
    assert [row["receptive_field"] for row in rows] == [3, 4, 8]
