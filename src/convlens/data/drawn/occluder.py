"""What stands before the animal, at the border of the picture: grass, a ball, leaves, a fence."""

from __future__ import annotations

import numpy as np

from convlens.data.drawn.background import BRIGHT, FLOORS, GRASS, rectangle
from convlens.data.drawn.canvas import Canvas, Dice, tint
from convlens.data.drawn.curves import Frame, ellipse, ribbon
from convlens.data.drawn.scene import Scene, jitter


def draw_occluder(canvas: Canvas, scene: Scene, dice: Dice) -> None:
    """Draw what stands before the animal, clear of the middle of its face."""
    frame = Frame(0, 0, canvas.side)
    {
        "none": lambda *_: None,
        "grass": _blades,
        "ball": _ball,
        "leaf": _leaf,
        "bars": _bars,
        "box": _box,
    }[scene.occluder](canvas, frame, dice)


def _blades(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    green = jitter(dice, dice.choice(GRASS))
    for _ in range(34):
        x, tall = dice.between(0, 1), dice.between(0.08, 0.24)
        blade = [
            (x, 1.02),
            (x + dice.between(-0.03, 0.03), 1 - tall / 2),
            (x + dice.between(-0.08, 0.08), 1 - tall),
        ]
        canvas.shape(frame, ribbon(blade, 0.024, 0.003), tint(green, dice.choice((70, 88, 110))))


def _ball(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    colour, r = jitter(dice, dice.choice(BRIGHT)), dice.between(0.08, 0.13)
    x, y = dice.choice((dice.between(0.05, 0.3), dice.between(0.7, 0.95))), dice.between(0.82, 0.94)
    stripe = ribbon([(x - r, y - r * 0.4), (x, y), (x + r, y - r * 0.4)], r * 0.4, r * 0.4)
    ball = ellipse(x, y, r, r)
    canvas.shape(frame, ball, colour, decals=[(stripe, (250, 246, 236))], shade=r * 0.25)


def _leaf(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    green = jitter(dice, dice.choice((*GRASS, (206, 120, 60))))
    corner = dice.choice((0.0, 1.0))
    for _ in range(dice.integer(2, 4)):
        place = frame.inner(
            corner, dice.between(0.0, 1.0), dice.between(0.12, 0.2), dice.integer(0, 359)
        )
        canvas.shape(
            place,
            ribbon([(-1, 0), (0, 0.1), (1, 0)], 0.05, 0.02, 0.6),
            tint(green, dice.choice((80, 100))),
            shade=0.1,
        )
        canvas.line(place, np.array([[-1.0, 0.0], [0.0, 0.1], [0.9, 0.0]]), tint(green, 60), 0.05)


def _bars(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    wood, top = jitter(dice, dice.choice(FLOORS)), dice.between(0.72, 0.82)
    canvas.shape(frame, rectangle(0, top + 0.08, 1, top + 0.12), tint(wood, 80))
    gap, start = dice.between(0.13, 0.2), dice.between(-0.1, 0)
    for k in range(9):
        x = start + gap * k
        slat = np.array(
            [[x, 1.05], [x, top + 0.03], [x + 0.035, top], [x + 0.07, top + 0.03], [x + 0.07, 1.05]]
        )
        canvas.shape(frame, slat, wood, shade=0.012)


def _box(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    card, top = jitter(dice, (200, 160, 112)), dice.between(0.76, 0.86)
    left = dice.choice((-0.1, 0.35, 0.55))
    canvas.shape(frame, rectangle(left, top, left + 0.6, 1.1), card)
    canvas.shape(frame, rectangle(left, top, left + 0.6, top + 0.03), tint(card, 82))
    canvas.shape(frame, rectangle(left + 0.26, top + 0.03, left + 0.34, 1.1), tint(card, 120))
