"""Which classes an archive holds that nobody named: its folders, else its photos' own names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path, PurePosixPath

from convlens import class_names
from convlens.data import numbered
from convlens.data.classes import CATS_AND_DOGS, Classes, found
from convlens.data.split_names import split_of
from convlens.data.whats_there import several_folders
from convlens.errors import InputError


def classes(photos: Sequence[str], where: Path) -> Classes:
    """Return the classes of photos by their names in the archive `where`.

    Folders of cats and dogs and those beside them; else the folders of the outermost depth that
    has several, splits not counted; else what stands before the number in the photos' own names.
    Cats and dogs if there is nothing of all this.

    Raises
    ------
    InputError
        If outer folders repeat each other's folders, so that either could be the classes, or a
        name can't be a class's.
    """
    paths = [PurePosixPath(name).parts for name in photos]
    deepest = max((len(parts) - 1 for parts in paths), default=0)
    by_depth = [_folders(paths, depth) for depth in range(deepest)]
    usual = [d for d, folders in enumerate(by_depth) if _has_both(folders)]
    if usual:
        return checked(by_depth[usual[0]], where) if len(usual) == 1 else CATS_AND_DOGS
    own = numbered.classes(photos)
    if _has_both(own):
        return checked(own, where)
    for depth, folders in enumerate(by_depth):
        if len(folders) > 1:
            _refuse_groups(paths, depth, where)
            again = folders.keys() & {name for deeper in by_depth[depth + 1 :] for name in deeper}
            # classes at two depths, which is for the layout to refuse
            return checked(again if len(again) > 1 else folders, where)
    return checked(own, where) if len(own) > 1 else CATS_AND_DOGS


def checked(names: Iterable[str], where: Path) -> Classes:
    """Return a class for each name, all of which can be one; raises InputError, naming `where`."""
    listed = sorted(set(names))
    result = found(listed)
    twins = len({class_names.fold(name) for name in listed}) < len(listed)
    usual = set(result.names) == set(CATS_AND_DOGS.names)
    if wrong := class_names.fault(listed if twins and not usual else result.names):
        raise InputError(
            where,
            expected=f"two to {class_names.MOST:,} classes whose names are not alike",
            found=wrong,
            fix="rename them, or name the classes: data.classes: {name: [what is there]}",
        )
    return result


def _has_both(names: Iterable[str]) -> bool:
    return {CATS_AND_DOGS.of(name) for name in names} >= set(CATS_AND_DOGS.names)


def _folders(paths: Iterable[Sequence[str]], depth: int) -> Counter[str]:
    return Counter(
        parts[depth] for parts in paths if len(parts) > depth + 1 and not split_of(parts[depth])
    )


def _refuse_groups(paths: Iterable[Sequence[str]], depth: int, where: Path) -> None:
    """Refuse batch1/roses, batch1/tulips, batch2/roses, …: the folders inside are the classes."""
    inside: dict[str, set[str]] = defaultdict(set)
    outside: Counter[str] = Counter()
    for parts in paths:
        if len(parts) > depth + 2 and not split_of(parts[depth + 1]):
            inside[parts[depth]].add(parts[depth + 1])
            outside["/".join(parts[: depth + 1])] += 1
    if any(len(one & other) > 1 for one, other in combinations(inside.values(), 2)):
        raise several_folders(where, outside)
