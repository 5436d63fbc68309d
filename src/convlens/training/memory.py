"""Does a batch fit the memory? Asked before the first one, which might get the process killed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from convlens.data.space import check_memory

if TYPE_CHECKING:
    import keras

_BYTES = {"float32": 4, "bfloat16": 2}


def check_training_batch(model: keras.Model, batch_size: int) -> None:
    """Raise InputError if the feature maps alone, which the way back wants, don't fit."""
    needed = batch_size * sum(_map_sizes(model))
    check_memory(f"batch_size {batch_size}", needed, "lower batch_size")


def check_forward_batch(model: keras.Model, batch_size: int) -> None:
    """Raise InputError if the input and output of one layer don't fit."""
    sizes = _map_sizes(model)
    needed = batch_size * max(a + b for a, b in pairwise(sizes))
    check_memory(f"features.batch_size {batch_size}", needed, "lower features.batch_size")


def _map_sizes(model: keras.Model) -> list[int]:
    """Return the bytes of each layer's output for one image."""
    return [
        int(np.prod(layer.output.shape[1:])) * _BYTES.get(layer.compute_dtype, 4)
        for layer in model.layers
    ]
