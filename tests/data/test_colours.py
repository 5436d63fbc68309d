"""Colours of wide profiles become sRGB's; all others stay as they are."""

import struct

import numpy as np
import pytest
from archives import encoded, picture
from PIL import Image, ImageCms

from convlens.data.decode import decode, original

P3 = np.array(((0.5151, 0.2920, 0.1571), (0.2412, 0.6922, 0.0666), (-0.0011, 0.0419, 0.7841)))
SRGB = np.array(((0.4361, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141)))


def profile(matrix: np.ndarray) -> bytes:
    """A matrix profile, ICC.1:2001-04: the columns are the primaries (XYZ, D50); gamma 2.2."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    white = fixed(0.9642, 1, 0.8249)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none",
        b"wtpt": b"XYZ " + bytes(4) + white,
    }
    for name, primary in zip((b"r", b"g", b"b"), matrix.T, strict=True):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*primary)
        tags[name + b"TRC"] = struct.pack(">4sIIH2x", b"curv", 0, 1, round(2.2 * 256))
    table, body = struct.pack(">I", len(tags)), b""
    start = 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI", start + len(body), b"lcms", 0x2400000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_a_wide_profile_becomes_srgb(kind) -> None:
    colour = np.array((200, 100, 60))
    light = np.linalg.inv(SRGB) @ P3 @ (colour / 255) ** 2.2
    # IEC 61966-2-1: the curve above its linear foot
    expected = (1.055 * light ** (1 / 2.4) - 0.055) * 255
    image = Image.new("RGB", (40, 40), tuple(colour.tolist()))
    content = encoded(image, kind, icc_profile=profile(P3), quality=100)
    for found in (decode(content, 32).pixels, original(content)):
        np.testing.assert_allclose(found[5, 5].astype(int), expected, atol=4)
    assert np.abs(expected - colour).max() > 12


@pytest.mark.parametrize("given", ["same colours", b"no profile", b"", "Pillow's own"])
def test_srgb_by_any_name_and_broken_profiles_change_nothing(given) -> None:
    known = {
        "same colours": profile(SRGB),
        "Pillow's own": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    }
    image = picture("profile")
    with_profile = encoded(image, "PNG", icc_profile=known.get(given, given))
    found, plain = (decode(c, 32).pixels for c in (with_profile, encoded(image, "PNG")))
    np.testing.assert_array_equal(found, plain)
