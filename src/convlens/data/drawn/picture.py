"""One drawing: the scene, the animal in it, light and occluder, and the mask of its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from convlens.data.drawn.animals import ANIMALS
from convlens.data.drawn.background import draw_background
from convlens.data.drawn.body import Body
from convlens.data.drawn.canvas import OVERSAMPLING, Canvas, Dice
from convlens.data.drawn.face import Head
from convlens.data.drawn.masks import PALETTE, PARTS
from convlens.data.drawn.occluder import draw_occluder
from convlens.data.drawn.scene import Scene, sample


@dataclass(frozen=True)
class Drawing:
    """A drawing: `image` RGB and `mask` P (pixel value = index in PARTS), both size x size."""

    image: Image.Image
    mask: Image.Image


def draw(label: str, seed: int, split: str, index: int, size: int) -> Drawing:
    """Draw one animal, determined by the arguments alone.

    Parameters
    ----------
    label
        One of ANIMALS.
    seed, split, index
        The key of the drawing, together with the label.
    size
        Side in pixels.
    """
    key = (seed, split, label, index)
    scene = sample(Dice(*key, "scene"), size * OVERSAMPLING)
    canvas = Canvas(size, scene.light)
    draw_background(canvas, scene, Dice(*key, "background"))
    shape = Dice(*key, "shape")
    animal = ANIMALS[label]
    Body(animal.tail, canvas, scene, shape).draw()
    animal.head(Head(canvas, scene.body.inner(0, 0, 1, scene.tilt), scene, shape))
    _comb(canvas, Dice(*key, "fur"))
    draw_occluder(canvas, scene, Dice(*key, "occluder"))
    image = Image.fromarray(_lit(canvas, scene, Dice(*key, "noise")))
    mask = Image.fromarray(canvas.finished_mask()).convert("P")
    mask.putpalette(PALETTE)
    return Drawing(image, mask)


def _comb(canvas: Canvas, dice: Dice) -> None:
    """Lay fine streaks of hair over the furry parts."""
    coarse = dice.noise(0, 36, (canvas.side // 9, canvas.side // 3)).astype(np.uint8)
    streaks = Image.fromarray(coarse).resize(canvas.picture.size, Image.Resampling.BILINEAR)
    grey = Image.merge("RGB", [streaks] * 3)
    combed = ImageChops.add(canvas.picture, grey, 1.0, -18)
    furry = [255 * (i in _FURRY) for i in range(256)]
    canvas.picture.paste(combed, mask=canvas.mask.point(furry))


_FURRY = {PARTS[part] for part in ("body", "head", "ears", "tail", "legs")}


def _lit(canvas: Canvas, scene: Scene, dice: Dice) -> NDArray[np.uint8]:
    """Reduce the canvas to its size, with a gradient of light and a grain of ± 3 levels."""
    size = canvas.size
    pixels = np.asarray(canvas.picture.reduce(OVERSAMPLING)).astype(np.int32)
    first, last = scene.brightness
    ramp = first + (last - first) * np.arange(size, dtype=np.int32) // size
    gain = ramp[:, None] * np.array(scene.balance, dtype=np.int32) // 256
    pixels = pixels * gain // 256 + dice.noise(-3, 3, (size, size, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8)
