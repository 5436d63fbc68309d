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
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError
from convlens.explain import layers as model_layers
from convlens.explain.ascent import Ascent, Recipe, shown
from convlens.progress import Progress, silent


@dataclass(frozen=True)
class Filters:
    """Pictures of K channels of one layer.

    Attributes
    ----------
    images
        (K, size, size, 3) uint8, each with mean 0.5 and standard deviation 0.1 to 0.25 of 255.
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
    model: Any,
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

    The layers up to `layer` must form a chain. A channel's picture depends on neither the other
    channels nor the batch size.

    Raises
    ------
    InputError
        For an unknown layer, one without spatial axes, or a channel the layer does not have.
    """
    (output,) = model_layers.outputs(model, [layer])
    count = int(output.shape[-1])
    for unknown in [c for c in channels if not 0 <= c < count][:1]:
        raise InputError(
            f"model {model.name}, layer {layer}, channel {unknown}",
            expected=f"a channel from 0 to {count - 1}",
            found=str(unknown),
            fix="name a channel that the layer has",
        )
    ascent = Ascent(model, layer, recipe, policy)
    chosen = np.asarray(channels, dtype=np.int64)
    parts = []
    for first in progress(range(0, len(chosen), batch_size), what=f"filters of {layer}"):
        batch = chosen[first : first + batch_size]
        noise = np.stack([_noise(size, seed, int(channel)) for channel in batch])
        images = shown(ascent.climb(noise, batch, steps, seed))
        parts.append((images, ascent.answer(noise, batch), ascent.answer(images, batch)))
    images, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Filters(images, chosen, start, end)


def _noise(size: int, seed: int, channel: int) -> npt.NDArray[np.float32]:
    """Grey noise about mid-grey, keyed by (seed, channel)."""
    draw = np.random.default_rng((seed, channel)).random((size, size, 3), dtype=np.float32)
    return draw * 20 + 118


def first_kernels(model: Any) -> tuple[str, npt.NDArray[np.float32]]:
    """Return the first convolution's name and its kernels (h, w, 3, K), in RGB order."""
    name = model_layers.convolutions(model)[0]
    return name, np.asarray(model.get_layer(name).get_weights()[0], dtype=np.float32)
