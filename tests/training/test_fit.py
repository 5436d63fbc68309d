"""The optimizer's update in one fused pass is the optimizer's own update."""

import numpy as np
import pytest
import tensorflow as tf

from convlens.models import convnet
from convlens.training import fit, schedule


def weights_after(steps, params, *, fused):
    """Start from equal weights, apply equal gradients; return weights and the step counter."""
    model = convnet.build(params, 48)
    if fused:
        fit._compile(model, params, steps)
    else:
        model.compile(schedule.optimizer(params, steps))
        model.optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(0)
    for _ in range(steps):
        gradients = [tf.constant(rng.normal(size=v.shape), "float32") for v in model.weights]
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    raw = [np.asarray(v) for v in model.weights]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return raw, [np.asarray(v) for v in model.weights], int(model.optimizer.iterations)


@pytest.mark.parametrize("name", ["adamw", "rmsprop"])
def test_the_fused_update_is_the_optimizers_own(small_convnet, name):
    params = small_convnet.model_copy(
        update={
            "optimizer": name,
            "learning_rate": 0.001,
            "ema": 0.9,
            "weight_decay": 0.1,
            "warmup_epochs": 0.5,
        }
    )
    one, other = (weights_after(8, params, fused=fused) for fused in (True, False))
    started = [np.asarray(v) for v in convnet.build(params, 48).weights]
    for mine, keras_own, averaged, first in zip(one[0], other[0], one[1], started, strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=2e-6)
        assert np.abs(mine - first).max() > 1e-3
        assert not np.array_equal(mine, averaged)
    for mine, keras_own in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=2e-6)
    assert one[2] == other[2] == 8


def test_only_the_variables_that_are_given_move(small_convnet):
    model = convnet.build(small_convnet, 48)
    fit._compile(model, small_convnet, 8)
    kernel, bias = model.get_layer("logit").trainable_variables
    before = {v.path: v.numpy() for v in model.trainable_variables}
    model.optimizer.apply([tf.ones(bias.shape)], [bias])  # at a rate of zero: the warm-up
    model.optimizer.apply([tf.ones(v.shape) for v in (kernel, bias)], [kernel, bias])
    assert {v.path for v in model.trainable_variables if not np.array_equal(v, before[v.path])} == {
        "logit/kernel",
        "logit/bias",
    }
    assert int(model.optimizer.iterations) == 2
