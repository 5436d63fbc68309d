"""Zip archives from strangers: the rules that one must keep before any byte of it is used."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path

from convlens.errors import InputError

MAX_MEMBERS = 80_000
MAX_MEMBER_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 16 * 2**30
MAX_RATIO = 200  # photos are compressed already; deflate's own limit is about 1030
RATIO_FREE_BYTES = 2**20  # small members may compress as well as they like
ENCRYPTED = 0x1


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open a zip whose every member keeps the rules; nothing is extracted, ever.

    Raises
    ------
    InputError
        If the file is missing, no readable zip, or a member is unsafe; it names the member.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        _check_members(path, archive.infolist())
    except InputError:
        archive.close()
        raise
    return archive


def read(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return a member's content, or None if its bytes are damaged."""
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        return None


def _unreadable(path: Path, error: Exception) -> InputError:
    found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
    return InputError(
        path,
        expected="a readable zip archive",
        found=found,
        fix="check the path, or get the archive again: it may have been cut off",
    )


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    total = 0
    for number, member in enumerate(members, start=1):
        total += member.file_size
        fault = _fault(member)
        if member.filename in seen:
            fault = "a second member of the same name"
        elif number > MAX_MEMBERS:
            fault = f"member number {number:,} of {len(members):,}; at most {MAX_MEMBERS:,} allowed"
        elif total > MAX_TOTAL_BYTES:
            fault = f"a total that unpacks to more than {MAX_TOTAL_BYTES:,} bytes"
        if fault:
            raise InputError(
                f"{path}: {member.filename!r}",
                expected="a plain archive of photos",
                found=fault,
                fix="do not use this archive, or make a clean one without that member",
            )
        seen.add(member.filename)


def _fault(member: zipfile.ZipInfo) -> str | None:
    # zipfile cuts names at NUL and turns the system's separators, so look at what was stored
    name = member.orig_filename
    kind = stat.S_IFMT(member.external_attr >> 16)
    if any(character < " " for character in name):
        return "control characters in its name"
    if not name or "\\" in name or ".." in name.split("/"):
        return "a name that leads out of the archive"
    if name.startswith("/") or name[1:2] == ":":
        return "an absolute path"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or a special file"
    if member.flag_bits & ENCRYPTED:
        return "an encrypted member"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "a compression method other than stored and deflated"
    if member.file_size > MAX_MEMBER_BYTES:
        return f"a member of {member.file_size:,} bytes; at most {MAX_MEMBER_BYTES:,} allowed"
    if member.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * member.compress_size):
        return f"a compression ratio above {MAX_RATIO}, as bombs have"
    return None
