"""What one network makes of one photo, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.gallery import grids
from convlens.gallery.heatmaps import Look, coloured, overlay
from convlens.gallery.rows import Picture, Rgb, Scale, in_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def one_page(
    photo: Rgb,
    looks: Sequence[Look],
    deeper: Sequence[Look],
    channels: Mapping[str, tuple[int, npt.NDArray[np.floating]]],
    heading: str,
    note: str,
    colormap: str = "viridis",
) -> Figure:
    """Draw the evidence for two or three classes, the view at four depths, a channel of each.

    Parameters
    ----------
    photo
        (H, W, 3) uint8.
    looks
        The class explained and its rivals.
    deeper
        The class explained, seen by layers further and further from the photo; captions are the
        layers' names.
    channels
        Layer name to the channel's number and its map (h, w); one a look of `deeper`.
    """
    height, width = photo.shape[:2]

    def seen(look: Look, title: str) -> Picture:
        note = "" if look.heat.any() else "\nno evidence found"
        return Picture(overlay(photo, look.heat, colormap), title + note)

    first = [Picture(photo, f"photo\n{looks[0].caption}")]
    if len(looks) < 3:
        hot = coloured(looks[0].heat, height, width, colormap)
        first.append(Picture(hot, "where it looks\nheatmap"))
    first += [seen(look, f"for {look.caption}\non the photo") for look in looks]
    second = [seen(view, f"seen by {view.caption}") for view in deeper]
    third = [
        Picture(_channel(values, colormap, width, height), f"{layer}\nchannel {number}", False)
        for layer, (number, values) in channels.items()
    ]
    scale = Scale(colormap, "no evidence", "strongest evidence on this photo")
    rows = [row for row in (first, second, third) if row]
    return in_rows(rows, heading, note, width=11.2, scale=scale)


def _channel(values: npt.NDArray[np.floating], colormap: str, width: int, height: int) -> Rgb:
    """Return one channel in the colours of the grids, stretched to the photo's size."""
    from PIL import Image

    cell = grids.coloured(grids.classic(values[..., None]), colormap)[0]
    return np.asarray(Image.fromarray(cell).resize((width, height), Image.Resampling.NEAREST))
