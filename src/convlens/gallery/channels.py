"""Single channels, large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.gallery.grids import classic, coloured
from convlens.gallery.rows import Picture, Rgb, in_rows
from convlens.gallery.sheet import magnified

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGE = 300


def large(
    photo: Rgb,
    channels: Mapping[str, tuple[int, npt.NDArray[np.floating]]],
    heading: str,
    colormap: str = "viridis",
) -> Figure:
    """Draw the photo and one channel of each layer beside it, in the order given.

    Parameters
    ----------
    channels
        Layer name to the channel's number and its map (h, w).
    """
    pictures = [Picture(photo, "photo")]
    for layer, (number, values) in channels.items():
        tiles = classic(values[..., None])
        times = max(1, round(_LARGE / max(values.shape)))
        height, width = values.shape
        state = ", dead" if tiles.dead[0] else ""
        title = f"{layer}, channel {number}{state}\n{height} × {width}"
        pictures.append(Picture(magnified(coloured(tiles, colormap), times)[0], title, False))
    columns = 3 if len(pictures) <= 9 else 4
    rows = [pictures[first : first + columns] for first in range(0, len(pictures), columns)]
    note = "Each channel is brought to mean 128 and standard deviation 64, as in the grids."
    return in_rows(rows, heading, note)
