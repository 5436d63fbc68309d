"""Does a net get photos in the range that it was trained on? Noise tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

_SAME, _SURE = 0.01, 0.999


Chances = Callable[[npt.NDArray[Any]], npt.NDArray[np.float64]]


def doubt(chances: Chances, photo: npt.NDArray[Any]) -> str | None:
    """Return why the preprocessing of `photo` (H, W, c) in 0..255 looks wrong; None if it doesn't.

    `chances` returns a net's probabilities (N, C) of images (N, H, W, c).

    In too small a range a net sees everything as grey and says the same of all; in too large a
    one it is sure of whatever it sees. So it is also shown noise of the photo's own colours, the
    photo's pixels in another order, and the photo with half its contrast.
    """
    draw = np.random.default_rng(0)
    values = photo.astype(np.float32)
    flat = values.reshape(-1, values.shape[-1])
    shuffled = draw.permutation(flat).reshape(values.shape)
    noise = draw.permutation(flat.ravel()).reshape(values.shape)
    pale = (values + values.mean(axis=(0, 1))) / 2
    seen = chances(np.stack([values, shuffled, noise, pale]))
    if np.abs(seen[0] - seen[1:3]).max() < _SAME:
        return "says the same of noise as of the photo"
    if seen.max(axis=1).min() > _SURE:
        return f"is more than {100 * _SURE:g} % sure whatever it sees, noise too"
    return None
