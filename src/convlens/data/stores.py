"""Files here or in an object store: one way to name, list, read and write them.

A text with "://", e.g. s3://bucket/folder, is on the file system that pyarrow knows by that name,
options after a "?" included (endpoint_override, region, anonymous …); any other is a local path.
"""

from __future__ import annotations

import io
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from errno import EACCES, EDQUOT, EISDIR, ENOENT, ENOSPC, ENOTDIR, EROFS
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from convlens.data.names import is_photo
from convlens.errors import InputError, masked

T = TypeVar("T")
_OF_THE_DISK = frozenset({EDQUOT, EISDIR, ENOSPC, ENOTDIR, EROFS})  # no other try helps
PAUSES = (0.1, 0.5, 2.0)  # seconds before the second, third and fourth try


class StoreError(OSError):
    """A store that failed time and again; another day it may not."""


@dataclass(frozen=True)
class Place:
    """A file or folder: `path` on the pyarrow file system `fs`, shown as `text`."""

    fs: Any
    path: str
    text: str

    def __truediv__(self, name: str) -> Place:
        return Place(self.fs, f"{self.path}/{name}", f"{self.text}/{name}")

    def __str__(self) -> str:
        return self.text

    @property
    def size(self) -> int | None:
        """Its bytes; None if it is no file."""
        info = patiently(lambda: self.fs.get_file_info(self.path))
        return None if info.size is None else int(info.size)

    def read(self, most: int = -1) -> bytes:
        """Return its first `most` bytes, all by default; raises StoreError, FileNotFoundError."""

        def content() -> bytes:
            with self.fs.open_input_stream(self.path) as stream:
                return bytes(stream.read(most) if most >= 0 else stream.read())

        return patiently(content)

    def write(self, content: bytes | Path) -> None:
        """Write bytes, or what a file here holds, so that all of it is there or nothing."""
        # an object appears when it is complete, a file when it has its name
        object_store = self.fs.type_name in ("s3", "gcs", "abfs")
        target = self.path if object_store else f"{self.path}.{uuid.uuid4().hex}.part"

        def put() -> None:
            if target != self.path:
                self.fs.create_dir(self.path.rpartition("/")[0], recursive=True)
            with _opened(content) as source, self.fs.open_output_stream(target) as stream:
                shutil.copyfileobj(source, stream, 2**20)
            if target != self.path:
                self.fs.move(target, self.path)

        patiently(put)

    def names(self) -> list[str]:
        """Return the names of what is in the folder; of no folder none."""
        from pyarrow.fs import FileSelector

        inside = FileSelector(self.path, allow_not_found=True)
        return [info.base_name for info in patiently(lambda: self.fs.get_file_info(inside))]

    def remove(self) -> None:
        """Remove the folder, if it is there."""
        if self.names():
            patiently(lambda: self.fs.delete_dir(self.path))


def _opened(content: bytes | Path) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def place(text: str) -> Place:
    """Return where `text` says.

    Raises
    ------
    InputError
        pyarrow isn't installed, or knows no such file system.
    """
    if find_spec("pyarrow") is None:
        raise InputError(
            text, expected="pyarrow, which writes tables and reads object stores",
            found="no module named pyarrow", fix="pip install 'convlens[ray]'",
        )  # fmt: skip
    from pyarrow.fs import FileSystem, LocalFileSystem

    if not remote(text):
        return Place(LocalFileSystem(), str(Path(text).absolute()), text)
    try:
        fs, path = FileSystem.from_uri(text)
    except (ValueError, OSError) as error:
        raise InputError(
            masked(text), expected="a file system of pyarrow: s3://…, gs://…, hdfs://…",
            found=str(error).splitlines()[0], fix="mend the address",
        ) from error  # fmt: skip
    return Place(fs, path.rstrip("/"), f"{text.partition('://')[0]}://{path.strip('/')}")


def remote(text: str) -> bool:
    """Return whether `text` names something on another file system than this machine's."""
    return "://" in text


def photos(folder: Place) -> Iterator[tuple[Place, int, float]]:
    """Yield the photos under `folder` in order: where, bytes, seconds of the last change.

    Raises
    ------
    InputError
        There is nothing, or the store fails.
    """
    from pyarrow.fs import FileSelector, FileType

    try:
        info = patiently(lambda: folder.fs.get_file_info(folder.path))
        found = [info]
        if info.type == FileType.Directory:
            inside = FileSelector(folder.path, recursive=True)
            found = patiently(lambda: folder.fs.get_file_info(inside))
    except OSError as error:
        raise InputError(
            folder, expected="a folder of photos that may be read", found=str(error),
            fix="mend the address, or your rights there, and run again",
        ) from error  # fmt: skip
    if info.type == FileType.NotFound:
        raise InputError(
            folder, expected="a folder of photos", found="nothing there", fix="mend the address"
        )
    scheme = folder.text.partition("://")[0]
    above = len(folder.path) + 1
    for file in sorted(found, key=lambda file: str(file.path)):
        if file.type == FileType.File and (len(found) == 1 or is_photo(file.path[above:])):
            changed = float(file.mtime_ns or 0) / 1e9
            yield Place(folder.fs, file.path, f"{scheme}://{file.path}"), file.size, changed


def patiently(attempt: Callable[[], T]) -> T:
    """Return what `attempt` returns, after several tries if the store fails.

    Raises
    ------
    StoreError
        It failed each time.
    OSError
        What no other try would change: there is no such file, or it may not be read.
    """
    for pause in (*PAUSES, None):
        try:
            return attempt()
        except FileNotFoundError as error:
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT)) from error
        except OSError as error:
            if error.errno == EACCES or "ACCESS_DENIED" in str(error):
                raise PermissionError(EACCES, os.strerror(EACCES)) from error
            if error.errno in _OF_THE_DISK:
                raise
            if pause is None:
                raise StoreError(f"the store failed: {masked(str(error))[:200]}") from error
            time.sleep(pause)
    raise AssertionError
