"""What stands behind the animal: landscapes, rooms, clutter."""

from __future__ import annotations

import numpy as np

from convlens.data.drawn.canvas import Canvas, Colour, Dice, tint
from convlens.data.drawn.curves import Frame, Points, ellipse, ribbon, smooth
from convlens.data.drawn.scene import Scene, jitter

SKIES: tuple[Colour, ...] = ((168, 212, 238), (206, 228, 240), (250, 214, 170), (190, 196, 226))
GRASS: tuple[Colour, ...] = ((122, 178, 92), (156, 190, 96), (96, 154, 104), (190, 178, 100))
WALLS: tuple[Colour, ...] = (
    (238, 222, 196),
    (196, 214, 208),
    (226, 196, 190),
    (184, 190, 214),
    (150, 168, 150),
)
FLOORS: tuple[Colour, ...] = ((176, 128, 86), (204, 170, 130), (128, 98, 82), (150, 150, 158))
BRIGHT: tuple[Colour, ...] = (
    (232, 96, 84),
    (244, 190, 72),
    (86, 158, 210),
    (120, 186, 120),
    (170, 128, 200),
    (240, 150, 170),
    (90, 100, 130),
    (226, 116, 126),
)


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """Return the corners of a rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def draw_background(canvas: Canvas, scene: Scene, dice: Dice) -> None:
    """Fill the canvas; all coordinates are shares of its side."""
    frame = Frame(0, 0, canvas.side)
    {
        "meadow": _meadow,
        "snow": _snow,
        "dusk": _dusk,
        "room": _room,
        "plain": _plain,
        "shapes": _shapes,
    }[scene.background](canvas, frame, dice)


def _land(canvas: Canvas, frame: Frame, dice: Dice, sky: Colour, ground: Colour) -> float:
    horizon = dice.between(0.42, 0.66)
    for band in range(6):
        colour = tint(sky, 100 + 9 * band)
        canvas.shape(frame, rectangle(0, horizon * band / 6, 1, 1), colour)
    for step, percent in ((0.0, 118), (0.09, 100)):
        bumps = [(x / 4, horizon + step + dice.between(-0.07, 0.05)) for x in range(-1, 6)]
        hill = np.concatenate([smooth(bumps, closed=False), [[1.3, 1.1], [-0.3, 1.1]]])
        canvas.shape(frame, hill, tint(ground, percent))
    return horizon


def _meadow(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    ground = jitter(dice, dice.choice(GRASS))
    sky = jitter(dice, dice.choice(SKIES))
    horizon = _land(canvas, frame, dice, sky, ground)
    for _ in range(dice.integer(0, 3)):
        x, y = dice.between(0, 1), dice.between(0.04, horizon - 0.15)
        for dx, r in ((-0.07, 0.04), (0, 0.06), (0.08, 0.045)):
            canvas.shape(frame, ellipse(x + dx, y, r * 1.3, r), tint(sky, 175))
    for _ in range(dice.integer(0, 2)):
        _tree(canvas, frame, dice, horizon + 0.08, ground)
    for _ in range(40):
        x, y = dice.between(0, 1), dice.between(horizon + 0.12, 1.05)
        blade = ribbon([(x, y), (x + dice.between(-0.02, 0.02), y - 0.05)], 0.012, 0.002)
        canvas.shape(frame, blade, tint(ground, dice.choice((76, 86, 125))))
    petal = dice.choice(BRIGHT)
    for _ in range(dice.choice((0, 6, 12))):
        x, y = dice.between(0, 1), dice.between(horizon + 0.14, 1)
        for dx, dy in ((-0.012, 0), (0.012, 0), (0, -0.012), (0, 0.012)):
            canvas.shape(frame, ellipse(x + dx, y + dy, 0.01, 0.01), petal)
        canvas.shape(frame, ellipse(x, y, 0.008, 0.008), (250, 226, 120))


def _tree(canvas: Canvas, frame: Frame, dice: Dice, foot: float, ground: Colour) -> None:
    x, height = dice.between(0, 1), dice.between(0.22, 0.4)
    trunk = rectangle(x - 0.015, foot - height * 0.6, x + 0.015, foot)
    canvas.shape(frame, trunk, (120, 88, 66))
    for dx, dy in ((-0.06, 0), (0.06, 0.01), (0, -0.06), (0, 0.02)):
        crown = ellipse(x + dx, foot - height * 0.75 + dy, 0.08, 0.08)
        canvas.shape(frame, crown, tint(ground, dice.choice((72, 80))))


def _snow(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    sky = jitter(dice, (150, 176, 206))
    _land(canvas, frame, dice, sky, jitter(dice, (226, 234, 244)))
    for _ in range(45):
        r = dice.between(0.004, 0.011)
        canvas.shape(frame, ellipse(dice.between(0, 1), dice.between(0, 1), r, r), (250, 252, 255))


def _dusk(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    sky = jitter(dice, dice.choice(((96, 84, 140), (60, 76, 120), (150, 96, 120))))
    horizon = _land(canvas, frame, dice, sky, jitter(dice, (70, 84, 96)))
    for _ in range(16):
        x, y = dice.between(0, 1), dice.between(0, horizon)
        canvas.shape(frame, ellipse(x, y, 0.005, 0.005), (250, 244, 214))
    x, y = dice.between(0.1, 0.9), dice.between(0.08, 0.25)
    canvas.shape(frame, ellipse(x, y, 0.07, 0.07), (250, 238, 200))


def _room(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    wall, floor = jitter(dice, dice.choice(WALLS)), jitter(dice, dice.choice(FLOORS))
    line = dice.between(0.52, 0.68)
    canvas.shape(frame, rectangle(0, 0, 1, 1), wall)
    if dice.chance(50):
        count = dice.integer(6, 14)
        for k in range(count):
            stripe = rectangle(k / count, 0, (k + 0.5) / count, line)
            canvas.shape(frame, stripe, tint(wall, 92))
    for _ in range(dice.integer(0, 2)):
        x, y = dice.between(0.05, 0.75), dice.between(0.03, 0.3)
        w, h = dice.between(0.15, 0.28), dice.between(0.15, 0.28)
        canvas.shape(frame, rectangle(x, y, x + w, y + h), tint(floor, 70))
        pane = jitter(dice, dice.choice((*SKIES, *BRIGHT)))
        hill, sun = (
            ellipse(x + w * 0.7, y + h, w * 0.6, h * 0.4),
            ellipse(x + w * 0.3, y + h * 0.35, w * 0.12, w * 0.12),
        )
        canvas.shape(
            frame,
            rectangle(x + 0.015, y + 0.015, x + w - 0.015, y + h - 0.015),
            pane,
            decals=[(hill, tint(pane, 80)), (sun, tint(pane, 160))],
        )
    canvas.shape(frame, rectangle(0, line, 1, 1), floor)
    for k in range(1, 6):
        y = line + (1 - line) * k * k / 25
        canvas.shape(frame, rectangle(0, y, 1, y + 0.006), tint(floor, 84))
    canvas.shape(frame, rectangle(0, line - 0.025, 1, line), tint(wall, 150))
    if dice.chance(60):
        rug = jitter(dice, dice.choice(BRIGHT))
        x, y = dice.between(0.3, 0.7), dice.between(0.86, 0.95)
        for scale, percent in ((1.0, 75), (0.92, 100), (0.7, 130)):
            canvas.shape(frame, ellipse(x, y, 0.42 * scale, 0.11 * scale), tint(rug, percent))


def _plain(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    start = jitter(dice, dice.choice((*WALLS, *BRIGHT, *SKIES)))
    turn = dice.choice((0, 90, 45, 135))
    slanted = Frame(canvas.side / 2, canvas.side / 2, canvas.side, turn)
    for band in range(10):
        low = -0.75 + 0.15 * band
        canvas.shape(slanted, rectangle(-0.8, low, 0.8, 0.8), tint(start, 88 + 6 * band))
    for _ in range(dice.integer(0, 9)):
        r = dice.between(0.03, 0.12)
        bubble = ellipse(dice.between(0, 1), dice.between(0, 1), r, r)
        canvas.shape(frame, bubble, tint(start, 135))


def _shapes(canvas: Canvas, frame: Frame, dice: Dice) -> None:
    canvas.shape(frame, rectangle(0, 0, 1, 1), jitter(dice, dice.choice(WALLS)))
    for _ in range(dice.integer(9, 18)):
        place = frame.inner(
            dice.between(0, 1), dice.between(0, 1), dice.between(0.06, 0.22), dice.integer(0, 359)
        )
        outline = dice.choice(
            (
                ellipse(0, 0, 0.8, 0.8),
                rectangle(-0.7, -0.7, 0.7, 0.7),
                np.array([[0, -0.9], [0.8, 0.6], [-0.8, 0.6]]),
                rectangle(-1.2, -0.2, 1.2, 0.2),
                ribbon([(-1, 0), (-0.3, -0.5), (0.3, 0.5), (1, 0)], 0.25, 0.25),
            )
        )
        canvas.shape(place, outline, tint(jitter(dice, dice.choice(BRIGHT)), 120))
