"""Pixel saliency: how the class's logit depends on every pixel.

- SmoothGrad: the gradient averaged over noisy copies (Smilkov et al. 2017)
- Integrated Gradients: the gradient averaged along a straight path from a baseline, times the
  difference to it (Sundararajan, Taly & Yan 2017, equation 1); its sum is the change of the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain import score as scoring
from convlens.explain.maps import Maps

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Integrated:
    """Attributions (N, H, W, 3) float32, and how far their sum misses the score's change (N,)."""

    attributions: Floats
    gap: npt.NDArray[np.float64]


def smooth_grad(
    model: Any,
    images: npt.NDArray[Any],
    classes: npt.NDArray[np.int32],
    *,
    samples: int = 16,
    noise: float = 0.15,
    seed: int = 0,
) -> Floats:
    """Return the mean gradient (N, H, W, 3) of each image's class over `samples` noisy copies.

    `noise` is the standard deviation as a share of the image's own range.
    """
    gradient = _gradient(model)
    draw = np.random.default_rng(seed)
    found = []
    for image, label in zip(images.astype(np.float32), classes, strict=True):
        spread = noise * float(np.ptp(image))
        copies = image + spread * draw.standard_normal((samples, *image.shape), dtype=np.float32)
        _, slopes = gradient(copies, np.full(samples, label, np.int32))
        found.append(slopes.mean(axis=0))
    return np.asarray(found, dtype=np.float32).reshape(images.shape)


def integrated_gradients(
    model: Any,
    images: npt.NDArray[Any],
    classes: npt.NDArray[np.int32],
    *,
    steps: int = 64,
    baseline: float = 127.5,
    batch_size: int = 16,
) -> Integrated:
    """Attribute each class's score minus its score on a flat image of level `baseline`.

    The path is sampled at the middles of `steps` equal parts. `gap` is the sum of attributions
    minus the score's change, relative to that change's size (or 1 if that is larger).
    """
    gradient = _gradient(model)
    places = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    attributions, gaps = [], []
    for image, label in zip(images.astype(np.float32), classes, strict=True):
        empty = np.full_like(image, baseline)
        total = np.zeros(image.shape, dtype=np.float64)
        for first in range(0, steps, batch_size):
            share = places[first : first + batch_size, None, None, None]
            path = empty + share * (image - empty)
            total += gradient(path, np.full(len(path), label, np.int32))[1].sum(axis=0)
        attribution = (image - empty) * total / steps
        scores, _ = gradient(np.stack([empty, image]), np.full(2, label, np.int32))
        change = float(scores[1]) - float(scores[0])
        attributions.append(attribution)
        gaps.append((attribution.sum() - change) / max(1.0, abs(change)))
    return Integrated(
        np.asarray(attributions, dtype=np.float32).reshape(images.shape), np.asarray(gaps)
    )


def strength(attributions: Floats, percentile: float = 99.0) -> Maps:
    """Return (N, H, W) float32 in [0, 1]: size of each pixel's attribution, clipped above.

    An image without any attribution gives zeros.
    """
    size = np.abs(attributions.astype(np.float64)).sum(axis=-1)
    top = np.percentile(size, percentile, axis=(1, 2), keepdims=True)
    top = np.where(top > 0, top, size.max(axis=(1, 2), keepdims=True))
    return np.asarray(np.clip(size / np.where(top > 0, top, 1.0), 0, 1), dtype=np.float32)


def _gradient(model: Any) -> Any:
    """Return a function from (images, classes) to NumPy scores (N,) and gradients (N, H, W, 3)."""
    import tensorflow as tf

    scoring.check_logits(model)
    photos = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)

    # as a graph, which leaves out the gradients by the weights
    @tf.function(input_signature=[photos, tf.TensorSpec((None,), tf.int32)])  # type: ignore[untyped-decorator]
    def both(images: Any, classes: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            scores = scoring.score(model(images, training=False), classes)
        return scores, tape.gradient(scores, images)

    def compute(images: npt.NDArray[Any], classes: Any) -> Any:
        return tuple(np.asarray(v) for v in both(tf.constant(images, tf.float32), classes))

    return compute
