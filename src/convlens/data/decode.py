"""One photo's bytes into square RGB pixels: by content, completely, upright, in sRGB."""

from __future__ import annotations

import contextlib
import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from convlens.data import colours, formats

MAX_PIXELS = 64_000_000
LARGEST, TALLEST = 1440, 4  # a photo in a figure: pixels a side, and its sides' ratio
# Bicubic needs only + - * /, so every machine gets the same weights; Lanczos would need a sine.
FILTER = Image.Resampling.BICUBIC
WHITE = (255, 255, 255, 255)


class BadPhotoError(Exception):
    """The bytes are no usable photo; the message is the reason for the quarantine."""


class TooManyPixelsError(BadPhotoError):
    """The header promises more than MAX_PIXELS: nothing of it was decoded."""


class Decoded(NamedTuple):
    """A photo as a model takes it, uint8 (H, W, 3), and what its file was before."""

    pixels: npt.NDArray[np.uint8]
    format: str
    mode: str
    width: int
    height: int


def decode(content: bytes, height: int, width: int | None = None) -> Decoded:
    """Decode `content` fully and squash it, as the tutorials do; to a square without a `width`.

    A JPEG is read to its end, but its blocks are transformed at the smallest of libjpeg's scales
    (1, 1/2, 1/4, 1/8) that is not below the size: half the time, about one grey level of
    difference. Transparent photos are laid on white; CMYK, palette and grey become RGB; colours of
    a wide profile become sRGB; an animation is its first frame. An unreadable EXIF block is no
    reason to lose a photo: it counts as upright.

    Raises
    ------
    BadPhotoError
        "empty", "not an image", "truncated", "damaged", or which format can't be read.
    TooManyPixelsError
        Above MAX_PIXELS, seen from the header alone.
    """
    width = width or height
    image, kind, mode, whole = _load(content, max(height, width))
    squashed = _upright_rgb(image).resize((width, height), FILTER)
    srgb = colours.to_srgb(squashed, image.info.get("icc_profile"))
    return Decoded(np.asarray(srgb), kind, mode, *whole)


def original(content: bytes) -> np.ndarray:
    """Decode `content` as `decode` does, but keep its shape for figures: uint8 (H, W, 3).

    A side above LARGEST pixels makes the photo smaller; one longer than TALLEST times the other
    is squeezed to that, so that no figure grows beyond reason.
    """
    image = _load(content, LARGEST)[0]
    upright = _upright_rgb(image)
    wide, high = upright.size
    least = min(LARGEST, max(wide, high)) / TALLEST
    scale = min(1.0, LARGEST / max(wide, high))
    shape = (round(max(wide * scale, least)), round(max(high * scale, least)))
    if shape != upright.size:
        upright = upright.resize(shape, FILTER)
    return np.asarray(colours.to_srgb(upright, image.info.get("icc_profile")))


def _upright_rgb(image: Image.Image) -> Image.Image:
    try:
        return _rgb(_upright(image))
    except Exception as error:  # conversions too read what hostile bytes say
        raise BadPhotoError("damaged") from error


def _load(content: bytes, size: int) -> tuple[Image.Image, str, str, tuple[int, int]]:
    if not content:
        raise BadPhotoError("empty")
    try:
        return _opened(content, size)
    except BadPhotoError as error:
        plain = formats.without_texts(content)
        if str(error) != "damaged" or len(plain) == len(content):
            raise
        return _opened(plain, size)


def _opened(content: bytes, size: int) -> tuple[Image.Image, str, str, tuple[int, int]]:
    try:
        with warnings.catch_warnings():
            # the others are about metadata, which good photos often have broken
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = formats.open_image(content)
            kind, mode, whole = str(image.format), image.mode, image.size
            _check_pixels(*whole)
            if kind == "JPEG":
                image.draft(None, (size, size))
            image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise TooManyPixelsError(
            f"too large: {str(error).split(')')[0].split('(')[-1]}, of {MAX_PIXELS} at most"
        ) from error
    except TooManyPixelsError:
        raise
    except formats.NoReaderError as error:
        raise BadPhotoError(str(error)) from error
    except UnidentifiedImageError as error:
        good = formats.may_be_image(content[: formats.HEAD])
        raise BadPhotoError("truncated" if good else "not an image") from error
    except Exception as error:  # decoders raise anything at all on hostile bytes
        cut = any(word in str(error).lower() for word in ("truncated", "unexpected end", "eof"))
        raise BadPhotoError("truncated" if cut else "damaged") from error
    return image, kind, mode, whole


def _check_pixels(width: int, height: int) -> None:
    # Pillow's own limit belongs to the whole process, so it stays as the caller has it
    if width * height > MAX_PIXELS:
        raise TooManyPixelsError(
            f"too large: {width} × {height} = {width * height} pixels, of {MAX_PIXELS} at most"
        )


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception), warnings.catch_warnings():  # broken EXIF raises anything
        warnings.simplefilter("ignore")
        ImageOps.exif_transpose(image, in_place=True)  # turned before the block is written anew
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel: convert() would clip instead of scale
        levels = np.asarray(image).astype(np.uint32) >> 8
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    elif image.mode == "F":  # TIFF's levels as fractions, of 1 or of 255
        levels = np.nan_to_num(np.asarray(image))
        levels = levels * 255 if levels.max() <= 1 else levels
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image).convert("RGB")
    return image.convert("RGB")


def glimpse(content: bytes, size: int) -> npt.NDArray[np.uint8]:
    """Return what can be seen of a photo, even of a cut one, for people to look at only.

    uint8 (size, size, 3); flat grey if nothing can be seen.
    """
    usual, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        return decode(content, size).pixels
    except BadPhotoError:
        return np.full((size, size, 3), 225, np.uint8)
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = usual
