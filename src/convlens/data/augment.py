"""Random views of images: one affine transform each, then brightness, contrast and colour.

Every draw is a function of (seed, epoch, image index) alone, so a view depends neither on the
batch it comes in nor on how many workers make it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.params import AugmentParams

if TYPE_CHECKING:
    import tensorflow as tf

_DRAWS = 11  # rotation, shift x, shift y, shear, zoom, flip, brightness, contrast, colour × 3


def draws(seed: int, epoch: int, count: int, first: int = 0) -> NDArray[np.float64]:
    """Return (count, 11) uniform numbers in [0, 1) for the images from number `first` on.

    An image's numbers depend neither on `count` nor on `first`: no process need draw them all.
    """
    bits = np.random.PCG64([seed, epoch, _DRAWS])
    bits.advance(first * _DRAWS)
    return np.random.Generator(bits).random((count, _DRAWS))


def transforms(u: NDArray[np.float64], params: AugmentParams, side: int) -> NDArray[np.float64]:
    """Return (N, 2, 3) affine transforms from output to input pixels (x, y) for draws `u`.

    Rotation, shear, zoom and flip turn about the image's centre, then the shift is added.
    """
    signed = 2 * u - 1
    angle = np.deg2rad(params.rotation) * signed[:, 0]
    shift_x, shift_y = (params.shift * side * signed[:, column] for column in (1, 2))
    shear = np.tan(np.deg2rad(params.shear) * signed[:, 3])
    # One draw zooms both axes, so that proportions, which tell cats from dogs, are kept.
    zoom = 1 + params.zoom * signed[:, 4]
    mirror = np.where(params.flip & (u[:, 5] < 0.5), -1.0, 1.0)
    cos, sin = np.cos(angle), np.sin(angle)
    a0, a1 = cos * mirror / zoom, (cos * shear - sin) / zoom
    b0, b1 = sin * mirror / zoom, (sin * shear + cos) / zoom
    centre = (side - 1) / 2
    a2 = centre + shift_x - centre * (a0 + a1)
    b2 = centre + shift_y - centre * (b0 + b1)
    return np.stack([a0, a1, a2, b0, b1, b2], axis=1).reshape(-1, 2, 3)


def photometric(u: NDArray[np.float64], params: AugmentParams) -> NDArray[np.float32]:
    """Return (N, 5): brightness factor, contrast factor, and a shift in levels for R, G, B."""
    signed = 2 * u[:, 6:11] - 1
    strengths = [params.brightness, params.contrast, *[params.colour] * 3]
    return (signed * strengths + [1, 1, 0, 0, 0]).astype(np.float32)


def warp(images: NDArray[np.uint8], geometry: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return `images` (N, S, S, 3) seen through `geometry` (N, 2, 3), rounded to whole levels.

    Pixels from outside are reflected and interpolation is bilinear. OpenCV does it seven times as
    fast as TensorFlow's op, whose cost would be a tenth of the convnet's training.
    """
    import cv2

    flags, border = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REFLECT
    size = images.shape[2], images.shape[1]
    views = np.empty_like(images)
    for image, matrix, view in zip(images, geometry, views, strict=True):
        cv2.warpAffine(image, matrix, size, dst=view, flags=flags, borderMode=border)
    return views


def relight(images: Any, light: Any) -> tf.Tensor:
    """Return `images` (N, S, S, 3) under `light` (N, 5): float32 in 0..255.

    Contrast is about the mean of each image; values are clipped to 0..255 at the end.
    """
    import tensorflow as tf

    brightness, contrast, colour = tf.split(light[:, None, None, :], [1, 1, 3], axis=-1)
    x = tf.cast(images, tf.float32) * brightness
    mean = tf.reduce_mean(x, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value((x - mean) * contrast + mean + colour, 0.0, 255.0)
