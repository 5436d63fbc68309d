"""Drawings and their masks as one zip, the same bytes on every machine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from convlens.data.drawn.masks import mask_name
from convlens.data.drawn.picture import draw
from convlens.files import atomic
from convlens.progress import Progress, silent
from convlens.workers import cores, pool

Key = tuple[str, int, str, int, int]


def write_archive(
    path: Path,
    *,
    counts: Mapping[str, int],
    animals: Sequence[str] = ("cat", "dog"),
    size: int,
    seed: int,
    progress: Progress = silent,
    workers: int | None = None,
) -> None:
    """Write a zip of drawings and masks; the same bytes on every machine.

    Parameters
    ----------
    path
        The archive, written atomically.
    counts
        Drawings of each animal for each split.
    animals
        Some of convlens.data.drawn.animals.ANIMALS.
    size
        Side in pixels.
    workers
        Processes; None for one a core.
    """
    jobs = sorted(
        (f"drawn/{split}/{label}s/{label}.{index:04d}.jpg", (label, seed, split, index, size))
        for split, count in counts.items()
        for label in animals
        for index in range(count)
    )
    masks: dict[str, bytes] = {}
    with (
        atomic(path) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive,
        closing(_encode_all([key for _, key in jobs], workers or cores())) as encoded,
    ):
        drawn = zip(jobs, encoded, strict=True)
        for (name, _), (image, mask) in progress(drawn, what="drawing", total=len(jobs)):
            archive.writestr(zipfile.ZipInfo(name), image)
            masks[mask_name(name)] = mask
        for name, mask in masks.items():
            archive.writestr(zipfile.ZipInfo(name), mask)


def _encode_all(keys: list[Key], workers: int) -> Generator[tuple[bytes, bytes]]:
    if workers == 1:
        yield from map(_encode, keys)
        return
    with pool(workers) as executor:
        yield from executor.map(_encode, keys, chunksize=16)


def _encode(key: Key) -> tuple[bytes, bytes]:
    drawing = draw(*key)
    image, mask = io.BytesIO(), io.BytesIO()
    drawing.image.save(image, "JPEG", quality=92)
    drawing.mask.save(mask, "GIF", optimize=False)  # optimised, it renumbers the parts
    return image.getvalue(), mask.getvalue()
