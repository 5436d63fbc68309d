"""Pictures as data URIs, small enough that a page can hold all of them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from convlens.data.decode import original

# A page holds dozens of grids of up to 512 channels; the PNG files keep every pixel.
WIDEST, LARGEST = 1120, 1_000_000  # pixels a row, pixels in all
# A chart is small in bytes, and its letters must stay readable when it is enlarged.
WIDEST_CHART, LARGEST_CHART = 2600, 6_000_000
_THUMBNAIL = 112


@dataclass(frozen=True)
class Embedded:
    """An image inside the page; `chart` marks line drawings, which may turn dark with the page."""

    uri: str
    width: int
    height: int
    alt: str
    chart: bool = False


def chart(path: Path, alt: str) -> Embedded:
    """Embed a drawing of lines and text without any loss."""
    return _embed(path, alt, chart=True, lossless=True, method=2)


def picture(path: Path, alt: str) -> Embedded:
    """Embed photos and heatmaps; losses that nobody sees make them ten times smaller."""
    return _embed(path, alt, quality=72, method=2)


def grid(path: Path, alt: str) -> Embedded:
    """Embed a grid of channels, of which a page holds the most."""
    return _embed(path, alt, quality=45, method=2)


def thumbnail(path: Path, alt: str) -> Embedded:
    """Embed the middle square of a photo, small and upright."""
    upright = Image.fromarray(original(path.read_bytes()))
    middle = ImageOps.fit(upright, (_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return _encoded(middle, alt, quality=80, method=2)


def _embed(path: Path, alt: str, *, chart: bool = False, **options: Any) -> Embedded:
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    widest, largest = (WIDEST_CHART, LARGEST_CHART) if chart else (WIDEST, LARGEST)
    if (scale := min(widest / image.width, (largest / image.width / image.height) ** 0.5)) < 1:
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _encoded(image, alt, chart=chart, **options)


def _encoded(image: Image.Image, alt: str, *, chart: bool = False, **options: Any) -> Embedded:
    encoded = io.BytesIO()
    image.save(encoded, "WEBP", **options)
    uri = "data:image/webp;base64," + base64.b64encode(encoded.getvalue()).decode("ascii")
    return Embedded(uri, image.width, image.height, alt, chart)
