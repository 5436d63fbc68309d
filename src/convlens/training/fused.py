"""The convnet as it is trained: the same layers and variables in fewer passes over the maps.

In the tutorials' order a step reads and writes each convolution's map for the bias, ReLU, maximum
and the gradient of each. Here the convolution is followed by one pass forward and one back.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def training_form(model: keras.Model) -> keras.Model:
    """Return a net that computes what `model` does and trains `model`'s own variables.

    `model` is a chain of layers in which each Conv2D, with bias and ReLU, is followed by a 2 × 2
    MaxPooling2D. The logits are equal to rounding; see `pooled` for the gradients.
    """
    import keras

    class PooledConvolution(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, convolution: keras.layers.Conv2D) -> None:
            super().__init__(dtype=convolution.dtype_policy, name=f"pooled_{convolution.name}")
            self.convolution = convolution

        def call(self, x: tf.Tensor) -> tf.Tensor:
            maps = self.convolution.convolution_op(x, self.convolution.kernel)
            return pooled(maps, keras.ops.convert_to_tensor(self.convolution.bias))

    inputs = x = keras.Input(model.input_shape[1:], name="image")
    for layer in model.layers[1:]:
        if isinstance(layer, keras.layers.Conv2D):
            x = PooledConvolution(layer)(x)
        elif not isinstance(layer, keras.layers.MaxPooling2D):
            x = layer(x)
    return keras.Model(inputs, x, name=model.name)


def pooled(maps: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Return the 2 × 2 maximum of ReLU(`maps` + `bias`): (N, H, W, C), (C,) -> (N, H/2, W/2, C).

    An odd last row or column is dropped. The gradient goes to the first maximum of a window, in
    the order of its rows, as that of TensorFlow's MaxPool does, and nowhere where ReLU is zero.
    """
    import tensorflow as tf

    forward, backward = _compiled()

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def pool(maps: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Any]:
        out, winner = forward(maps, bias)
        odd = [[0, 0], [0, maps.shape[1] % 2], [0, maps.shape[2] % 2], [0, 0]]
        return out, lambda upstream: backward(upstream, winner, odd)

    return pool(maps, bias)


@cache
def _compiled() -> tuple[Any, Any]:
    """Return both directions, compiled by XLA into one loop over the map each."""
    import tensorflow as tf

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def forward(maps: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rows, columns = maps.shape[1] // 2 * 2, maps.shape[2] // 2 * 2
        first, *others = (maps[:, y:rows:2, x:columns:2] + bias for y in (0, 1) for x in (0, 1))
        best, winner = first, tf.zeros_like(first, tf.int8)
        for number, other in enumerate(others, start=1):
            larger = other > best  # not equal: the first one stays
            best = tf.where(larger, other, best)
            winner = tf.where(larger, tf.constant(number, tf.int8), winner)
        return tf.nn.relu(best), tf.where(best > 0, winner, tf.constant(-1, tf.int8))

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def backward(
        upstream: tf.Tensor, winner: tf.Tensor, odd: list[list[int]]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        zero = tf.zeros((), upstream.dtype)
        place = tf.reshape(tf.range(4), (2, 1, 2, 1))
        won = winner[:, :, None, :, None] == tf.cast(place, tf.int8)
        spread = tf.where(won, upstream[:, :, None, :, None], zero)
        shape = tf.shape(upstream) * [1, 2, 2, 1]
        passed = tf.cast(tf.where(winner < 0, zero, upstream), tf.float32)
        bias = tf.cast(tf.reduce_sum(passed, (0, 1, 2)), upstream.dtype)
        return tf.pad(tf.reshape(spread, shape), odd), bias

    return forward, backward
