"""Class-activation heatmaps by one core: how much each place of a layer argues for a class.

All methods weight the layer's maps A (h, w, K) with the gradient G = dS/dA of the class's logit S:

- grad-cam: sum_k mean(G_k) A_k (Selvaraju et al. 2017, equations 1 and 2)
- grad-cam++: sum_k (sum alpha_k relu(G_k)) A_k, alpha = G^2 / (2 G^2 + sum(A) G^3), each
  alpha_k scaled to a sum of 1 as in its authors' code (Chattopadhay et al. 2018, equation 19)
- layer-cam: sum_k relu(G_k) A_k (Jiang et al. 2021, equation 5)
- hires-cam: sum_k G_k A_k (Draelos & Carin 2020, equation 4)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from convlens.explain import maps as heat
from convlens.explain import score as scoring
from convlens.explain.classifier import Classifier
from convlens.progress import Progress, silent

Method = Literal["grad-cam", "grad-cam++", "layer-cam", "hires-cam"]


@dataclass(frozen=True)
class Heatmaps:
    """Heatmaps of N photos of H × W pixels.

    Attributes
    ----------
    maps
        (N, H, W) float32 in [0, 1]: positive evidence, each map scaled to a maximum of 1.
    raw
        (N, h, w) float32 at the layer's resolution, signed, before ReLU and scaling.
    empty
        (N,) bool: no place of the layer argues for the class; the map is all zero.
    classes
        (N,) int32: the class explained.
    logits
        (N, 1) or (N, C) float32.
    layer
        Name of the layer.
    """

    maps: npt.NDArray[np.float32]
    raw: npt.NDArray[np.float32]
    empty: npt.NDArray[np.bool_]
    classes: npt.NDArray[np.int32]
    logits: npt.NDArray[np.float32]
    layer: str

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Probability (N,) that the model gives to the class explained."""
        return scoring.probabilities(self.logits)[np.arange(len(self.classes)), self.classes]


def heatmaps(
    classifier: Classifier,
    images: npt.NDArray[Any],
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    classes: int | npt.NDArray[Any] | None = None,
    batch_size: int = 16,
    progress: Progress = silent,
) -> Heatmaps:
    """Explain `images` (N, H, W, 3), RGB in 0..255.

    Parameters
    ----------
    layer
        Any layer with spatial maps; default: the last convolution.
    classes
        One class for all, or one an image (N,); default: the predicted class of each.
    batch_size
        Images held as float at a time; it does not change the result.

    Raises
    ------
    InputError
        For an unknown layer, one without spatial axes, or a class the model does not have.
    """
    layer = layer or classifier.default_layer
    wanted = scoring.wanted(classifier, classes, len(images))
    slot, axes = classifier.slot(layer), classifier.placement(layer).axes

    def forward(given: Any, asked: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(given)
            graph = classifier.exact
            (features,) = graph.run({classifier.source: given}, [slot])
            tape.watch(features)
            known = {slot: features, classifier.source: given}
            (found,) = graph.run(known, [classifier.logits_slot])
            logits = classifier.flat(found)
            label = scoring.predicted_unless(asked, logits)
            total = scoring.score(logits, label)
        slope = tape.gradient(total, features, unconnected_gradients="zero")
        return classifier.maps(features, layer), classifier.maps(slope, layer), logits, label

    import tensorflow as tf

    height, width = images.shape[1:3]
    parts = []
    for start in progress(range(0, len(images), batch_size), what=f"heatmaps of {layer}"):
        rows = slice(start, start + batch_size)
        batch = classifier.prepare(images[rows])
        features, slope, logits, used = forward(tf.constant(batch), wanted[rows])
        raw = np.asarray(weigh(method, tf.cast(features, tf.float32), tf.cast(slope, tf.float32)))
        maps, empty = heat.normalise(heat.place(raw, height, width, axes))
        parts.append((maps, raw, empty, np.asarray(used), np.asarray(logits)))
    maps, raw, empty, used, logits = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Heatmaps(maps, raw, empty, used, logits, layer)


def weigh(method: Method, features: Any, gradients: Any) -> Any:
    """Return raw maps (N, h, w) from maps and their gradients (N, h, w, K) float32; tensors."""
    import tensorflow as tf

    return tf.reduce_sum(_weights(method, features, gradients) * features, axis=-1)


def _weights(method: Method, features: Any, gradients: Any) -> Any:
    """Return what to multiply the maps with, (N, h, w, K) or (N, 1, 1, K)."""
    import tensorflow as tf

    if method == "grad-cam":
        return tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    if method == "hires-cam":
        return gradients
    if method == "layer-cam":
        return tf.nn.relu(gradients)
    square = gradients**2
    total = tf.reduce_sum(features, axis=(1, 2), keepdims=True)
    alpha = tf.math.divide_no_nan(square, 2 * square + total * square * gradients)
    alpha = tf.math.divide_no_nan(alpha, tf.reduce_sum(alpha, axis=(1, 2), keepdims=True))
    return tf.reduce_sum(alpha * tf.nn.relu(gradients), axis=(1, 2), keepdims=True)
