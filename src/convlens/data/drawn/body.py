"""Bodies in four poses, in a frame whose origin is the head's centre and whose unit its radius."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convlens.data.drawn.canvas import Canvas, Colour, Dice, tint
from convlens.data.drawn.curves import Points, ellipse, fluffy, ribbon, smooth, symmetric
from convlens.data.drawn.scene import WHITE, Scene

# From four points, from where it grows to where a long one ends, to its outline.
Tail = Callable[[Sequence[tuple[float, float]]], Points]


class Body:
    """Draws the body of one animal; animals differ here by the tail only."""

    def __init__(self, tail: Tail, canvas: Canvas, scene: Scene, dice: Dice) -> None:
        self.tail, self.canvas, self.scene, self.dice = tail, canvas, scene, dice
        self.coat, self.frame = scene.coat, scene.body
        self.paw = WHITE if self.coat.white_paws else self.coat.base

    def draw(self) -> None:
        """Draw everything below the head."""
        {
            "portrait": self._portrait,
            "sitting": self._sitting,
            "lying": self._lying,
            "standing": self._standing,
        }[self.scene.pose]()

    def _portrait(self) -> None:
        trunk = symmetric([(0, 0.4), (0.6, 0.6), (1.0, 1.1), (1.3, 2.0), (1.4, 4.0), (0, 4.2)])
        self._trunk(trunk, (-1.5, 0.8, 1.5, 3.0))
        self._chest(symmetric([(0, 0.5), (0.5, 0.9), (0.55, 1.6), (0.35, 2.3), (0, 2.6)]))
        for side in (-1, 1):
            leg = smooth([(side * 0.62, 1.7), (side * 0.55, 2.3), (side * 0.6, 4)], closed=False)
            self.canvas.line(self.frame, leg, self.coat.edge, 0.05)
        self._collar(0.95)

    def _sitting(self) -> None:
        self._ground(0.2, 3.15, 1.7, 0.25)
        self._tail((0.9, 2.75), (1.75, 2.7), (2.0, 1.9), (1.75, 1.3))
        trunk = symmetric(
            [(0, 0.4), (0.55, 0.6), (0.85, 1.2), (1.02, 1.9), (1.22, 2.6), (0.9, 3.1), (0, 3.1)]
        )
        self._trunk(trunk, (-1.2, 0.8, 1.2, 2.6))
        for side in (-1, 1):
            haunch = ellipse(side * 0.88, 2.6, 0.46, 0.56, 15 * side)
            self._limb(haunch, self.coat.base)
            self._limb(ellipse(side * 0.98, 3.08, 0.4, 0.19), self.paw)
        self._chest(symmetric([(0, 0.5), (0.5, 0.85), (0.48, 1.2), (0.2, 1.6), (0, 1.8)]))
        for side in (-1, 1):
            self._leg(side * 0.36, 1.5, 3.0, (0.54, 0.46))
            self._paw(side * 0.36, 3.05)
        self._collar(0.88)

    def _lying(self) -> None:
        self._ground(0.5, 1.85, 2.4, 0.25)
        self._tail((2.2, 1.5), (2.75, 1.5), (2.9, 1.1), (2.6, 0.7))
        trunk = smooth(
            [
                (-0.9, 0.8),
                (0.3, 0.2),
                (1.5, 0.1),
                (2.3, 0.6),
                (2.5, 1.4),
                (2.1, 1.85),
                (0, 1.9),
                (-0.95, 1.7),
            ]
        )
        self._trunk(trunk, (0.4, 0.2, 2.4, 1.6))
        self._limb(ellipse(1.75, 1.35, 0.62, 0.55), self.coat.base)
        self._limb(ellipse(1.35, 1.84, 0.42, 0.18), self.paw)
        self._chest(symmetric([(0, 0.5), (0.5, 0.8), (0.5, 1.3), (0, 1.6)]))
        for side in (-1, 1):
            self._leg(side * 0.52, 1.1, 1.8, (0.5, 0.44))
            self._paw(side * 0.5, 1.84)
        self._collar(0.86)

    def _standing(self) -> None:
        self._ground(1.9, 3.1, 2.3, 0.22)
        self._tail((3.5, 0.8), (4.1, 0.6), (4.35, -0.1), (4.0, -0.7))
        for x in (1.05, 3.25):
            self._leg(x, 1.3, 2.95, (0.5, 0.36), 78)
        trunk = smooth(
            [
                (-0.35, 0.5),
                (0.7, 0.1),
                (1.6, 0.42),
                (2.7, 0.4),
                (3.55, 0.62),
                (3.75, 1.25),
                (3.4, 1.8),
                (2.5, 1.72),
                (1.4, 1.95),
                (0.5, 1.85),
                (-0.1, 1.3),
            ]
        )
        self._trunk(trunk, (0.6, 0.3, 3.5, 1.6))
        self._chest(smooth([(-0.4, 0.6), (0.3, 0.8), (0.45, 1.5), (0.2, 1.75), (-0.1, 1.3)]))
        for x in (0.45, 3.35):
            self._leg(x, 1.2, 2.98, (0.8 if x > 1 else 0.62, 0.38))
            self._paw(x - 0.06, 3.05)
        self._collar(0.84)

    def _trunk(self, outline: Points, extent: tuple[float, float, float, float]) -> None:
        self.canvas.shape(
            self.frame,
            fluffy(outline, self.coat.tuft),
            self.coat.base,
            "body",
            decals=[*self._pattern(extent), self._head_shadow()],
            edge=self.coat.edge,
            shade=0.16,
        )

    def _head_shadow(self) -> tuple[Points, Colour]:
        return ellipse(0, 0.55, 1.0, 0.68), tint(self.coat.base, 72)

    def _pattern(self, extent: tuple[float, float, float, float]) -> list[tuple[Points, Colour]]:
        left, top, right, bottom = extent
        dice, second = self.dice, self.coat.second
        places = [(dice.between(left, right), dice.between(top, bottom)) for _ in range(16)]
        if self.coat.pattern == "tabby":
            count = 6
            xs = [left + (right - left) * (k + 0.5) / count for k in range(count)]
            return [
                (ribbon([(x, top - 0.4), (x + 0.08, (top + bottom) / 2)], 0.2, 0.05, 0.06), second)
                for x in xs
            ]
        if self.coat.pattern == "spots":
            return [(ellipse(x, y, 0.15, 0.12), second) for x, y in places]
        if self.coat.pattern == "patches":
            return [(ellipse(x, y, 0.55, 0.45, 30), second) for x, y in places[:3]]
        return []

    def _chest(self, outline: Points) -> None:
        if self.coat.white_chest:
            self.canvas.shape(self.frame, fluffy(outline, 0.05), WHITE, "body", shade=0.08)

    def _limb(self, outline: Points, colour: Colour) -> None:
        self.canvas.shape(self.frame, outline, colour, "legs", edge=self.coat.edge, shade=0.1)

    def _leg(
        self, x: float, top: float, foot: float, breadth: tuple[float, float], percent: int = 100
    ) -> None:
        """Draw a leg that grows out of the trunk at `top`, without its paw."""
        coat = self.coat
        path = [(x, top), (x + 0.04, (top + foot) / 2), (x, foot)]
        bands = [
            (ribbon([(x - 0.5, y), (x + 0.5, y + 0.05)], 0.1, 0.1), tint(coat.second, percent))
            for y in (foot - 0.75, foot - 0.48)
        ]
        self.canvas.shape(
            self.frame,
            ribbon(path, *breadth),
            tint(coat.base, percent),
            "legs",
            decals=bands if coat.pattern == "tabby" else [],
            edge=coat.edge,
            shade=0.1,
            attached=True,
        )

    def _paw(self, x: float, y: float) -> None:
        self._limb(ellipse(x, y, 0.33, 0.2), self.paw)
        for step in (-0.11, 0.11):
            toe = smooth([(x + step, y + 0.02), (x + step, y + 0.15)], closed=False)
            self.canvas.line(self.frame, toe, self.coat.edge, 0.04)

    def _tail(self, *path: tuple[float, float]) -> None:
        colour = self.coat.second if self.coat.pattern == "points" else self.coat.base
        self.canvas.shape(
            self.frame, self.tail(path), colour, "tail", edge=self.coat.edge, shade=0.08
        )

    def _collar(self, y: float) -> None:
        if self.coat.collar is None:
            return
        band = smooth([(-0.66, y - 0.22), (0, y), (0.66, y - 0.22)], closed=False)
        self.canvas.line(self.frame, band, tint(self.coat.collar, 50), 0.24, "body")
        self.canvas.line(self.frame, band, self.coat.collar, 0.16, "body")
        bell = ellipse(0, y + 0.14, 0.13, 0.13)
        self.canvas.shape(self.frame, bell, (244, 204, 92), "body", edge=(120, 84, 30))

    def _ground(self, x: float, y: float, rx: float, ry: float) -> None:
        self.canvas.shadow(self.frame, ellipse(x, y, rx, ry))
