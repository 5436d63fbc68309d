"""Curves of the drawings: (n, 2) float64 points, x to the right, y downwards; their frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
# Rounded, so that the last bits of a machine's own sine never reach a coordinate.
COSINE = tuple(round(math.cos(math.radians(degree)), 6) for degree in range(360))
SINE = tuple(round(math.sin(math.radians(degree)), 6) for degree in range(360))


@dataclass(frozen=True)
class Frame:
    """Where a drawing's own coordinates lie on the canvas: mirrored, scaled, turned, moved.

    `x`, `y` and `unit` are canvas pixels, `angle` is in degrees clockwise, `flip` is 1 or -1.
    """

    x: float
    y: float
    unit: float
    angle: int = 0
    flip: int = 1

    def __call__(self, points: Points) -> list[tuple[int, int]]:
        """Return the points in canvas pixels, rounded to integers."""
        cosine, sine = COSINE[self.angle % 360], SINE[self.angle % 360]
        across, down = points[:, 0] * self.flip, points[:, 1]
        x = np.rint(self.x + self.unit * (across * cosine - down * sine)).astype(int)
        y = np.rint(self.y + self.unit * (across * sine + down * cosine)).astype(int)
        return list(zip(x.tolist(), y.tolist(), strict=True))

    def inner(self, x: float, y: float, scale: float = 1.0, angle: int = 0) -> Frame:
        """Return a frame whose origin lies at (x, y) of this one, turned and scaled within it."""
        [(left, top)] = self(np.array([[x, y]]))
        turned = self.angle + self.flip * angle
        return Frame(left, top, self.unit * scale, turned, self.flip)


def smooth(corners: Sequence[tuple[float, float]] | Points, *, closed: bool = True) -> Points:
    """Run a curve through the corners (uniform Catmull-Rom spline, 6 points a segment)."""
    knots = np.asarray(corners, dtype=float)
    if closed:
        knots = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    a, b, c, d = (knots[k : len(knots) - 3 + k, None] for k in range(4))
    t = (np.arange(6) / 6)[:, None]
    cubic = (3 * b - a - 3 * c + d) * (t * t * t)
    curve = (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * (t * t) + cubic) / 2
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-2:-1]])


def symmetric(right: Sequence[tuple[float, float]]) -> Points:
    """Close a right half, from its top to its bottom on the axis, with its mirror image."""
    left = [(-x, y) for x, y in right[-2:0:-1]]
    return smooth([*right, *left])


def ellipse(x: float, y: float, rx: float, ry: float, angle: int = 0) -> Points:
    """Return an ellipse of 40 points around (x, y), turned by `angle` degrees."""
    degrees = range(0, 360, 9)
    across = np.array([COSINE[d] for d in degrees]) * rx
    down = np.array([SINE[d] for d in degrees]) * ry
    cosine, sine = COSINE[angle % 360], SINE[angle % 360]
    return np.stack(
        [x + (across * cosine - down * sine), y + (across * sine + down * cosine)], axis=1
    )


def ribbon(
    corners: Sequence[tuple[float, float]] | Points, start: float, end: float, bulge: float = 0.0
) -> Points:
    """Return the outline of a brush stroke along the corners with a round tip.

    It is `start` broad where it begins and `end` at its tip; `bulge` is added in the middle.
    """
    spine = smooth(corners, closed=False)
    along = np.gradient(spine, axis=0)
    length = np.sqrt(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1]) + 1e-9
    normal = np.stack([-along[:, 1] / length, along[:, 0] / length], axis=1)
    t = np.arange(len(spine)) / (len(spine) - 1)
    half = (start + (end - start) * t + 4 * bulge * t * (1 - t)) / 2
    side = normal * half[:, None]
    forward, across = along[-1:] / length[-1], normal[-1:]
    tip = np.concatenate(
        [
            spine[-1:] + (across * COSINE[a] + forward * SINE[a]) * (end / 2)
            for a in (30, 60, 90, 120, 150)
        ]
    )
    return np.concatenate([spine + side, tip, (spine - side)[::-1]])


def segments(points: Points, breadth: float) -> NDArray[np.float64]:
    """Return a line through the points as one rectangle a segment, (n - 1, 4, 2).

    Each is a little longer than its segment, so that neighbours close the gap at a corner. Pillow
    has lines too, but their joints depend on the machine's own sine.
    """
    start, end = points[:-1], points[1:]
    along = end - start
    length = np.sqrt(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1]) + 1e-9
    along = along / length[:, None] * (breadth / 2)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    start, end = start - along * 0.6, end + along * 0.6
    corners = [start + across, end + across, end - across, start - across]
    return np.stack(corners, axis=1)


def fluffy(outline: Points, tuft: float) -> Points:
    """Pull every third point of a closed outline outwards by `tuft`, as locks of fur."""
    centre = outline.sum(axis=0) / len(outline)
    out = outline - centre
    length = np.sqrt(out[:, 0] * out[:, 0] + out[:, 1] * out[:, 1]) + 1e-9
    lift = np.where(np.arange(len(outline)) % 3 == 1, tuft, 0.0) / length
    moved: Points = outline + out * lift[:, None]
    return moved
