"""A table of labels beside the photos: labels.csv with a file and its class in each row."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convlens.data.names import hidden, printable
from convlens.data.whats_there import number
from convlens.errors import InputError

NAME = "labels.csv"
MAX_BYTES = 16 * 2**20
# What people call the two columns; Kaggle's dog breeds have id and breed.
_FILE = ("file", "filename", "file_name", "path", "image", "image_id", "id", "name")
_LABEL = ("label", "class", "category", "breed", "species", "target")


@dataclass(frozen=True)
class Matched:
    """The label of each photo that has one, and a sentence on each kind of row that fits none."""

    labels: dict[str, str]
    warnings: list[str]


@dataclass(frozen=True)
class Table:
    """A table at `name` in the archive: its (file, label) rows and the two columns' names."""

    name: str
    columns: tuple[str, str]
    rows: tuple[tuple[str, str], ...]

    def matched(self, photos: Sequence[str]) -> Matched:
        """Return the labels of `photos`, which a row may name without folders or suffix.

        Rows without a label or a photo, repeated ones and photos of two labels are counted.
        """
        places = _places(photos)
        given: dict[str, set[str]] = defaultdict(set)
        odd: dict[str, list[str]] = defaultdict(list)
        seen: Counter[tuple[str, str]] = Counter()
        for file, label in self.rows:
            names = places.get(file.removeprefix("./"), set())
            seen[file, label] += 1
            if seen[file, label] > 1:
                odd["repeated"].append(file)
            elif not label:
                odd["without a label"].append(file)
            elif not file or not names:
                odd["without a photo"].append(file or f"(no file, {label})")
            elif len(names) > 1:
                odd["that several photos could be"].append(file)
            else:
                given[next(iter(names))].add(label)
        two = sorted(name for name, labels in given.items() if len(labels) > 1)
        without = sorted(set(photos) - given.keys())
        warnings = [_counted(len(files), "row", what, files[0]) for what, files in odd.items()]
        warnings += [_counted(len(two), "photo", "of two labels left out", two[0])] if two else []
        if without:
            said = (
                "left out: no row names them" if len(without) > 1 else "left out: no row names it"
            )
            warnings.append(_counted(len(without), "photo", said, without[0]))
        labels = {name: label for name, (label, *more) in given.items() if not more}
        return Matched(labels, [f"{self.name}: {warning}" for warning in warnings])


def _places(photos: Sequence[str]) -> dict[str, set[str]]:
    """Return the photos by what a row may call them: path or its end, with suffix or without."""
    places: dict[str, set[str]] = defaultdict(set)
    for name in photos:
        parts = PurePosixPath(name).parts
        for first in range(len(parts)):
            end = PurePosixPath(*parts[first:])
            places[str(end)].add(name)
            places[str(end.with_suffix(""))].add(name)
    return places


def find(names: Sequence[str]) -> str | None:
    """Return the table among an archive's members, the outermost if there are several."""
    tables = [n for n in names if PurePosixPath(n).name.lower() == NAME and not hidden(n)]
    return min(tables, key=lambda name: (name.count("/"), name), default=None)


def load(name: str, content: bytes | None, where: Path) -> Table:
    """Read a table of UTF-8 text with a header, separated by commas, semicolons or tabs.

    Raises
    ------
    InputError
        If it can't be read, or has no column for the file or none for the label.
    """
    if content is None or len(content) > MAX_BYTES:
        raise _unusable(name, where, "unreadable" if content is None else "too large")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise _unusable(name, where, "text that is not UTF-8") from error
    head = lines[0] if lines else ""
    separator = max(",;\t", key=head.count)
    header, *rows = list(csv.reader(lines, delimiter=separator)) or [[]]
    plain = [column.strip().lower() for column in header]
    places = [next((plain.index(n) for n in known if n in plain), -1) for known in (_FILE, _LABEL)]
    if -1 in places:
        raise _unusable(name, where, f"columns {', '.join(map(printable, header)) or 'none'}")
    file, label = places
    cells = [(row[file].strip(), row[label].strip()) for row in rows if len(row) > max(file, label)]
    return Table(name, (header[file].strip(), header[label].strip()), tuple(cells))


def _unusable(name: str, where: Path, found: str) -> InputError:
    return InputError(
        f"{where}: {name}",
        expected="a table with the columns file and label",
        found=found,
        fix="call its columns file and label, or take it out to go by the folders",
    )


def _counted(count: int, what: str, said: str, first: str) -> str:
    return f"{number(count, what)} {said}, e.g. {printable(first)}"
