"""A table of labels beside the photos: labels.csv with a file and its class in each row."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convlens.class_names import fold
from convlens.data.names import hidden, is_photo, printable
from convlens.data.whats_there import number
from convlens.errors import InputError

NAME = "labels.csv"
MAX_BYTES = 16 * 2**20
# What people call the two columns, letters only; Kaggle's dog breeds have id and breed.
_FILE = (
    "file", "filename", "filepath", "path", "image", "imageid", "imagename", "imagepath",
    "imagefile", "img", "photo", "picture", "id", "name",
)  # fmt: skip
_LABEL = (
    "label", "labels", "class", "classname", "classlabel", "labelname", "category", "breed",
    "species", "target",
)  # fmt: skip
_FIX = "give it the columns file and label, or take it out to go by the folders"


@dataclass(frozen=True)
class Matched:
    """The label of each photo that has one, the photos of `two`, and sentences on what fits none.

    There is one sentence for each kind of row or photo.
    """

    labels: dict[str, str]
    two: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class Table:
    """A table at `name` in the archive: its (file, label) rows and the two columns' names.

    `odd` are the files of rows that can't be used as they are, by what is wrong with them.
    """

    name: str
    columns: tuple[str, str]
    rows: tuple[tuple[str, str], ...]
    odd: Mapping[str, Sequence[str]]

    def matched(self, photos: Sequence[str], where: Path) -> Matched:
        """Return the labels of `photos`, which a row may name without folders or suffix.

        Rows without a label or a photo, repeated ones and photos of two labels are counted.

        Raises
        ------
        InputError
            If no row has a photo of the archive `where`.
        """
        places = _places(photos)
        given: dict[str, set[str]] = defaultdict(set)
        odd: dict[str, list[str]] = defaultdict(list, {k: [*v] for k, v in self.odd.items()})
        seen: Counter[tuple[str, str]] = Counter()
        for file, label in _without_common_folders(self.rows, places):
            names = _named(file, places)
            key = next(iter(names), file), label
            seen[key] += 1
            if seen[key] > 1:
                odd["repeated"].append(file)
            elif not label:
                odd["without a label"].append(file)
            elif not file or not names:
                odd["without a photo"].append(file or f"(no file, {label})")
            elif len(names) > 1:
                odd["that several photos could be"].append(file)
            else:
                given[next(iter(names))].add(label)
        if not given:
            raise self._no_photo(photos, where)
        labels = {name: label for name, (label, *more) in given.items() if not more}
        two = sorted(given.keys() - labels.keys())
        warnings = [_counted(len(files), "row", what, files[0]) for what, files in odd.items()]
        warnings += [_counted(len(two), "photo", "of two labels left out", two[0])] if two else []
        without = sorted(set(photos) - given.keys())
        if without:
            names_it = "names them" if len(without) > 1 else "names it"
            said = f"left out: no row {names_it}"
            warnings.append(_counted(len(without), "photo", said, without[0]))
        lost = sorted({label for _, label in self.rows if label} - set().union(*given.values()))
        warnings += [_counted(len(lost), "label", "without any photo", lost[0])] if lost else []
        return Matched(labels, two, [f"{self.name}: {warning}" for warning in warnings])

    def _no_photo(self, photos: Sequence[str], where: Path) -> InputError:
        first = next((file for file, _ in self.rows if file), "nothing")
        there = f"the photos are called like {photos[0]}" if photos else "there is no photo"
        return InputError(
            f"{where}: {self.name}",
            expected=f"rows that name photos in column {self.columns[0]}, and their labels",
            found=f"{number(len(self.rows), 'row')}, none of which has a label and a photo, "
            f"e.g. {printable(first)}; {there}",
            fix="name the files as they lie beside the table, or take it out to go by the folders",
        )


def _places(photos: Sequence[str]) -> dict[str, set[str]]:
    """Return the photos by what a row may call them: path or its end, with suffix or without."""
    places: dict[str, set[str]] = defaultdict(set)
    for name in photos:
        parts = PurePosixPath(name).parts
        for first in range(len(parts)):
            end = PurePosixPath(*parts[first:])
            for called in (str(end), str(end.with_suffix(""))):
                places[called].add(name)
                places[_folded(called)].add(name)
    return places


def _folded(name: str) -> str:
    return f"\0{fold(name)}"  # apart from the names as they are, which go before


def _named(file: str, places: Mapping[str, set[str]]) -> set[str]:
    return places.get(file) or places.get(_folded(file)) or set()


def _without_common_folders(
    rows: Sequence[tuple[str, str]], places: Mapping[str, set[str]]
) -> Sequence[tuple[str, str]]:
    """Take folders off all rows' files that are the same in all, until one names a photo.

    So may a table name the files where they once were: C:/data/pets/1.jpg.
    """
    while rows and not any(_named(file, places) for file, _ in rows):
        heads = {file.partition("/")[0] for file, _ in rows if file}
        if len(heads) > 1 or not any("/" in file for file, _ in rows):
            break
        rows = [(file.partition("/")[2], label) for file, label in rows]
    return rows


def find(names: Sequence[str]) -> str | None:
    """Return the table among an archive's members, the outermost if there are several."""
    tables = [n for n in names if PurePosixPath(n).name.lower() == NAME and not hidden(n)]
    return min(tables, key=lambda name: (name.count("/"), name), default=None)


def load(name: str, content: bytes | None, where: Path) -> Table:
    """Read a table with a header, separated by commas, semicolons, tabs or bars, in Unicode.

    Raises
    ------
    InputError
        If it can't be read, or has no column for the file or none for the label.
    """
    if content is None or len(content) > MAX_BYTES:
        raise _unusable(name, where, "unreadable" if content is None else "too large")
    try:
        text = content.decode(
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        )
    except UnicodeDecodeError as error:
        raise _unusable(name, where, "text that is not UTF-8", "save it as UTF-8") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and (told := re.fullmatch(r"sep=(.)", lines[0])):  # by Excel
        lines = lines[1:]
    separator = told[1] if lines and told else max(",;\t|", key=(lines or [""])[0].count)
    try:
        header, *rows = list(csv.reader(lines, delimiter=separator, strict=True)) or [[]]
    except csv.Error as error:
        raise _unusable(name, where, f"no CSV: {error}", "mend its quotes") from error
    file, label = _columns(name, header, where)
    odd: dict[str, list[str]] = defaultdict(list)
    cells = []
    for row in filter(any, rows):
        called = row[file].strip() if file < len(row) else ""
        if any(row[len(header) :]):
            odd["with more cells than the header, left out"].append(called)
            continue
        cells.append((_slashed(called), row[label].strip() if label < len(row) else ""))
    return Table(name, (header[file].strip(), header[label].strip()), tuple(cells), odd)


def _slashed(file: str) -> str:
    return file.replace("\\", "/").removeprefix("./")


def _columns(name: str, header: Sequence[str], where: Path) -> tuple[int, int]:
    """Return which columns have the file and the label."""
    plain = [re.sub(r"[\W_]", "", column.lower()) for column in header]
    found = [next((n for n in known if n in plain), None) for known in (_FILE, _LABEL)]
    if None in found:
        shown = ", ".join(map(printable, header)) or "none"
        if any(is_photo(_slashed(column.strip())) for column in header):
            above = "write file,label above its first line"
            raise _unusable(name, where, f"no header: the first line is {shown}", above)
        raise _unusable(name, where, f"columns {shown}")
    if twice := [n for n in found if plain.count(str(n)) > 1]:
        raise _unusable(name, where, f"two columns called {twice[0]}")
    file, label = (plain.index(str(n)) for n in found)
    return file, label


def _unusable(name: str, where: Path, found: str, fix: str = _FIX) -> InputError:
    return InputError(
        f"{where}: {name}",
        expected="a table with the columns file and label",
        found=found,
        fix=fix,
    )


def _counted(count: int, what: str, said: str, first: str) -> str:
    return f"{number(count, what)} {said}, e.g. {printable(first)}"
