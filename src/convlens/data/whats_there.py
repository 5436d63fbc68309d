"""What to say of photos that lie in no known layout: what is there, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from convlens.data.names import HEIC, hidden, hidden_folders, suffix, suffixes
from convlens.data.split_names import split_of
from convlens.errors import InputError

ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"})
TABLES = frozenset({".csv", ".tsv", ".xlsx", ".ods"})
_NAMED = 8


def nothing_fits(
    where: Path,
    every: Sequence[str],
    photos: Sequence[str],
    layouts: Sequence[str],
    classes: Sequence[str],
) -> InputError:
    """Return that no photo lies in a class folder, with the folders and suffixes that are there.

    `classes` are those that the user named, if any.
    """
    files = [name for name in every if not name.endswith("/") and not hidden(name)]
    packed = [name for name in files if suffix(name) in ARCHIVES]
    tables = [name for name in files if suffix(name) in TABLES]
    folders = "into a folder for each class, two or more"
    if classes:
        folders = f"into folders {_and([f'{label}s' for label in classes])}"
    if photos:
        kinds = f"{number(len(photos), 'photo')} ({suffixes(photos)})"
        found = f"{kinds}, none of which fits: {_where(photos)}{'' if classes else _one(photos)}"
        fix = f"put them {folders}, e.g. {classes[0] if classes else 'cat'}s/{_leaf(photos[0])}"
        if tables:
            fix += f", or call their table labels.csv and its columns file and label: {tables[0]}"
        elif not classes and len(_top(photos)) < 2:
            fix += ", or name the classes that their names begin with: data.classes"
    elif dotted := hidden_folders(every):
        found = f"photos in hidden folders only: {_listed(dotted)}; none of which fits"
        fix = "take the dot from the beginning of the folders' names"
    elif packed:
        found = f"no photo, but {number(len(packed), 'archive')} inside: {_listed(packed)}"
        fix = f"unpack it, then name {packed[0]} or the folder that it becomes"
    elif files:
        found = f"{len(every):,} entries, none of which fits: {suffixes(files)}; no photo"
        fix = f"name the folder or archive that has the photos; put them {folders}"
    else:
        found = "nothing: 0 entries, none of which fits" if not every else "only empty folders"
        fix = f"put the photos {folders}"
    expected = f"photos in one of the layouts {', '.join(layouts)}, or of any other classes"
    return InputError(where, expected=f"{expected}, at any depth", found=found, fix=fix)


def _one(photos: Sequence[str]) -> str:
    """Return why these folders are no classes: there is one, or a split's name is among them."""
    inner = {PurePosixPath(name).parent.name for name in photos}
    splits = sorted(folder for folder in inner if split_of(folder))
    others = sorted(inner - {*splits, ""})
    if splits and others:
        return f"; {', '.join(splits)} is a split's name: to make it a class, list data.classes"
    return f"; {others[0]} is one class, and two make a task" if len(others) == 1 else ""


def missing_class(
    where: Path, found: Mapping[str, str], photos: Sequence[str], classes: Sequence[str]
) -> InputError:
    """Return which classes are missing, and which folders may be meant for them."""
    missing = [label for label in classes if label not in found.values()]
    others = [name for name in photos if name not in found]
    beside = f"; {number(len(others), 'other photo')}: {_where(others)}" if others else ""
    return InputError(
        where,
        expected=f"photos of {'both' if len(classes) == 2 else 'all'} classes, {_and(classes)}",
        found=f"no {missing[0]} among {number(len(found), 'photo')} in a class folder{beside}",
        fix=f"add a folder {missing[0]}s beside the folders of the other classes"
        + (f", or name one so: {_top(others)[0]}" if others and _top(others) else ""),
    )


def two_depths(where: Path, found: Mapping[int, Mapping[str, str]]) -> InputError:
    """Return that there are class folders at several depths, and how many photos at each."""
    depths = [
        f"{number(len(labels), 'photo')} in {'/'.join(PurePosixPath(name).parts[: depth + 1])} "
        f"and its like (depth {depth + 1})"
        for depth, labels in found.items()
        for name in [next(iter(labels))]
    ]
    return InputError(
        where,
        expected="class folders at one depth for all photos",
        found=", ".join(depths),
        fix="keep the ones that you mean, or lay all photos of a class into one folder",
    )


def several_folders(where: Path, outside: Mapping[str, int]) -> InputError:
    """Return the folders above the classes that are no known splits: `outside` by photos."""
    named = {folder or "no folder": count for folder, count in outside.items()}
    listed = ", ".join(f"{folder} ({number(n, 'photo')})" for folder, n in list(named.items())[:8])
    return InputError(
        where,
        expected="one outer folder, or the splits train, validation and test",
        found=f"class folders in {listed}, which are no splits",
        fix="rename these folders to train, validation and test, or lay their photos together",
    )


def refuse_too_many_bad(bad: Mapping[str, str], photos: int, limit: float, path: Path) -> None:
    """Raise InputError if more than the share `limit` of the photos is unusable: name to reason."""
    if len(bad) <= limit * photos:
        return
    reasons = Counter(bad.values()).most_common()
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons)
    raise InputError(
        path,
        expected=f"at most {limit:.1%} unusable photos (data.max_bad_fraction)",
        found=f"{len(bad)} of {photos}: {listed}; first: {', '.join(list(bad)[:3])}",
        fix="look at them with `convlens inspect`, mend the archive or raise the limit",
    )


def number(count: int, what: str) -> str:
    """Return "1 photo" or "2,000 photos"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def heic_hint(names: Sequence[str]) -> str:
    """Return what to do about HEIC photos among `names` where they can't be read; "" if none."""
    return (
        " (to read them: pip install pillow-heif)" if any(suffix(n) in HEIC for n in names) else ""
    )


def _and(names: Sequence[str]) -> str:
    shown = [*names[:_NAMED], f"{len(names) - _NAMED:,} more"] if len(names) > _NAMED else names
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _leaf(name: str) -> str:
    return PurePosixPath(name).name


def _top(names: Sequence[str]) -> list[str]:
    folders = Counter("/".join(PurePosixPath(name).parts[:-1]) for name in names)
    return [folder for folder, _ in folders.most_common() if folder]


def _where(photos: Sequence[str]) -> str:
    """Return which folders hold the photos, how deep they lie, and how many are in each."""
    folders = Counter("/".join(PurePosixPath(name).parts[:-1]) for name in photos)
    listed = ", ".join(
        f"{count:,} in {folder or 'no folder'}" for folder, count in folders.most_common(_NAMED)
    )
    more = f" and {len(folders) - _NAMED:,} more folders" if len(folders) > _NAMED else ""
    depths = sorted({len(PurePosixPath(name).parts) - 1 for name in photos})
    deep = f"{depths[0]}" if len(depths) == 1 else f"{depths[0]} to {depths[-1]}"
    unit = "folder" if deep == "1" else "folders"
    return f"{listed}{more}" if deep == "0" else f"{listed}{more}; {deep} {unit} deep"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
