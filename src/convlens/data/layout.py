"""Which members of an archive are photos, and what their names say: class and perhaps split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convlens.data import discover, label_table
from convlens.data.classes import CATS_AND_DOGS, Asked, Classes, asked_for
from convlens.data.label_table import Matched, Table
from convlens.data.left_out import (
    NO_LABEL,
    OTHER_LABEL,
    TWO_LABELS,
    Place,
    covered,
    folders_of,
    is_mask,
    listed,
    uneven,
    warnings_on,
    why_not,
)
from convlens.data.names import is_photo
from convlens.data.split_names import split_of
from convlens.data.whats_there import (
    missing_class,
    nothing_fits,
    number,
    several_folders,
    two_depths,
)

_NUMBERED = re.compile(r"(.+?)[._ -]*\(?\d+\)?\.[^.]+")
LAYOUTS = (
    "{train,validation,test}/{cats,dogs}/photo.jpg",
    "{cats,dogs}/photo.jpg",
    "{cat,dog}.N.jpg",
)


@dataclass(frozen=True)
class Arrangement:
    """An archive's layout: photos in sorted order, and why the other members are ignored.

    `classes` are the names of all classes in order; `warnings` are sentences about what a person
    would not expect.
    """

    layout: str
    photos: dict[str, Place]
    ignored: dict[str, str]
    classes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Photos by (split, label); the split is "" where the names give none."""
        return Counter((place.split or "", place.label) for place in self.photos.values())


def arrange(
    names: Iterable[str],
    where: Path,
    asked: Asked = None,
    read: Callable[[str], bytes | None] | None = None,
) -> Arrangement:
    """Find the layout of the archive `where` and the place of each photo in it.

    Classes are folders at one depth, whichever it is; above or below them there may be folders
    of splits, and folders of any name below. Without class folders the photos' own names count.

    Parameters
    ----------
    names
        All members.
    asked
        `data.classes`; without it every folder beside cats and dogs is a class or, where there
        are none, every folder of the outermost depth that has several.
    read
        Returns a member's content; a table labels.csv, which is read by it, goes before folders.

    Raises
    ------
    InputError
        If no layout fits, a class is missing, the layout could be read in two ways, or the
        classes can't be named so.
    """
    every = sorted(names)
    offered = [name for name in every if is_photo(name) and not is_mask(name)]
    table = label_table.find(every) if read else None
    if read and table:
        return _in_table(label_table.load(table, read(table), where), offered, every, where, asked)
    classes = asked_for(asked) if asked else discover.classes(offered, where)
    by_depth = _by_depth(offered, classes)
    complete = [d for d, labels in by_depth.items() if _labels(labels) == set(classes.names)]
    if complete:
        depth = max(complete, key=lambda d: (len(by_depth[d]), -d))
        labels = by_depth[depth]
        if any(by_depth[other].keys() - labels.keys() for other in complete):
            raise two_depths(where, {d: by_depth[d] for d in sorted(complete)})
        photos = _in_folders(labels, depth, where)
        kind = 0 if any(place.split for place in photos.values()) else 1
    else:
        photos = _flat(offered, classes, where)
        kind = 2
        labels = {name: place.label for name, place in photos.items()}
        if _labels(labels) != set(classes.names):
            found = max(by_depth.values(), key=len, default={}) or labels
            if found:
                raise missing_class(where, found, offered, classes.names)
            raise nothing_fits(where, every, offered, LAYOUTS, classes.names if asked else ())
        depth = -1
    ignored = {name: why_not(name, depth) for name in every if name not in photos}
    warnings = tuple(warnings_on(photos, ignored, depth, classes.names))
    lined = PurePosixPath(next(iter(photos))).stem.count(".") == 0
    text = _text(kind, classes.names, lined)
    return Arrangement(text, photos, ignored, classes.names, warnings)


def _text(kind: int, names: Sequence[str], lined: bool) -> str:
    if names == CATS_AND_DOGS.names:
        return LAYOUTS[kind]
    shown = listed(names)
    layout = re.sub("cats,dogs|cat,dog", shown.replace("\\", r"\\"), LAYOUTS[kind])
    return layout.replace("}.N.", "}_N.") if lined else layout


def _labels(by_name: dict[str, str]) -> set[str]:
    return set(by_name.values())


def _by_depth(names: Sequence[str], classes: Classes) -> dict[int, dict[str, str]]:
    """Return for each depth the photos that lie in a class folder there, and the class."""
    found: dict[int, dict[str, str]] = {}
    for name in names:
        for depth, folder in enumerate(folders_of(name)):
            if label := classes.of(folder):
                found.setdefault(depth, {})[name] = label
    return found


def _in_folders(labels: dict[str, str], depth: int, where: Path) -> dict[str, Place]:
    outer = {}
    photos = {}
    for name, label in labels.items():
        folders = folders_of(name)
        outer[name] = folders[:depth]
        nearest = (*outer[name][::-1], *folders[depth + 1 :])
        photos[name] = Place(label, next(filter(None, map(split_of, nearest)), None))
    _refuse_unknown_folders(photos, outer, where)
    return photos


def _flat(names: Sequence[str], classes: Classes, where: Path) -> dict[str, Place]:
    """Return the places of photos whose own name begins with a class: cat.12.jpg, Dog (3).jpg."""
    outer = {}
    photos = {}
    for name in names:
        match = _NUMBERED.fullmatch(PurePosixPath(name).name)
        if match and (label := classes.of(match[1])):
            outer[name] = folders_of(name)
            split = next(filter(None, map(split_of, outer[name][::-1])), None)
            photos[name] = Place(label, split)
    _refuse_unknown_folders(photos, outer, where)
    return photos


def _in_table(
    table: Table, offered: Sequence[str], every: Sequence[str], where: Path, asked: Asked
) -> Arrangement:
    """Return the arrangement that a table of labels makes; folders above may be splits."""
    matched = table.matched(offered, where)
    classes = asked_for(asked) if asked else discover.checked(matched.labels.values(), where)
    photos = {}
    for name, label in matched.labels.items():
        if known := classes.of(label):
            split = next(filter(None, map(split_of, folders_of(name)[::-1])), None)
            photos[name] = Place(known, split)
    found = {name: place.label for name, place in photos.items()}
    if _labels(found) != set(classes.names):
        raise missing_class(where, found, offered, classes.names)
    outer = {name: folders_of(name) for name in photos}
    if any(place.split for place in photos.values()):
        _refuse_unknown_folders(photos, outer, where)
    reasons = dict.fromkeys(offered, NO_LABEL) | dict.fromkeys(matched.two, TWO_LABELS)
    others = matched.labels.keys() - photos.keys()
    reasons |= dict.fromkeys(others, OTHER_LABEL)
    ignored = {n: reasons.get(n) or why_not(n, -1) for n in every if n not in photos}
    return Arrangement(
        f"{table.name}: {table.columns[0]}, {table.columns[1]}",
        dict(sorted(photos.items())),
        ignored,
        classes.names,
        (
            *matched.warnings,
            *_other_labels(matched, others),
            *covered(every),
            *uneven(photos.values()),
        ),
    )


def _other_labels(matched: Matched, others: Iterable[str]) -> Iterable[str]:
    """Yield a sentence on the photos whose labels are none of the classes that the user named."""
    counts = Counter(matched.labels[name] for name in others).most_common()
    if counts:
        there = ", ".join(f"{label} ({count:,})" for label, count in counts[:8])
        yield f"{number(sum(dict(counts).values()), 'photo')} left out: of other labels: {there}"


def _refuse_unknown_folders(
    photos: dict[str, Place], outer: dict[str, tuple[str, ...]], where: Path
) -> None:
    """Raise InputError if the `outer` folders of the photos differ and are not all splits."""
    unknown = Counter("/".join(outer[name]) for name, place in photos.items() if not place.split)
    if len(unknown) > 1 or 0 < unknown.total() < len(photos):
        raise several_folders(where, unknown)
