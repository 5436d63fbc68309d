"""Pictures in rows under their titles; the layout follows the pictures, so no text is cut off."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.gallery import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rgb = npt.NDArray[np.uint8]
_MARGIN, _GAP, _LINE = 0.22, 0.16, 0.20  # inches


@dataclass(frozen=True)
class Picture:
    """An image (H, W, 3) uint8 with a title above it; `smooth` shows it without hard pixels."""

    image: Rgb
    title: str = ""
    smooth: bool = True


@dataclass(frozen=True)
class Scale:
    """A colour scale below the pictures: what its two ends mean."""

    colormap: str
    low: str
    high: str


@style.applied()
def in_rows(
    rows: Sequence[Sequence[Picture]],
    heading: str,
    note: str = "",
    *,
    width: float = 9.6,
    scale: Scale | None = None,
) -> Figure:
    """Draw `rows` of pictures, all as wide as the longest row allows, `width` inches in all.

    Titles and the note are wrapped to the room they have; a picture keeps its aspect.
    """
    columns = max(len(row) for row in rows)
    cell = (width - 2 * _MARGIN - (columns - 1) * _GAP) / columns
    notes = textwrap.wrap(note, int((width - 2 * _MARGIN) * 13))
    headings = textwrap.wrap(heading, int((width - 2 * _MARGIN) * 9))
    titles = [[_wrapped(picture.title, cell) for picture in row] for row in rows]
    title_high = [max(text.count("\n") + bool(text) for text in row) * _LINE for row in titles]
    high = [max(_height(picture, cell) for picture in row) for row in rows]
    top = _MARGIN + 0.28 * len(headings) + _LINE * len(notes) + 0.08
    bottom = 0.55 if scale else _MARGIN
    total = top + sum(high) + sum(title_high) + (len(rows) - 1) * _GAP + 0.06 * len(rows) + bottom
    fig = style.figure(width, total, layout="none")
    left = _MARGIN / width
    fig.text(left, 1 - _MARGIN / total, "\n".join(headings), size=14, weight="bold", va="top")
    fig.text(
        left,
        1 - (_MARGIN + 0.28 * len(headings)) / total,
        "\n".join(notes),
        size=10,
        color=style.MUTED,
        va="top",
        linespacing=1.35,
    )
    y = top
    for row, texts, text_high, row_high in zip(rows, titles, title_high, high, strict=True):
        y += text_high + 0.06
        for column, (picture, text) in enumerate(zip(row, texts, strict=True)):
            x = (_MARGIN + column * (cell + _GAP)) / width
            fig.text(x, 1 - (y - 0.05) / total, text, size=10, va="bottom", linespacing=1.25)
            tall = _height(picture, cell)
            place = (x, 1 - (y + tall) / total, cell / width, tall / total)
            style.picture(fig, picture.image, place, smooth=picture.smooth)
        y += row_high + _GAP
    if scale:
        _add_scale(fig, scale, left, total)
    return fig


def _height(picture: Picture, cell: float) -> float:
    height, width = picture.image.shape[:2]
    return float(cell * height / width)


def _wrapped(title: str, cell: float) -> str:
    return "\n".join(
        line for part in title.split("\n") for line in textwrap.wrap(part, max(6, int(cell * 12.5)))
    )


def _add_scale(fig: Figure, scale: Scale, left: float, total: float) -> None:
    import matplotlib as mpl

    wide = fig.get_size_inches()[0]
    fig.text(left, 0.25 / total, scale.low, size=9.5, va="center", color=style.MUTED)
    start = left + (0.085 * len(scale.low) + 0.1) / wide
    bar = mpl.colormaps[scale.colormap](np.arange(256)[None], bytes=True)
    style.picture(fig, bar, (start, 0.18 / total, 2.2 / wide, 0.14 / total), smooth=False)
    fig.text(start + 2.3 / wide, 0.25 / total, scale.high, size=9.5, va="center", color=style.MUTED)
