"""What a training minimises and what it reports, for one logit and for a logit a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlens.models import heads

if TYPE_CHECKING:
    import keras


def objective(model: keras.Model, label_smoothing: float) -> tuple[Any, list[keras.metrics.Metric]]:
    """Return the smoothed cross-entropy, and log loss (nats) and accuracy without smoothing.

    Labels are what `convlens.data.dataset.targets` gives. Smoothing s takes s of the true class's
    probability and shares it out among all classes.
    Source: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7.
    """
    import keras

    losses, metrics = keras.losses, keras.metrics
    if heads.count(model) == 2:
        return losses.BinaryCrossentropy(from_logits=True, label_smoothing=label_smoothing), [
            metrics.BinaryCrossentropy(from_logits=True, name="log_loss"),
            metrics.BinaryAccuracy(threshold=0.0, name="accuracy"),
        ]
    return losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing), [
        metrics.CategoricalCrossentropy(from_logits=True, name="log_loss"),
        metrics.CategoricalAccuracy(name="accuracy"),
    ]
