"""Data source `drawn`: cats and dogs drawn by a program, with the parts of each known by pixel.

They differ by shape alone (ears, muzzle, eyes, whiskers, tongue, tail); pose, place, fur, light,
background and occluder come from one distribution that does not know the class.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import threading
import zipfile
from collections.abc import Generator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from convlens.data import CLASSES
from convlens.data.drawn_background import draw_background
from convlens.data.drawn_body import Body
from convlens.data.drawn_canvas import OVERSAMPLING, PARTS, Canvas, Dice
from convlens.data.drawn_cat import draw_cat
from convlens.data.drawn_dog import draw_dog
from convlens.data.drawn_face import Head
from convlens.data.drawn_occluder import draw_occluder
from convlens.data.drawn_scene import Scene, sample
from convlens.files import atomic
from convlens.progress import Progress, silent

__all__ = ["PARTS", "Drawing", "animal_mask", "class_parts", "draw", "mask_name", "write_archive"]

# One colour a part, in the order of PARTS, so that a mask is a picture too.
PALETTE = bytes.fromhex("101018 cab28e f0c878 e26050 5abedc fa96aa fafafa d6325a 9678c8 78aa6e")
HEADS = {"cat": draw_cat, "dog": draw_dog}


Key = tuple[str, int, str, int, int]


@dataclass(frozen=True)
class Drawing:
    """A drawing: `image` RGB and `mask` P (pixel value = index in PARTS), both size x size."""

    image: Image.Image
    mask: Image.Image


def draw(label: str, seed: int, split: str, index: int, size: int) -> Drawing:
    """Draw one animal, determined by the arguments alone.

    Parameters
    ----------
    label
        "cat" or "dog".
    seed, split, index
        The key of the drawing, together with the label.
    size
        Side in pixels.
    """
    key = (seed, split, label, index)
    scene = sample(Dice(*key, "scene"), size * OVERSAMPLING)
    canvas = Canvas(size, scene.light)
    draw_background(canvas, scene, Dice(*key, "background"))
    shape = Dice(*key, "shape")
    Body(label, canvas, scene, shape).draw()
    HEADS[label](Head(canvas, scene.body.inner(0, 0, 1, scene.tilt), scene, shape))
    _comb(canvas, Dice(*key, "fur"))
    draw_occluder(canvas, scene, Dice(*key, "occluder"))
    image = Image.fromarray(_lit(canvas, scene, Dice(*key, "noise")))
    mask = Image.fromarray(canvas.finished_mask()).convert("P")
    mask.putpalette(PALETTE)
    return Drawing(image, mask)


def _comb(canvas: Canvas, dice: Dice) -> None:
    """Lay fine streaks of hair over the furry parts."""
    coarse = dice.noise(0, 36, (canvas.side // 9, canvas.side // 3)).astype(np.uint8)
    streaks = Image.fromarray(coarse).resize(canvas.picture.size, Image.Resampling.BILINEAR)
    grey = Image.merge("RGB", [streaks] * 3)
    combed = ImageChops.add(canvas.picture, grey, 1.0, -18)
    furry = [255 * (i in _FURRY) for i in range(256)]
    canvas.picture.paste(combed, mask=canvas.mask.point(furry))


_FURRY = {PARTS[part] for part in ("body", "head", "ears", "tail", "legs")}


def _lit(canvas: Canvas, scene: Scene, dice: Dice) -> NDArray[np.uint8]:
    """Reduce the canvas to its size, with a gradient of light and a grain of ± 3 levels."""
    size = canvas.size
    pixels = np.asarray(canvas.picture.reduce(OVERSAMPLING)).astype(np.int32)
    first, last = scene.brightness
    ramp = first + (last - first) * np.arange(size, dtype=np.int32) // size
    gain = ramp[:, None] * np.array(scene.balance, dtype=np.int32) // 256
    pixels = pixels * gain // 256 + dice.noise(-3, 3, (size, size, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def animal_mask(mask: Image.Image) -> NDArray[np.bool_]:
    """Return where the animal is visible: bool (size, size)."""
    animal: NDArray[np.bool_] = np.asarray(mask) != PARTS["background"]
    return animal


def class_parts(mask: Image.Image) -> NDArray[np.bool_]:
    """Return the parts that tell a cat from a dog, ears and muzzle: bool (size, size)."""
    return np.isin(np.asarray(mask), [PARTS["ears"], PARTS["muzzle"]])


def mask_name(path: str) -> str:
    """Return the entry of a picture's mask: drawn/…/cat.0001.jpg → masks/drawn/…/cat.0001.gif."""
    return str("masks" / PurePosixPath(path).with_suffix(".gif"))


def write_archive(
    path: Path,
    *,
    counts: Mapping[str, int],
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
        Drawings a class for each split.
    size
        Side in pixels.
    workers
        Processes; None for one a core.
    """
    jobs = sorted(
        (f"drawn/{split}/{label}s/{label}.{index:04d}.jpg", (label, seed, split, index, size))
        for split, count in counts.items()
        for label in CLASSES
        for index in range(count)
    )
    masks: dict[str, bytes] = {}
    with (
        atomic(path) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive,
        closing(_encode_all([key for _, key in jobs], workers or os.cpu_count() or 1)) as encoded,
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
    # Spawned, because forking a process that has TensorFlow's threads can hang.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker)
    try:
        yield from pool.map(_encode, keys, chunksize=16)
    finally:
        pool.shutdown(cancel_futures=True)


def _encode(key: Key) -> tuple[bytes, bytes]:
    drawing = draw(*key)
    image, mask = io.BytesIO(), io.BytesIO()
    drawing.image.save(image, "JPEG", quality=92)
    drawing.mask.save(mask, "GIF", optimize=False)  # optimised, it renumbers the parts
    return image.getvalue(), mask.getvalue()


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=partial(_end_after, parent.sentinel), daemon=True).start()


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
