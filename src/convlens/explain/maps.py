"""Arithmetic of heatmaps: from raw evidence to comparable maps in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from convlens.explain.windows import Geometry

Maps = npt.NDArray[np.float32]


def resize(maps: npt.NDArray[np.floating], height: int, width: int) -> Maps:
    """Stretch (N, h, w) maps bilinearly to (N, height, width), pixel centres aligned."""
    sizes = zip((height, width), maps.shape[1:], strict=True)
    return _between(maps, [(np.arange(to) + 0.5) * of / to - 0.5 for to, of in sizes])


def place(
    maps: npt.NDArray[np.floating],
    height: int,
    width: int,
    geometry: tuple[Geometry, Geometry],
) -> Maps:
    """Lay (N, h, w) maps over a photo of height × width pixels, bilinearly between units.

    Every unit stands at the centre of what it sees; beyond the outermost units their values go on.
    """
    axes = zip((height, width), geometry, strict=True)
    return _between(maps, [(np.arange(size) - axis.start) / axis.jump for size, axis in axes])


def _between(maps: npt.NDArray[np.floating], places: Sequence[npt.NDArray[np.floating]]) -> Maps:
    """Interpolate (N, h, w) maps linearly at `places` of each axis, its ends going on."""
    found = maps.astype(np.float64)
    for axis, wanted in enumerate(places, 1):
        inside = np.clip(wanted, 0, found.shape[axis] - 1)
        left = np.floor(inside).astype(int)
        right = np.minimum(left + 1, found.shape[axis] - 1)
        share = np.expand_dims(inside - left, axis=(0, 3 - axis))
        found = found.take(left, axis) * (1 - share) + found.take(right, axis) * share
    return found.astype(np.float32)


def normalise(maps: npt.NDArray[np.floating]) -> tuple[Maps, npt.NDArray[np.bool_]]:
    """Keep the positive part of (N, h, w) maps and scale each to a maximum of 1.

    Returns
    -------
    maps, empty
        (N, h, w) float32 in [0, 1], and (N,) bool: maps without any positive, finite evidence;
        these are all zero.
    """
    positive = np.maximum(np.nan_to_num(maps.astype(np.float64), posinf=0.0, neginf=0.0), 0)
    peak = positive.max(axis=(1, 2), keepdims=True)
    empty = peak[:, 0, 0] <= np.finfo(np.float32).tiny
    scaled = np.where(empty[:, None, None], 0.0, positive / np.where(peak > 0, peak, 1.0))
    return scaled.astype(np.float32), empty


def most_varied(maps: npt.NDArray[np.floating]) -> int:
    """Return the channel of (h, w, K) maps with the largest standard deviation; ties: the first."""
    return int(np.argmax(maps.reshape(-1, maps.shape[-1]).std(axis=0)))


def agreement(first: Maps, second: Maps, share: float = 0.2) -> dict[str, float]:
    """Say how far two maps (H, W) of one photo agree.

    Returns
    -------
    dict
        `correlation`: Pearson's, -1..1, 0 if a map is constant; `overlap`: intersection over
        union of the hottest `share` of each, 0..1; by chance share / (2 - share); 0 if a map is
        constant.
    """
    a, b = first.ravel().astype(np.float64), second.ravel().astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    if size == 0:
        return {"correlation": 0.0, "overlap": 0.0}
    count = max(1, round(share * a.size))
    hot_a, hot_b = (np.argsort(-values, kind="stable")[:count] for values in (a, b))
    common = len(np.intersect1d(hot_a, hot_b))
    return {"correlation": float(a @ b) / size, "overlap": common / (2 * count - common)}
