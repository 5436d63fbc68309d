"""What channels want to see: pictures found by gradient ascent, and first-layer kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.gallery import style
from convlens.gallery.sheet import Rgb, magnified, mosaic, show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 8
_WIDTH, _FRAME = 190, 6


@style.applied()
def filter_grid(
    images: Rgb,
    channels: npt.NDArray[np.integer],
    moved: npt.NDArray[np.bool_],
    layer: str,
    gain: npt.NDArray[np.floating],
) -> Figure:
    """Draw one picture a channel, 8 a row; those whose activation did not rise get a red frame.

    Parameters
    ----------
    images
        (K, h, w, 3) uint8.
    channels, moved, gain
        (K,) each: the channel's number, whether its activation rose, and by how much.
    """
    from matplotlib.colors import to_rgb

    cells = magnified(images, max(1, round(_WIDTH / images.shape[2])))
    framed = cells.copy()
    framed[~moved] = np.round(np.multiply(to_rgb(style.VERMILION), 255)).astype(np.uint8)
    inner = (slice(None), slice(_FRAME, -_FRAME), slice(_FRAME, -_FRAME))
    framed[inner] = cells[inner]
    framed[moved] = cells[moved]
    stuck = int((~moved).sum())
    rise = f"activation rises by {np.median(gain[moved]):.3g} (median)" if moved.any() else ""
    red = f"red frame: did not move ({stuck})" if stuck else ""
    first = "row labels: first channel of the row"
    sheet = show(
        mosaic(framed, COLUMNS),
        f"{layer}: what excites {len(images)} of its channels",
        "; ".join(filter(None, (rise, red, first))),
        [str(channel) for channel in channels[::COLUMNS]],
    )
    return sheet.figure


@style.applied()
def kernel_grid(kernels: npt.NDArray[np.floating], layer: str) -> Figure:
    """Draw first-layer kernels (h, w, 3, K) as colours: grey is zero, each to its own maximum."""
    values = np.moveaxis(kernels, -1, 0).astype(np.float64)
    peak = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
    levels = np.round(127.5 + 127.5 * values / np.where(peak > 0, peak, 1.0)).astype(np.uint8)
    cells = magnified(levels, max(1, 96 // levels.shape[2]))
    height, width, _, count = kernels.shape
    sheet = show(
        mosaic(cells),
        f"{layer}: its {count} kernels themselves",
        f"{height} × {width} weights of red, green and blue; grey is 0",
        [str(first) for first in range(0, count, 16)],
    )
    return sheet.figure
