"""Many small pictures as one array, shown pixel for pixel under a heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.gallery import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rgb = npt.NDArray[np.uint8]
COLUMNS, GAP = 16, 2
_READABLE = 1600  # pixels of width at which the text below has its nominal size
_LETTER, _RIGHT, _TOP, _BOTTOM, _LEGEND = 13, 40, 112, 24, 84


def magnified(cells: Rgb, times: int) -> Rgb:
    """Repeat every pixel of (K, h, w, 3) pictures `times` × `times`."""
    return np.repeat(np.repeat(cells, times, axis=1), times, axis=2)


def mosaic(cells: Rgb, columns: int = COLUMNS) -> Rgb:
    """Lay (K, h, w, 3) pictures out `columns` a row, GAP white pixels apart; empty places white."""
    count, height, width, _ = cells.shape
    columns = min(count, columns)
    rows = -(-count // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for index, cell in enumerate(cells):
        top, left = index // columns * (height + GAP), index % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = cell
    return sheet


@dataclass(frozen=True)
class Sheet:
    """A figure around one composed picture, with room for a legend below."""

    figure: Figure
    unit: float
    left: int

    def footer(self, left: float, width: float) -> Any:
        """Return axes below the picture, `left` from its edge, in nominal pixels."""
        wide, high = self.figure.get_size_inches() * style.DPI
        unit = self.unit
        axes = self.figure.add_axes(
            (
                (self.left + left * unit) / wide,
                46 * unit / high,
                width * unit / wide,
                20 * unit / high,
            )
        )
        axes.set_yticks([])
        axes.grid(False)
        axes.tick_params(length=0, labelsize=12 * unit, pad=4 * unit)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes


@style.applied()
def show(
    picture: Rgb,
    heading: str,
    note: str,
    row_labels: Sequence[str],
    *,
    photo: Rgb | None = None,
    legend: bool = False,
) -> Sheet:
    """Show `picture` (H, W, 3) without any resampling.

    The text grows with the picture, so that both are readable when the file is shown small.
    `legend` leaves room for a footer.
    """
    high, wide = picture.shape[:2]
    unit = max(wide, 900) / _READABLE
    letters = max((len(line) for label in row_labels for line in label.split("\n")), default=0)
    left, top = round((37 + _LETTER * letters) * unit), round(_TOP * unit)
    total_wide = left + max(wide, 900) + round(_RIGHT * unit)
    total_high = top + high + round((_LEGEND if legend else _BOTTOM) * unit)
    fig = style.figure(total_wide / style.DPI, total_high / style.DPI, layout="none")
    axes = fig.add_axes(
        (left / total_wide, 1 - (top + high) / total_high, wide / total_wide, high / total_high)
    )
    style.pixels(fig, picture, left, total_high - top - high)
    axes.set_facecolor("none")
    axes.set_xticks([])
    axes.set_ylim(high, 0)
    axes.set_yticks((np.arange(len(row_labels)) + 0.5) * high / len(row_labels), row_labels)
    axes.grid(False)
    axes.tick_params(length=0, labelsize=12 * unit, pad=5 * unit)
    for spine in axes.spines.values():
        spine.set_visible(False)
    indent = left
    if photo is not None:
        side = (_TOP - 22) * unit
        across = side * photo.shape[1] / photo.shape[0]
        corner = fig.add_axes(
            (left / total_wide, 1 - 102 * unit / total_high, across / total_wide, side / total_high)
        )
        corner.imshow(photo, interpolation="antialiased", aspect="auto")
        corner.set_axis_off()
        indent = left + round(across + 20 * unit)
    x = indent / total_wide
    fig.text(x, 1 - 40 * unit / total_high, heading, size=19 * unit, weight="bold", va="center")
    fig.text(x, 1 - 80 * unit / total_high, note, size=13 * unit, color=style.MUTED, va="center")
    return Sheet(fig, unit, left)
