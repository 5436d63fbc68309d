"""The number an explanation starts from: the logit of a class, never its probability.

A binary model gives one logit (N, 1) for class 1; the score of class 0 is minus that logit. A
model of C > 1 classes gives logits (N, C), before any softmax.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError

if TYPE_CHECKING:
    from convlens.explain.classifier import Classifier
    from convlens.explain.endings import Ending


def probabilities(
    logits: npt.NDArray[np.float32], ending: Ending = "logits"
) -> npt.NDArray[np.float64]:
    """Turn logits (N, 1) or (N, C) into probabilities (N, 2) or (N, C).

    Rows add up to 1, but for several logits of a model that ends in a sigmoid, whose classes
    don't exclude each other.
    """
    if ending == "sigmoid" and logits.shape[1] > 1:
        return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))))
    two = (
        np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits
    )
    shifted = np.exp(two.astype(np.float64) - two.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def wanted(
    classifier: Classifier, classes: int | npt.NDArray[Any] | None, count: int
) -> npt.NDArray[np.int32]:
    """Return the class asked for, (count,) int32, for each image; -1 where it is the predicted one.

    Raises
    ------
    InputError
        If the model has no such class.
    """
    if classes is None:
        return np.full(count, -1, dtype=np.int32)
    asked = np.broadcast_to(np.asarray(classes), (count,))
    known = len(classifier.classes)
    whole = asked.dtype.kind in "iu"
    for unknown in asked if not whole else asked[(asked < 0) | (asked >= known)][:1]:
        raise InputError(
            f"model {classifier.name}, class {unknown}",
            expected=f"a class from 0 to {known - 1}",
            found=str(unknown),
            fix="name a class that the model knows",
        )
    return asked.astype(np.int32)


def score(logits: Any, classes: Any) -> Any:
    """Return the scores (N,) of `classes` (N,) as a differentiable tensor."""
    import tensorflow as tf

    logits = tf.cast(logits, tf.float32)
    if logits.shape[-1] == 1:
        return logits[:, 0] * tf.cast(2 * classes - 1, tf.float32)
    return tf.gather(logits, classes, axis=1, batch_dims=1)


def predicted_unless(wanted: Any, logits: Any) -> Any:
    """Replace every -1 in `wanted` (N,) by the class with the largest logit (N,) int32."""
    import tensorflow as tf

    if logits.shape[-1] == 1:
        predicted = tf.cast(logits[:, 0] > 0, tf.int32)
    else:
        predicted = tf.argmax(logits, axis=1, output_type=tf.int32)
    return tf.where(wanted < 0, predicted, wanted)
