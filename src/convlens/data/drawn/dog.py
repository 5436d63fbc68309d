"""The dog: hanging or folded ears, round pupils, a long muzzle, a broad nose, a pointed tail."""

from __future__ import annotations

from collections.abc import Sequence

from convlens.data.drawn.canvas import tint
from convlens.data.drawn.curves import Points, ellipse, fluffy, ribbon, smooth, symmetric
from convlens.data.drawn.face import Head, draw_eyes, draw_skull


def draw_dog(head: Head) -> None:
    """Draw a dog's head."""
    dice = head.dice
    narrow = dice.between(0.76, 0.9)
    long = dice.between(0.95, 1.1)
    skull = symmetric(
        [
            (0, -0.86),
            (0.42, -0.84),
            (narrow, -0.48),
            (narrow + 0.02, 0.0),
            (narrow - 0.08, 0.42),
            (0.52, 0.76),
            (0.25, long - 0.06),
            (0, long),
        ]
    )
    draw_skull(head, skull)
    draw_eyes(head, apart=0.37, height=-0.14, rx=0.165, ry=0.175, slit=False)
    _muzzle(head)
    _ears(head, narrow)


def dog_tail(path: Sequence[tuple[float, float]]) -> Points:
    """Return the outline of a tail that is thick in the middle and pointed."""
    (x0, y0), (x1, y1) = path[0], path[2]
    middle = (x0 * 0.4 + x1 * 0.6 + 0.1, y0 * 0.5 + y1 * 0.5)
    return ribbon([(x0, y0), middle, (x1 - 0.1, y1)], 0.5, 0.12, 0.12)


def _ears(head: Head, narrow: float) -> None:
    coat, frame, dice = head.coat, head.at(-0.3), head.dice
    colour = coat.second if coat.pattern in ("points", "patches") else coat.base
    kind = dice.choice(("drop", "drop", "long", "folded"))
    length = {"drop": dice.between(0.35, 0.6), "long": dice.between(0.8, 1.15), "folded": -0.1}[
        kind
    ]
    for side in (-1, 1):
        if kind == "folded":
            corners = [
                (0.28, -0.80),
                (0.50, -1.10),
                (0.80, -1.08),
                (1.14, -0.62),
                (1.16, -0.16),
                (1.0, -0.12),
                (0.74, -0.46),
            ]
        else:
            n = narrow - 0.82
            corners = [
                (0.36, -0.84),
                (0.66 + n, -0.98),
                (1.02 + n, -0.72),
                (1.24 + n, -0.1),
                (1.26 + n, length - 0.2),
                (1.06 + n, length + 0.04),
                (0.84 + n, length - 0.12),
                (0.76 + n, -0.1),
                (0.62 + n, -0.55),
            ]
        ear = smooth([(side * x, y) for x, y in corners])
        ear = fluffy(ear, coat.tuft)
        head.canvas.shape(frame, ear, colour, "ears", edge=coat.edge, shade=0.12)


def _muzzle(head: Head) -> None:
    canvas, coat, dice = head.canvas, head.coat, head.dice
    near, far = head.at(0.9), head.at(1.7)
    happy = dice.chance(60)
    jaw = ellipse(0, 0.78, 0.29, 0.24)
    canvas.shape(near, jaw, head.muzzle_colour(), "muzzle", edge=coat.edge, shade=0.06)
    if happy:
        mouth = smooth([(-0.3, 0.62), (0.3, 0.62), (0.22, 0.86), (0, 0.93), (-0.22, 0.86)])
        canvas.shape(near, mouth, (96, 40, 48), "muzzle")
        hang = dice.between(0.95, 1.2)
        tongue = smooth(
            [(-0.17, 0.64), (0.17, 0.64), (0.19, hang - 0.12), (0, hang), (-0.19, hang - 0.12)]
        )
        canvas.shape(near, tongue, coat.pink, "tongue", edge=tint(coat.pink, 60))
        canvas.line(
            near, smooth([(0, 0.7), (0, hang - 0.16)], closed=False), tint(coat.pink, 72), 0.04
        )
    bridge = symmetric(
        [
            (0, -0.16),
            (0.17, -0.1),
            (0.25, 0.16),
            (0.48, 0.38),
            (0.5, 0.62),
            (0.3, 0.76),
            (0.06, 0.68),
            (0, 0.64),
        ]
    )
    middle = head.at(1.3)
    canvas.shape(middle, bridge, head.muzzle_colour(), "muzzle", shade=0.05)
    for side in (-1, 1):
        lip = smooth(
            [(0, 0.5), (side * 0.04, 0.66), (side * 0.27, 0.755), (side * 0.47, 0.64)], closed=False
        )
        canvas.line(middle, lip, coat.edge, 0.05, "muzzle")
        for x, y in ((0.22, 0.5), (0.33, 0.45), (0.3, 0.58)):
            canvas.shape(middle, ellipse(side * x, y, 0.025, 0.025), coat.edge, "muzzle")
    nose = smooth([(-0.24, 0.2), (0, 0.14), (0.24, 0.2), (0.2, 0.36), (0, 0.46), (-0.2, 0.36)])
    canvas.shape(far, nose, coat.nose, "muzzle", edge=tint(coat.nose, 55))
    canvas.shape(far, ellipse(-0.07, 0.23, 0.09, 0.035), tint(coat.nose, 150), "muzzle")
