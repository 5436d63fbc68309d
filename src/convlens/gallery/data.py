"""The data report: what was prepared, what was refused, and what looks alike, as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from convlens import files
from convlens.data import SPLITS
from convlens.data.archive import open_archive, read
from convlens.data.decode import FILTER, glimpse
from convlens.gallery import data_charts, style
from convlens.gallery.rows import Picture

BLOCK = 256
BIN = 8  # grey levels
CELL = 50  # pixels
ROWS_A_SPLIT = {"train": 4, "validation": 2, "test": 2}
SHOWN = 24
Rows = list[dict[str, str]]


def write(archive: Path, prepared: Path, out: Path) -> None:
    """Write the report on the folder `prepared`, made of `archive`, to the folder `out`.

    Writes counts, sizes and brightness (each .png and .csv), contact/CLASS.png,
    quarantine.png and duplicates.png, each of them whole or not at all.
    """
    data = files.read_json(prepared / "data.json")
    manifest = files.read_csv(prepared / "manifest.csv")
    _write_tables(data, manifest, prepared, out)
    for label in _classes(data):
        _write_contact_sheet(label, manifest, prepared, _kind(data), out / "contact")
    _write_quarantine(archive, files.read_csv(prepared / "quarantine.csv"), out)
    dropped = files.read_csv(prepared / "duplicates.csv")
    _write_duplicates(archive, manifest, dropped, out)


def _classes(data: dict[str, Any]) -> list[str]:
    return list(data["counts"][SPLITS[0]])


def _kind(data: dict[str, Any]) -> str:
    return "drawings" if data["source"] == "drawn" else "photos"


def _write_tables(data: dict[str, Any], manifest: Rows, prepared: Path, out: Path) -> None:
    kind = _kind(data)
    rows = [
        {"split": split, "label": label, "count": data["counts"][split][label]}
        for split in SPLITS
        for label in _classes(data)
    ]
    files.write_csv(out / "counts.csv", ("split", "label", "count"), rows)
    title = f"{len(manifest):,} {kind} by split and class"
    style.save(data_charts.counts(data["counts"], title), out / "counts.png")
    _write_brightness(manifest, prepared, data, out)
    _write_sizes(manifest, data, out)


def _write_brightness(manifest: Rows, prepared: Path, data: dict[str, Any], out: Path) -> None:
    classes = _classes(data)
    levels = np.concatenate([_brightness(prepared / f"{split}.npy") for split in SPLITS])
    labels = np.array([row["label"] for row in manifest])
    by_label = {label: levels[labels == label] for label in classes}
    bins = {c: np.bincount(by_label[c] // BIN, minlength=256 // BIN) for c in classes}
    rows = [
        {"brightness": index * BIN, **{label: int(bins[label][index]) for label in classes}}
        for index in range(256 // BIN)
    ]
    files.write_csv(out / "brightness.csv", ("brightness", *classes), rows)
    title = f"Brightness of the {_kind(data)}"
    style.save(data_charts.brightness(by_label, title), out / "brightness.png")


def _write_sizes(manifest: Rows, data: dict[str, Any], out: Path) -> None:
    original = {
        label: np.array(
            [(int(r["width"]), int(r["height"])) for r in manifest if r["label"] == label]
        )
        for label in _classes(data)
    }
    cells = Counter(
        (width // CELL * CELL, height // CELL * CELL, label)
        for label, points in original.items()
        for width, height in points.tolist()
    )
    rows = [
        {"width": width, "height": height, "label": label, "count": count}
        for (width, height, label), count in sorted(cells.items())
    ]
    files.write_csv(out / "sizes.csv", ("width", "height", "label", "count"), rows)
    title = f"Sizes of the {_kind(data)} before preparation"
    style.save(data_charts.sizes(original, data["image_size"], title), out / "sizes.png")


def _blocks(path: Path) -> Iterator[np.ndarray]:
    count = len(np.load(path, mmap_mode="r"))
    for start in range(0, count, BLOCK):
        # a new map each time: pages read through one map would all stay resident
        yield np.array(np.load(path, mmap_mode="r")[start : start + BLOCK])


def _brightness(path: Path) -> np.ndarray:
    """Return the mean ITU-R BT.601 luma of each image, in whole levels: int64 (N,)."""
    weights = np.array((299, 587, 114))
    means = [
        block.sum(axis=(1, 2), dtype=np.int64) @ weights // (1000 * block[0, ..., 0].size)
        for block in _blocks(path)
    ]
    return np.concatenate(means)


def _write_contact_sheet(label: str, manifest: Rows, prepared: Path, kind: str, out: Path) -> None:
    shown: list[tuple[str, np.ndarray]] = []
    for split in SPLITS:
        labels = [row["label"] for row in manifest if row["split"] == split]
        there = np.flatnonzero(np.array(labels) == label)
        count = min(ROWS_A_SPLIT[split] * data_charts.COLUMNS, len(there))
        images = np.load(prepared / f"{split}.npy", mmap_mode="r")
        small = np.stack(
            [_resized(images[i]) for i in there[np.arange(count) * len(there) // count]]
        )
        for start in range(0, count, data_charts.COLUMNS):
            shown.append(("" if start else split, small[start : start + data_charts.COLUMNS]))
    heading = f"{label}: {kind}"
    note = "evenly spaced over each split, as the models get them"
    style.save(data_charts.contact_sheet(shown, heading, note), out / f"{label}.png")


def _resized(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((data_charts.CELL, data_charts.CELL), FILTER))


def _write_quarantine(archive: Path, rows: Rows, out: Path) -> None:
    with open_archive(archive) as opened:
        pictures = [
            Picture(
                glimpse(read(opened, row["path"]) or b"", 150),
                f"{_short(row['path'])}\n{row['reason']}",
            )
            for row in rows[:SHOWN]
        ]
    note = f"{len(rows)} images are not used; the first {len(pictures)}, as far as they can be seen"
    style.save(data_charts.captioned(pictures, 6, "Quarantine", note), out / "quarantine.png")


def _write_duplicates(archive: Path, manifest: Rows, dropped: Rows, out: Path) -> None:
    pairs = [(row["kept"], row["path"], f"left out: {row['reason']}") for row in dropped]
    first: dict[str, dict[str, str]] = {}
    for row in manifest:
        other = first.setdefault(row["group"], row)
        if other is not row:
            pairs.append(
                (other["path"], row["path"], f"stays, looks the same; both in {row['split']}")
            )
    with open_archive(archive) as opened:
        pictures = [
            Picture(glimpse(read(opened, path) or b"", 150), f"{_short(path)}\n{caption}")
            for kept, copy, reason in pairs[: SHOWN // 2]
            for path, caption in ((kept, "stays"), (copy, reason))
        ]
    note = f"{len(pairs)} pairs; side by side: the one that stays, and the one like it"
    style.save(
        data_charts.captioned(pictures, 6, "Suspected duplicates", note), out / "duplicates.png"
    )


def _short(path: str) -> str:
    return "/".join(PurePosixPath(path).parts[-2:])
