"""Does a net get photos in the range that it was trained on? Noise tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain.evidence import Evidence

# EfficientNet-Lite0 and VGG16 on four photos: in a range that is too small the distance was at
# most 0.29 and the step at most 2.1; in the right one at least 0.30, and 3.1.
_NEAR, _STEP = 0.3, 2.5
_SURE = 1 - 1e-6


def probes(photo: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return a photo (H, W, c) and three others that should make a difference: (4, H, W, c).

    Its pixels in another order, noise of its levels, and the photo with half its contrast.
    """
    draw = np.random.default_rng(0)
    values = photo.astype(np.float32)
    pixels = draw.permutation(values.reshape(-1, values.shape[-1])).reshape(values.shape)
    noise = draw.permutation(values.ravel()).reshape(values.shape)
    return np.stack([values, pixels, noise, (values + values.mean(axis=(0, 1))) / 2])


def doubt(seen: Evidence) -> str | None:
    """Return why the preprocessing of a photo looks wrong, from its `probes`; None if it doesn't.

    In too small a range a net takes everything for grey and says nearly the same of all: no two
    probabilities (total variation distance) and no logits differ by much. In too large a one it
    is sure of whatever it sees.
    """
    chances, logits = seen.probabilities, seen.logits
    away = 0.5 * np.abs(chances[1:3] - chances[0]).sum(axis=1).max()
    step = np.abs(logits[1:3] - logits[0]).max()
    if away < _NEAR and step < _STEP:
        return "says nearly the same of noise as of the photo"
    if chances.max(axis=1).min() > _SURE:
        return "is perfectly sure whatever it sees, noise too"
    return None
