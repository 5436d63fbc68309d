"""Decoding: by content, completely, upright, any mode to RGB."""

import io
import struct
import zlib

import numpy as np
import pytest
from archives import encoded, photo, picture
from PIL import Image

from convlens.data import decode as module
from convlens.data import formats
from convlens.data.decode import BadPhotoError, TooManyPixelsError, decode, original


def pixels(content: bytes, size: int = 32) -> np.ndarray:
    return decode(content, size).pixels.astype(int)


def test_plain_photo_is_resized_with_the_pinned_filter() -> None:
    image = picture("plain", 80)
    found = decode(encoded(image, "PNG"), 32)
    expected = np.asarray(image.resize((32, 32), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(found.pixels, expected)
    assert (found.format, found.mode, found.width, found.height) == ("PNG", "RGB", 80, 80)
    assert found.pixels.dtype == np.uint8


@pytest.mark.parametrize("side", [48, 100, 333])
def test_large_jpegs_are_scaled_while_decoding_with_hardly_a_difference(side) -> None:
    content = encoded(picture("large", side), quality=90)
    whole = Image.open(io.BytesIO(content)).resize((32, 32), Image.Resampling.BICUBIC)
    assert np.abs(pixels(content) - np.asarray(whole)).mean() < 4
    assert decode(content, 32).width == side


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_exif_orientation_is_turned_upright(turn) -> None:
    # how a camera held in each of the eight ways stores the same scene (EXIF 2.3, table 6)
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    scene = np.asarray(picture("scene", 64))[:, :48]
    exif = Image.Exif()
    exif[0x0112] = turn
    image = Image.fromarray(np.ascontiguousarray(stored[turn](scene)))
    found = pixels(encoded(image, "PNG", exif=exif))
    np.testing.assert_array_equal(found, pixels(encoded(Image.fromarray(scene), "PNG")))


def test_transparency_is_laid_on_white() -> None:
    image = picture("clear").convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert (pixels(encoded(image, "PNG")) == 255).all()
    palette = Image.new("P", (40, 40), 3)
    palette.putpalette([0] * 768)
    assert (pixels(encoded(palette, "GIF", transparency=3)) == 255).all()
    assert (pixels(encoded(palette, "GIF")) == 0).all()


def test_grey_cmyk_and_palette_keep_their_colours() -> None:
    image = picture("modes")
    plain = pixels(encoded(image, "PNG"))
    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BICUBIC))
    assert np.abs(pixels(encoded(image.convert("L"), "PNG")) - grey[..., None]).max() <= 1
    assert np.abs(pixels(encoded(image.convert("CMYK"), quality=100)) - plain).mean() < 4
    assert np.abs(pixels(encoded(image.quantize(256), "PNG")) - plain).mean() < 8


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    levels = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    found = pixels(encoded(Image.fromarray(levels), "PNG"))
    assert found.min() < 8
    assert found.max() > 247
    assert found.mean() == pytest.approx(127.5, abs=2)


KINDS = ["JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF", "TIFF", "JPEG2000"]


@pytest.mark.parametrize("kind", KINDS)
def test_formats_are_known_by_content(kind) -> None:
    found = decode(photo("format", kind), 32)
    assert found.format == kind
    assert np.abs(found.pixels.astype(int) - pixels(photo("format", "PNG"))).mean() < 5
    assert formats.may_be_image(photo("format", kind)[: formats.HEAD])


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "WEBP", "MPO"])
def test_other_formats_are_turned_upright_too(kind) -> None:
    scene = picture("scene", 64).crop((0, 0, 48, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = encoded(scene.transpose(Image.Transpose.ROTATE_90), kind, exif=exif, quality=95)
    assert np.abs(pixels(stored) - pixels(encoded(scene, "PNG"))).mean() < 5


@pytest.mark.parametrize("brand", [b"heicmif1", b"mif1\0\0\0\0heic", b"hevc"])
def test_heic_without_its_reader_says_what_to_do(brand, monkeypatch) -> None:
    monkeypatch.setattr(formats, "reads_heic", lambda: False)
    head = (len(brand) + 12).to_bytes(4, "big") + b"ftyp" + brand + bytes(4)
    with pytest.raises(BadPhotoError, match="pip install pillow-heif"):
        decode(head + bytes(900), 32)


def test_heic_with_its_reader() -> None:
    heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    heif.from_pillow(picture("heic", 64)).save(out, quality=95)
    found = decode(out.getvalue(), 32)
    assert (found.format, found.width) == ("HEIF", 64)
    assert np.abs(found.pixels.astype(int) - pixels(encoded(picture("heic", 64), "PNG"))).mean() < 5
    with pytest.raises(BadPhotoError):
        decode(out.getvalue()[:-200], 32)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(b"a cat, " * 200_000)),
        png_chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"a cat, " * 200_000)),
        png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(1_500_000))),
        b"".join(png_chunk(b"tEXt", b"%d\0" % n + b"a" * 10**6) for n in range(70)),
    ],
)
def test_long_texts_beside_a_png_cost_no_photo(chunk, where) -> None:
    plain = photo("text", "PNG")
    at = 33 if where == "before" else plain.index(b"IEND") - 4
    np.testing.assert_array_equal(pixels(plain[:at] + chunk + plain[at:]), pixels(plain))


@pytest.mark.parametrize("size", [(20, 14_000), (14_000, 20), (1, 300), (1500, 1000), (30, 20)])
def test_a_photo_for_figures_is_bounded_at_any_aspect(size) -> None:
    high, wide, _ = original(encoded(picture("tall").resize(size), "PNG")).shape
    assert max(high, wide) == min(1440, max(size))
    assert max(high, wide) <= 4 * min(high, wide)
    if max(size) < 4 * min(size):
        assert wide / high == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<html><body>404</body></html>", "not an image"),
        (b"II*\0" + bytes(100), "truncated"),
        (b"GIF of a cat" + bytes(100), "not an image"),
        (photo("cut")[:600], "truncated"),
        (photo("cut")[:20], "truncated"),
        (photo("cut", "PNG")[:400], "truncated"),
        (photo("cut", "BMP")[:400], "truncated"),
        (photo("x", "PNG")[:60] + bytes(200) + photo("x", "PNG")[260:], "damaged"),
    ],
)
def test_reasons_for_the_quarantine(content, reason) -> None:
    with pytest.raises(BadPhotoError) as caught:
        decode(content, 32)
    assert str(caught.value) == reason


def test_a_broken_exif_block_is_no_reason_to_lose_a_photo() -> None:
    whole = photo("exif")
    broken = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 40
    segment = b"\xff\xe1" + (len(broken) + 2).to_bytes(2, "big") + broken
    np.testing.assert_array_equal(pixels(whole[:2] + segment + whole[2:]), pixels(whole))


def test_a_photo_is_turned_even_if_its_exif_block_cannot_be_written_anew(monkeypatch) -> None:
    def broken(*_):
        raise ValueError

    exif = Image.Exif()
    exif[0x0112] = 6
    stored = encoded(picture("scene", 64), "PNG", exif=exif)
    turned = pixels(stored)
    monkeypatch.setattr(Image.Exif, "tobytes", broken)
    np.testing.assert_array_equal(pixels(stored), turned)


def test_too_many_pixels_are_seen_in_the_header(monkeypatch) -> None:
    monkeypatch.setattr(module, "MAX_PIXELS", 48 * 48 - 1)
    with pytest.raises(TooManyPixelsError, match="2304 pixels"):
        decode(photo("large"), 32)


def test_a_palette_with_too_many_transparent_entries_harms_no_other_photo() -> None:
    out = io.BytesIO()
    Image.new("P", (40, 40)).save(out, "PNG")
    whole, kind = out.getvalue(), b"tRNS" + bytes(300)  # palettes have 256 entries
    chunk = struct.pack(">I", 300) + kind + struct.pack(">I", zlib.crc32(kind))
    begin = whole.index(b"IDAT") - 4
    with pytest.raises(BadPhotoError, match="damaged"):
        decode(whole[:begin] + chunk + whole[begin:], 32)
