"""Cascading randomisation: a map that survives losing the model's weights shows no model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain.gradcam import Method, heatmaps
from convlens.models.keras_file import with_policy


def cascade(
    model: Any,
    images: npt.NDArray[Any],
    classes: npt.NDArray[np.int32],
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    seed: int = 0,
) -> dict[str, float]:
    """Randomise layer after layer from the output down and compare each heatmap with the first.

    Weights are replaced by normal draws of the same mean and spread, cumulatively (Adebayo et al.
    2018, Sanity checks for saliency maps). `model` itself stays as it is.

    Returns
    -------
    dict
        Layer name, from the output down to the one explained, to the mean rank correlation of
        the signed raw maps over `images` (N, H, W, 3): 1 means that nothing changed.
    """
    copy = with_policy(model, "float32")
    start = heatmaps(model, images, layer=layer, method=method, classes=classes)
    draw = np.random.default_rng(seed)
    found = {}
    for part in reversed(copy.layers):
        weights = part.trainable_weights
        if weights:
            for weight in weights:
                value = weight.numpy()
                weight.assign(draw.normal(value.mean(), max(value.std(), 0.01), value.shape))
            now = heatmaps(copy, images, layer=start.layer, method=method, classes=classes)
            pairs = zip(start.raw, now.raw, strict=True)
            found[part.name] = float(np.mean([rank_correlation(a, b) for a, b in pairs]))
        if part.name == start.layer:
            break
    return found


def rank_correlation(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Return Spearman's correlation of two arrays of one shape; 0 if one is constant."""
    from scipy.stats import rankdata

    a, b = (rankdata(values) - (values.size + 1) / 2 for values in (first, second))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0
