"""The bear: small round ears, small eyes, a round muzzle that stands out, hardly a tail."""

from __future__ import annotations

from collections.abc import Sequence

from convlens.data.drawn.canvas import tint
from convlens.data.drawn.curves import Points, ellipse, fluffy, smooth, symmetric
from convlens.data.drawn.face import Head, draw_eyes, draw_skull


def draw_bear(head: Head) -> None:
    """Draw a bear's head."""
    broad = head.dice.between(1.0, 1.14)
    _ears(head, broad)
    skull = symmetric(
        [
            (0, -0.86),
            (0.5, -0.82),
            (0.88 * broad, -0.42),
            (1.0 * broad, 0.08),
            (0.94 * broad, 0.5),
            (0.64, 0.82),
            (0.3, 0.92),
            (0, 0.94),
        ]
    )
    draw_skull(head, skull)
    draw_eyes(head, apart=0.36, height=-0.16, rx=0.1, ry=0.11, slit=False)
    _muzzle(head)


def bear_tail(path: Sequence[tuple[float, float]]) -> Points:
    """Return the outline of a stump where a tail grows."""
    (x0, y0), (x1, y1) = path[:2]
    return ellipse(x0 * 0.6 + x1 * 0.4, y0 * 0.6 + y1 * 0.4, 0.26, 0.22)


def _ears(head: Head, broad: float) -> None:
    coat, frame, dice = head.coat, head.at(-0.4), head.dice
    colour = coat.second if coat.pattern in ("points", "patches") else coat.base
    radius = dice.between(0.34, 0.44)
    for side in (-1, 1):
        x, y = side * 0.72 * broad, dice.between(-0.9, -0.78)
        ear = fluffy(ellipse(x, y, radius, radius), coat.tuft)
        head.canvas.shape(frame, ear, colour, "ears", edge=coat.edge, shade=0.1)
        inner = ellipse(x, y + 0.04, radius * 0.56, radius * 0.56)
        head.canvas.shape(frame, inner, coat.inner_ear, "ears")


def _muzzle(head: Head) -> None:
    canvas, coat, dice = head.canvas, head.coat, head.dice
    near, far = head.at(1.1), head.at(1.5)
    if dice.chance(50):
        hang = dice.between(0.95, 1.1)
        tongue = smooth(
            [(-0.14, 0.7), (0.14, 0.7), (0.15, hang - 0.1), (0, hang), (-0.15, hang - 0.1)]
        )
        canvas.shape(near, tongue, coat.pink, "tongue", edge=tint(coat.pink, 60))
    snout = ellipse(0, 0.42, 0.52, 0.42)
    canvas.shape(near, snout, head.muzzle_colour(), "muzzle", edge=coat.edge, shade=0.06)
    canvas.line(near, smooth([(0, 0.4), (0, 0.54), (0, 0.6)], closed=False), coat.edge, 0.05)
    for side in (-1, 1):
        lip = smooth([(0, 0.6), (side * 0.13, 0.68), (side * 0.27, 0.6)], closed=False)
        canvas.line(near, lip, coat.edge, 0.05)
    nose = smooth([(-0.22, 0.16), (0, 0.1), (0.22, 0.16), (0.16, 0.32), (0, 0.38), (-0.16, 0.32)])
    canvas.shape(far, nose, coat.nose, "muzzle", edge=tint(coat.nose, 55))
    canvas.shape(far, ellipse(-0.07, 0.19, 0.08, 0.03), tint(coat.nose, 150), "muzzle")
