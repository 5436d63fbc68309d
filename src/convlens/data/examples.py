"""A few photos of the test split as they were in the archive, for the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from convlens import files
from convlens.data.archive import open_archive
from convlens.data.curate import Kept
from convlens.data.drawn.masks import mask_name

MOST = 32
INDEX = ("file", "path", "label", "mask")


def write(
    archive: Path, manifest: list[Kept], classes: Sequence[str], count: int, folder: Path
) -> None:
    """Copy `count` test photos a class, spread evenly over the manifest, and their part masks.

    There are MOST in all at most, or as many as two classes have: fewer of each of many classes,
    and of very many the photos of some classes only, spread evenly over all.

    `index.csv` lists them; its column `mask` is empty for photos, which have no part mask.
    """
    folder.mkdir()
    rows = []
    most = max(MOST, 2 * count)
    shown = classes[:: -(-len(classes) // most)]
    with open_archive(archive) as opened:
        names = set(opened.namelist())
        for label in shown:
            there = [k.scan for k in manifest if k.split == "test" and k.label == label]
            count_here = min(max(1, min(count, most // len(classes))), len(there))
            for number in range(count_here):
                photo = there[number * len(there) // count_here]
                extension = {"JPEG": "jpg", "MPO": "jpg"}.get(photo.format, photo.format.lower())
                file = f"{label}_{number}.{extension}"
                (folder / file).write_bytes(opened.read(photo.path))
                mask = mask_name(photo.path)
                mask_file = f"{label}_{number}_mask.gif" if mask in names else ""
                if mask_file:
                    (folder / mask_file).write_bytes(opened.read(mask))
                rows.append({"file": file, "path": photo.path, "label": label, "mask": mask_file})
    files.write_csv(folder / "index.csv", INDEX, rows)
