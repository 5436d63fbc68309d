"""Archives from strangers: the rules that one must keep before any byte of it is used."""

from __future__ import annotations

import stat
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from convlens.data import zip_index
from convlens.data.names import is_photo, printable
from convlens.data.zip_index import BadZipError, Member
from convlens.errors import InputError

MAX_MEMBERS = 80_000
MAX_MEMBER_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 16 * 2**30
MAX_RATIO = 200  # photos are compressed already; deflate's own limit is about 1030
RATIO_FREE_BYTES = 2**20  # small members may compress as well as they like
_OTHER_KINDS = {b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive"}


class Archive:
    """A zip whose every member keeps the rules; nothing is extracted, ever.

    What could do harm refuses the whole archive: a name that leads out, an absolute one, a link,
    two members of one name, a bomb. Only photos are judged beyond that; `faults` says why some of
    them can't be used.

    Parameters
    ----------
    path
        The zip.
    shown
        What messages call it; default: `path`.

    Raises
    ------
    InputError
        If the file is missing, no readable zip, or unsafe; it names the member.
    """

    def __init__(self, path: Path, shown: Path | None = None) -> None:
        self.shown = shown or path
        try:
            self._file = path.open("rb")
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            found = "no such file" if missing else error.strerror or str(error)
            raise _unreadable(self.shown, found) from error
        try:
            self._members = self._checked()
        except BadZipError as error:
            kind = self._kind()
            self.close()
            raise _unreadable(self.shown, str(error), kind) from error
        except InputError:
            self.close()
            raise
        judged = {name: fault(member) for name, member in self._members.items() if is_photo(name)}
        self.faults = {name: why for name, why in judged.items() if why}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def namelist(self) -> list[str]:
        """Return the members' names as they can be printed, with slashes, in the zip's order."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Return a member's content; raises BadZipError if its bytes are damaged."""
        return zip_index.read(self._file, self._members[name])

    def _checked(self) -> dict[str, Member]:
        found: dict[str, Member] = {}
        total = 0
        for member in zip_index.members(self._file):
            name = printable(member.name)
            harm = harmful(member.name) or _harm(member)
            if name in found and not name.endswith("/"):
                harm = "a second member of the same name"
            elif len(found) >= MAX_MEMBERS:
                harm = f"more than {MAX_MEMBERS:,} members"
            if is_photo(name) and not fault(member):
                total += member.size
                if total > MAX_TOTAL_BYTES:
                    harm = f"a total that unpacks to more than {MAX_TOTAL_BYTES:,} bytes"
            if harm:
                raise refusal(self.shown, name, harm)
            found[name] = member
        spans = sorted((m.start, m.start + 30 + m.packed, name) for name, m in found.items())
        for (_, stop, _), (start, _, name) in pairwise(spans):
            if start < stop:
                raise refusal(self.shown, name, "a member inside another, as bombs have")
        return found

    def _kind(self) -> str | None:
        self._file.seek(0)
        return _OTHER_KINDS.get(self._file.read(4))


def open_archive(path: Path, shown: Path | None = None) -> Archive:
    """Open a zip that keeps the rules; see Archive."""
    return Archive(path, shown)


def read(archive: Archive, name: str) -> bytes | None:
    """Return a member's content, or None if it is unusable or its bytes are damaged."""
    if name in archive.faults:
        return None
    try:
        return archive.read(name)
    except (BadZipError, OSError):
        return None


def harmful(name: str) -> str | None:
    """Return what is dangerous about a member's name; None if nothing is."""
    if not name or ".." in name.split("/"):
        return "a name that leads out of the archive"
    if name.startswith("/") or name[1:2] == ":":
        return "an absolute path"
    return None


def refusal(where: Path, name: str, found: str) -> InputError:
    """Return why the whole archive is refused: its member `name`."""
    return InputError(
        f"{where}: {name!r}",
        expected="a plain archive of photos",
        found=found,
        fix="do not use this archive, or make a clean one without that member",
    )


def oversize(size: int) -> str:
    """Return the reason for the quarantine of a file of so many bytes."""
    return f"too large: {size:,} bytes; at most {MAX_MEMBER_BYTES:,}"


def fault(member: Member) -> str | None:
    """Return why a photo can't be used though the archive can; None if nothing is wrong."""
    if not member.valid:
        return "its name is not the UTF-8 that it claims to be"
    if member.flags & zip_index.ENCRYPTED:
        return "encrypted: unpack the archive with its password and name the folder"
    if member.method not in (zip_index.STORED, zip_index.DEFLATED):
        kind = zip_index.METHODS.get(member.method, f"method {member.method}")
        return f"packed with {kind}, which can't be read: unpack the archive and name the folder"
    if max(member.size, member.packed) > MAX_MEMBER_BYTES:
        return oversize(max(member.size, member.packed))
    return None


def _harm(member: Member) -> str | None:
    if stat.S_IFMT(member.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or a special file"
    unpacked = member.size > max(RATIO_FREE_BYTES, MAX_RATIO * member.packed)
    if unpacked and is_photo(printable(member.name)):
        return f"{member.size:,} bytes from {member.packed:,}: more than {MAX_RATIO} to 1, a bomb"
    return None


def _unreadable(path: Path, found: str, kind: str | None = None) -> InputError:
    return InputError(
        path,
        expected="a readable zip or tar archive, or a folder",
        found=kind or found,
        fix="unpack it and name the folder"
        if kind
        else "check the path, or get the archive again: it may have been cut off",
    )
