"""Fresh weights from a seed of one's own, whatever else the process draws."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

_SEEDS = int(1e9)


def glorot(seed: int) -> Iterator[keras.initializers.GlorotUniform]:
    """Yield an initialiser for each layer (Glorot & Bengio 2010, equation 16).

    Equal to what Keras' layers draw after `keras.utils.set_random_seed(seed)`, which would reseed
    the whole process.
    """
    import keras

    draw = random.Random(seed)
    while True:
        yield keras.initializers.GlorotUniform(seed=draw.randint(1, _SEEDS))
