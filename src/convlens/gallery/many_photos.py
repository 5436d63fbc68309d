"""Any number of photos explained: pictures of each, here or in an object store, and one table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data import stores, table
from convlens.data.decode import BadPhotoError
from convlens.data.names import printable
from convlens.data.reading import Sources
from convlens.data.stores import Place, StoreError
from convlens.engines import Batch, Engine
from convlens.evaluation.many import Many
from convlens.gallery.own_photos import Explainer, Seen, photo_of, unique
from convlens.progress import Progress, silent

TABLE = "explained.parquet"
BLOCK = 32  # photos; what a killed worker loses at most


@dataclass(frozen=True)
class Pictures:
    """Which pictures are wanted, as `Explainer.write` takes it."""

    every_channel: bool = False
    arrays: bool = False


class PhotoWriter:
    """A batch function that writes the pictures of photos to `out`/folder.

    Takes path, folder and reason (N,). Returns folder, probability_<class> for each class, NaN
    where a photo can't be read, reason, and again: whether another day it may be.
    """

    def __init__(
        self, explainer: Explainer, sources: Sources, out: Place, pictures: Pictures
    ) -> None:
        sources.check()
        self.explainer, self.sources, self.out, self.pictures = explainer, sources, out, pictures

    def __call__(self, batch: Batch) -> Batch:
        classes = self.explainer.classifier.classes
        count = len(batch["path"])
        chances = np.full((count, len(classes)), np.nan)
        reasons, again = np.array(batch["reason"], object), np.zeros(count, bool)
        for row, (path, folder) in enumerate(zip(batch["path"], batch["folder"], strict=True)):
            if reasons[row]:
                continue
            try:
                seen = self._see(path)
            except BadPhotoError as error:
                reasons[row] = str(error)
            except OSError as error:
                reasons[row] = error.strerror or str(error)
                again[row] = isinstance(error, StoreError)
            else:
                self._write(seen, folder)
                chances[row] = seen.evidence.probabilities[0]
        named = {f"probability_{name}": chances[:, k] for k, name in enumerate(classes)}
        return {"folder": batch["folder"], **named, "reason": reasons, "again": again}

    def _see(self, path: str) -> Seen:
        content = self.sources.content(path)
        return self.explainer.see(photo_of(content, Path(path).stem, self.explainer.classifier))

    def _write(self, seen: Seen, folder: str) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            self.explainer.write(seen, Path(scratch), **vars(self.pictures))
            for file in sorted(Path(scratch).rglob("*")):
                if file.is_file():
                    name = file.relative_to(scratch).as_posix()
                    (self.out / folder / name).write(file)


def explain(
    engine: AbstractContextManager[Engine],
    many: Many,
    explainer: Explainer,
    out: str,
    pictures: Pictures,
    key: Sequence[Any],
    progress: Progress = silent,
) -> table.Made:
    """Write the pictures of each photo to `out`/NAME/MODEL and all answers to `out`/TABLE.

    `key` says of the model and of how it is asked whatever decides the pictures.

    Raises
    ------
    InputError
        `out` can't be written to, or workers die whatever they are given.
    """
    stems = unique(printable(Path(path).stem) for path in many.marks)
    folders = [f"{stem}/{explainer.classifier.name}" for stem in stems]
    place = stores.place(out)
    sources = Sources(Path.cwd(), many.stores)
    make = partial(PhotoWriter, explainer, sources, place, pictures)
    columns = {"path": np.array(list(many.marks), object), "folder": np.array(folders, object)}
    digest = many.key("explain", *key, *vars(pictures).values())
    return table.write(engine, make, columns, place / TABLE, digest, progress, block=BLOCK)
