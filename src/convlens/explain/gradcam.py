"""Class-activation heatmaps by one core: how much each place of a layer argues for a class.

All methods weight the layer's maps A (h, w, K) with the gradient G = dS/dA of the class's logit S:

- grad-cam: sum_k mean(G_k) A_k (Selvaraju et al. 2017, equations 1 and 2)
- grad-cam++: sum_k (sum alpha_k relu(G_k)) A_k, alpha = G^2 / (2 G^2 + sum(A) G^3), each alpha_k
  over its sum where the gradient is positive (Chattopadhay et al. 2018, equation 19, and the later
  version of its authors' code): no weight is then negative, as an alpha is so only where G is
- layer-cam: sum_k relu(G_k) A_k (Jiang et al. 2021, equation 5)
- hires-cam: sum_k G_k A_k (Draelos & Carin 2020, equation 4)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError
from convlens.explain import maps as heat
from convlens.explain import score as scoring
from convlens.explain.classifier import Classifier
from convlens.explain.endings import Ending
from convlens.explain.evidence import Evidence, gather
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
    ending
        What the model does to its logits (see `Classifier.ending`).
    """

    maps: npt.NDArray[np.float32]
    raw: npt.NDArray[np.float32]
    empty: npt.NDArray[np.bool_]
    classes: npt.NDArray[np.int32]
    logits: npt.NDArray[np.float32]
    layer: str
    ending: Ending = "logits"

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Probability (N,) that the model gives to the class explained."""
        return scoring.probabilities(self.logits, self.ending)[
            np.arange(len(self.classes)), self.classes
        ]


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
    """Explain `images` (N, H, W, c) in 0..255.

    Parameters
    ----------
    layer
        Any layer with maps; default: `classifier.default_layer`.
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
    parts = []
    for start in progress(range(0, len(images), batch_size), what=f"heatmaps of {layer}"):
        rows = slice(start, start + batch_size)
        asked = None if classes is None else wanted[rows]
        seen = gather(classifier, images[rows], (), [layer], classes=asked)
        parts.append(class_activation(seen, layer, method))
    return joined(parts)


def class_activation(
    seen: Evidence, layer: str, method: Method, classes: int | None = None
) -> Heatmaps:
    """Return the heatmaps that `layer` gives by `method`, from a pass that was already made.

    `classes` may ask for the other class of a model of one logit, whose score is minus the first
    one's.

    Raises
    ------
    InputError
        For a class whose score the pass did not follow back.
    """
    gradients, used = seen.gradients[layer], seen.classes
    if classes is not None:
        used = scoring.wanted(seen.classifier, classes, len(used))
        sign = np.where(used == seen.classes, 1, -1)
        if seen.classifier.width != 1 and (sign < 0).any():
            raise InputError(
                f"model {seen.classifier.name}, class {classes}",
                expected="the class that the gradients are of",
                found=", ".join(map(str, seen.classes)), fix="gather the evidence for that class",
            )  # fmt: skip
        gradients = gradients * sign[:, None, None, None].astype(np.float32)
    raw = np.asarray(weigh(method, seen.maps[layer], gradients))
    placement = seen.classifier.placement(layer, seen.size)
    maps, empty = heat.normalise(heat.place(raw, *seen.size, placement.axes))
    return Heatmaps(maps, raw, empty, used, seen.logits, layer, seen.classifier.ending)


def joined(parts: Sequence[Heatmaps]) -> Heatmaps:
    """Return the heatmaps of several batches of one layer as one."""
    columns = zip(*((p.maps, p.raw, p.empty, p.classes, p.logits) for p in parts), strict=True)
    maps, raw, empty, classes, logits = (np.concatenate(column) for column in columns)
    return Heatmaps(maps, raw, empty, classes, logits, parts[0].layer, parts[0].ending)


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
    alpha = tf.where(gradients > 0, alpha, 0.0)
    alpha = tf.math.divide_no_nan(alpha, tf.reduce_sum(alpha, axis=(1, 2), keepdims=True))
    return tf.reduce_sum(alpha * tf.nn.relu(gradients), axis=(1, 2), keepdims=True)
