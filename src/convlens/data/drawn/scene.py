"""Everything that must not tell the animals apart, drawn without knowing which it is."""

from __future__ import annotations

from dataclasses import dataclass

from convlens.data.drawn.canvas import Colour, Dice, tint
from convlens.data.drawn.curves import Frame

# Pose: (least, largest) head radius, head's place across and down, in shares of the side.
POSES = {
    "portrait": ((0.22, 0.30), (0.38, 0.62), (0.42, 0.54)),
    "sitting": ((0.155, 0.20), (0.36, 0.60), (0.28, 0.38)),
    "lying": ((0.17, 0.23), (0.34, 0.50), (0.43, 0.56)),
    "standing": ((0.14, 0.165), (0.22, 0.34), (0.34, 0.46)),
}
BACKGROUNDS = ("meadow", "meadow", "room", "room", "plain", "shapes", "snow", "dusk")
PATTERNS = ("plain", "tabby", "tabby", "spots", "patches", "blaze", "points")
OCCLUDERS = ("none", "none", "none", "grass", "ball", "leaf", "bars", "box")
# Fur and the colour of its pattern.
COATS: tuple[tuple[Colour, Colour], ...] = (
    ((230, 152, 76), (182, 98, 42)),
    ((242, 214, 170), (206, 148, 92)),
    ((88, 82, 90), (148, 142, 150)),
    ((160, 160, 168), (98, 98, 110)),
    ((136, 96, 68), (222, 186, 142)),
    ((246, 240, 230), (226, 150, 78)),
    ((246, 240, 230), (86, 80, 86)),
    ((202, 166, 128), (110, 76, 56)),
    ((180, 108, 66), (76, 58, 54)),
    ((118, 122, 138), (190, 194, 206)),
    ((70, 62, 66), (204, 146, 92)),
)
COLLARS: tuple[Colour, ...] = (
    (206, 58, 62),
    (58, 110, 196),
    (240, 190, 60),
    (72, 160, 104),
    (226, 112, 126),
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
    """Colours and pattern of the fur, the same choices for every class."""

    base: Colour
    second: Colour
    pale: Colour
    edge: Colour
    iris: Colour
    nose: Colour
    inner_ear: Colour
    pink: Colour
    pattern: str
    white_muzzle: bool
    white_chest: bool
    white_paws: bool
    tuft: float
    collar: Colour | None


@dataclass(frozen=True)
class Scene:
    """Pose, place, fur, light, background and occluder of one drawing.

    `body` has its origin in the head's centre, its unit is the head's radius; `tilt` turns the
    head against it, in degrees; `yaw` and `pitch` in -1 … 1 say where it looks. `brightness` at
    the left and right border and `balance` of the channels are in 1/256.
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
    balance: tuple[int, int, int]


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
        brightness=(dice.integer(215, 272), dice.integer(215, 272)),
        balance=(dice.integer(230, 268), dice.integer(230, 268), dice.integer(230, 268)),
    )


def _coat(dice: Dice) -> Coat:
    base, second = (jitter(dice, colour, 8) for colour in dice.choice(COATS))
    pink = jitter(dice, (226, 122, 130), 26)
    collar = jitter(dice, dice.choice(COLLARS)) if dice.chance(35) else None
    return Coat(
        base=base,
        second=second,
        pale=tint(base, 178),
        edge=tint(base, 34),
        iris=jitter(dice, dice.choice(IRISES)),
        nose=dice.choice(NOSES),
        inner_ear=dice.choice((pink, tint(base, 62), tint(base, 140))),
        pink=pink,
        pattern=dice.choice(PATTERNS),
        white_muzzle=dice.chance(60),
        white_chest=dice.chance(55),
        white_paws=dice.chance(50),
        tuft=dice.choice((0.0, 0.03, 0.06)),
        collar=collar,
    )


def jitter(dice: Dice, colour: Colour, levels: int = 14) -> Colour:
    """Move each channel by up to so many levels."""
    red, green, blue = (max(0, min(255, c + dice.integer(-levels, levels))) for c in colour)
    return red, green, blue
