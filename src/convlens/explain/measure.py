"""The numbers that say how far a model's heatmaps can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convlens.engines import Engine
from convlens.engines.local import LOCAL
from convlens.explain import faithfulness, localisation
from convlens.explain import score as scoring
from convlens.explain.classifier import Classifier
from convlens.explain.faithfulness import Predict, Values
from convlens.explain.gradcam import Method, heatmaps
from convlens.explain.localisation import Masks
from convlens.explain.randomisation import cascade
from convlens.progress import Progress, silent

_CASCADE_IMAGES = 8


@dataclass(frozen=True)
class Measured:
    """Numbers for metrics.json, and the curves behind them (see faithfulness.curves)."""

    numbers: dict[str, float | int]
    curves: dict[str, dict[str, Values]]
    cascade: dict[str, float]


def measure(
    classifier: Classifier,
    images: npt.NDArray[np.uint8],
    masks: dict[str, Masks],
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    steps: int,
    policy: str = "float32",
    confidence: float = 0.95,
    progress: Progress = silent,
    engine: Engine = LOCAL,
) -> Measured:
    """Measure the heatmaps of the predicted classes of `images` (N, H, W, 3).

    Parameters
    ----------
    masks
        Name (`animal`, `parts`) to (N, H, W) bool; empty for photos, whose parts nobody knows.
    policy
        Precision of the many forward passes of deletion and insertion.
    """
    found = heatmaps(classifier, images, layer=layer, method=method, progress=progress)
    grid = (found.raw.shape[1], found.raw.shape[2])
    curves = faithfulness.curves(
        lambda index: _probability(classifier, int(found.classes[index]), policy),
        images,
        found.maps,
        grid,
        steps=steps,
        progress=progress,
        engine=engine,
    )
    few = slice(0, _CASCADE_IMAGES)
    fallen = cascade(
        classifier, images[few], found.classes[few], layer=found.layer, method=method, start=found
    )
    numbers: dict[str, float | int] = {
        "images": len(images),
        "empty_maps": int(found.empty.sum()),
        **_compared(curves, confidence),
        "randomised_correlation": list(fallen.values())[-1],
    }
    for name, mask in masks.items():
        numbers |= localisation.localisation(found.maps, mask, grid, name, confidence=confidence)
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in numbers.items()}
    return Measured(rounded, curves, {name: round(v, 4) for name, v in fallen.items()})


def _compared(curves: dict[str, dict[str, Values]], confidence: float) -> dict[str, float]:
    """Return mean areas under the curves and their differences to both baselines."""
    numbers = {}
    for kind, by in curves.items():
        areas = {k: np.array([faithfulness.area(row) for row in rows]) for k, rows in by.items()}
        numbers[kind] = float(areas["heatmap"].mean())
        for other in ("random", "gaussian"):
            key = f"{kind}_minus_{other}"
            mean, low, high = faithfulness.bootstrap(areas["heatmap"] - areas[other], confidence)
            numbers |= {key: mean, f"{key}_low": low, f"{key}_high": high}
    return numbers


def _probability(classifier: Classifier, label: int, policy: str) -> Predict:
    """Return the function from images (M, H, W, c) to the probability (M,) of class `label`."""

    def predict(images: npt.NDArray[np.float32]) -> Values:
        logits = classifier.logits(images, policy)
        return np.asarray(scoring.probabilities(logits, classifier.ending)[:, label])

    return predict
