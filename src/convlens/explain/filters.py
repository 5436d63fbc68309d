"""What every channel wants to see: pictures that excite it, by gradient ascent from grey noise.

- classic: from grey noise, the gradient over its RMS, step 1 on the mean of the channel
  (Chollet, Deep Learning with Python, 1st edition, section 5.4.2)
- smooth: the gradient's frequencies are scaled by 1 / f, as in ascent over Fourier coefficients
  (Olah, Mordvintsev & Schubert, Feature Visualization, Distill 2017); the first half of the steps
  works at half the size; the picture is moved by a few pixels before every step; a border is
  ignored; colours stay in 0..255; and the ReLU leaks a little, so that a silent channel can wake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError
from convlens.explain.ascent import Ascent, Recipe, shown
from convlens.explain.classifier import Classifier
from convlens.explain.layers import convolutions
from convlens.progress import Progress, silent


@dataclass(frozen=True)
class Filters:
    """Pictures of K channels of one layer.

    Attributes
    ----------
    images
        (K, size, size, c) uint8, each with mean 0.5 and standard deviation 0.1 to 0.25 of 255.
    channels
        (K,) int.
    start, end
        (K,) float32: mean activation of the channel on the noise and on the picture.
    """

    images: npt.NDArray[np.uint8]
    channels: npt.NDArray[np.int64]
    start: npt.NDArray[np.float32]
    end: npt.NDArray[np.float32]

    @property
    def moved(self) -> npt.NDArray[np.bool_]:
        """(K,) bool: the activation rose."""
        return self.end > self.start + 1e-6


def ascend(
    classifier: Classifier,
    layer: str,
    channels: Sequence[int],
    *,
    size: int,
    steps: int = 30,
    recipe: Recipe = "smooth",
    policy: str = "float32",
    seed: int = 0,
    batch_size: int = 16,
    progress: Progress = silent,
) -> Filters:
    """Find a picture of `size` × `size` pixels for each of `channels` of `layer`.

    A channel's picture depends on neither the other channels nor the batch size. Where a layer on
    the way takes one size only, the pictures have the model's.

    Raises
    ------
    InputError
        For an unknown layer, one without spatial axes, a channel the layer does not have, or a
        preprocessing that has no gradient.
    """
    count = int(classifier.graph.shapes[classifier.slot(layer)][-1] or 0)
    for unknown in [c for c in channels if not 0 <= c < count][:1]:
        raise InputError(
            f"model {classifier.name}, layer {layer}, channel {unknown}",
            expected=f"a channel from 0 to {count - 1}",
            found=str(unknown),
            fix="name a channel that the layer has",
        )
    ascent = Ascent(classifier, layer, recipe, policy)
    side = (size, size) if ascent.any_size else classifier.size
    chosen = np.asarray(channels, dtype=np.int64)
    parts = []
    for first in progress(range(0, len(chosen), batch_size), what=f"filters of {layer}"):
        batch = chosen[first : first + batch_size]
        noise = np.stack(
            [_noise((*side, classifier.channels), seed, int(channel)) for channel in batch]
        )
        images = shown(ascent.climb(noise, batch, steps, seed))
        parts.append((images, ascent.answer(noise, batch), ascent.answer(images, batch)))
    images, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Filters(images, chosen, start, end)


def _noise(shape: tuple[int, ...], seed: int, channel: int) -> npt.NDArray[np.float32]:
    """Grey noise about mid-grey, keyed by (seed, channel)."""
    return np.random.default_rng((seed, channel)).random(shape, dtype=np.float32) * 20 + 118


def first_kernels(classifier: Classifier) -> tuple[str, npt.NDArray[np.float32]]:
    """Return the first convolution's name and its kernels (h, w, c, K) by the photo's channels.

    Raises
    ------
    InputError
        If the model has no convolution.
    """
    names = convolutions(classifier)
    if not names:
        raise InputError(
            f"model {classifier.name}", expected="a convolution", found="none",
            fix="look at its activations instead",
        )  # fmt: skip
    kernel = np.asarray(classifier.nodes[names[0]].layer.get_weights()[0], dtype=np.float32)
    if classifier.affine is not None and kernel.shape[2] == classifier.channels:
        mixed = np.einsum("pc,hwck->hwpk", classifier.affine.matrix, kernel)
        kernel = mixed.astype(np.float32)
    return names[0], kernel
