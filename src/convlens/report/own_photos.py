"""A user's own photos, explained: a page, a heatmap and the activations of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convlens.data import CLASSES
from convlens.data.decode import original
from convlens.evaluation import photos
from convlens.explain import layers
from convlens.explain.activations import activations, most_varied
from convlens.explain.gradcam import Heatmaps, Method, heatmaps
from convlens.explain.imagenet import class_names, top
from convlens.explain.maps import Maps, agreement, resize
from convlens.figures import grids
from convlens.figures.heatmaps import Look, both_models, panels
from convlens.figures.style import save
from convlens.figures.summary import one_page
from convlens.report import imagenet
from convlens.report.explanation import NAMES, Photo, looks, write_activations

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST = 720  # pixels a side of a photo in a figure
_DEPTHS = 4


class Seen(NamedTuple):
    """What a model says of a photo, and its map (S, S)."""

    look: Look
    heat: Maps


def read(path: Path, size: int) -> Photo | str:
    """Return a photo as the model wants it and as figures want it, or why it can't be read."""
    from PIL import Image

    found = photos.read(path, size)
    if isinstance(found, str):
        return found
    shown = Image.fromarray(original(path.read_bytes()))
    shown.thumbnail((_LARGEST, _LARGEST))
    return Photo(path.stem, np.asarray(shown), found.pixels)


def write(
    model: Any,
    photo: Photo,
    out: Path,
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    every_channel: bool = False,
    colormap: str = "viridis",
) -> Seen:
    """Write summary.png, heatmap.png and activations.png for one photo under `out`.

    Parameters
    ----------
    model
        A model of cats and dogs, or of ImageNet's 1000 classes.
    layer
        Default: the last convolution.
    every_channel
        Write a grid of every channel of every layer too, under `out`/channels.

    Raises
    ------
    InputError
        For a layer that the model does not have; nothing is written.
    """
    pixels = photo.pixels[None]
    classes = CLASSES if model.output.shape[-1] == 1 else class_names()
    found = heatmaps(model, pixels, layer=layer, method=method)
    (look,) = looks(found, classes)
    heading = f"{model.name}: where it looks ({NAMES[method]}, {found.layer})"
    save(panels([photo.original], [look], heading, colormap), out / "heatmap.png")
    maps = {
        name: m[0] for name, m in activations(model, pixels, layers.convolutions(model)).items()
    }
    heading = f"{model.name}: {photo.name}, convolution by convolution"
    save(grids.overview(maps, heading, colormap, photo.original), out / "activations.png")
    if every_channel:
        write_activations(model, photo, out / "channels", colormap=colormap)
    if classes == CLASSES:
        page = _page(model, photo, found, method, maps, colormap)
    else:
        page = imagenet.page(photo, look, top(found.logits)[0], colormap)
    save(page, out / "summary.png")
    return Seen(look, found.maps[0])


def write_both(photo: Photo, seen: dict[str, Seen], out: Path, colormap: str = "viridis") -> None:
    """Write what two models see in one photo, over each other, to the file `out`."""
    (first, a), (second, b) = seen.items()
    agreed = agreement(_as_shown(a.heat, photo), _as_shown(b.heat, photo))
    looks_of = {first: a.look, second: b.look}
    heading = f"{photo.name}: both models over each other"
    save(both_models(photo.original, looks_of, agreed, heading, colormap), out)


def _as_shown(heat: Maps, photo: Photo) -> Maps:
    height, width = photo.original.shape[:2]
    (shown,) = resize(heat[None], height, width)
    return np.asarray(shown)


def _inside(maps: Any) -> Any:
    """Cut an eighth off every edge of (h, w, K) maps: padding makes channels that see but that."""
    high, wide = maps.shape[0] // 8, maps.shape[1] // 8
    return maps[high : maps.shape[0] - high, wide : maps.shape[1] - wide]


def _page(
    model: Any, photo: Photo, found: Heatmaps, method: Method, maps: dict[str, Any], colormap: str
) -> Figure:
    def asked(layer: str, label: int) -> Heatmaps:
        return heatmaps(model, photo.pixels[None], layer=layer, method=method, classes=label)

    label = int(found.classes[0])
    (look,), (other,) = looks(found, CLASSES), looks(asked(found.layer, 1 - label), CLASSES)
    depths = layers.before_pooling(model)[-_DEPTHS:]
    deeper = [Look(asked(layer, label).maps[0], layer) for layer in depths]
    chosen = {layer: most_varied(_inside(maps[layer])) for layer in depths}
    channels = {layer: (number, maps[layer][..., number]) for layer, number in chosen.items()}
    heading = f"{photo.name}: what {model.name} sees"
    note = (
        f"{NAMES[method]} of {found.layer} on top, below it of one layer a block, and the most "
        "varied channel of each. Every map is scaled to its own maximum."
    )
    return one_page(photo.original, look, other, deeper, channels, heading, note, colormap)
