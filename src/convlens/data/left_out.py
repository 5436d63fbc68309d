"""What a layout leaves out, why, and what a person would not expect of what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from convlens.data.names import hidden, hidden_folders, is_photo, suffix
from convlens.data.whats_there import number

MASKS = "masks"
PART_MASK, NO_CLASS, OUTSIDE = "part mask", "in a folder of no class", "outside the layout"
OTHER_LABEL, NO_LABEL = "of another class", "without a label in the table"
TWO_LABELS = "of two labels in the table"
UNEQUAL = 10  # a warning above this ratio of two classes
_SHOWN = 6  # classes whose names stand in a layout's text


@dataclass(frozen=True)
class Place:
    """What a photo's name says: its class, and its split (None if the name does not say)."""

    label: str
    split: str | None


def is_mask(name: str) -> bool:
    """Return whether a member is the part mask of a drawing."""
    return name.startswith(f"{MASKS}/") and suffix(name) == ".gif"


def folders_of(name: str) -> tuple[str, ...]:
    """Return the folders that a member lies in, the outermost first."""
    return PurePosixPath(name).parts[:-1]


def listed(names: Sequence[str]) -> str:
    """Return the names of classes, of many the first ones."""
    return ",".join(names[:_SHOWN]) + ",…" * (len(names) > _SHOWN)


def why_not(name: str, depth: int) -> str:
    """Return why a member is no photo of the data, whose class folders lie at `depth`."""
    if is_mask(name):
        return PART_MASK
    if hidden(name):
        return "hidden"
    if name.endswith("/"):
        return "folder"
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
    yield from covered(ignored)
    yield from uneven(photos.values())
    left_out = len(stray) + len(outside)
    if left_out > len(photos):
        yield f"most photos are left out: {left_out:,} of {left_out + len(photos):,}"


def covered(names: Iterable[str]) -> Iterable[str]:
    """Yield a sentence on the folders of photos that a dot at the beginning hides."""
    if folders := hidden_folders(names):
        yield (
            f"{number(len(folders), 'hidden folder')} of photos left out: "
            f"{', '.join(folders[:_SHOWN])}; without its dot it would be read"
        )


def uneven(places: Iterable[Place]) -> Iterable[str]:
    """Yield sentences on classes that some split lacks, and on very unequal ones."""
    given = list(places)
    splits = {place.split for place in given if place.split}
    for label in sorted({place.label for place in given}):
        own = {place.split for place in given if place.label == label and place.split}
        if own < splits and own:
            yield (
                f"class {label} is only in {' and '.join(sorted(own))}: "
                f"none of it in {' and '.join(sorted(splits - own))}"
            )
    counts = Counter(place.label for place in given).most_common()
    (most, many), (least, few) = counts[0], counts[-1]
    if many > UNEQUAL * few:
        yield (
            f"unequal classes: {number(many, 'photo')} of {most}, {few:,} of {least}; "
            "look at balanced accuracy, not at accuracy"
        )
