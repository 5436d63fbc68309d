"""All that a page on one photo needs from one pass through the net and one back.

The same maps as `gradcam.heatmaps` gives layer by layer, several times faster. Compiled, since
TensorFlow leaves out the gradients by the weights only in a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convlens.explain import layers as model_layers
from convlens.explain import maps as heat
from convlens.explain import score as scoring
from convlens.explain.geometry import Geometry, geometry
from convlens.explain.gradcam import Method, weigh

Floats = npt.NDArray[np.float32]


class Pass(NamedTuple):
    """One photo of H × W pixels.

    Attributes
    ----------
    logits
        (1, 1) or (1, C) float32.
    label
        The predicted class.
    maps
        Layer name to its maps (h, w, K) float32.
    gradients
        Layer name to the gradient of the predicted class's score by its maps, (h, w, K).
    """

    logits: Floats
    label: int
    maps: dict[str, Floats]
    gradients: dict[str, Floats]
    places: dict[str, tuple[Geometry, Geometry]]
    size: tuple[int, int]

    @property
    def probability(self) -> float:
        """What the model gives to the predicted class."""
        return float(scoring.probabilities(self.logits)[0, self.label])

    def heatmap(self, layer: str, method: Method, *, against: bool = False) -> heat.Maps:
        """Return the evidence (H, W) for the predicted class, scaled to a maximum of 1.

        `against` asks a model of two classes for the evidence for the other one, whose score is
        minus the first one's.
        """
        gradients = -self.gradients[layer] if against else self.gradients[layer]
        raw = np.asarray(weigh(method, self.maps[layer][None], gradients[None]))
        maps, _ = heat.normalise(heat.place(raw, *self.size, self.places[layer]))
        return np.asarray(maps[0])


def one_pass(
    model: Any, names: Sequence[str], asked: Sequence[str]
) -> Callable[[npt.NDArray[Any]], Pass]:
    """Return a function from a photo (H, W, 3), RGB in 0..255, to its `Pass`.

    Parameters
    ----------
    names
        Layers whose maps are wanted.
    asked
        Layers whose gradients are wanted too.

    Raises
    ------
    InputError
        For an unknown layer, one without spatial axes, or a model that does not end in logits.
    """
    import keras
    import tensorflow as tf

    scoring.check_logits(model)
    everything = list(dict.fromkeys([*names, *asked]))
    outputs = dict(zip(everything, model_layers.outputs(model, everything), strict=True))
    part = keras.Model(model.inputs, [outputs, model.output])
    places = geometry(model)

    @tf.function  # type: ignore[untyped-decorator]
    def forward_and_back(image: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            maps, logits = part(image, training=False)
            label = scoring.predicted_unless(tf.constant([-1]), logits)
            score = scoring.score(logits, label)
        gradients = tape.gradient(
            score, {name: maps[name] for name in asked}, unconnected_gradients="zero"
        )
        return logits, label, maps, gradients

    def run(photo: npt.NDArray[Any]) -> Pass:
        logits, label, maps, gradients = forward_and_back(tf.constant(photo[None], tf.float32))
        return Pass(
            np.asarray(logits, np.float32), int(label[0]), _arrays(maps), _arrays(gradients),
            places, (photo.shape[0], photo.shape[1]),
        )  # fmt: skip

    return run


def _arrays(tensors: dict[str, Any]) -> dict[str, Floats]:
    return {name: np.asarray(values[0], np.float32) for name, values in tensors.items()}
