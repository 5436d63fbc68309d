"""What the faces of animals share, in a frame of radius 1 around the head's centre.

A head that turns moves each feature by its depth: a dog's nose stands farther out than a cat's.
"""

from __future__ import annotations

from dataclasses import dataclass

from convlens.data.drawn.canvas import Canvas, Colour, Dice, tint
from convlens.data.drawn.curves import Frame, Points, ellipse, fluffy, ribbon, symmetric
from convlens.data.drawn.scene import WHITE, Coat, Scene


@dataclass(frozen=True)
class Head:
    """What the parts of one head share."""

    canvas: Canvas
    frame: Frame
    scene: Scene
    dice: Dice

    @property
    def coat(self) -> Coat:
        """The fur's colours."""
        return self.scene.coat

    def at(self, depth: float) -> Frame:
        """Return the frame of features that stand `depth` out of the head's middle."""
        # The flip mirrors the frame, so the gaze turns with it.
        return self.frame.inner(0.22 * depth * self.scene.yaw, 0.16 * depth * self.scene.pitch)

    def muzzle_colour(self) -> Colour:
        """Return the colour around the mouth."""
        return WHITE if self.coat.white_muzzle else self.coat.pale


def draw_skull(head: Head, skull: Points) -> None:
    coat = head.coat
    head.canvas.shape(
        head.frame,
        fluffy(skull, coat.tuft),
        coat.base,
        "head",
        decals=_face_pattern(head),
        edge=coat.edge,
        shade=0.13,
    )


def draw_eyes(head: Head, *, apart: float, height: float, rx: float, ry: float, slit: bool) -> None:
    canvas, coat = head.canvas, head.coat
    frame = head.at(0.6)
    look = 0.2 * rx * head.scene.yaw
    for side in (-1, 1):
        x = side * apart
        canvas.shape(frame, ellipse(x, height, rx + 0.05, ry + 0.05, 12 * side), coat.edge, "eyes")
        canvas.shape(frame, ellipse(x, height, rx, ry, 12 * side), coat.iris, "eyes")
        pupil = (0.075, ry * 0.92) if slit else (rx * 0.66, ry * 0.7)
        canvas.shape(frame, ellipse(x + look, height, *pupil), (22, 18, 24), "eyes")
        canvas.shape(frame, ellipse(x - 0.06, height - 0.08, 0.055, 0.055), (255, 255, 255), "eyes")


def draw_whiskers(head: Head, frame: Frame) -> None:
    light = min(sum(head.coat.base) // 3, 255)
    colour = WHITE if light < 190 else tint(head.coat.edge, 90)
    for side in (-1, 1):
        for index in range(3):
            y = 0.36 + 0.09 * index
            droop = head.dice.between(-0.1, 0.1) + 0.16 * (index - 1)
            path = [
                (side * 0.2, y),
                (side * 0.75, y - 0.06 + droop),
                (side * 1.4, y + 0.04 + 1.9 * droop),
            ]
            head.canvas.shape(frame, ribbon(path, 0.05, 0.025), colour, "whiskers")


def _face_pattern(head: Head) -> list[tuple[Points, Colour]]:
    coat, dice = head.coat, head.dice
    x, y = 0.1 * head.scene.yaw, 0.08 * head.scene.pitch
    if coat.pattern == "tabby":
        strokes: list[list[tuple[float, float]]] = [
            [(0, -0.9), (0, -0.36)],
            [(0.3, -0.9), (0.19, -0.42)],
            [(-0.3, -0.9), (-0.19, -0.42)],
        ]
        for side in (-1, 1):
            strokes += [
                [(side * 1.1, -0.02 + k), (side * 0.66, 0.1 + 0.8 * k)] for k in (0, 0.24, 0.46)
            ]
        return [(ribbon([(a + x, b + y) for a, b in s], 0.17, 0.05), coat.second) for s in strokes]
    if coat.pattern == "spots":
        places = [(dice.between(-0.9, 0.9), dice.between(-0.8, 0.2)) for _ in range(9)]
        return [(ellipse(a, b, 0.1, 0.085, dice.integer(0, 90)), coat.second) for a, b in places]
    if coat.pattern == "patches":
        side = dice.choice((-1, 1))
        return [
            (ellipse(side * 0.5 + x, -0.2 + y, 0.46, 0.52, 20 * side), coat.second),
            (ellipse(-side * 0.75, -0.75, 0.4, 0.3), coat.second),
        ]
    if coat.pattern == "blaze":
        blaze = symmetric([(0, -0.9), (0.1, -0.8), (0.1, -0.3), (0.3, 0.2), (0.5, 0.8), (0, 1.1)])
        blaze[:, 0] += x
        return [(blaze, WHITE)]
    if coat.pattern == "points":
        return [(ellipse(x, 0.25 + y, 0.62, 0.72), coat.second)]
    return []
