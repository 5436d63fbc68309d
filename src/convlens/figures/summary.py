"""What one network makes of one photo, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.figures import grids
from convlens.figures.gallery import Picture, Rgb, Scale, gallery
from convlens.figures.heatmaps import Look, coloured, overlay

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def one_page(
    photo: Rgb,
    look: Look,
    other: Look,
    deeper: Sequence[Look],
    channels: Mapping[str, tuple[int, npt.NDArray[np.floating]]],
    heading: str,
    note: str,
    colormap: str = "viridis",
) -> Figure:
    """Draw the evidence for both classes, its view at four depths, and a channel of each depth.

    Parameters
    ----------
    photo
        (H, W, 3) uint8.
    look, other
        The predicted class and the other one.
    deeper
        The predicted class seen by layers further and further from the photo; captions are the
        layers' names.
    channels
        Layer name to the channel's number and its map (h, w); one a look of `deeper`.
    """
    height, width = photo.shape[:2]

    def seen(look: Look, title: str) -> Picture:
        note = "" if look.heat.any() else "\nno evidence found"
        return Picture(overlay(photo, look.heat, colormap), title + note)

    first = [
        Picture(photo, f"photo\n{look.caption}"),
        Picture(coloured(look.heat, height, width, colormap), "where it looks\nheatmap"),
        seen(look, f"for {look.caption.split(',')[0]}\non the photo"),
        seen(other, f"for {other.caption.split(',')[0]}\non the photo"),
    ]
    second = [seen(view, f"seen by {view.caption}") for view in deeper]
    third = [
        Picture(_channel(values, colormap, width, height), f"{layer}\nchannel {number}", False)
        for layer, (number, values) in channels.items()
    ]
    scale = Scale(colormap, "no evidence", "strongest evidence on this photo")
    return gallery([first, second, third], heading, note, width=11.2, scale=scale)


def _channel(values: npt.NDArray[np.floating], colormap: str, width: int, height: int) -> Rgb:
    """Return one channel in the colours of the grids, stretched to the photo's size."""
    from PIL import Image

    cell = grids.coloured(grids.classic(values[..., None]), colormap)[0]
    return np.asarray(Image.fromarray(cell).resize((width, height), Image.Resampling.NEAREST))
