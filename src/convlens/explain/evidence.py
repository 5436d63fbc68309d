"""All that explanations of some photos need from one pass through the net and one back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain import score as scoring
from convlens.explain.classifier import Classifier

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """N photos of H × W pixels, seen by a classifier.

    Attributes
    ----------
    size
        (H, W).
    logits
        (N, 1) or (N, C) float32.
    classes
        (N,) int32: the class whose score the gradients are of.
    maps
        Layer name to its maps (N, h, w, K) float32.
    gradients
        Layer name to the gradient of the score by its maps, (N, h, w, K) float32.
    """

    classifier: Classifier
    size: tuple[int, int]
    logits: Floats
    classes: npt.NDArray[np.int32]
    maps: dict[str, Floats]
    gradients: dict[str, Floats]

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Probabilities (N, C) of all classes."""
        return scoring.probabilities(self.logits, self.classifier.ending)


def gather(
    classifier: Classifier,
    images: npt.NDArray[Any],
    layers: Sequence[str],
    asked: Sequence[str] = (),
    *,
    classes: int | npt.NDArray[Any] | None = None,
) -> Evidence:
    """Run `images` (N, H, W, c) in 0..255 forward once, and back once if anything is `asked`.

    Parameters
    ----------
    layers
        Whose maps are wanted.
    asked
        Whose maps and gradients are wanted.
    classes
        One class for all, or one an image (N,); default: the predicted class of each.

    Raises
    ------
    InputError
        For an unknown layer or class, or photos of another shape than the model's.
    """
    names, back = tuple(dict.fromkeys([*layers, *asked])), tuple(dict.fromkeys(asked))
    wanted = scoring.wanted(classifier, classes, len(images))
    slots = {name: classifier.slot(name) for name in names}

    def both(given: Any, asked_for: Any) -> Any:
        import tensorflow as tf

        graph, target = classifier.exact, classifier.logits_slot
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            if back:
                tape.watch(given)
            *found, last = graph.run({classifier.source: given}, [*slots.values(), target])
            logits = classifier.flat(last)
            label = scoring.predicted_unless(asked_for, logits)
            total = scoring.score(logits, label)
        by_name = dict(zip(names, found, strict=True))
        slopes = tape.gradient(
            total, {name: by_name[name] for name in back}, unconnected_gradients="zero"
        )
        return [_grids(classifier, by_name), _grids(classifier, slopes), logits, label]

    run = classifier.compiled(("evidence", names, back), both, classes=True)
    maps, gradients, logits, label = run(classifier.prepare(images), wanted)
    return Evidence(
        classifier, (images.shape[1], images.shape[2]), np.asarray(logits), np.asarray(label),
        {name: np.asarray(maps[name]) for name in names},
        {name: np.asarray(gradients[name]) for name in back},
    )  # fmt: skip


def _grids(classifier: Classifier, tensors: dict[str, Any]) -> dict[str, Any]:
    import tensorflow as tf

    return {
        name: tf.cast(classifier.maps(tensor, name), tf.float32) for name, tensor in tensors.items()
    }
