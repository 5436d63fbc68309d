"""All channels of a layer as one picture, composed pixel by pixel and shown once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rgb = npt.NDArray[np.uint8]
COLUMNS, GAP, CELL = 16, 2, 96
DEAD_STD = 1e-6
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 24, 92, 74


@dataclass(frozen=True)
class Tiles:
    """Channels ready to show: levels (h, w, K) uint8 and dead (K,) bool."""

    levels: npt.NDArray[np.uint8]
    dead: npt.NDArray[np.bool_]


def classic(maps: npt.NDArray[np.floating]) -> Tiles:
    """Bring every channel of (h, w, K) maps to mean 128 and standard deviation 64, in 0..255.

    A channel that is constant, up to DEAD_STD, or not finite says nothing about the photo: it is
    dead. (Chollet, Deep Learning with Python, chapter 5.)
    """
    values = np.nan_to_num(maps.astype(np.float64), posinf=0.0, neginf=0.0)
    spread = values.std(axis=(0, 1))
    dead = (spread <= DEAD_STD) | ~np.isfinite(maps).all(axis=(0, 1))
    scaled = (values - values.mean(axis=(0, 1))) / np.where(dead, 1.0, spread)
    levels = np.clip(np.where(dead, 0.0, scaled) * 64 + 128, 0, 255)
    return Tiles(levels.astype(np.uint8), dead)


def compose(tiles: Tiles, colormap: str = "viridis", magnify: int = 1) -> Rgb:
    """Lay the channels out 16 a row, GAP white pixels apart.

    Returns
    -------
    array
        (rows (h + GAP) - GAP, columns (w + GAP) - GAP, 3) uint8 with h and w magnified; dead
        channels are flat grey, places without a channel white.
    """
    import matplotlib as mpl
    from matplotlib.colors import to_rgb

    table = (mpl.colormaps[colormap](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
    cells = table[np.moveaxis(tiles.levels, -1, 0)]
    cells[tiles.dead] = np.round(np.multiply(to_rgb(style.DEAD), 255)).astype(np.uint8)
    return mosaic(np.repeat(np.repeat(cells, magnify, axis=1), magnify, axis=2))


def mosaic(cells: Rgb) -> Rgb:
    """Lay (K, h, w, 3) pictures out 16 a row, GAP white pixels apart."""
    count, height, width, _ = cells.shape
    columns = min(count, COLUMNS)
    rows = -(-count // COLUMNS)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for index, cell in enumerate(cells):
        top, left = index // COLUMNS * (height + GAP), index % COLUMNS * (width + GAP)
        sheet[top : top + height, left : left + width] = cell
    return sheet


def activation_grid(
    maps: npt.NDArray[np.floating], layer: str, colormap: str = "viridis"
) -> Figure:
    """Draw every channel of a layer's (h, w, K) maps, dead ones grey and counted in the title."""
    height, width, count = maps.shape
    tiles = classic(maps)
    sheet = compose(tiles, colormap, magnify=max(1, round(CELL / max(height, width))))
    dead = int(tiles.dead.sum())
    heading = f"{layer}: what its {count} channels answer" if count > 1 else f"{layer}: its channel"
    note = f"{height} × {width} values each, {COLUMNS} a row; {dead} of {count} dead on this photo"
    fig, axes = _canvas(sheet, heading, note)
    axes.set_yticks(
        (np.arange(-(-count // COLUMNS)) + 0.5) * (sheet.shape[0] + GAP) / -(-count // COLUMNS),
        [str(first) for first in range(0, count, COLUMNS)],
    )
    _scale(fig, colormap, dead > 0)
    return fig


def _canvas(sheet: Rgb, heading: str, note: str) -> tuple[Figure, Any]:
    """Return a figure that shows `sheet` pixel for pixel under a heading, and its axes."""
    high, wide = sheet.shape[:2]
    total_wide = max(_LEFT + wide + _RIGHT, 900)
    total_high = _TOP + high + _BOTTOM
    fig = style.figure(total_wide / style.DPI, total_high / style.DPI, layout="none")
    axes = fig.add_axes(
        (_LEFT / total_wide, _BOTTOM / total_high, wide / total_wide, high / total_high)
    )
    axes.imshow(sheet, interpolation="none", aspect="auto")
    axes.grid(False)
    axes.set_xticks([])
    axes.tick_params(length=0, labelsize=12)
    for spine in axes.spines.values():
        spine.set_visible(False)
    left = _LEFT / total_wide
    fig.text(left, 1 - 34 / total_high, heading, size=17, weight="bold", va="center")
    fig.text(left, 1 - 68 / total_high, note, size=12.5, color=style.MUTED, va="center")
    return fig, axes


def _scale(fig: Figure, colormap: str, dead: bool) -> None:
    """Add the colour scale under the grid: levels are standard deviations about the mean."""
    wide, high = fig.get_size_inches() * style.DPI
    bar = fig.add_axes((_LEFT / wide, 42 / high, 300 / wide, 16 / high))
    bar.imshow(np.arange(256)[None], cmap=colormap, aspect="auto")
    bar.grid(False)
    bar.set_yticks([])
    bar.set_xticks([0, 64, 128, 192, 255], ["−2 σ", "−σ", "channel mean", "+σ", "+2 σ"])
    bar.tick_params(length=0, labelsize=11)
    for spine in bar.spines.values():
        spine.set_visible(False)
    if dead:
        swatch = fig.add_axes(((_LEFT + 350) / wide, 42 / high, 16 / wide, 16 / high))
        swatch.set_facecolor(style.DEAD)
        swatch.grid(False)
        swatch.set(xticks=[], yticks=[])
        fig.text((_LEFT + 374) / wide, 50 / high, "dead: constant here", size=11, va="center")
