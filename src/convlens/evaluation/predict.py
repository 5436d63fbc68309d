"""Logits of many images, in bounded memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Split
from convlens.engines import Batch, Engine, survived
from convlens.engines.local import LOCAL
from convlens.evaluation.metrics import Scored, of_two
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    import keras


def score(
    model: keras.Model,
    split: Split,
    batch_size: int = 32,
    progress: Progress = silent,
    *,
    mirrored: bool = False,
    engine: Engine = LOCAL,
) -> Scored:
    """Return the logits of `model` for every image of `split`, or its mirror image, in order."""
    starts = range(0, len(split), batch_size)
    blocks = [{"row": np.arange(k, min(k + batch_size, len(split)))} for k in starts]
    parts: list[Any] = [None] * len(blocks)
    made = engine.map(partial(_SplitLogits, model, split, mirrored), blocks)
    for number, batch in progress(made, what="evaluating", total=len(blocks), unit="batch"):
        parts[number] = survived(batch, blocks[number])["logits"]
    return Scored(split.labels, np.concatenate(parts))


class _SplitLogits:
    """A batch function: {"row"} (n,), which follow each other, to {"logits"} (n, C)."""

    def __init__(self, model: keras.Model, split: Split, mirrored: bool) -> None:
        self.model, self.split, self.along = model, split, slice(None, None, -1 if mirrored else 1)

    def __call__(self, batch: Batch) -> Batch:
        first, last = int(batch["row"][0]), int(batch["row"][-1])
        images = np.ascontiguousarray(self.split.images[first : last + 1])
        return {"logits": logits(self.model, np.ascontiguousarray(images[:, :, self.along]))}


def logits(model: keras.Model, images: NDArray[Any]) -> NDArray[np.float64]:
    """Return logits (N, C) for one batch of images (N, S, S, 3) in 0..255."""
    found = np.asarray(model.predict_on_batch(images), dtype=np.float64)
    return of_two(found) if found.shape[1] == 1 else found
