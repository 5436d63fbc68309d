"""Layer by layer: how sparse the answers get, and how much of the photo one unit sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

from convlens.explain.classifier import Classifier

DEAD_STD = 1e-6
# Luo et al. 2016 (Understanding the effective receptive field): pixels within two standard
# deviations of a Gaussian centre.
_TWO_SIGMA = 1 - 0.9545


class Layer(TypedDict):
    """What one layer answered; shares in 0..1, fields in pixels of the input, a side."""

    layer: str
    channels: int
    height: int
    width: int
    sparsity: float
    dead: float
    receptive_field: int
    effective_field: float


class Answers(NamedTuple):
    """What is kept of a layer's maps: the share of zeros (N,), and which channels vary (K,)."""

    zeros: npt.NDArray[np.float64]
    varied: npt.NDArray[np.bool_]


def answers(maps: dict[str, npt.NDArray[np.float32]]) -> dict[str, Answers]:
    """Count what layers answered: name to (N, h, w, K)."""
    return {
        name: Answers(
            (values == 0).mean(axis=(1, 2, 3)),
            (values.std(axis=(1, 2)) > DEAD_STD).any(axis=0),
        )
        for name, values in maps.items()
    }


class Depth:
    """Collects the answers to many photos, batch by batch, into one row a layer."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._zeros: dict[str, list[float]] = {}
        self._alive: dict[str, npt.NDArray[np.bool_]] = {}

    def add(self, found: dict[str, Answers]) -> None:
        """Add those of more photos, of the same layers every time."""
        for name, (zeros, varied) in found.items():
            self._zeros.setdefault(name, []).extend(zeros)
            self._alive[name] = self._alive.get(name, np.zeros_like(varied)) | varied

    def layers(self, images: npt.NDArray[Any]) -> list[Layer]:
        """Summarise the layers; `images` (N, H, W, c) in 0..255 measure the effective field.

        `sparsity` is the share of answers that are zero; `dead` the share of channels that are
        constant on every image; `receptive_field` what a unit could see; `effective_field` the
        side of a square as large as what moves the central unit noticeably (Luo et al. 2016).
        """
        fields = _effective_fields(self._classifier, list(self._zeros), images)
        rows: list[Layer] = []
        for name, field in fields.items():
            grid = self._classifier.sites[self._classifier.slot(name)].grid
            alive = self._alive[name]
            rows.append(
                Layer(
                    layer=name,
                    channels=len(alive),
                    height=grid[0],
                    width=grid[1],
                    sparsity=round(float(np.mean(self._zeros[name])), 4),
                    dead=round(1 - float(alive.mean()), 4),
                    receptive_field=round(max(self._classifier.placement(name).field)),
                    effective_field=round(field, 1),
                )
            )
        return rows


def _effective_fields(
    classifier: Classifier, layers: list[str], images: npt.NDArray[Any]
) -> dict[str, float]:
    """Return each layer's effective field; one pass forward, one back a layer."""
    slots = [classifier.slot(name) for name in layers]

    def gradients(given: Any) -> Any:
        import tensorflow as tf

        found = classifier.exact.run({classifier.source: given}, slots)
        centres = []
        for name, tensor in zip(layers, found, strict=True):
            maps = classifier.maps(tensor, name)
            middle = maps[:, tf.shape(maps)[1] // 2, tf.shape(maps)[2] // 2]
            centres.append(tf.gradients(middle, given, unconnected_gradients="zero")[0])
        return centres

    run: Callable[..., Any] = classifier.compiled(("centres", tuple(layers)), gradients)
    return {
        name: _side(np.asarray(gradient, np.float64))
        for name, gradient in zip(layers, run(classifier.prepare(images)), strict=True)
    }


def _side(gradient: npt.NDArray[np.float64]) -> float:
    strength = np.sqrt((gradient**2).mean(axis=(0, 3)))
    return float(np.sqrt((strength > _TWO_SIGMA * strength.max()).sum()))
