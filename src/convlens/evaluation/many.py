"""Scores of any number of photos, here or in object stores, as one Parquet table."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data import stores, table
from convlens.data.reading import Sources
from convlens.engines import Engine
from convlens.evaluation import photos
from convlens.evaluation.scoring import MakePhotoScorer
from convlens.models import heads, refusals
from convlens.progress import Progress, silent
from convlens.runtime import versions


@dataclass
class Many:
    """Photos, each once, in the order of what was named.

    Attributes
    ----------
    marks
        Bytes and time of the last change of each, which tell whether it is still the same.
    stores
        The file system of each store, by what comes before its keys: s3://bucket.
    notes
        Sentences on what was left out.
    """

    marks: dict[str, tuple[int, float]] = field(default_factory=dict)
    stores: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def key(self, *others: Any) -> str:
        """Return a digest of the photos and of all else that a table depends on."""
        digest = hashlib.sha256(json.dumps([versions(), table.BLOCK, *others]).encode())
        for path, mark in self.marks.items():
            digest.update(repr((path, mark)).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:16]


def find(texts: Sequence[str]) -> Many:
    """Return the photos that `texts` name: files, folders, or addresses in object stores.

    Raises
    ------
    InputError
        A folder or a store can't be read.
    """
    many = Many()
    for text in texts:
        if stores.remote(text):
            folder = stores.place(text)
            scheme, _, rest = folder.text.partition("://")
            many.stores[f"{scheme}://{rest.partition('/')[0]}"] = folder.fs
            for place, size, changed in stores.photos(folder):
                many.marks.setdefault(place.text, (size, changed))
        else:
            found = photos.find([Path(text)], most=sys.maxsize)
            many.notes.extend(found.notes)
            for path in found.paths:
                many.marks.setdefault(str(path), _mark(path))
    return many


def _mark(path: Path) -> tuple[int, float]:
    try:
        status = path.stat()
    except OSError:  # it will get its reason
        return -1, 0.0
    return status.st_size, status.st_mtime


def score(
    engine: AbstractContextManager[Engine],
    many: Many,
    model: Path,
    out: str,
    threads: int,
    progress: Progress = silent,
) -> table.Made:
    """Write path, probability_<class>… and reason of each photo to the Parquet file `out`.

    `model` is a .keras file with its classes.json, which the workers get from here. A table that
    is there and of the same photos, model and threads stays as it is, and `engine` unstarted.

    Raises
    ------
    InputError
        There is no such model, `out` can't be written to, or workers die whatever they are given.
    """
    if refusal := refusals.of_the_file(model):
        raise refusal
    content, classes = model.read_bytes(), heads.load_names(model.parent)
    key = many.key("predict", hashlib.sha256(content).hexdigest(), classes, threads)
    make = MakePhotoScorer(model, content, classes, Sources(Path.cwd(), many.stores))
    columns = {"path": np.array(list(many.marks), object)}
    return table.write(engine, make, columns, stores.place(out), key, progress)
