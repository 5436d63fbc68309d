"""Where units look, measured: the centre of what moves them, from gradients of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.explain.placement import Placement, Site
from convlens.explain.windows import Geometry

if TYPE_CHECKING:
    from convlens.explain.classifier import Classifier

Values = npt.NDArray[np.float64]
_PIXELS, _IMAGES, _ROUNDS = 600_000, 64, 4  # of one pass, images a unit; passes at most
_SURE = 0.25  # pixels: a centre's standard error that is small enough


def placement(classifier: Classifier, layer: str, size: tuple[int, int], site: Site) -> Placement:
    """Return `site` of `layer` with starts, and strides where none is known, as measured.

    Parameters
    ----------
    size
        (H, W) of the noise that the units are shown.
    """
    known = site.how != "stretched"
    units = _units(site.grid, 0 if known else 2)
    centres = _centres(classifier, layer, size, units)
    seen = np.isfinite(centres).all(axis=1)
    found = [
        _line(site.axes[axis], units[seen, axis], centres[seen, axis], known or count == 1)
        for axis, count in enumerate(site.grid)
    ]
    axes = [new or old for new, old in zip(found, site.axes, strict=True)]
    return Placement.of(axes, "measured" if all(found) else "stretched")


def _line(
    before: Geometry, numbers: npt.NDArray[np.int64], places: Values, known: bool
) -> Geometry | None:
    """Return an axis from the places of its units; None if they are too few to tell.

    `known`: the stride is that of `before`.
    """
    if not len(numbers) or not (known or np.ptp(numbers)):
        return None
    jump = before.jump if known else float(np.polyfit(numbers, places, 1)[0])
    return before._replace(jump=jump, start=float((places - numbers * jump).mean()))


def _units(grid: tuple[int, int], reach: int) -> npt.NDArray[np.int64]:
    """Return (U, 2): the middle and its like, so that edges pull evenly, and `reach` to each side.

    The more to the sides, along one axis at a time, tell strides.
    """
    low, high = [(size - 1) // 2 for size in grid], [size // 2 for size in grid]
    found = {tuple(low), tuple(high)}
    for axis, size in enumerate(grid):
        for more in range(1, min(reach, (size - 1) // 2) + 1):
            for end, way in ((low, -1), (high, 1)):
                unit = list(end)
                unit[axis] += way * more
                found.add(tuple(unit))
    return np.array(sorted(found))


def _centres(
    classifier: Classifier, layer: str, size: tuple[int, int], units: npt.NDArray[np.int64]
) -> Values:
    """Return the centre of gravity (U, 2) of each unit's squared gradient; NaN where it is zero.

    Each image is other noise, and asks for one unit's channels, added with random signs: so none
    of them hides a place.
    """
    draw, count = np.random.default_rng(0), len(units)
    times = min(max(1, _PIXELS // (size[0] * size[1] * count)), _IMAGES)
    rows: list[Values] = []
    for _ in range(_ROUNDS):
        gradient = _gradients(classifier, layer, size, np.tile(units, (times, 1)), draw)
        energy = (gradient.astype(np.float64) ** 2).sum(axis=3)
        moments = [energy.sum(axis=(1, 2))]
        moments += [energy.sum(axis=2 - axis) @ np.arange(size[axis]) for axis in (0, 1)]
        rows.append(np.stack(moments, axis=1).reshape(times, count, 3))
        found, error = _gravity(np.concatenate(rows))
        if not (error > _SURE).any():
            break
    return found


def _gravity(moments: Values) -> tuple[Values, Values]:
    """Return centres (U, 2) and their standard errors from (N, U, 3): energies and moments."""
    energy, moment = moments[..., :1], moments[..., 1:]
    total = energy.sum(axis=0)
    good = np.isfinite(total) & (total > 0)
    safe = np.where(good, total, 1.0)
    centre = moment.sum(axis=0) / safe
    error = np.sqrt(((moment - centre * energy) ** 2).sum(axis=0)) / safe
    return np.where(good, centre, np.nan), np.where(good, error, 0.0)


def _gradients(
    classifier: Classifier,
    layer: str,
    size: tuple[int, int],
    units: npt.NDArray[np.int64],
    draw: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Return how noise (N, H, W, c) moves one unit (N, 2) each, by random signs of its channels."""
    import tensorflow as tf

    noise = draw.integers(0, 256, (len(units), *size, classifier.channels))
    inputs = tf.constant(classifier.prepare(noise))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        (found,) = classifier.exact.run({classifier.source: inputs}, [classifier.slot(layer)])
        maps = tf.cast(classifier.maps(found, layer), tf.float32)
        answers = tf.gather_nd(maps, units[:, None], batch_dims=1)[:, 0]
        total = tf.reduce_sum(answers * draw.choice([-1.0, 1.0], answers.shape).astype(np.float32))
    return np.asarray(tape.gradient(total, inputs, unconnected_gradients="zero"))
