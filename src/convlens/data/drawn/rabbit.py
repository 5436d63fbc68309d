"""The rabbit: long ears, eyes at the sides, a split muzzle with front teeth, a ball of a tail."""

from __future__ import annotations

from collections.abc import Sequence

from convlens.data.drawn.canvas import tint
from convlens.data.drawn.curves import Points, ellipse, fluffy, ribbon, smooth, symmetric
from convlens.data.drawn.face import Head, draw_eyes, draw_skull, draw_whiskers

TOOTH = (252, 250, 244)


def draw_rabbit(head: Head) -> None:
    """Draw a rabbit's head."""
    cheek = head.dice.between(0.86, 0.98)
    _ears(head)
    skull = symmetric(
        [
            (0, -0.92),
            (0.36, -0.86),
            (0.66, -0.5),
            (cheek - 0.1, 0.02),
            (cheek, 0.4),
            (0.66, 0.78),
            (0.28, 0.95),
            (0, 0.98),
        ]
    )
    draw_skull(head, skull)
    draw_eyes(head, apart=0.54, height=-0.1, rx=0.17, ry=0.22, slit=False)
    _muzzle(head)


def rabbit_tail(path: Sequence[tuple[float, float]]) -> Points:
    """Return the outline of a ball of fur close to where a tail grows."""
    (x0, y0), (x1, y1) = path[:2]
    return fluffy(ellipse((x0 + x1) / 2 + 0.05, (y0 + y1) / 2, 0.42, 0.4), 0.06)


def _ears(head: Head) -> None:
    coat, frame, dice = head.coat, head.at(-0.4), head.dice
    colour = coat.second if coat.pattern in ("points", "patches") else coat.base
    up = [(0.34, -0.5), (0.42, -0.9), (0.5, -1.35), (0.46, -1.75)]
    wide = [(0.4, -0.5), (0.78, -0.85), (1.2, -1.05), (1.62, -1.0)]
    bent = [(0.36, -0.5), (0.55, -1.0), (0.98, -1.25), (1.3, -0.8)]
    hanging = [(0.5, -0.6), (0.9, -0.72), (1.14, -0.2), (1.12, 0.5)]
    for side in (-1, 1):
        grow = dice.between(0.88, 1.12)
        spine = [(side * x * grow, y * grow) for x, y in dice.choice((up, wide, bent, hanging))]
        canvas = head.canvas
        canvas.shape(
            frame, ribbon(spine, 0.36, 0.16, 0.18), colour, "ears", edge=coat.edge, shade=0.1
        )
        tip = tuple(0.15 * a + 0.85 * b for a, b in zip(spine[2], spine[3], strict=True))
        inner = [spine[1], spine[2], (tip[0], tip[1])]
        canvas.shape(frame, ribbon(inner, 0.1, 0.06, 0.14), coat.inner_ear, "ears")


def _muzzle(head: Head) -> None:
    canvas, coat, dice = head.canvas, head.coat, head.dice
    frame = head.at(0.9)
    for side in (-1, 1):
        tooth = smooth([(0, 0.56), (side * 0.13, 0.56), (side * 0.125, 0.8), (side * 0.01, 0.81)])
        canvas.shape(frame, tooth, TOOTH, "muzzle", edge=coat.edge)
    for side in (-1, 1):
        puff = ellipse(side * 0.19, 0.45, 0.26, 0.2, 12 * side)
        canvas.shape(frame, puff, head.muzzle_colour(), "muzzle", shade=0.04)
    split = smooth([(0, 0.3), (0, 0.46), (0, 0.56)], closed=False)
    canvas.line(frame, split, coat.edge, 0.05, "muzzle")
    for side in (-1, 1):
        lip = smooth([(0, 0.5), (side * 0.1, 0.6), (side * 0.24, 0.62)], closed=False)
        canvas.line(frame, lip, coat.edge, 0.045, "muzzle")
    if dice.chance(50):
        tongue = smooth([(-0.07, 0.8), (0.07, 0.8), (0.06, 0.94), (0, 0.97), (-0.06, 0.94)])
        canvas.shape(frame, tongue, coat.pink, "tongue", edge=tint(coat.pink, 60))
    nose = smooth([(-0.12, 0.2), (0, 0.16), (0.12, 0.2), (0, 0.34)])
    canvas.shape(frame, nose, coat.nose, "muzzle", edge=tint(coat.nose, 55))
    draw_whiskers(head, frame)
