"""A zip's table of contents, read without trusting it.

Python's zipfile gives a whole archive up for one name that is not the UTF-8 it claims to be, and
refuses members whose two name fields differ. Photos are read by their place, so here the table at
the end decides alone. Format: PKWARE's APPNOTE 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

STORED, DEFLATED = 0, 8
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
UTF8, ENCRYPTED = 0x800, 0x1
MAX_TABLE = 64 * 2**20  # bytes
_END, _END64, _LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_FULL = 0xFFFFFFFF  # look in the zip64 field instead
_LEGACY = ("cp932", "gbk", "big5")  # in whose letters a backslash can be a second byte


class BadZipError(Exception):
    """The bytes are no zip, or not the ones that its table promises."""


@dataclass(frozen=True)
class Member:
    """One entry: `packed` bytes at `start` (of its local header) that unpack to `size` bytes.

    `name` has slashes and may hold what can't be printed; `valid` is False if its bytes are not
    the UTF-8 that they claim to be.
    """

    name: str
    valid: bool
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    start: int
    mode: int


def members(source: BinaryIO) -> Iterator[Member]:
    """Yield the entries of a zip, in the table's order.

    Raises
    ------
    BadZipError
        If there is no table, or it is cut off.
    """
    table, shift = _table(source)
    position = 0
    while position < len(table):
        if table[position : position + 4] != b"PK\1\2" or position + 46 > len(table):
            raise BadZipError("its table of contents is damaged")
        fields = struct.unpack_from("<6H3I5H2I", table, position + 4)
        _, _, flags, method, _, _, crc, packed, size = fields[:9]
        name_length, extra_length, comment_length = fields[9:12]
        start = position + 46
        raw = table[start : start + name_length]
        extra = table[start + name_length : start + name_length + extra_length]
        size, packed, offset = _wide(extra, size, packed, fields[15])
        name, valid = _decoded(raw, flags)
        mode = fields[14] >> 16
        yield Member(name, valid, flags, method, crc, packed, size, offset + shift, mode)
        position = start + name_length + extra_length + comment_length


def read(source: BinaryIO, member: Member) -> bytes:
    """Return a member's content; no more than its promised size is ever unpacked.

    Raises
    ------
    BadZipError
        If the content is not the one that the table promises.
    """
    source.seek(member.start)
    header = source.read(30)
    if len(header) < 30 or header[:4] != b"PK\3\4":
        raise BadZipError("no member where the table says")
    source.seek(sum(struct.unpack_from("<2H", header, 26)), 1)
    content = source.read(member.packed)
    if member.method == DEFLATED:
        try:
            content = zlib.decompressobj(-15).decompress(content, member.size + 1)
        except zlib.error as error:
            raise BadZipError(str(error)) from error
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise BadZipError("not the bytes that the table promises")
    return content


def _table(source: BinaryIO) -> tuple[bytes, int]:
    """Return the table, and by how much what stands before the archive shifts its offsets."""
    end = source.seek(0, 2)
    source.seek(max(0, end - 22 - 0xFFFF))
    tail = source.read()
    ends = [found.start() for found in re.finditer(_END, tail) if found.start() + 22 <= len(tail)]
    comments = {at: int.from_bytes(tail[at + 20 : at + 22], "little") for at in ends}
    whole = [at for at, length in comments.items() if at + 22 + length == len(tail)]
    at = max(whole or ends, default=-1)  # a comment may hold the signature too
    if at < 0:
        raise BadZipError("not a zip file, or its end is missing")
    size, offset = struct.unpack_from("<2I", tail, at + 12)
    stop = end - len(tail) + at
    if at >= 20 and tail[at - 20 : at - 16] == _LOCATOR:
        (where,) = struct.unpack_from("<Q", tail, at - 12)
        # its offset is wrong behind a prefix, but it is 56 bytes long in all that anyone writes
        for place in (stop - 76, where):
            source.seek(max(0, place))
            wide = source.read(56)
            if len(wide) == 56 and wide[:4] == _END64:
                size, offset = struct.unpack_from("<2Q", wide, 40)
                stop = place
                break
        else:
            raise BadZipError("the end of its table of contents is damaged")
    shift = stop - size - offset
    if size > MAX_TABLE or stop < size or shift < 0:
        raise BadZipError("its table of contents can't be where its end says")
    source.seek(stop - size)
    return source.read(size), shift


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return the three numbers, those that need 64 bits from the zip64 extra field."""
    values = [size, packed, offset]
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - 4) // 8}Q", extra, 4))
            values = [next(numbers, v) if v == _FULL else v for v in values]
        extra = extra[4 + length :]
    return values[0], values[1], values[2]


def _decoded(raw: bytes, flags: int) -> tuple[str, bool]:
    """Return a name with slashes, and whether its bytes were what they claim to be.

    Windows' own packers write backslashes between folders; Japanese and Chinese ones have letters
    whose second byte is one, so the reading that leaves the fewest of them is the right one.
    """
    try:
        return raw.decode().replace("\\", "/"), True
    except UnicodeDecodeError:
        if flags & UTF8:
            return raw.decode("utf-8", "surrogateescape").replace("\\", "/"), False
    readings = [raw.decode("cp437")]
    for encoding in _LEGACY if b"\\" in raw else ():
        try:
            readings.append(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return min(readings, key=lambda text: text.count("\\")).replace("\\", "/"), True
