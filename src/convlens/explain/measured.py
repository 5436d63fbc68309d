"""Where units look, measured: the centre of what moves them, from gradients of a few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain.placement import How, Placement, Site, stretched
from convlens.explain.windows import Geometry

Values = npt.NDArray[np.float64]
_DRAWS = 3  # random projections of the channels: none may hide a place


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
    axes: list[Geometry] = []
    how: How = "measured"
    for axis in (0, 1):
        units = _middle(site.grid, axis)
        centres = _centres(maps_of, images, units)[:, axis]
        known = site.axes[axis] if site.how != "stretched" else None
        numbers = np.array([unit[axis] for unit in units])
        line = stretched(images.shape[1 + axis], site.grid[axis])
        if not np.isfinite(centres).all():
            axes.append(known or line)
            how = "stretched"
            continue
        jump = known.jump if known else _slope(numbers, centres, line.jump)
        start = float(centres.mean() - numbers.mean() * jump)
        axes.append((known or line)._replace(jump=jump, start=start))
    y, x = axes
    return Placement((y.field, x.field), (y.jump, x.jump), (y.start, x.start), how)


def _middle(grid: tuple[int, int], axis: int) -> list[tuple[int, int]]:
    """Return a few units about the middle, symmetric, so that the image's edges pull evenly."""
    size, other = grid[axis], grid[1 - axis]
    reach = min(2, (size - 1) // 2)
    along = range((size - 1) // 2 - reach, size // 2 + reach + 1)
    across = sorted({(other - 1) // 2, other // 2})
    return [(i, j) if axis == 0 else (j, i) for i in along for j in across]


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
