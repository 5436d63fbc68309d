"""The cat: upright pointed ears, slit pupils, a short muzzle, long whiskers, a long tail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convlens.data.drawn.canvas import tint
from convlens.data.drawn.curves import Points, ellipse, ribbon, smooth, symmetric
from convlens.data.drawn.face import Head, draw_eyes, draw_skull, draw_whiskers


def draw_cat(head: Head) -> None:
    """Draw a cat's head."""
    width = head.dice.between(0.98, 1.1)
    tall = head.dice.between(1.25, 1.5)
    _ears(head, tall)
    skull = symmetric(
        [
            (0, -0.78),
            (0.45 * width, -0.76),
            (0.84 * width, -0.45),
            (1.0 * width, 0.05),
            (0.98 * width, 0.36),
            (0.70 * width, 0.66),
            (0.32, 0.82),
            (0, 0.85),
        ]
    )
    draw_skull(head, skull)
    draw_eyes(head, apart=0.42, height=-0.06, rx=0.235, ry=0.225, slit=True)
    _muzzle(head)


def cat_tail(path: Sequence[tuple[float, float]]) -> Points:
    """Return the outline of a long tail, as thick at its tip as where it grows."""
    return ribbon(path, 0.34, 0.3)


def _ears(head: Head, tall: float) -> None:
    coat, frame = head.coat, head.at(-0.5)
    colour = coat.second if coat.pattern in ("points", "patches") else coat.base
    lean = head.dice.between(0.68, 0.92)
    for side in (-1, 1):
        base = [(0.18, -0.55), (0.26, -0.86), (lean, -tall), (0.93, -0.72), (0.97, -0.2)]
        ear = _sharp([(side * x, y) for x, y in base])
        canvas = head.canvas
        canvas.shape(frame, ear, colour, "ears", edge=coat.edge, shade=0.1)
        inner = [
            (0.40, -0.62),
            (0.44, -0.84),
            (lean - 0.03, -tall + 0.22),
            (0.82, -0.70),
            (0.84, -0.4),
        ]
        canvas.shape(frame, _sharp([(side * x, y) for x, y in inner]), coat.inner_ear, "ears")
        for x in (0.45, 0.56, 0.67):
            hair = ribbon([(side * x, -0.55), (side * (x + 0.02), -0.95)], 0.1, 0.01)
            canvas.shape(frame, hair, tint(colour, 140), "ears")


def _sharp(corners: list[tuple[float, float]]) -> Points:
    """Round every corner but the middle one, the tip."""
    middle = len(corners) // 2
    sides = (corners[: middle + 1], corners[middle:])
    return np.concatenate([smooth(side, closed=False) for side in sides])


def _muzzle(head: Head) -> None:
    canvas, coat, dice = head.canvas, head.coat, head.dice
    frame = head.at(0.8)
    canvas.shape(frame, ellipse(0, 0.62, 0.2, 0.17), head.muzzle_colour(), "muzzle", shade=0.05)
    for side in (-1, 1):
        puff = ellipse(side * 0.17, 0.42, 0.23, 0.18, -8 * side)
        canvas.shape(frame, puff, head.muzzle_colour(), "muzzle")
    if dice.chance(50):
        tongue = smooth([(-0.08, 0.56), (0.08, 0.56), (0.09, 0.72), (0, 0.78), (-0.09, 0.72)])
        canvas.shape(frame, tongue, coat.pink, "tongue", edge=tint(coat.pink, 60))
    for side in (-1, 1):
        mouth = smooth(
            [(0, 0.42), (side * 0.05, 0.53), (side * 0.17, 0.56), (side * 0.27, 0.49)], closed=False
        )
        canvas.line(frame, mouth, coat.edge, 0.045, "muzzle")
    nose = smooth([(-0.13, 0.22), (0, 0.20), (0.13, 0.22), (0.07, 0.33), (0, 0.37), (-0.07, 0.33)])
    canvas.shape(frame, nose, coat.nose, "muzzle", edge=tint(coat.nose, 55))
    draw_whiskers(head, frame)
