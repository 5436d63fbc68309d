"""Arithmetic of heatmaps: from raw evidence to comparable maps in [0, 1]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convlens.explain.windows import Geometry

Maps = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]


def resize(maps: npt.NDArray[np.floating], height: int, width: int) -> Maps:
    """Stretch (N, h, w) maps bilinearly to (N, height, width), pixel centres aligned."""
    down = _interpolation(maps.shape[1], _stretched(maps.shape[1], height))
    across = _interpolation(maps.shape[2], _stretched(maps.shape[2], width))
    return _between(maps, down, across)


def place(
    maps: npt.NDArray[np.floating],
    height: int,
    width: int,
    geometry: tuple[Geometry, Geometry],
) -> Maps:
    """Lay (N, h, w) maps over a photo of height × width pixels, bilinearly between units.

    Every unit stands at the centre of what it sees; beyond the outermost units their values go on.
    """
    places = [
        np.asarray((np.arange(size) - axis.start) / axis.jump, np.float64)
        for size, axis in zip((height, width), geometry, strict=True)
    ]
    down = _interpolation(maps.shape[1], places[0])
    across = _interpolation(maps.shape[2], places[1])
    return _between(maps, down, across)


def _stretched(source: int, target: int) -> npt.NDArray[np.float64]:
    return (np.arange(target) + 0.5) * source / target - 0.5


def _between(maps: npt.NDArray[np.floating], down: Weights, across: Weights) -> Maps:
    return np.asarray(down @ maps.astype(np.float64) @ across.T, dtype=np.float32)


def _interpolation(source: int, places: npt.NDArray[np.float64]) -> Weights:
    """Return the (len(places), source) matrix of linear interpolation with clamped edges."""
    inside = np.clip(places, 0, source - 1)
    left = np.floor(inside).astype(int)
    right = np.minimum(left + 1, source - 1)
    rows = np.arange(len(places))
    weights = np.zeros((len(places), source))
    weights[rows, left] += 1 - (inside - left)
    weights[rows, right] += inside - left
    return weights


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
