"""Batch functions over photos: paths in, pixels or probabilities out, and a reason for bad ones."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convlens.data.decode import BadPhotoError, decode
from convlens.data.reading import Sources
from convlens.data.stores import StoreError
from convlens.engines import Batch, Function, in_batches
from convlens.evaluation.metrics import Scored
from convlens.evaluation.predict import logits
from convlens.models import heads, keras_file

if TYPE_CHECKING:
    import keras

BATCH = 32  # photos a step of the net, at most
_PIXELS = 400_000  # as many in a worker's: 17 photos of 150 × 150


def decoded(batch: Batch, height: int, width: int, sources: Sources) -> Batch:
    """Read and decode photos.

    Parameters
    ----------
    batch
        path (N,), of a file or in a store. Perhaps reason (N,): "", or why a photo is not to be
        touched.

    Returns
    -------
    Batch
        pixels (N, H, W, 3) uint8; reason (N,): "", or why a photo can't be read; again (N,) bool:
        whether another day it may be.
    """
    count = len(batch["path"])
    pixels = np.zeros((count, height, width, 3), np.uint8)
    reasons = np.array(batch.get("reason", [""] * count), object)
    again = np.zeros(count, bool)
    for row, path in enumerate(batch["path"]):
        if reasons[row]:
            continue
        try:
            pixels[row] = decode(sources.content(path), height, width).pixels
        except BadPhotoError as error:
            reasons[row] = str(error)
        except OSError as error:
            reasons[row] = error.strerror or str(error)
            again[row] = isinstance(error, StoreError)
    return {"pixels": pixels, "reason": reasons, "again": again}


class PhotoScorer:
    """Adds to the path of each photo what a model says of it.

    Takes a batch of `decoded`. Returns probability_<class> (N,) float64 for each of `classes`, NaN
    where a photo can't be read, and decoded's reason and again.
    """

    def __init__(
        self, model: keras.Model, classes: Sequence[str], sources: Sources | None = None
    ) -> None:
        self.model, self.classes, self.sources = model, tuple(classes), sources or Sources()

    def __call__(self, batch: Batch) -> Batch:
        height, width = self.model.input_shape[1:3]
        seen = decoded(batch, height, width, self.sources)
        good = seen["reason"] == ""
        chances = np.full((len(good), len(self.classes)), np.nan)
        if good.any():
            values = logits(self.model, seen["pixels"][good])
            chances[good] = Scored(np.zeros(len(values), np.uint8), values).probabilities
        named = {f"probability_{name}": chances[:, k] for k, name in enumerate(self.classes)}
        return named | {"reason": seen["reason"], "again": seen["again"]}


@dataclass(frozen=True)
class MakePhotoScorer:
    """Makes a worker's scorer. It holds the model file's bytes, so that no disk need be shared."""

    file: Path
    model: bytes
    classes: tuple[str, ...]
    sources: Sources

    def __call__(self) -> Function:
        self.sources.check()
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / self.file.name
            copy.write_bytes(self.model)
            net = keras_file.load(copy)
        heads.check_names(self.file.parent / heads.NAMES, self.classes, net)
        height, width = net.input_shape[1:3]
        step = max(1, min(BATCH, _PIXELS // (height * width)))
        return in_batches(PhotoScorer(net, self.classes, self.sources), step)
