"""Which members of an archive are photos, and what their names say: class and perhaps split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convlens.data import CLASSES
from convlens.data.names import hidden, is_photo
from convlens.data.whats_there import nothing_fits, number, one_class, several_folders, two_depths

SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "validate", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "tests"), "test"),
}
MASKS = "masks"
PART_MASK, NO_CLASS, OUTSIDE = "part mask", "in a folder of no class", "outside the layout"
LAYOUTS = (
    "{train,validation,test}/{cats,dogs}/photo.jpg",
    "{cats,dogs}/photo.jpg",
    "{cat,dog}.N.jpg",
)
_SET = re.compile(r"(data|image|img|photo|picture)?s?(set|split|folder|data|images|imgs|photos)?$")


@dataclass(frozen=True)
class Place:
    """What a photo's name says: its class, and its split (None if the name does not say)."""

    label: str
    split: str | None


@dataclass(frozen=True)
class Arrangement:
    """An archive's layout: photos in sorted order, and why the other members are ignored.

    `warnings` are sentences about what a person would not expect to be left out.
    """

    layout: str
    photos: dict[str, Place]
    ignored: dict[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Photos by (split, label); the split is "" where the names give none."""
        return Counter((place.split or "", place.label) for place in self.photos.values())


def arrange(names: Iterable[str], where: Path, classes: Sequence[str] = CLASSES) -> Arrangement:
    """Find the layout of the archive `where` and the place of each photo in it.

    Classes are folders at one depth, whichever it is; above or below them there may be folders
    of splits, and folders of any name below. Without class folders the photos' own names count.

    Raises
    ------
    InputError
        If no layout fits, a class is missing, or the layout could be read in two ways.
    """
    every = sorted(names)
    offered = [name for name in every if is_photo(name) and not _mask(name)]
    by_depth = _by_depth(offered, classes)
    complete = [d for d, labels in by_depth.items() if len(set(labels.values())) == len(classes)]
    if complete:
        depth = max(complete, key=lambda d: (len(by_depth[d]), -d))
        labels = by_depth[depth]
        if any(by_depth[other].keys() - labels.keys() for other in complete):
            raise two_depths(where, {d: by_depth[d] for d in sorted(complete)})
        photos = _in_folders(labels, depth, where)
        layout = LAYOUTS[0 if any(place.split for place in photos.values()) else 1]
    else:
        photos = _flat(offered, classes, where)
        layout = LAYOUTS[2]
        if not photos or len(_labels(photos)) < len(classes):
            found = max(by_depth.values(), key=len, default={}) or {
                name: place.label for name, place in photos.items()
            }
            if found:
                raise one_class(where, found, offered, classes)
            raise nothing_fits(where, every, offered, LAYOUTS, classes)
        depth = -1
    ignored = {name: _why_not(name, depth) for name in every if name not in photos}
    return Arrangement(layout, photos, ignored, tuple(_warnings(photos, ignored, depth, classes)))


def split_of(folder: str) -> str | None:
    """Return the split that a folder's name means: "Training_Set" → "train"."""
    plain = re.sub(r"[\W_]+", "", folder.lower())
    for name, split in SPLIT_FOLDERS.items():
        if plain.startswith(name) and _SET.match(plain[len(name) :]):
            return split
    return None


def class_of(name: str, classes: Collection[str]) -> str | None:
    """Return the class that a folder's name means: "Cats" → "cat"."""
    lower = name.lower()
    return next((label for label in classes if lower in (label, f"{label}s")), None)


def _mask(name: str) -> bool:
    return name.startswith(f"{MASKS}/")


def _folders(name: str) -> tuple[str, ...]:
    return PurePosixPath(name).parts[:-1]


def _labels(photos: dict[str, Place]) -> set[str]:
    return {place.label for place in photos.values()}


def _by_depth(names: Sequence[str], classes: Sequence[str]) -> dict[int, dict[str, str]]:
    """Return for each depth the photos that lie in a class folder there, and the class."""
    found: dict[int, dict[str, str]] = {}
    for name in names:
        for depth, folder in enumerate(_folders(name)):
            if label := class_of(folder, classes):
                found.setdefault(depth, {})[name] = label
    return found


def _in_folders(labels: dict[str, str], depth: int, where: Path) -> dict[str, Place]:
    outer = {}
    photos = {}
    for name, label in labels.items():
        folders = _folders(name)
        outer[name] = folders[:depth]
        nearest = (*outer[name][::-1], *folders[depth + 1 :])
        photos[name] = Place(label, next(filter(None, map(split_of, nearest)), None))
    _refuse_unknown_folders(photos, outer, where)
    return photos


def _flat(names: Sequence[str], classes: Sequence[str], where: Path) -> dict[str, Place]:
    """Return the places of photos whose own name begins with a class: cat.12.jpg, Dog (3).jpg."""
    form = re.compile(rf"({'|'.join(map(re.escape, classes))})s?[._ -]*\(?\d+\)?\.", re.IGNORECASE)
    outer = {}
    photos = {}
    for name in names:
        if match := form.match(PurePosixPath(name).name):
            outer[name] = _folders(name)
            split = next(filter(None, map(split_of, outer[name][::-1])), None)
            photos[name] = Place(match[1].lower(), split)
    _refuse_unknown_folders(photos, outer, where)
    return photos


def _refuse_unknown_folders(
    photos: dict[str, Place], outer: dict[str, tuple[str, ...]], where: Path
) -> None:
    """Raise InputError if the `outer` folders of the photos differ and are not all splits."""
    unknown = Counter("/".join(outer[name]) for name, place in photos.items() if not place.split)
    if len(unknown) > 1 or 0 < unknown.total() < len(photos):
        raise several_folders(where, unknown)


def _why_not(name: str, depth: int) -> str:
    if name.endswith("/"):
        return "folder"
    if _mask(name):
        return PART_MASK
    if hidden(name):
        return "hidden"
    if not is_photo(name):
        return "not named like a photo"
    return NO_CLASS if 0 <= depth < len(_folders(name)) else OUTSIDE


def _warnings(
    photos: dict[str, Place], ignored: dict[str, str], depth: int, classes: Sequence[str]
) -> Iterable[str]:
    stray = [name for name, why in ignored.items() if why == NO_CLASS]
    if stray:
        others = Counter(_folders(name)[depth] for name in stray).most_common()
        listed = ", ".join(f"{folder} ({count:,})" for folder, count in others[:8])
        yield (
            f"{number(len(stray), 'photo')} left out: in folders that are none of the classes "
            f"{' and '.join(classes)}: {listed}"
        )
    outside = [name for name, why in ignored.items() if why == OUTSIDE]
    if outside:
        yield f"{number(len(outside), 'photo')} left out: outside the layout, e.g. {outside[0]}"
    left_out = len(stray) + len(outside)
    if left_out > len(photos):
        yield f"most photos are left out: {left_out:,} of {left_out + len(photos):,}"
