"""Scores of a user's own photos; one unreadable file harms no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convlens.data import CLASSES
from convlens.data.decode import BadPhotoError, TooManyPixelsError, squashed
from convlens.data.layout import SUFFIXES
from convlens.evaluation.metrics import Scored
from convlens.evaluation.predict import logits
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    import keras

BATCH = 32


@dataclass(frozen=True)
class Prediction:
    """What the model says of one file; `reason` instead where the file can't be read."""

    path: Path
    probability_dog: float = 0.0
    predicted: str = ""
    reason: str = ""


def find(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and the images inside the folders named, in order.

    What is no file stays in the list, so that it is reported like any unreadable photo.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        found.extend(inside or [path])
    return found


def read(path: Path, height: int, width: int) -> NDArray[np.uint8] | str:
    """Return the photo as the model wants it, (height, width, 3), or why it can't be read."""
    if path.is_dir():
        return f"a folder without images ({', '.join(sorted(SUFFIXES))})"
    try:
        return squashed(path.read_bytes(), height, width)
    except BadPhotoError as error:
        return str(error)
    except TooManyPixelsError as error:
        return f"too large: {error}"
    except OSError as error:
        return error.strerror or str(error)


def predict(
    model: keras.Model, paths: Sequence[Path], progress: Progress = silent
) -> Iterator[Prediction]:
    """Yield a prediction for each of `paths`, in order, a batch in memory at a time."""
    height, width = model.input_shape[1:3]
    starts = range(0, len(paths), BATCH)
    for start in progress(starts, what="predicting", unit="batch"):
        batch = paths[start : start + BATCH]
        photos = [read(path, height, width) for path in batch]
        good = [photo for photo in photos if not isinstance(photo, str)]
        values = logits(model, np.stack(good)) if good else np.zeros((0, 2))
        scored = Scored(np.zeros(len(values), np.uint8), values)
        answers = iter(zip(scored.probabilities[:, 1], scored.predicted, strict=True))
        for path, photo in zip(batch, photos, strict=True):
            if isinstance(photo, str):
                yield Prediction(path, reason=photo)
            else:
                probability, label = next(answers)
                yield Prediction(path, float(probability), CLASSES[label])
