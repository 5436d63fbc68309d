"""The tutorials' small convnet, layer by layer: 3,453,121 parameters at 150 × 150 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convlens.models import heads
from convlens.models.initialisers import glorot
from convlens.params import ConvnetParams

if TYPE_CHECKING:
    import keras

FILTERS = (32, 64, 128, 128)


def build(
    params: ConvnetParams, image_size: int, policy: str = "float32", classes: int = 2
) -> keras.Model:
    """Return the net with fresh weights drawn from `params.seed`.

    Input: (N, S, S, 3) RGB in 0..255, any dtype. Output: float32 logits as `heads.logits` says.
    `policy` is the Keras dtype policy of the hidden layers; weights and logit are float32.
    Source: Chollet, Deep Learning with Python, §5.2.
    """
    import keras

    layers, fresh = keras.layers, glorot(params.seed)
    inputs = keras.Input((image_size, image_size, 3), name="image")
    scale, offset = (1 / 255, 0.0) if params.input_range == "0..1" else (1 / 127.5, -1.0)
    x = layers.Rescaling(scale, offset, dtype="float32", name="rescaling")(inputs)
    for number, filters in enumerate(FILTERS, start=1):
        x = layers.Conv2D(
            filters, 3, activation="relu", kernel_initializer=next(fresh), dtype=policy,
            name=f"conv{number}",
        )(x)  # fmt: skip
        x = layers.MaxPooling2D(2, dtype=policy, name=f"pool{number}")(x)
    x = layers.Flatten(dtype=policy, name="flatten")(x)
    x = layers.Dropout(params.dropout, seed=params.seed, dtype=policy, name="dropout")(x)
    x = layers.Dense(
        512, activation="relu", kernel_initializer=next(fresh), dtype=policy, name="dense"
    )(x)
    return keras.Model(inputs, heads.logits(x, classes, next(fresh)), name="convnet")
