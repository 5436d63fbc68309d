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
from convlens.explain.classifier import Classifier
from convlens.explain.maps import Maps

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Integrated:
    """Attributions (N, H, W, c) float32, and how far their sum misses the score's change (N,)."""

    attributions: Floats
    gap: npt.NDArray[np.float64]


def smooth_grad(
    classifier: Classifier,
    images: npt.NDArray[Any],
    classes: int | npt.NDArray[Any] | None = None,
    *,
    samples: int = 16,
    noise: float = 0.15,
    seed: int = 0,
) -> Floats:
    """Return the mean gradient (N, H, W, c) of each image's class over `samples` noisy copies.

    `noise` is the standard deviation as a share of the image's own range.
    """
    gradient, labels = _gradient(classifier), _labels(classifier, images, classes)
    draw = np.random.default_rng(seed)
    found = []
    for image, label in zip(images.astype(np.float32), labels, strict=True):
        spread = noise * float(np.ptp(image))
        copies = image + spread * draw.standard_normal((samples, *image.shape), dtype=np.float32)
        slopes = gradient(classifier.prepare(copies), np.full(samples, label, np.int32))
        found.append(classifier.by_pixels(slopes).mean(axis=0))
    return np.asarray(found, dtype=np.float32).reshape(images.shape)


def integrated_gradients(
    classifier: Classifier,
    images: npt.NDArray[Any],
    classes: int | npt.NDArray[Any] | None = None,
    *,
    steps: int = 64,
    baseline: float = 127.5,
    batch_size: int = 16,
) -> Integrated:
    """Attribute each class's score minus its score on a flat image of level `baseline`.

    The path is sampled at the `steps` nodes of Gauss-Legendre quadrature: they lie densest at its
    ends, and most units of a net switch near the flat image. `gap` is the sum of attributions minus
    the score's change, relative to that change's size (or 1 if that is larger). Behind a
    preprocessing the path is straight in what the model takes.
    """
    gradient, labels = _gradient(classifier), _labels(classifier, images, classes)
    flat = np.full((1, *images.shape[1:]), baseline, np.float32)
    photos = np.concatenate([flat, images.astype(np.float32)])
    before, *after = classifier.logits(photos, "float32")
    ends = (np.asarray(after), np.stack([before] * len(images)))
    score, least = (np.asarray(scoring.score(end, labels), np.float64) for end in ends)
    (empty, *prepared), scores = classifier.prepare(photos), score - least
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # of the interval from -1 to 1
    places = ((nodes + 1) / 2).astype(np.float32)[:, None, None, None]
    attributions, gaps = [], []
    for image, label, change in zip(prepared, labels, scores, strict=True):
        total = np.zeros(image.shape, dtype=np.float64)
        for first in range(0, steps, batch_size):
            part = slice(first, first + batch_size)
            path = empty + places[part] * (image - empty)
            slopes = gradient(path, np.full(len(path), label, np.int32))
            total += np.tensordot(weights[part] / 2, slopes, axes=1)
        attribution = (image - empty) * total
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


def _gradient(classifier: Classifier) -> Any:
    """Return a function from prepared images and classes to the score's gradients, NumPy."""

    def slope(given: Any, classes: Any) -> Any:
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(given)
            (found,) = classifier.exact.run({classifier.source: given}, [classifier.logits_slot])
            scores = scoring.score(classifier.flat(found), classes)
        return tape.gradient(scores, given, unconnected_gradients="zero")

    run = classifier.compiled("slope", slope, classes=True)
    return lambda images, classes: np.asarray(run(images, classes))


def _labels(classifier: Classifier, images: Any, classes: Any) -> npt.NDArray[np.int32]:
    wanted = scoring.wanted(classifier, classes, len(images))
    if (wanted >= 0).all():
        return wanted
    found: npt.NDArray[np.int32] = classifier.probabilities(images).argmax(axis=1).astype(np.int32)
    return found
