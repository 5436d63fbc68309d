"""What every channel of a layer answers to a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain import layers as which
from convlens.explain.classifier import Classifier
from convlens.explain.evidence import gather


def activations(
    classifier: Classifier, images: npt.NDArray[Any], layers: Sequence[str] | None = None
) -> dict[str, npt.NDArray[np.float32]]:
    """Run `images` (N, H, W, c) in 0..255 through the net once and return the maps of `layers`.

    Parameters
    ----------
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
    names = list(layers) if layers is not None else which.spatial(classifier)
    return gather(classifier, images, names).maps


def most_varied(maps: npt.NDArray[np.float32]) -> int:
    """Return the channel of (h, w, K) maps with the largest standard deviation; ties: the first."""
    return int(np.argmax(maps.reshape(-1, maps.shape[-1]).std(axis=0)))
