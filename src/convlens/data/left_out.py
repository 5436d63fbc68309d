"""What a layout leaves out, why, and what a person would not expect of what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from convlens.data.names import hidden, is_photo
from convlens.data.whats_there import number

MASKS = "masks"
PART_MASK, NO_CLASS, OUTSIDE = "part mask", "in a folder of no class", "outside the layout"
OTHER_LABEL, NO_LABEL = "of another class", "without a label in the table"
UNEQUAL = 10  # a warning above this ratio of two classes
_SHOWN = 6  # classes whose names stand in a layout's text


@dataclass(frozen=True)
class Place:
    """What a photo's name says: its class, and its split (None if the name does not say)."""

    label: str
    split: str | None


def is_mask(name: str) -> bool:
    """Return whether a member is the part mask of a drawing."""
    return name.startswith(f"{MASKS}/")


def folders_of(name: str) -> tuple[str, ...]:
    """Return the folders that a member lies in, the outermost first."""
    return PurePosixPath(name).parts[:-1]


def listed(names: Sequence[str]) -> str:
    """Return the names of classes, of many the first ones."""
    return ",".join(names[:_SHOWN]) + ",…" * (len(names) > _SHOWN)


def why_not(name: str, depth: int) -> str:
    """Return why a member is no photo of the data, whose class folders lie at `depth`."""
    if name.endswith("/"):
        return "folder"
    if is_mask(name):
        return PART_MASK
    if hidden(name):
        return "hidden"
    if not is_photo(name):
        return "not named like a photo"
    return NO_CLASS if 0 <= depth < len(folders_of(name)) else OUTSIDE


def warnings_on(
    photos: dict[str, Place], ignored: dict[str, str], depth: int, classes: Sequence[str]
) -> Iterable[str]:
    """Yield sentences on the photos that are left out and on unequal classes."""
    stray = [name for name, why in ignored.items() if why == NO_CLASS]
    if stray:
        others = Counter(folders_of(name)[depth] for name in stray).most_common()
        there = ", ".join(f"{folder} ({count:,})" for folder, count in others[:8])
        yield (
            f"{number(len(stray), 'photo')} left out: in folders that are none of the classes "
            f"{listed(classes)}: {there}"
        )
    outside = [name for name, why in ignored.items() if why == OUTSIDE]
    if outside:
        yield f"{number(len(outside), 'photo')} left out: outside the layout, e.g. {outside[0]}"
    yield from unequal(photos.values())
    left_out = len(stray) + len(outside)
    if left_out > len(photos):
        yield f"most photos are left out: {left_out:,} of {left_out + len(photos):,}"


def unequal(places: Iterable[Place]) -> Iterable[str]:
    """Yield a sentence if one class has more than UNEQUAL times the photos of another."""
    counts = Counter(place.label for place in places).most_common()
    (most, many), (least, few) = counts[0], counts[-1]
    if many > UNEQUAL * few:
        yield (
            f"unequal classes: {number(many, 'photo')} of {most}, {few:,} of {least}; "
            "look at balanced accuracy, not at accuracy"
        )
