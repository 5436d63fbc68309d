"""What the machine can do at best: a large matrix product, and VGG16's base in plain Keras."""

from __future__ import annotations

import sys

import numpy as np
from stopwatch import Stopwatch

from convlens import runtime
from convlens.params import RuntimeParams

SIDE, IMAGES = 4096, 384


def ceiling(precision: str) -> None:
    """Report the seconds of a SIDE³ product, several times."""
    import tensorflow as tf

    a = tf.cast(np.random.default_rng(0).random((SIDE, SIDE), np.float32), precision)
    product = tf.function(lambda: tf.reduce_sum(tf.cast(a @ a, tf.float32)))
    watch = Stopwatch()
    for _ in range(8):
        product().numpy()
        watch.lap()
    watch.report(gflop=2 * SIDE**3 / 1e9)


def plain_forward(precision: str, batch: int) -> None:
    """Report the seconds that Keras' own VGG16 takes for IMAGES images in memory."""
    import keras

    keras.config.set_dtype_policy("float32" if precision == "float32" else "mixed_bfloat16")
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(150, 150, 3))
    images = np.random.default_rng(0).random((IMAGES, 150, 150, 3), np.float32)
    watch = Stopwatch()
    for _ in range(2):
        for start in range(0, IMAGES, batch):
            base.predict_on_batch(images[start : start + batch])
        watch.lap()
    watch.report(images=IMAGES, batch=batch)


if __name__ == "__main__":
    runtime.configure(RuntimeParams(precision="float32", threads=0))
    if sys.argv[1] == "ceiling":
        ceiling(sys.argv[2])
    else:
        plain_forward(sys.argv[2], int(sys.argv[3]))
