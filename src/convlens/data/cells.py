"""Photos as they come in cells of a table: files, their base64 text, or pixels."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from convlens.data.decode import BadPhotoError, TooManyPixelsError, decode
from convlens.errors import InputError

_AROUND_BASE64 = re.compile(rb"\A\s*data:[^,]*,|\s", re.IGNORECASE)


def photos(found: Any) -> list[Any]:
    """Return the photos of one cell: `{"image": [one, two]}` arrives in a single one."""
    several = (
        isinstance(found, list | np.ndarray) and len(found) and isinstance(found[0], str | bytes)
    )
    return list(found) if several else [found]


def pixels(cell: Any, size: int, row: int) -> NDArray[np.float32]:
    """Return (size, size, 3) RGB in 0..255 from one cell of the input.

    Accepted are a file as base64 text (a data URI or with line breaks, too) or bytes, and pixels,
    as an array or nested lists. Raises InputError, naming the image by `row`.
    """
    try:
        cell = bytes(cell) if isinstance(cell, bytearray | memoryview) else cell
        if isinstance(cell, str | bytes):
            return decode(_file(cell), size).pixels.astype(np.float32)
        # A table keeps pixels as nested arrays of objects.
        array = np.array(np.asarray(cell).tolist(), dtype=np.float32)
    except (BadPhotoError, TooManyPixelsError, TypeError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
    else:
        if array.shape == (size, size, 3) and array.min() >= 0 and array.max() <= 255:
            return array
        values = f" from {array.min():g} to {array.max():g}" if array.size else ""
        found = f"an array of shape {array.shape}{values}"
    expected = f"a photo as base64 text or bytes, or pixels ({size}, {size}, 3) in 0..255"
    raise InputError(f"image {row}", expected=expected, found=found[:200], fix="mend this image")


def _file(cell: str | bytes) -> bytes:
    """Return the bytes of a photo's file from its base64 text, if it is one."""
    text = _AROUND_BASE64.sub(b"", unquote_to_bytes(cell))
    text = text.translate(bytes.maketrans(b"-_", b"+/"))  # as addresses write it
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        if isinstance(cell, bytes):
            return cell
        raise
