"""The bytes of one photo, from a folder or an object store, if they begin like an image's."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlens.data.archive import MAX_MEMBER_BYTES, oversize
from convlens.data.decode import BadPhotoError
from convlens.data.formats import HEAD, may_be_image
from convlens.data.stores import Place, remote
from convlens.errors import InputError


@dataclass(frozen=True)
class Sources:
    """Where photos are, for a worker on another machine as well.

    Attributes
    ----------
    folder
        The working folder that local paths are relative to.
    stores
        The pyarrow file system of each store, by what comes before its keys: s3://bucket.
    """

    folder: Path = Path()
    stores: Mapping[str, Any] = field(default_factory=dict)

    def content(self, path: str) -> bytes:
        """Return the bytes of a photo; raises BadPhotoError, OSError or StoreError."""
        if not remote(path):
            return content(self.folder / path)
        scheme, _, rest = path.partition("://")
        bucket = rest.partition("/")[0]
        return stored(Place(self.stores[f"{scheme}://{bucket}"], rest, path))

    def check(self) -> None:
        """Raise InputError on a machine that hasn't got the working folder."""
        if not self.folder.is_dir():
            raise InputError(
                self.folder, expected="on the machine of every worker, as on yours",
                found="no such folder there", fix="share the disk, or use an object store",
            )  # fmt: skip


def content(path: Path) -> bytes:
    """Return the bytes of a file that begins like an image.

    Raises
    ------
    BadPhotoError
        It is a folder, too large, or begins like no image.
    OSError
        It can't be read.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise BadPhotoError("a folder without photos")
    if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting for ever
        raise BadPhotoError("not a file")
    with path.open("rb") as source:
        head = source.read(HEAD)
        if head and not may_be_image(head):
            raise BadPhotoError("not an image")
        if status.st_size > MAX_MEMBER_BYTES:
            raise BadPhotoError(oversize(status.st_size))
        return head + source.read(MAX_MEMBER_BYTES)


def stored(place: Place) -> bytes:
    """Return the bytes of an object that begins like an image.

    Raises
    ------
    BadPhotoError
        It is too large, or begins like no image.
    OSError
        It can't be read; StoreError if another try may.
    """
    data = place.read(MAX_MEMBER_BYTES + 1)
    if data and not may_be_image(data[:HEAD]):
        raise BadPhotoError("not an image")
    if len(data) > MAX_MEMBER_BYTES:
        raise BadPhotoError(oversize(place.size or len(data)))
    return data
