"""Where units look, measured: the centre of what moves them, from gradients of a few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.explain.placement import How, Placement, Site
from convlens.explain.windows import Geometry

if TYPE_CHECKING:
    from convlens.explain.classifier import Classifier

Values = npt.NDArray[np.float64]
_DRAWS = 6  # random projections of the channels: none may hide a place


def middle(classifier: Classifier, layer: str, size: tuple[int, int], site: Site) -> Placement:
    """Measure the placement of `layer` on noise of `size` (H, W)."""
    draw, slot = np.random.default_rng(0), classifier.slot(layer)
    noise = draw.integers(0, 256, (4, *size, classifier.channels)).astype(np.float32)

    def maps_of(images: Any) -> Any:
        graph = classifier.exact
        return classifier.maps(graph.run({classifier.source: images}, [slot])[0], layer)

    return measure(maps_of, classifier.prepare(noise), site)


def measure(
    maps_of: Callable[[Any], Any], images: npt.NDArray[np.float32], site: Site
) -> Placement:
    """Correct the axes of `site` by the gradients of its middle units.

    Parameters
    ----------
    maps_of
        From images (N, H, W, c) to maps (N, h, w, K); differentiable.
    images
        (N, H, W, c) noise, as the model takes it.
    """
    known = site.how != "stretched"
    both = _centres(maps_of, images, _middle(site.grid, (0, 1))) if known else None
    axes: list[Geometry] = []
    how: How = "measured"
    for axis in (0, 1):
        units = _middle(site.grid, (0, 1) if known else (axis,))
        centres = (both if both is not None else _centres(maps_of, images, units))[:, axis]
        numbers = np.array([unit[axis] for unit in units])
        line = site.axes[axis]
        if not np.isfinite(centres).all():
            how = "stretched"
        else:
            jump = line.jump if known else _slope(numbers, centres, line.jump)
            line = line._replace(jump=jump, start=float(centres.mean() - numbers.mean() * jump))
        axes.append(line)
    y, x = axes
    return Placement((y.field, x.field), (y.jump, x.jump), (y.start, x.start), how)


def _middle(grid: tuple[int, int], along: Sequence[int]) -> list[tuple[int, int]]:
    """Return a few units about the middle, symmetric, so that the image's edges pull evenly.

    Along one axis they are as many as tell a stride, along both they are the middle ones only.
    """
    reach = 0 if len(along) == 2 else min(2, (grid[along[0]] - 1) // 2)
    spans = []
    for axis, size in enumerate(grid):
        more = reach if axis in along else 0
        spans.append(range((size - 1) // 2 - more, size // 2 + more + 1))
    if len(along) == 2:
        return sorted({(spans[0][0], spans[1][0]), (spans[0][-1], spans[1][-1])})
    return [(i, j) for i in spans[0] for j in spans[1]]


def _slope(numbers: Values, centres: Values, usual: float) -> float:
    if np.ptp(numbers) == 0:
        return usual
    return float(np.polyfit(numbers, centres, 1)[0])


def _centres(
    maps_of: Callable[[Any], Any], images: npt.NDArray[np.float32], units: Sequence[tuple[int, int]]
) -> Values:
    """Return the centre of gravity (U, 2) of each unit's squared gradient; NaN where it is zero."""
    import tensorflow as tf

    draw = np.random.default_rng(0)
    inputs = tf.constant(images)
    found = []
    for unit in units:
        with tf.GradientTape(watch_accessed_variables=False, persistent=True) as tape:
            tape.watch(inputs)
            answer = tf.cast(maps_of(inputs)[:, unit[0], unit[1]], tf.float32)
            signs = draw.choice([-1.0, 1.0], (_DRAWS, answer.shape[-1])).astype(np.float32)
            totals = [tf.reduce_sum(answer * sign) for sign in signs]
        energy = np.zeros(images.shape[1:3])
        for total in totals:
            gradient = np.asarray(tape.gradient(total, inputs), np.float64)
            energy += (gradient**2).sum(axis=(0, 3))
        found.append(_centre(energy))
    return np.asarray(found)


def _centre(energy: Values) -> tuple[float, float]:
    total = energy.sum()
    if not (np.isfinite(total) and total > 0):
        return np.nan, np.nan
    y, x = energy.sum(axis=1), energy.sum(axis=0)
    return float(y @ np.arange(len(y)) / total), float(x @ np.arange(len(x)) / total)
