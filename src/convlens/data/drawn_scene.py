"""Everything that must not tell a cat from a dog, drawn without knowing which it is."""

from __future__ import annotations

from dataclasses import dataclass

from convlens.data.drawn_canvas import Colour, Dice, tint
from convlens.data.drawn_curves import Frame

# Pose: (least, largest) head radius, head's place across and down, in shares of the side.
POSES = {
    "portrait": ((0.22, 0.30), (0.38, 0.62), (0.42, 0.54)),
    "sitting": ((0.155, 0.20), (0.36, 0.60), (0.28, 0.38)),
    "lying": ((0.17, 0.23), (0.34, 0.50), (0.36, 0.54)),
    "standing": ((0.14, 0.165), (0.22, 0.34), (0.30, 0.46)),
}
BACKGROUNDS = ("meadow", "meadow", "room", "room", "plain", "shapes", "snow", "dusk")
PATTERNS = ("plain", "tabby", "tabby", "spots", "patches", "blaze", "points")
OCCLUDERS = ("none", "none", "none", "grass", "ball", "leaf", "bars", "box")
COATS: tuple[Colour, ...] = (
    (226, 148, 70),
    (240, 208, 160),
    (86, 80, 88),
    (150, 150, 160),
    (132, 92, 64),
    (246, 240, 230),
    (196, 160, 122),
    (176, 104, 62),
    (108, 110, 126),
)
IRISES: tuple[Colour, ...] = (
    (150, 190, 74),
    (232, 180, 60),
    (104, 176, 214),
    (170, 104, 48),
    (120, 170, 130),
)
NOSES: tuple[Colour, ...] = ((54, 44, 48), (54, 44, 48), (222, 132, 136), (124, 74, 62))
WHITE: Colour = (250, 246, 240)
LIGHTS = ((-1, -1), (0, -1), (1, -1))


@dataclass(frozen=True)
class Coat:
    """Colours and pattern of the fur, the same choices for both classes."""

    base: Colour
    second: Colour
    pale: Colour
    edge: Colour
    iris: Colour
    nose: Colour
    inner_ear: Colour
    pattern: str
    white_muzzle: bool
    white_chest: bool
    white_paws: bool
    tuft: float
    collar: Colour | None


@dataclass(frozen=True)
class Scene:
    """Pose, place, fur, light, background and occluder of one drawing.

    `head` places the head's own frame (radius 1) on the canvas; `tilt` turns the head against
    the body, in degrees; `yaw` and `pitch` in -1 … 1 say where it looks.
    """

    pose: str
    body: Frame
    tilt: int
    yaw: float
    pitch: float
    coat: Coat
    light: tuple[int, int]
    background: str
    occluder: str
    brightness: tuple[int, int]


def sample(dice: Dice, side: int) -> Scene:
    """Draw a scene for a canvas of `side` pixels; the class is not known here."""
    pose = dice.choice(tuple(POSES))
    radius, across, down = (dice.between(*bounds) for bounds in POSES[pose])
    flip = dice.choice((-1, 1))
    x = across if flip == 1 else 1 - across
    body = Frame(x * side, down * side, radius * side, dice.integer(-10, 10), flip)
    return Scene(
        pose=pose,
        body=body,
        tilt=dice.integer(-14, 14),
        yaw=dice.between(-0.8, 0.8),
        pitch=dice.between(-0.6, 0.6),
        coat=_coat(dice),
        light=dice.choice(LIGHTS),
        background=dice.choice(BACKGROUNDS),
        occluder=dice.choice(OCCLUDERS),
        brightness=(dice.integer(205, 262), dice.integer(205, 262)),
    )


def _coat(dice: Dice) -> Coat:
    base = jitter(dice, dice.choice(COATS))
    second = jitter(dice, dice.choice(COATS))
    if sum(abs(a - b) for a, b in zip(base, second, strict=True)) < 110:
        second = tint(base, 58) if sum(base) > 300 else tint(base, 165)
    collar = jitter(dice, dice.choice(COLLARS)) if dice.chance(35) else None
    return Coat(
        base=base,
        second=second,
        pale=tint(base, 178),
        edge=tint(base, 34),
        iris=jitter(dice, dice.choice(IRISES)),
        nose=dice.choice(NOSES),
        inner_ear=dice.choice(((236, 168, 168), tint(base, 62), tint(base, 140))),
        pattern=dice.choice(PATTERNS),
        white_muzzle=dice.chance(60),
        white_chest=dice.chance(55),
        white_paws=dice.chance(50),
        tuft=dice.choice((0.0, 0.03, 0.06)),
        collar=collar,
    )


COLLARS: tuple[Colour, ...] = ((206, 58, 62), (58, 110, 196), (240, 190, 60), (72, 160, 104))


def jitter(dice: Dice, colour: Colour) -> Colour:
    """Move each channel by up to 14 levels."""
    red, green, blue = (max(0, min(255, c + dice.integer(-14, 14))) for c in colour)
    return red, green, blue
