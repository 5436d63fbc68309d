"""Logits of many images, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Split, plain_batches
from convlens.evaluation.metrics import Scored, of_two
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    import keras


def score(
    model: keras.Model,
    split: Split,
    batch_size: int = 64,
    progress: Progress = silent,
    *,
    mirrored: bool = False,
) -> Scored:
    """Return the logits of `model` for every image of `split`, or its mirror image, in order."""
    along = slice(None, None, -1 if mirrored else 1)
    batches = plain_batches(split, batch_size)
    total = -(-len(split) // batch_size)
    parts = [
        logits(model, np.ascontiguousarray(images[:, :, along]))
        for images, _ in progress(batches, what="evaluating", total=total, unit="batch")
    ]
    return Scored(split.labels, np.concatenate(parts))


def logits(model: keras.Model, images: NDArray[Any]) -> NDArray[np.float64]:
    """Return logits (N, C) for one batch of images (N, S, S, 3) in 0..255."""
    found = np.asarray(model.predict_on_batch(images), dtype=np.float64)
    return of_two(found) if found.shape[1] == 1 else found
