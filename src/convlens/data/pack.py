"""A folder or a tar archive as a zip whose bytes depend on names and contents only."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Self, cast

from convlens.data import archive as rules
from convlens.data import label_table
from convlens.data.classes import Asked
from convlens.data.folder import listing
from convlens.data.layout import arrange
from convlens.data.left_out import PART_MASK
from convlens.data.names import is_photo, printable
from convlens.errors import InputError
from convlens.progress import Progress, silent

_OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": lzma.open,
}
DAMAGED = (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error)
_MAX_HEADER = 2**20  # bytes of a long name or of extended attributes


def folder(
    source: Path, out: Path, progress: Progress = silent, asked: Asked = None
) -> dict[str, str]:
    """Zip the photos under `source`, sorted, stored, with one fixed date; links are followed.

    Other files are listed without content, so that they are counted. So are photos that can't be
    read; returned is the reason by name. A folder that can't be read stands in it as "NAME/".

    Raises
    ------
    InputError
        The folder is no layout of photos.
    """
    found = listing(source)
    faults = found.faults | found.unread
    arrangement = arrange(found.files, source, asked, lambda name: _content(found.files[name]))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        names = sorted(found.files)
        table = label_table.find(names)
        for name in progress(names, what="pack photos", total=len(names), unit="files"):
            mask = arrangement.ignored.get(name) == PART_MASK
            wanted = name in arrangement.photos or mask or name == table
            wanted = wanted and name not in faults
            try:
                content = found.files[name].open("rb") if wanted else None
            except OSError as error:
                faults[name], content = f"can't be read: {error.strerror}", None
            _add(packed, name, content, found.files[name].stat().st_size if content else 0)
    return faults


def is_tar(path: Path) -> bool:
    """Return whether the file is a tar archive, perhaps compressed."""
    try:
        with _unpacked(path) as source:
            return tarfile.TarInfo.frombuf(source.read(512), "utf-8", "surrogateescape") is not None
    except DAMAGED:
        return False


def tar(source: Path, out: Path, progress: Progress = silent) -> None:
    """Zip the photos of a tar archive in its order; what is no photo is listed without content.

    Raises
    ------
    InputError
        As archive.Archive does, and by the same rules; or the archive is damaged.
    """
    seen: set[str] = set()
    try:
        with (
            _Bounded(source) as unpacked,
            tarfile.open(fileobj=cast(Any, unpacked), mode="r|", tarinfo=_Info) as packed,
            zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made,
        ):
            for member in progress(packed, what="read the archive", unit="files"):
                if member.isdir():
                    continue
                name = printable(member.name.removeprefix("./")).replace("\\", "%5C")
                harm = rules.harmful(name) or _harm(member, name in seen, len(seen))
                if harm:
                    raise rules.refusal(source, name, harm)
                seen.add(name)
                _add(made, name, packed.extractfile(member) if _used(name) else None, member.size)
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's fault
        raise InputError(
            source, expected="a readable tar archive", found=str(error),
            fix="get the archive again: it may have been cut off",
        ) from error  # fmt: skip


def _used(name: str) -> bool:
    return is_photo(name) or label_table.find([name]) is not None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _harm(member: tarfile.TarInfo, again: bool, number: int) -> str | None:
    if not member.isfile() or member.issparse():
        return "a link or a special file"
    if again:
        return "a second member of the same name"
    return f"more than {rules.MAX_MEMBERS:,} members" if number >= rules.MAX_MEMBERS else None


def _add(packed: zipfile.ZipFile, name: str, content: IO[bytes] | None, size: int = 0) -> None:
    member = zipfile.ZipInfo(name)  # dated 1980, the zip format's zero
    member.external_attr = 0o644 << 16
    member.create_system = 3
    if content is None:
        packed.writestr(member, b"")
        return
    with closing(content), packed.open(member, "w", force_zip64=size >= 2**31) as target:
        shutil.copyfileobj(content, target, 2**20)


class _Info(tarfile.TarInfo):
    """A header whose long names and attributes can't fill the memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if not found.isfile() and not found.isdir() and found.size > _MAX_HEADER:
            raise tarfile.HeaderError(f"a header of {found.size:,} bytes")
        return found


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as source:
        opener = _OPENERS.get(source.read(2))
    return cast(IO[bytes], opener(path, "rb")) if opener else path.open("rb")


class _Bounded:
    """A tar's bytes, unpacked; refuses a bomb while it is read."""

    def __init__(self, path: Path) -> None:
        self.path, self.source, self.done = path, _unpacked(path), 0
        most = max(rules.RATIO_FREE_BYTES, rules.MAX_RATIO * path.stat().st_size)
        self.limit = min(most, rules.MAX_TOTAL_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()

    def read(self, count: int) -> bytes:
        content = self.source.read(count)
        self.done += len(content)
        if self.done > self.limit:
            raise rules.refusal(
                self.path, self.path.name, f"more than {self.limit:,} bytes unpacked, as bombs have"
            )
        return content


def is_packed(path: Path) -> bool:
    """Return whether `path` is what this module makes zips of: a folder or a tar archive."""
    return path.is_dir() or (path.is_file() and is_tar(path))


def pack(
    source: Path, out: Path, progress: Progress = silent, asked: Asked = None
) -> dict[str, str]:
    """Zip a folder or a tar archive; returns why photos of a folder can't be read."""
    if source.is_dir():
        return folder(source, out, progress, asked)
    tar(source, out, progress)
    return {}
