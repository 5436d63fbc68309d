"""SmoothGrad and Integrated Gradients against what theory demands."""

import keras
import numpy as np
import pytest
from nets import seen

from convlens.explain.saliency import integrated_gradients, smooth_grad, strength


@pytest.fixture
def linear():
    inputs = keras.Input((6, 6, 3))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
    return model, model.layers[-1].get_weights()[0].reshape(6, 6, 3)


def test_integrated_gradients_are_complete(gap_net, images):
    """They add up to the change of the logit from the grey image to the photo."""
    found = integrated_gradients(seen(gap_net), images, np.ones(5, np.int32), steps=256)
    grey = np.full((1, 24, 24, 3), 127.5, np.float32)
    logits = gap_net.predict(np.concatenate([grey, images]), verbose=0)[:, 0]
    total = found.attributions.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(total, logits[1:] - logits[0], atol=0.02)
    assert np.abs(found.gap).max() < 0.02


def test_of_a_linear_model_both_are_its_weights(linear):
    model, weights = linear
    image = np.random.default_rng(0).integers(0, 256, (1, 6, 6, 3)).astype(np.uint8)
    dog, cat = np.array([1], np.int32), np.array([0], np.int32)
    np.testing.assert_allclose(smooth_grad(seen(model), image, dog)[0], weights, atol=1e-6)
    np.testing.assert_allclose(smooth_grad(seen(model), image, cat)[0], -weights, atol=1e-6)
    found = integrated_gradients(seen(model), image, dog, steps=3, baseline=0.0)
    np.testing.assert_allclose(found.attributions[0], weights * image[0], atol=1e-3)
    assert abs(found.gap[0]) < 1e-5


@pytest.mark.parametrize(("power", "steps"), [(2, 1), (4, 2), (6, 3)])
def test_gradients_of_twice_as_many_powers_as_steps_are_integrated_exactly(power, steps):
    """As Gauss-Legendre quadrature does: attributions of x to a power are x to that power."""
    inputs = keras.Input((2, 2, 3))
    raised = keras.layers.Flatten()(keras.layers.Multiply()([inputs] * power))
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Model(inputs, dense(raised))
    image = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3) / 4
    label = np.ones(1, np.int32)
    found = integrated_gradients(seen(model), image, label, steps=steps, baseline=0.0)
    np.testing.assert_allclose(found.attributions, image**power, rtol=1e-5)


def test_too_few_steps_show_in_the_gap(flat_net, images):
    label = np.ones(5, np.int32)
    few, many = (
        integrated_gradients(seen(flat_net), images, label, steps=steps, baseline=0.0)
        for steps in (1, 256)
    )
    assert np.abs(few.gap).max() > 5 * np.abs(many.gap).max()


def test_smooth_grad_is_repeatable_and_constant_images_are_fine(flat_net):
    image = np.full((1, 24, 24, 3), 127, np.uint8)
    label = np.array([2], np.int32)
    first, second = (smooth_grad(seen(flat_net), image, label) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert np.isfinite(strength(first)).all()
    found = integrated_gradients(seen(flat_net), image, label, baseline=127.0)
    assert not strength(found.attributions).any()


def test_strength_is_in_0_1_and_clips_outliers():
    values = np.zeros((1, 10, 10, 3), np.float32)
    values[0, 0, 0] = -1000
    values[0, 5] = 1
    found = strength(values, percentile=90)
    assert found[0, 0, 0] == found[0, 5, 5] == 1
    assert found[0, 1, 1] == 0
