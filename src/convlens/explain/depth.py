"""Layer by layer: how sparse the answers get, and how much of the photo one unit sees."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from convlens.explain import layers as model_layers
from convlens.explain.activations import activations
from convlens.explain.geometry import geometry

DEAD_STD = 1e-6
# Luo et al. 2016 (Understanding the effective receptive field): pixels within two standard
# deviations of a Gaussian centre.
_TWO_SIGMA = 1 - 0.9545


class Layer(TypedDict):
    """One layer of the summary; shares in 0..1, fields in pixels of the input, a side."""

    layer: str
    channels: int
    height: int
    width: int
    sparsity: float
    dead: float
    receptive_field: int
    effective_field: float


def summary(model: Any, images: npt.NDArray[Any]) -> list[Layer]:
    """Summarise every convolution and pooling layer over `images` (N, H, W, 3) in 0..255.

    `sparsity` is the share of zero answers; `dead` the share of channels that are constant on
    every image; `receptive_field` what a unit could see; `effective_field` the side of a square
    as large as what moves the central unit noticeably (Luo et al. 2016).
    """
    places = geometry(model)
    rows: list[Layer] = []
    zeros: dict[str, list[float]] = {}
    alive: dict[str, npt.NDArray[np.bool_]] = {}
    for start in range(0, len(images), 8):
        for name, maps in activations(model, images[start : start + 8]).items():
            zeros.setdefault(name, []).extend((maps <= 0).mean(axis=(1, 2, 3)))
            varied = (maps.std(axis=(1, 2)) > DEAD_STD).any(axis=0)
            alive[name] = alive.get(name, np.zeros_like(varied)) | varied
    for name in zeros:
        _, height, width, channels = model.get_layer(name).output.shape
        rows.append(
            Layer(
                layer=name,
                channels=channels,
                height=height,
                width=width,
                sparsity=round(float(np.mean(zeros[name])), 4),
                dead=round(1 - float(alive[name].mean()), 4),
                receptive_field=places[name][0].field,
                effective_field=round(_effective_field(model, name, images[:4]), 1),
            )
        )
    return rows


def _effective_field(model: Any, layer: str, images: npt.NDArray[Any]) -> float:
    import keras
    import tensorflow as tf

    part = keras.Model(model.inputs, *model_layers.outputs(model, [layer]))
    inputs = tf.cast(images, tf.float32)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        maps = part(inputs, training=False)
        centre = tf.reduce_sum(maps[:, maps.shape[1] // 2, maps.shape[2] // 2])
    gradient = np.asarray(tape.gradient(centre, inputs), dtype=np.float64)
    strength = np.sqrt((gradient**2).mean(axis=(0, 3)))
    return float(np.sqrt((strength > _TWO_SIGMA * strength.max()).sum()))
