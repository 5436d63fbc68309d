"""How fast `prepare` imports photos, against a plain loop, and how much memory it takes.

    python benchmarks/import_speed.py [1000 5000 25000]

Each archive holds synthetic JPEGs of 500 × 375 pixels, about as large as the public photos'. The
plain loop is what a script would do: one process, Pillow, open, convert, resize, into one array.
Both do the same decoding; prepare also checks, hashes, looks for copies, splits and writes.
"""

import io
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops

from convlens.data.ingest import prepare
from convlens.params import DataParams, SplitSizes

SIZES = (1000, 5000, 25000)
SIDE = 150
PLAIN_AT_MOST = 5000  # its speed does not change after that, only its memory


def write_archive(path: Path, count: int) -> None:
    """Write `count` pictures that look like no other's: blobs of colour under one grain."""
    draws = np.random.default_rng(0)
    grain = Image.fromarray(draws.integers(0, 40, (375, 500, 3), dtype=np.uint8))
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            label = ("cat", "dog")[number % 2]
            coarse = Image.fromarray(draws.integers(0, 216, (9, 12, 3), dtype=np.uint8))
            smooth = coarse.resize(grain.size, Image.Resampling.BILINEAR)
            out = io.BytesIO()
            ImageChops.add(smooth, grain).save(out, "JPEG", quality=75)
            archive.writestr(f"PetImages/{label}/{number}.jpg", out.getvalue())


def plain_loop(path: Path, count: int) -> None:
    """Decode the first `count` photos in one process."""
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    with zipfile.ZipFile(path) as archive:
        for row, name in enumerate(archive.namelist()[:count]):
            image = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
            images[row] = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def import_all(path: Path, count: int) -> None:
    """Run the whole of `prepare`."""
    del count
    params = DataParams(
        source="archive", archive=str(path), sha256=None, seed=7, image_size=SIDE,
        split=SplitSizes(train=0.6, validation=0.2, test=0.2), max_bad_fraction=0.05, examples=4,
    )  # fmt: skip
    prepare(path, path.with_name("prepared"), params)


WORK = {"plain": plain_loop, "prepare": import_all}


def _measure(work: str, path: Path, count: int) -> None:
    """Print photos a second and the peak memory in MiB of this process and its workers."""
    start = time.perf_counter()
    WORK[work](path, count)
    seconds = time.perf_counter() - start
    own, largest_worker = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(count / seconds, own + largest_worker * len(os.sched_getaffinity(0)))


def _apart(work: str, path: Path, count: str) -> tuple[float, float]:
    """Measure in a fresh process: peak memory never goes down, and is inherited."""
    command = [sys.executable, __file__, "--measure", work, str(path), count]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    speed, peak = map(float, found.stdout.split())
    return speed, peak


def main(sizes: tuple[int, ...]) -> None:
    """Print one row a size."""
    print(f"{'photos':>7} {'plain loop':>12} {'prepare':>12} {'ratio':>6} {'peak memory':>12}")
    for count in sizes:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "source.zip"
            write_archive(archive, count)
            plain, _ = _apart("plain", archive, str(min(count, PLAIN_AT_MOST)))
            speed, peak = _apart("prepare", archive, str(count))
            print(
                f"{count:>7,} {plain:>8.0f} /s {speed:>9.0f} /s {speed / plain:>6.2f}"
                f" {peak:>8.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
