"""Where a network looks: photo, heatmap and overlay side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.explain.maps import resize
from convlens.gallery import style
from convlens.gallery.rows import Picture, Scale, in_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rgb = npt.NDArray[np.uint8]
_NOTHING = "no evidence found"
_ACROSS = 4


@dataclass(frozen=True)
class Look:
    """One network's view of a photo.

    Attributes
    ----------
    heat
        (h, w) in [0, 1], any size; all zero is shown as "no evidence found".
    caption
        What the heat argues for and how sure the network is, for example "dog, 97.1 %".
    """

    heat: npt.NDArray[np.float32]
    caption: str


def coloured(heat: npt.NDArray[np.float32], height: int, width: int, colormap: str) -> Rgb:
    """Return a map (h, w) in [0, 1] as colours (height, width, 3) uint8, resized bilinearly."""
    return _colours(_resized(heat, height, width), colormap)


def overlay(photo: Rgb, heat: npt.NDArray[np.float32], colormap: str = "viridis") -> Rgb:
    """Lay a map (h, w) in [0, 1] over a photo (H, W, 3): the hotter, the more colour.

    Where there is no heat the photo turns dark and nearly grey, so that every colour is heat.
    """
    levels = _resized(heat, *photo.shape[:2])
    hot = levels[..., None]
    grey = photo.mean(axis=2, keepdims=True)
    dark = (0.7 + 0.3 * hot) * (0.6 * grey + 0.4 * photo)
    share = 0.7 * hot
    mixed = dark * (1 - share) + _colours(levels, colormap) * share
    return np.asarray(np.round(mixed), dtype=np.uint8)


def _resized(heat: npt.NDArray[np.float32], height: int, width: int) -> npt.NDArray[np.float32]:
    return np.asarray(np.clip(resize(heat[None], height, width)[0], 0, 1))


def _colours(levels: npt.NDArray[np.float32], colormap: str) -> Rgb:
    levels = np.minimum((levels * 256).astype(np.uint16), 255)
    return np.asarray(style.colours(colormap)[levels])


def panels(
    photos: Sequence[Rgb], looks: Sequence[Look], heading: str, colormap: str = "viridis"
) -> Figure:
    """Draw one row a photo (H, W, 3) uint8: photo, heatmap, and the heatmap on the photo."""
    rows = []
    for photo, look in zip(photos, looks, strict=True):
        height, width = photo.shape[:2]
        found = "heatmap" if look.heat.any() else _NOTHING
        rows.append(
            [
                Picture(photo, look.caption),
                Picture(coloured(look.heat, height, width, colormap), found),
                Picture(overlay(photo, look.heat, colormap), "on the photo"),
            ]
        )
    note = "Bright places argue for the class named; each map is scaled to its own maximum."
    return in_rows(rows, heading, note, scale=_scale(colormap))


def views(
    photos: Sequence[Rgb],
    looks: Sequence[Sequence[Look]],
    heading: str,
    note: str = "",
    colormap: str = "viridis",
) -> Figure:
    """Draw a photo, then each of its looks on top of it, at most 4 pictures a row; next photo.

    The looks of a row can be two classes, several methods, several layers or two models.
    """
    rows = []
    for photo, row in zip(photos, looks, strict=True):
        pictures = [Picture(photo, "photo")]
        pictures += [Picture(overlay(photo, look.heat, colormap), _titled(look)) for look in row]
        rows += [pictures[first : first + _ACROSS] for first in range(0, len(pictures), _ACROSS)]
    return in_rows(rows, heading, note, scale=_scale(colormap))


def _titled(look: Look) -> str:
    return look.caption if look.heat.any() else f"{look.caption}: {_NOTHING}"


def both_models(
    photo: Rgb,
    looks: dict[str, Look],
    agreement: dict[str, float],
    heading: str,
    colormap: str = "viridis",
) -> Figure:
    """Draw what two models say about one photo, where each looks, and how far they agree.

    Parameters
    ----------
    looks
        Model name to its look; two entries.
    agreement
        `correlation` (-1..1) and `overlap` (0..1) of the maps, see `explain.maps.agreement`.
    """
    both = np.minimum(*(resize(look.heat[None], *photo.shape[:2])[0] for look in looks.values()))
    pictures = [Picture(photo, "photo")]
    for name, look in looks.items():
        shown = overlay(photo, look.heat, colormap)
        pictures.append(Picture(shown, f"{name}\n{_titled(look)}"))
    pictures.append(Picture(overlay(photo, both, colormap), "both\nwhere the two maps meet"))
    note = (
        f"Agreement of the maps: correlation {agreement['correlation']:+.2f}, "
        f"overlap of the hottest fifth {100 * agreement['overlap']:.0f} % "
        "(by chance 11 %)."
    )
    return in_rows([pictures], heading, note, width=11.2, scale=_scale(colormap))


def _scale(colormap: str) -> Scale:
    return Scale(colormap, "no evidence", "strongest evidence on this photo")
