"""Which bytes are an image's, and opening them whatever else their file carries."""

from __future__ import annotations

import io
import struct
import zlib
from importlib.util import find_spec

from PIL import Image

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF", "TIFF", "JPEG2000")
HEAD = 64  # bytes that tell
NO_HEIC = "HEIC, which only pillow-heif reads: pip install pillow-heif"
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_LARGEST_PROFILE = 2**20  # Pillow's limit


class NoReaderError(Exception):
    """A known format that can't be read here; the message says what would read it."""


def reads_heic() -> bool:
    """Return whether HEIC photos can be read here."""
    return find_spec("pillow_heif") is not None


def is_heic(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a HEIC photo (ISO/IEC 23008-12, B.4)."""
    if head[4:8] != b"ftyp" or head[8:12] in (b"avif", b"avis"):
        return False
    size = min(int.from_bytes(head[:4], "big"), len(head))
    return any(head[start : start + 4] in _HEIC_BRANDS for start in (8, *range(16, size - 3, 4)))


def may_be_image(head: bytes) -> bool:
    """Return whether a file that begins with `head` is of one of FORMATS, or HEIC."""
    Image.init()
    accepts = (Image.OPEN[kind][1] for kind in FORMATS if kind in Image.OPEN)
    return is_heic(head) or any(f is not None and bool(f(head[:16])) for f in accepts)


def open_image(content: bytes) -> Image.Image:
    """Open `content` by what it is, not by its name; nothing is decoded yet.

    Raises
    ------
    Exception
        Anything that Pillow raises; NoReaderError for HEIC without pillow-heif.
    """
    if is_heic(content[:HEAD]):
        if not reads_heic():
            raise NoReaderError(NO_HEIC)
        from pillow_heif import HeifImageFile  # not registered with Pillow, whose users differ

        image: Image.Image = HeifImageFile(io.BytesIO(content))
        return image
    return Image.open(io.BytesIO(content), formats=FORMATS)


def without_texts(content: bytes) -> bytes:
    """Return a PNG without its texts, and without a profile above Pillow's limit.

    Pillow gives a whole photo up for a long prompt or profile beside it. Anything else, and a PNG
    without them, is returned as it is.
    """
    if not content.startswith(_PNG):
        return content
    kept, position = [_PNG], len(_PNG)
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        kind, end = content[position + 4 : position + 8], position + length + 12
        if kind not in _TEXTS and not (kind == b"iCCP" and _too_long(content[position + 8 : end])):
            kept.append(content[position:end])
        position = end
    return b"".join(kept)


def _too_long(profile: bytes) -> bool:
    packed = profile[profile.find(b"\0") + 2 :]
    try:
        return len(zlib.decompressobj().decompress(packed, _LARGEST_PROFILE + 1)) > _LARGEST_PROFILE
    except zlib.error:
        return True
