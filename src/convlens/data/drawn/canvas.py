"""Painting a picture and its part mask together, with bytes that no CPU can change.

Random numbers are integers from a counter-based generator (Philox), angles come from a table
rounded to six digits, the rest is exact IEEE arithmetic, and every coordinate is rounded to an
integer of the oversampled canvas before anything is painted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from convlens.data.drawn.curves import Frame, Points, segments
from convlens.data.drawn.masks import PARTS

T = TypeVar("T")
Colour = tuple[int, int, int]

OVERSAMPLING = 3


def tint(colour: Colour, percent: int) -> Colour:
    """Scale a colour's brightness: below 100 towards black, above towards white (at 200)."""
    if percent <= 100:
        red, green, blue = (c * percent // 100 for c in colour)
    else:
        red, green, blue = (c + (255 - c) * (percent - 100) // 100 for c in colour)
    return red, green, blue


class Dice:
    """Random draws that depend on the key alone, never on the machine or on other draws."""

    def __init__(self, *key: object) -> None:
        digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
        philox = np.random.Philox(key=int.from_bytes(digest[:16], "little"))
        self._generator = np.random.Generator(philox)

    def integer(self, low: int, high: int) -> int:
        """Draw an integer in low … high, both included."""
        return int(self._generator.integers(low, high + 1))

    def between(self, low: float, high: float) -> float:
        """Draw one of 4096 evenly spaced numbers in low … high."""
        return low + (high - low) * self.integer(0, 4095) / 4095

    def chance(self, percent: int) -> bool:
        """Be true so often in a hundred."""
        return self.integer(0, 99) < percent

    def choice(self, options: Sequence[T]) -> T:
        """Draw one of the options."""
        return options[self.integer(0, len(options) - 1)]

    def noise(self, low: int, high: int, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """Draw integers in low … high, both included: int32 of `shape`."""
        return self._generator.integers(low, high + 1, shape, dtype=np.int32)


class Canvas:
    """An oversampled picture (RGB) and the index in PARTS of what is visible at each pixel (L).

    Parameters
    ----------
    size
        Side of the finished picture, pixels; the canvas is OVERSAMPLING times as large.
    light
        Direction from which shapes are lit, as two of -1, 0, 1 (x right, y down).
    """

    def __init__(self, size: int, light: tuple[int, int]) -> None:
        self.size = size
        self.side = size * OVERSAMPLING
        self.light = light
        self.picture = Image.new("RGB", (self.side, self.side))
        self.mask = Image.new("L", (self.side, self.side))

    def shape(
        self,
        frame: Frame,
        outline: Points,
        colour: Colour,
        part: str = "background",
        *,
        decals: Iterable[tuple[Points, Colour]] = (),
        edge: Colour | None = None,
        shade: float = 0.0,
        attached: bool = False,
    ) -> None:
        """Fill a closed outline, with decals clipped to it, a shadow side and a drawn edge.

        `shade` is the breadth of the shadow side in the frame's units; 0 leaves the shape flat.
        An attached shape has no edge between its last and first point, where it grows out of
        another one.
        """
        points = frame(outline)
        stencil, box = self._stencil(points)
        if stencil is None:
            return
        left, top = box[:2]
        extent = stencil.size
        ImageDraw.Draw(stencil).polygon(_moved(points, -left, -top), fill=255)
        tile = Image.new("RGB", extent, colour)
        tile_pen = ImageDraw.Draw(tile)
        for patch, patch_colour in decals:
            tile_pen.polygon(_moved(frame(patch), -left, -top), fill=patch_colour)
        if shade:
            step = round(shade * frame.unit)
            dark = Image.new("L", extent, 46)
            lit = _moved(points, step * self.light[0] - left, step * self.light[1] - top)
            ImageDraw.Draw(dark).polygon(lit, fill=0)
            tile.paste((24, 14, 40), mask=dark)
        self.picture.paste(tile, box, stencil)
        self.mask.paste(PARTS[part], box, stencil)
        if edge is not None:
            self.line(frame, outline, edge, 0.05, part, closed=not attached)

    def line(
        self,
        frame: Frame,
        points: Points,
        colour: Colour,
        width: float,
        part: str | None = None,
        *,
        closed: bool = False,
    ) -> None:
        """Draw a line `width` units broad; without a part the mask stays as it is."""
        if closed:
            points = np.concatenate([points, points[:1]])
        breadth = max(width, 2 / frame.unit)
        placed = frame(segments(points, breadth).reshape(-1, 2))
        stencil, box = self._stencil(placed)
        if stencil is None:
            return
        pen = ImageDraw.Draw(stencil)
        moved = _moved(placed, -box[0], -box[1])
        for first in range(0, len(moved), 4):
            pen.polygon(moved[first : first + 4], fill=255)
        self.picture.paste(colour, box, stencil)
        if part is not None:
            self.mask.paste(PARTS[part], box, stencil)

    def _stencil(
        self, points: Sequence[tuple[int, int]]
    ) -> tuple[Image.Image | None, tuple[int, int, int, int]]:
        """Return an empty L image for the part of the points' bounding box on the canvas."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = max(min(xs), 0), max(min(ys), 0)
        right, bottom = min(max(xs) + 1, self.side), min(max(ys) + 1, self.side)
        if left >= right or top >= bottom:
            return None, (0, 0, 0, 0)
        return Image.new("L", (right - left, bottom - top)), (left, top, right, bottom)

    def shadow(self, frame: Frame, outline: Points) -> None:
        """Darken the ground within a closed outline."""
        dark = Image.new("L", self.mask.size)
        ImageDraw.Draw(dark).polygon(frame(outline), fill=70)
        self.picture.paste((20, 16, 36), mask=dark)

    def finished_mask(self) -> NDArray[np.uint8]:
        """Return the mask at the finished size, uint8 (size, size).

        Each pixel takes the part at its centre; whiskers are thinner than a pixel, so a quarter
        of its area is enough for them.
        """
        fine = np.asarray(self.mask)
        blocks = fine.reshape(self.size, OVERSAMPLING, self.size, OVERSAMPLING)
        mask = blocks[:, OVERSAMPLING // 2, :, OVERSAMPLING // 2].copy()
        covered = (blocks == PARTS["whiskers"]).sum(axis=(1, 3))
        mask[covered * 4 >= OVERSAMPLING**2] = PARTS["whiskers"]
        return mask


def _moved(points: Sequence[tuple[int, int]], dx: int, dy: int) -> list[tuple[int, int]]:
    return [(x + dx, y + dy) for x, y in points]
