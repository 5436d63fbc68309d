"""Climbing towards what one channel answers most to, in the space of images."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError
from convlens.explain import placement
from convlens.explain.classifier import Classifier
from convlens.explain.maps import resize

Recipe = Literal["classic", "smooth"]
_BORDER, _JITTER, _STEP, _CONTRAST, _COLOUR, _LEAK = 2, 4, 10.0, 0.2, 0.5, 0.05


class Ascent:
    """Steps uphill for one layer; images may have any size where `any_size` is true."""

    def __init__(self, classifier: Classifier, layer: str, recipe: Recipe, policy: str) -> None:
        if classifier.affine is None:
            raise InputError(
                f"model {classifier.name}, its preprocessing",
                expected="the same matrix and offset for every pixel",
                found="something else, through which no gradient leads",
                fix="put it into the model as layers, or leave the filters out",
            )
        self._classifier, self._layer, self._recipe = classifier, layer, recipe
        self._graph, slot = classifier.in_policy(policy), classifier.slot(layer)
        number = self._graph.makers[slot]
        node = self._graph.nodes[number]
        alone = node.arguments is None or node.kind in ("Activation", "ReLU", "Relu")
        self._activation = node.op if alone else _same
        self._slot = node.inputs[0] if alone else slot
        steps = self._graph.path([classifier.source], [slot])
        self.any_size = all(placement.local(self._graph.nodes[step]) for step in steps)
        self._field = round(max(classifier.placement(layer).field))
        self._matrix, self._offset = classifier.affine.matrix, classifier.affine.offset
        self._compiled: dict[str, Any] = {}

    def answer(self, images: npt.NDArray[Any], channels: npt.NDArray[np.int64]) -> Any:
        """Return the mean activation (N,) of each image's channel; images (N, h, w, c)."""
        return self._run(self._answer_to, images.astype(np.float32), channels)

    def climb(
        self, noise: npt.NDArray[np.float32], channels: npt.NDArray[np.int64], steps: int, seed: int
    ) -> npt.NDArray[np.float32]:
        """Return images (N, h, w, c) after `steps` steps uphill from `noise`."""
        if self._recipe == "classic":
            images = noise
            for _ in range(steps):
                images = images + _unit(self._run(self._gradient_of, images, channels))
            return images
        size = noise.shape[1:3]
        small = tuple(max(side // 2, min(side, 32)) for side in size) if self.any_size else size
        images = _zoom(noise, small)
        shifts = np.random.default_rng(seed).integers(-_JITTER, _JITTER + 1, (steps, 2))
        for number, shift in enumerate(shifts):
            if number == steps // 2:
                images = _zoom(images, size)
            moved = np.roll(images, shift, axis=(1, 2))
            slope = self._run(self._gradient_of, moved, channels)
            gradient = np.roll(slope, -shift, axis=(1, 2))
            images = np.clip(images + _STEP * _unit(_natural(gradient, self._field)), 0, 255)
        return images

    def _run(self, function: Any, images: Any, channels: Any) -> npt.NDArray[np.float32]:
        """Call `function` as a graph, traced once: it leaves out the gradients by the weights."""
        import tensorflow as tf

        name = function.__name__
        if name not in self._compiled:
            photos = tf.TensorSpec((None, None, None, images.shape[-1]), tf.float32)
            signature = [photos, tf.TensorSpec((None,), tf.int64)]
            traced = tf.function(function, input_signature=signature, autograph=False)
            self._compiled[name] = traced.get_concrete_function()
        return np.asarray(self._compiled[name](tf.constant(images), tf.constant(channels)))

    def _maps(self, images: Any, channels: Any) -> Any:
        """Return the maps (N, h, w) of each image's own channel, before the activation."""
        import tensorflow as tf

        given = {self._classifier.source: _changed(images, self._matrix, self._offset)}
        (found,) = self._graph.run(given, [self._slot])
        maps = self._classifier.maps(tf.cast(found, tf.float32), self._layer)
        return tf.gather(tf.transpose(maps, (0, 3, 1, 2)), channels, axis=1, batch_dims=1)

    def _answer_to(self, images: Any, channels: Any) -> Any:
        import tensorflow as tf

        return tf.reduce_mean(self._activation(self._maps(images, channels)), axis=(1, 2))

    def _gradient_of(self, images: Any, channels: Any) -> Any:
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            maps = self._maps(images, channels)
            if self._recipe == "classic":
                maps = self._activation(maps)
            else:
                if self._activation is not _same:
                    maps = tf.nn.leaky_relu(maps, _LEAK)
                border = tf.minimum(_BORDER, (tf.shape(maps)[1] - 1) // 2)
                maps = maps[:, border : tf.shape(maps)[1] - border]
                border = tf.minimum(_BORDER, (tf.shape(maps)[2] - 1) // 2)
                maps = maps[:, :, border : tf.shape(maps)[2] - border]
            total = tf.reduce_sum(tf.reduce_mean(maps, axis=(1, 2)))
        return tape.gradient(total, images)


def _same(maps: Any) -> Any:
    return maps


def _changed(images: Any, matrix: Any, offset: Any) -> Any:
    """Prepare images (N, h, w, c) as tensors; nothing is multiplied where nothing changes."""
    import tensorflow as tf

    if np.array_equal(matrix, np.eye(len(matrix))) and not offset.any():
        return images
    return images @ tf.constant(matrix, tf.float32) + tf.constant(offset, tf.float32)


def _unit(gradient: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Scale each image's gradient to a root mean square of 1; a zero gradient stays zero."""
    size = np.sqrt(np.mean(gradient.astype(np.float64) ** 2, axis=(1, 2, 3), keepdims=True))
    return np.asarray(gradient / np.where(size > 0, size, 1.0), dtype=np.float32)


def _natural(gradient: npt.NDArray[np.float32], field: int) -> npt.NDArray[np.float32]:
    """Give (N, h, w, c) the statistics of photos: amplitude 1 / f, and more light than colour.

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


def _zoom(images: npt.NDArray[np.float32], size: tuple[int, ...]) -> npt.NDArray[np.float32]:
    count, channels = len(images), images.shape[-1]
    flat = np.moveaxis(images, -1, 1).reshape(count * channels, *images.shape[1:3])
    return np.moveaxis(resize(flat, *size).reshape(count, channels, *size), 1, -1)


def shown(images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Bring each picture to mean 0.5 and a readable contrast, as uint8."""
    centred = images - images.mean(axis=(1, 2, 3), keepdims=True)
    spread = centred.std(axis=(1, 2, 3), keepdims=True)
    levels = centred / np.maximum(spread, 1e-5) * _CONTRAST * 255 + 127.5
    return np.asarray(np.clip(np.round(levels), 0, 255), dtype=np.uint8)
