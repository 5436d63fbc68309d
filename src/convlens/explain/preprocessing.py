"""From photos in 0..255 to what a net was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError

Floats = npt.NDArray[np.float32]
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB in 0..1
_CAFFE = (123.68, 116.779, 103.939)


@dataclass(frozen=True)
class Affine:
    """pixel → pixel @ matrix + offset, for every pixel alike."""

    matrix: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]

    def __call__(self, images: Any) -> Floats:
        return np.asarray(np.asarray(images, np.float64) @ self.matrix + self.offset, np.float32)


def named(name: str, channels: int) -> Affine:
    """Return "0..1", "-1..1", "0..255", "caffe" (BGR minus ImageNet's means) or "imagenet".

    The last is 0..1, minus ImageNet's means, over its spreads; it and "caffe" take 3 channels.
    """
    same, none = np.eye(channels), np.zeros(channels)
    plain = {"0..1": (same / 255, none), "-1..1": (same / 127.5, none - 1), "0..255": (same, none)}
    if name in plain:
        return Affine(*plain[name])
    if name not in ("caffe", "imagenet") or channels != 3:
        kinds = ", ".join([*plain, "caffe", "imagenet"])
        raise InputError(
            f"preprocess {name!r}", expected=f"one of {kinds}; the last two take 3 channels",
            found=f"{name!r} for {channels} channels", fix="name the range the net was trained on",
        )  # fmt: skip
    if name == "caffe":
        return Affine(same[:, ::-1], -np.array(_CAFFE)[::-1])
    spread = np.array(_SPREAD)
    return Affine(same / (255 * spread), -np.array(_MEAN) / spread)


def affine(function: Callable[[Any], Any], channels: int) -> Affine | None:
    """Return what `function` does to each pixel if that is affine, else None."""
    try:
        corners = np.concatenate([np.zeros((1, channels)), 255 * np.eye(channels)])
        levels = np.broadcast_to(corners[:, None, None], (channels + 1, 4, 4, channels))
        found = run(function, levels)
        if found.ndim != 4 or found.shape[:3] != levels.shape[:3]:
            return None
        values = found[:, 0, 0].astype(np.float64)
        guess = Affine((values[1:] - values[0]) / 255, values[0])
        trial = np.random.default_rng(0).integers(0, 256, (2, 4, 4, channels))
        known = run(function, trial)
    except (ValueError, TypeError, IndexError):
        return None
    return guess if np.allclose(known, guess(trial), rtol=1e-4, atol=1e-3) else None


def run(function: Callable[[Any], Any], images: npt.NDArray[Any]) -> Floats:
    """Run a user's preprocessing on a float32 copy, since some write into their argument."""
    return np.asarray(function(np.array(images, dtype=np.float32)), dtype=np.float32)
