"""Climbing towards what one channel answers most to, in the space of images."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from convlens.explain import layers as model_layers
from convlens.explain.geometry import geometry
from convlens.explain.maps import resize
from convlens.models.keras_file import with_policy

Recipe = Literal["classic", "smooth"]
_BORDER, _JITTER, _STEP, _CONTRAST, _COLOUR, _LEAK = 2, 4, 10.0, 0.2, 0.5, 0.05


class Ascent:
    """Steps uphill for one layer; images may have any size."""

    def __init__(self, model: Any, layer: str, recipe: Recipe, policy: str) -> None:
        import keras

        part = keras.Model(model.inputs, *model_layers.outputs(model, [layer]))
        self._chain = with_policy(part, policy).layers[1:]
        last = self._chain[-1]
        self._activation = getattr(last, "activation", keras.activations.linear)
        last.activation = keras.activations.linear
        self._recipe = recipe
        self._field = geometry(model)[layer][0].field

    def answer(self, images: npt.NDArray[Any], channels: npt.NDArray[np.int64]) -> Any:
        """Return the mean activation (N,) of each image's channel; images (N, h, w, 3)."""
        return self._answer_to(images.astype(np.float32), channels).numpy()

    def climb(
        self, noise: npt.NDArray[np.float32], channels: npt.NDArray[np.int64], steps: int, seed: int
    ) -> npt.NDArray[np.float32]:
        """Return images (N, h, w, 3) after `steps` steps uphill from `noise`."""
        if self._recipe == "classic":
            images = noise
            for _ in range(steps):
                images = images + _unit(self._gradient_of(images, channels).numpy())
            return images
        size = noise.shape[1]
        images = _zoom(noise, max(size // 2, min(size, 32)))
        shifts = np.random.default_rng(seed).integers(-_JITTER, _JITTER + 1, (steps, 2))
        for number, shift in enumerate(shifts):
            if number == steps // 2:
                images = _zoom(images, size)
            moved = np.roll(images, shift, axis=(1, 2))
            gradient = np.roll(self._gradient_of(moved, channels).numpy(), -shift, axis=(1, 2))
            images = np.clip(images + _STEP * _unit(_natural(gradient, self._field)), 0, 255)
        return images

    def _maps(self, images: Any, channels: Any) -> Any:
        """Return the maps (N, h, w) of each image's own channel, before the activation."""
        import tensorflow as tf

        for layer in self._chain:
            images = layer(images, training=False)
        maps = tf.transpose(tf.cast(images, tf.float32), (0, 3, 1, 2))
        return tf.gather(maps, channels, axis=1, batch_dims=1)

    def _answer_to(self, images: Any, channels: Any) -> Any:
        import tensorflow as tf

        return tf.reduce_mean(self._activation(self._maps(images, channels)), axis=(1, 2))

    def _gradient_of(self, images: Any, channels: Any) -> Any:
        import tensorflow as tf

        images = tf.constant(images)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            maps = self._maps(images, channels)
            if self._recipe == "classic":
                maps = self._activation(maps)
            else:
                maps = tf.nn.leaky_relu(maps, _LEAK)
                border = tf.minimum(_BORDER, (tf.shape(maps)[1] - 1) // 2)
                maps = maps[:, border : tf.shape(maps)[1] - border]
                maps = maps[:, :, border : tf.shape(maps)[2] - border]
            total = tf.reduce_sum(tf.reduce_mean(maps, axis=(1, 2)))
        return tape.gradient(total, images)


def _unit(gradient: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Scale each image's gradient to a root mean square of 1; a zero gradient stays zero."""
    size = np.sqrt(np.mean(gradient.astype(np.float64) ** 2, axis=(1, 2, 3), keepdims=True))
    return np.asarray(gradient / np.where(size > 0, size, 1.0), dtype=np.float32)


def _natural(gradient: npt.NDArray[np.float32], field: int) -> npt.NDArray[np.float32]:
    """Give (N, h, w, 3) the statistics of photos: amplitude 1 / f, and more light than colour.

    Waves longer than the layer's receptive `field`, in pixels, it cannot tell apart: they get no
    more than that.
    """
    height, width = gradient.shape[1:3]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    scale = 1 / np.maximum(frequency, 1 / field)
    spectrum = np.fft.rfft2(gradient, axes=(1, 2)) * scale[None, :, :, None]
    waves = np.fft.irfft2(spectrum, s=(height, width), axes=(1, 2))
    light = waves.mean(axis=-1, keepdims=True)
    return np.asarray(light + _COLOUR * (waves - light), dtype=np.float32)


def _zoom(images: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    count, channels = len(images), images.shape[-1]
    flat = np.moveaxis(images, -1, 1).reshape(count * channels, *images.shape[1:3])
    return np.moveaxis(resize(flat, size, size).reshape(count, channels, size, size), 1, -1)


def shown(images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Bring each picture to mean 0.5 and a readable contrast, as uint8."""
    centred = images - images.mean(axis=(1, 2, 3), keepdims=True)
    spread = centred.std(axis=(1, 2, 3), keepdims=True)
    levels = centred / np.maximum(spread, 1e-5) * _CONTRAST * 255 + 127.5
    return np.asarray(np.clip(np.round(levels), 0, 255), dtype=np.uint8)
