"""The part masks of drawings: which pixel is an ear, which is background."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PARTS: dict[str, int] = {
    "background": 0,
    "body": 1,
    "head": 2,
    "ears": 3,
    "eyes": 4,
    "muzzle": 5,
    "whiskers": 6,
    "tongue": 7,
    "tail": 8,
    "legs": 9,
}

# One colour a part, in the order of PARTS, so that a mask is a picture too.
PALETTE = bytes.fromhex("101018 cab28e f0c878 e26050 5abedc fa96aa fafafa d6325a 9678c8 78aa6e")


def animal_mask(mask: Image.Image, size: int) -> NDArray[np.bool_]:
    """Return where the animal is visible: bool (size, size)."""
    animal: NDArray[np.bool_] = _at(mask, size) != PARTS["background"]
    return animal


def class_parts(mask: Image.Image, size: int) -> NDArray[np.bool_]:
    """Return the parts that tell the animals apart, ears and muzzle: bool (size, size)."""
    return np.isin(_at(mask, size), [PARTS["ears"], PARTS["muzzle"]])


def _at(mask: Image.Image, size: int) -> NDArray[np.uint8]:
    return np.asarray(mask.resize((size, size), Image.Resampling.NEAREST))


def mask_name(path: str) -> str:
    """Return the entry of a picture's mask: drawn/…/cat.0001.jpg → masks/drawn/…/cat.0001.gif."""
    return str("masks" / PurePosixPath(path).with_suffix(".gif"))
