"""Decode every photo of an archive once, on all cores, into one scratch file of pixel rows."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from convlens.data.archive import open_archive, read
from convlens.data.decode import BadPhotoError, decode
from convlens.data.duplicates import perceptual_hash, thumbnail
from convlens.engines import Batch, Engine, survived
from convlens.progress import Progress, silent
from convlens.workers import pool

BATCH = 16  # photos a task: enough to make the hand-over between processes cheap


@dataclass(frozen=True)
class Scan:
    """What one photo turned out to be; `reason` is None when it was decoded."""

    path: str
    sha256: str
    reason: str | None
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    phash: int = 0
    thumb: bytes = b""


class _Worker:
    """One process's open archive and scratch file.

    A batch function too: {"row", "name"} (n,) to {"scan"} (n,).
    """

    def __init__(self, archive: Path, scratch: Path | None, size: int) -> None:
        self.size = size
        self.archive = open_archive(archive)
        self.scratch = None if scratch is None else scratch.open("r+b", buffering=0)

    def close(self) -> None:
        self.archive.close()
        if self.scratch:
            self.scratch.close()

    def __call__(self, batch: Batch) -> Batch:
        rows = zip(batch["row"], batch["name"], strict=True)
        return {"scan": np.array([self.scan(int(row), name) for row, name in rows], object)}

    def scan(self, row: int, name: str) -> Scan:
        content = read(self.archive, name)
        if content is None:
            return Scan(name, "", self.archive.faults.get(name, "damaged in the archive"))
        digest = hashlib.sha256(content).hexdigest()
        try:
            photo = decode(content, self.size)
        except BadPhotoError as error:
            return Scan(name, digest, str(error))
        # written, not memory-mapped: pages written through a map would count as resident memory
        if self.scratch:
            self.scratch.seek(row * photo.pixels.nbytes)
            self.scratch.write(photo.pixels.tobytes())
        grey = Image.fromarray(photo.pixels).convert("L")
        return Scan(
            name, digest, None, photo.format, photo.mode, photo.width, photo.height,
            perceptual_hash(grey), thumbnail(grey),
        )  # fmt: skip


def scan(
    archive: Path,
    names: Sequence[str],
    scratch: Path | None,
    size: int,
    *,
    workers: int = 1,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> list[Scan]:
    """Decode the members `names`; row i of `scratch` becomes names[i] as uint8 (size, size, 3).

    Without a scratch file only the findings are kept. They and the bytes of `scratch` do not
    depend on `workers`, processes of this machine, nor on the `engine` that does it instead if
    there is one, on machines that share the disk. Rows of photos that cannot be decoded are holes.
    """
    if scratch:
        with scratch.open("wb") as empty:
            empty.truncate(len(names) * size * size * 3)
    workers = min(workers, math.ceil(len(names) / BATCH))
    setup = (archive.absolute(), scratch and scratch.absolute(), size)
    if engine:
        found = _by_engine(engine, setup, names)
    else:
        found = (_parallel if workers > 1 else _serial)(setup, names, workers)
    return list(progress(found, what="decode photos", total=len(names), unit="photos"))


def _serial(
    setup: tuple[Path, Path | None, int], names: Sequence[str], workers: int
) -> Iterator[Scan]:
    del workers
    worker = _Worker(*setup)
    try:
        for row, name in enumerate(names):
            yield worker.scan(row, name)
    finally:
        worker.close()


def _parallel(
    setup: tuple[Path, Path | None, int], names: Sequence[str], workers: int
) -> Iterator[Scan]:
    batches = [(row, names[row : row + BATCH]) for row in range(0, len(names), BATCH)]
    with pool(workers, _open, *setup) as executor:
        for scans in executor.map(_scan_batch, batches):
            yield from scans


def _by_engine(
    engine: Engine, setup: tuple[Path, Path | None, int], names: Sequence[str]
) -> Iterator[Scan]:
    blocks: list[Batch] = [
        {"row": np.arange(k, k + len(names[k : k + BATCH])),
         "name": np.array(names[k : k + BATCH], object)}
        for k in range(0, len(names), BATCH)
    ]  # fmt: skip
    waiting: dict[int, Batch] = {}
    due = 0
    for number, found in engine.map(partial(_Worker, *setup), blocks):
        waiting[number] = survived(found, blocks[number])
        while due in waiting:
            yield from waiting.pop(due)["scan"]
            due += 1


_worker: _Worker


def _open(archive: Path, scratch: Path | None, size: int) -> None:
    global _worker  # a worker process has no other place to keep its open files
    _worker = _Worker(archive, scratch, size)


def _scan_batch(batch: tuple[int, Sequence[str]]) -> list[Scan]:
    first, names = batch
    return [_worker.scan(row, name) for row, name in enumerate(names, start=first)]
