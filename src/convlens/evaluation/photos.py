"""Scores of a user's own photos; one unreadable file harms no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convlens.data.archive import MAX_MEMBERS
from convlens.data.decode import BadPhotoError, Decoded, decode
from convlens.data.folder import Listing, listing
from convlens.data.formats import reads_heic
from convlens.data.names import HEIC, suffix, suffixes
from convlens.data.reading import content
from convlens.data.whats_there import heic_hint, number
from convlens.evaluation.scoring import BATCH, PhotoScorer
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Prediction:
    """What the model says of one file; `reason` instead where the file can't be read.

    `probabilities` maps each class, in the model's order, to its probability in 0..1.
    """

    path: Path
    probabilities: Mapping[str, float] = field(default_factory=dict)
    predicted: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Found:
    """The photos that a user named, in order, and sentences on what was left out."""

    paths: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find(paths: Sequence[Path], most: int = MAX_MEMBERS) -> Found:
    """Return the files named, and the photos inside the folders named, in order.

    Folders are read as `convlens inspect` reads them: links are followed, hidden files and our own
    pictures are none. What is no file stays in the list, so that it is reported like any
    unreadable photo.

    Raises
    ------
    InputError
        A folder can't be read, or holds more than `most` files.
    """
    found = Found()
    left_out: list[str] = []
    for path in paths:
        if not path.is_dir():
            found.paths.append(path)
            continue
        inside = listing(path, most)
        unread = [n for n in inside.photos if suffix(n) in HEIC and not reads_heic()]
        photos = [file for name, file in inside.photos.items() if name not in unread]
        found.paths.extend(photos or [path] * (not unread))
        left_out += [*inside.left_out, *unread]
        found.notes.extend(_notes(inside))
    if left_out:
        kinds = _kinds(left_out)
        hint = "" if reads_heic() else heic_hint(left_out)
        found.notes.append(f"{number(len(left_out), 'file')} left out: {kinds}{hint}")
    return found


def _kinds(names: Sequence[str]) -> str:
    """Return the suffixes: ".heic", or with their counts if there are several."""
    kinds = {suffix(name) for name in names}
    return next(iter(kinds)) or "without suffix" if len(kinds) == 1 else suffixes(names)


def _notes(inside: Listing) -> Iterator[str]:
    if inside.own:
        what = "folder of ConvLens' own pictures"
        count = len(inside.own)
        yield f"{count:,} {what if count == 1 else what.replace('folder', 'folders')} skipped"
    for name, reason in inside.unread.items():
        yield f"{name}: a folder that can't be read ({reason})"


def read(path: Path, height: int, width: int) -> Decoded | str:
    """Return the photo as the model wants it, or the reason why it can't be.

    The first bytes decide whether the rest is read at all.
    """
    try:
        return decode(content(path), height, width)
    except BadPhotoError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


def predict(
    model: keras.Model, classes: Sequence[str], paths: Sequence[Path], progress: Progress = silent
) -> Iterator[Prediction]:
    """Yield a prediction for each of `paths`, in order, a batch in memory at a time.

    `classes` are the names of the model's classes.
    """
    scorer = PhotoScorer(model, classes)
    starts = range(0, len(paths), BATCH)
    for start in progress(starts, what="predicting", unit="batch"):
        batch = paths[start : start + BATCH]
        found = scorer({"path": np.array([str(path) for path in batch], object)})
        chances = np.stack([found[f"probability_{name}"] for name in classes], axis=1)
        for path, reason, values in zip(batch, found["reason"], chances, strict=True):
            named = dict(zip(classes, values.tolist(), strict=True))
            label = classes[int(values.argmax())]
            yield Prediction(path, reason=reason) if reason else Prediction(path, named, label)
