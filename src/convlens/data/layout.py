"""Which members of an archive are photos, and what their names say: class and perhaps split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convlens.data import CLASSES
from convlens.errors import InputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"})
SPLIT_FOLDERS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
CLASS_FOLDERS = {form: label for label in CLASSES for form in (label, f"{label}s")}
MASKS = "masks"
LAYOUTS = (
    "{train,validation,test}/{cats,dogs}/photo.jpg",
    "{cats,dogs}/photo.jpg",
    "{cat,dog}.N.jpg",
)


@dataclass(frozen=True)
class Place:
    """What a photo's name says: its class, and its split (None if the name does not say)."""

    label: str
    split: str | None


Reader = Callable[[list[str], str], Place | None]


@dataclass(frozen=True)
class Arrangement:
    """An archive's layout: photos in sorted order, and why the other members are ignored."""

    layout: str
    photos: dict[str, Place]
    ignored: dict[str, str]

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Photos by (split, label); the split is "" where the names give none."""
        return Counter((place.split or "", place.label) for place in self.photos.values())


def arrange(names: Iterable[str], where: Path) -> Arrangement:
    """Find the layout of the archive `where` and the place of each photo in it.

    The layouts are tried in the order of LAYOUTS, each perhaps inside one outer folder; the first
    one that holds a photo wins and members that do not fit it are ignored.

    Raises
    ------
    InputError
        If no layout fits, or one class is missing.
    """
    every = sorted(names)
    readers = zip(LAYOUTS, (_in_split, _in_class, _flat), strict=True)
    found = ((layout, _places(every, reader)) for layout, reader in readers)
    layout, photos = next(((layout, photos) for layout, photos in found if photos), ("", {}))
    if not photos:
        raise InputError(
            where,
            expected=f"photos in one of the layouts {', '.join(LAYOUTS)}",
            found=f"{len(every)} entries, none of which fits",
            fix="put the photos into a folder a class, named cats and dogs",
        )
    missing = sorted(set(CLASSES) - {place.label for place in photos.values()})
    if missing:
        raise InputError(
            where,
            expected="photos of both classes, cat and dog",
            found=f"no {missing[0]} among {len(photos)} photos (layout {layout})",
            fix=f"add a folder {missing[0]}s with photos",
        )
    return Arrangement(layout, photos, {n: _why_not(n) for n in every if n not in photos})


def _places(names: list[str], reader: Reader) -> dict[str, Place]:
    return {name: place for name in names if (place := _place(name, reader))}


def _place(name: str, reader: Reader) -> Place | None:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__")) for part in path.parts)
    if name.endswith("/") or hidden or path.suffix.lower() not in SUFFIXES:
        return None
    folders = [part.lower() for part in path.parts[:-1]]
    return None if MASKS in folders[:1] else reader(folders, path.name.lower())


def _why_not(name: str) -> str:
    if name.endswith("/"):
        return "folder"
    if PurePosixPath(name).parts[:1] == (MASKS,):
        return "part mask"
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        return "not named like a photo"
    return "outside the layout"


def _in_split(folders: list[str], name: str) -> Place | None:
    del name
    if not 2 <= len(folders) <= 3:
        return None
    split, label = SPLIT_FOLDERS.get(folders[-2]), CLASS_FOLDERS.get(folders[-1])
    return Place(label, split) if split and label else None


def _in_class(folders: list[str], name: str) -> Place | None:
    del name
    label = CLASS_FOLDERS.get(folders[-1]) if 1 <= len(folders) <= 2 else None
    return Place(label, None) if label else None


def _flat(folders: list[str], name: str) -> Place | None:
    label = name.split(".")[0]
    return Place(label, None) if label in CLASSES and len(folders) <= 1 else None
