"""Where a network looks: photo, heatmap and overlay side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.explain.maps import resize
from convlens.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rgb = npt.NDArray[np.uint8]


def overlay(photo: Rgb, heat: npt.NDArray[np.float32], colormap: str = "viridis") -> Rgb:
    """Lay a map (h, w) in [0, 1] over a photo (H, W, 3): the hotter, the less the photo shows.

    The map is resized to the photo; the result is (H, W, 3) uint8.
    """
    import matplotlib as mpl

    hot = np.clip(resize(heat[None], *photo.shape[:2])[0], 0, 1)
    colours = mpl.colormaps[colormap](hot)[..., :3] * 255
    share = 0.25 + 0.4 * hot[..., None]
    return np.asarray(np.round(photo * (1 - share) + colours * share), dtype=np.uint8)


def panels(
    photos: Sequence[Rgb],
    maps: Sequence[npt.NDArray[np.float32]],
    captions: Sequence[str],
    *,
    heading: str,
    colormap: str = "viridis",
) -> Figure:
    """Draw one row a photo: the photo, its heatmap, and the heatmap on top of the photo.

    Parameters
    ----------
    photos
        (H, W, 3) uint8 each, any size.
    maps
        (h, w) in [0, 1] each, any size.
    captions
        What the model says, for example "dog, 97.1 %"; one a photo.
    """
    rows = len(photos)
    fig = style.figure(9.6, 0.75 + 3.3 * rows)
    fig.suptitle(heading, size=14, weight="bold")
    grid = fig.subplots(rows, 3, squeeze=False)
    for axes, photo, heat, caption in zip(grid, photos, maps, captions, strict=True):
        smooth = resize(heat[None], *photo.shape[:2])[0]
        picture(axes[0], photo, caption)
        picture(axes[1], smooth, "where it looks", cmap=colormap, vmin=0, vmax=1)
        picture(axes[2], overlay(photo, heat, colormap), "on the photo")
    return fig


def picture(axes: Any, image: npt.NDArray[Any], title: str, **options: Any) -> None:
    """Show an image without ticks under a title."""
    axes.imshow(image, interpolation="antialiased", **options)
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
