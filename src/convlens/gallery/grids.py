"""All channels of a layer as one picture, composed pixel by pixel and shown once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.explain.depth import DEAD_STD
from convlens.gallery import style
from convlens.gallery.sheet import COLUMNS, Rgb, magnified, mosaic, show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convlens.gallery.sheet import Sheet

CELL, LARGEST = 96, 288
MOST = 512  # channels in one grid


@dataclass(frozen=True)
class Tiles:
    """Channels ready to show: levels (h, w, K) uint8 and dead (K,) bool."""

    levels: npt.NDArray[np.uint8]
    dead: npt.NDArray[np.bool_]


def classic(maps: npt.NDArray[np.floating]) -> Tiles:
    """Bring every channel of (h, w, K) maps to mean 128 and standard deviation 64, in 0..255.

    A channel that is constant, up to DEAD_STD, or not finite says nothing about the photo: it is
    dead. (Chollet, Deep Learning with Python, section 5.4.1.)
    """
    values = np.nan_to_num(maps.astype(np.float64), posinf=0.0, neginf=0.0)
    spread = values.std(axis=(0, 1))
    dead = (spread <= DEAD_STD) | ~np.isfinite(maps).all(axis=(0, 1))
    scaled = (values - values.mean(axis=(0, 1))) / np.where(dead, 1.0, spread)
    levels = np.clip(np.where(dead, 0.0, scaled) * 64 + 128, 0, 255)
    return Tiles(levels.astype(np.uint8), dead)


def coloured(tiles: Tiles, colormap: str) -> Rgb:
    """Return the channels as (K, h, w, 3) uint8; the dead ones are flat grey."""
    from matplotlib.colors import to_rgb

    cells = style.colours(colormap)[np.moveaxis(tiles.levels, -1, 0)]
    cells[tiles.dead] = np.round(np.multiply(to_rgb(style.DEAD), 255)).astype(np.uint8)
    return np.asarray(cells, dtype=np.uint8)


def compose(maps: npt.NDArray[np.floating], colormap: str = "viridis") -> tuple[Rgb, int]:
    """Lay all channels of (h, w, K) maps out 16 a row, small ones magnified by a whole number.

    Returns
    -------
    sheet, dead
        (rows (h' + GAP) - GAP, columns (w' + GAP) - GAP, 3) uint8 with white gaps, and how many
        channels are dead.
    """
    tiles = classic(maps)
    cell = min(LARGEST, COLUMNS * CELL // min(COLUMNS, maps.shape[2]))
    times = max(1, round(cell / max(maps.shape[:2])))
    return mosaic(magnified(coloured(tiles, colormap), times)), int(tiles.dead.sum())


@style.applied()
def activation_grid(
    maps: npt.NDArray[np.floating], layer: str, colormap: str = "viridis", photo: Rgb | None = None
) -> Figure:
    """Draw the channels of a layer's (h, w, K) maps, dead ones grey and counted in the title.

    There are all of them up to MOST, as many as VGG16's widest layers have: a page of more takes
    gigabytes.

    Parameters
    ----------
    photo
        (H, W, 3) uint8: what the layer looked at, shown small beside the title.
    """
    height, width, every = maps.shape
    count = min(every, MOST)
    picture, dead = compose(maps[..., :count], colormap)
    channels = "1 channel" if every == 1 else f"{every} channels"
    if count < every:
        channels = f"the first {count} of {channels}"
    sheet = show(
        picture,
        f"{layer}: {channels}" + (f", {dead} dead" if dead else ""),
        f"{height} × {width} values each; row labels: first channel of the row",
        [str(first) for first in range(0, count, COLUMNS)],
        photo=photo,
        legend=True,
    )
    _scale(sheet, colormap, dead > 0)
    return sheet.figure


def _scale(sheet: Sheet, colormap: str, dead: bool) -> None:
    """Add the colour scale under the grid: levels are standard deviations about the mean."""
    bar = sheet.footer(0, 360)
    bar.imshow(np.arange(256)[None], cmap=colormap, aspect="auto")
    bar.set_xticks([0, 128, 255], ["−2 σ", "mean of the channel", "+2 σ"])
    if dead:
        swatch = sheet.footer(470, 24)
        swatch.set_facecolor(style.DEAD)
        swatch.set_xticks([])
        unit = sheet.unit
        swatch.annotate(
            "dead: constant on this photo",
            (1, 0.5),
            xytext=(7 * unit, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            size=12 * unit,
            color=style.MUTED,
            va="center",
        )


@style.applied()
def overview(
    maps: Mapping[str, npt.NDArray[np.floating]],
    heading: str,
    colormap: str = "viridis",
    photo: Rgb | None = None,
) -> Figure:
    """Draw one row a layer: its 16 most varied channels, all layers at one size.

    Parameters
    ----------
    maps
        Layer name to (h, w, K), in the order to draw.
    """
    from PIL import Image

    cells = []
    for values in maps.values():
        spread = np.nan_to_num(values).std(axis=(0, 1))
        chosen = np.sort(np.argsort(-spread, kind="stable")[:COLUMNS])
        pictures = coloured(classic(values[..., chosen]), colormap)
        smaller = Image.Resampling.BOX if values.shape[0] > CELL else Image.Resampling.NEAREST
        row = [
            np.asarray(Image.fromarray(picture).resize((CELL, CELL), smaller))
            for picture in pictures
        ]
        blank = np.full((CELL, CELL, 3), 255, np.uint8)
        cells += row + [blank] * (COLUMNS - len(row))
    labels = [f"{name}\n{v.shape[0]} × {v.shape[1]} × {v.shape[2]}" for name, v in maps.items()]
    note = "one row a layer, from the photo's side down: its 16 most varied channels"
    sheet = show(mosaic(np.stack(cells)), heading, note, labels, photo=photo, legend=True)
    _scale(sheet, colormap, dead=False)
    return sheet.figure
