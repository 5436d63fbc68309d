"""What lies in a folder of photos: links followed, loops guarded, our own pictures left alone."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from convlens.data.archive import MAX_MEMBERS
from convlens.data.names import hidden, is_photo, printable
from convlens.errors import InputError

PAGE = frozenset({"summary.png", "heatmap.png", "activations.png"})  # what `explain` writes
BOTH = "both.png"


@dataclass
class Listing:
    """The files under a folder by their printable name from there, with slashes.

    A hidden folder that has photos is listed as "NAME/", without what is in it.

    `faults` says of names in `files` why they can't be read; `unread` are folders that can't be,
    with the reason; `links` lead to folders, `loops` to one that they lie in; `own` are folders of
    pictures that `convlens explain` wrote.
    """

    files: dict[str, Path] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    most: int = MAX_MEMBERS

    @property
    def photos(self) -> dict[str, Path]:
        """The files that are named like photos, in sorted order."""
        return {name: self.files[name] for name in sorted(self.files) if is_photo(name)}

    @property
    def left_out(self) -> list[str]:
        """The names of visible files that are not named like photos."""
        return [name for name in sorted(self.files) if not (is_photo(name) or hidden(name))]


def listing(folder: Path, most: int = MAX_MEMBERS) -> Listing:
    """List the files under `folder`, in which nothing is opened.

    Raises
    ------
    InputError
        There is no such folder, it can't be read, or it holds more than `most` files.
    """
    found = Listing(most=most)
    _walk(folder, "", (), found)
    if "" in found.unread:
        raise InputError(
            printable(folder), expected="a readable folder", found=found.unread[""],
            fix="give yourself the right to read it",
        )  # fmt: skip
    return found


def _walk(folder: Path, prefix: str, above: tuple[tuple[int, int], ...], found: Listing) -> None:
    try:
        here = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        found.unread[prefix] = error.strerror or str(error)
        return
    if (here.st_dev, here.st_ino) in above:
        found.loops.append(prefix)
        return
    names = {entry.name for entry in entries}
    if prefix and names >= PAGE:
        found.own.append(prefix)
        return
    before = len(found.own)
    for entry in entries:
        name = prefix + printable(entry.name).replace("\\", "%5C")
        try:
            mode = entry.stat().st_mode
        except OSError as error:  # a link to nowhere, or to itself
            found.files[name] = Path(entry.path)
            found.faults[name] = f"a broken link ({error.strerror})"
            continue
        if stat.S_ISDIR(mode):
            if entry.is_symlink():
                found.links.append(name)
            if not hidden(entry.name):
                _walk(Path(entry.path), f"{name}/", (*above, (here.st_dev, here.st_ino)), found)
            elif any(is_photo(inner.name) for inner in Path(entry.path).iterdir()):
                found.files[f"{name}/"] = Path(entry.path)  # so that it is counted
        else:
            _add(found, name, entry, mode)
    if len(found.own) > before:
        found.files.pop(prefix + BOTH, None)


def _add(found: Listing, name: str, entry: os.DirEntry[str], mode: int) -> None:
    found.files[name] = Path(entry.path)
    if not stat.S_ISREG(mode):  # a pipe would keep us waiting for ever
        found.faults[name] = "not a file"
    elif is_photo(name) and not os.access(entry.path, os.R_OK):
        found.faults[name] = "can't be read: Permission denied"
    if len(found.files) > found.most:
        raise InputError(
            printable(entry.path), expected=f"at most {found.most:,} files in a folder",
            found="more", fix="name a folder that holds photos only",
        )  # fmt: skip
