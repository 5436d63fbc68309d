"""What every channel of every layer answers to a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain import layers as model_layers


def activations(
    model: Any, images: npt.NDArray[Any], layers: Sequence[str] | None = None
) -> dict[str, npt.NDArray[np.float32]]:
    """Run `images` through `model` once and return the maps of `layers`.

    Parameters
    ----------
    model
        A flat functional Keras model.
    images
        (N, H, W, 3) RGB in 0..255, any dtype.
    layers
        Names; default: every convolution and pooling layer, in order.

    Returns
    -------
    dict
        Layer name to (N, h, w, K) float32, in the order asked for.

    Raises
    ------
    InputError
        For an unknown layer or one without spatial axes.
    """
    import keras
    import tensorflow as tf

    names = list(layers) if layers is not None else model_layers.spatial(model)
    wanted = model_layers.outputs(model, names)
    many = keras.Model(model.inputs, dict(zip(names, wanted, strict=True)))
    found = many(tf.cast(images, tf.float32), training=False)
    return {name: np.asarray(tf.cast(found[name], tf.float32)) for name in names}


def most_varied(maps: npt.NDArray[np.float32]) -> int:
    """Return the channel of (h, w, K) maps with the largest standard deviation; ties: the first."""
    return int(np.argmax(maps.reshape(-1, maps.shape[-1]).std(axis=0)))
