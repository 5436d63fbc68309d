"""A user's own photos, explained: a page, a heatmap and the activations of each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convlens.data import CLASSES
from convlens.data.decode import TALLEST, original
from convlens.data.names import printable
from convlens.evaluation import photos
from convlens.explain import layers
from convlens.explain.activations import most_varied
from convlens.explain.classifier import Classifier
from convlens.explain.evidence import Evidence, gather
from convlens.explain.gradcam import Method, class_activation
from convlens.explain.imagenet import class_names, top
from convlens.explain.maps import Maps, agreement, resize
from convlens.figures import grids
from convlens.figures.heatmaps import Look, both_models, panels
from convlens.figures.letters import readable
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


def read(path: Path, size: int, number: int = 1) -> Photo | str:
    """Return a photo as the model wants it and as figures want it, or why it can't be read.

    Figures name it by its file, or by `number` where no font has the letters.
    """
    from PIL import Image

    found = photos.read(path, size)
    if isinstance(found, str):
        return found
    shown = Image.fromarray(original(path.read_bytes()))
    shown.thumbnail((_LARGEST, _LARGEST))
    name = readable(printable(path.stem), f"photo {number}")
    if max(found.width, found.height) > TALLEST * min(found.width, found.height):
        name += f" ({found.width:,} × {found.height:,} pixels, squeezed)"
    return Photo(name, np.asarray(shown), found.pixels)


class Explainer:
    """One model, prepared once to explain any number of photos.

    Parameters
    ----------
    model
        A model of cats and dogs, or of ImageNet's 1000 classes.
    layer
        Whose maps the heatmap weighs; default: the last convolution.

    Raises
    ------
    InputError
        For a layer that the model does not have.
    """

    def __init__(
        self,
        model: Any,
        layer: str | None = None,
        method: Method = "grad-cam",
        colormap: str = "viridis",
    ) -> None:
        classes = CLASSES if model.output.shape[-1] == 1 else class_names()
        self.model = Classifier(model, classes)
        self.layer, self.method = layer or self.model.default_layer, method
        self.size, self.colormap = self.model.size[0], colormap
        self.depths = layers.stages(self.model)[-_DEPTHS:]
        self.model.slot(self.layer)

    def write(self, photo: Photo, out: Path, *, every_channel: bool = False) -> Seen:
        """Write summary.png, heatmap.png and activations.png under `out`.

        `every_channel` adds a grid of every channel of every layer under `out`/channels.
        """
        names = layers.spatial(self.model) if every_channel else layers.convolutions(self.model)
        found = gather(self.model, photo.pixels[None], names, [self.layer, *self.depths])
        maps = class_activation(found, self.layer, self.method)
        heat, (look,) = maps.maps[0], looks(maps, self.model.classes)
        heading = f"{self.model.name}: where it looks ({NAMES[self.method]}, {self.layer})"
        heatmap = panels([photo.original], [look], heading, self.colormap)
        heading = f"{self.model.name}: {photo.name}, convolution by convolution"
        shown = {name: found.maps[name][0] for name in layers.convolutions(self.model)}
        sheet = grids.overview(shown, heading, self.colormap, photo.original)
        if every_channel:
            write_activations(found, photo, out / "channels", colormap=self.colormap)
        if found.logits.shape[1] == 1:
            page = self._page(photo, look, found)
        else:
            page = imagenet.page(photo, look, top(found.logits)[0], self.colormap)
        pictures = {"summary": page, "heatmap": heatmap, "activations": sheet}
        with ThreadPoolExecutor() as pool:  # compressing them is half of the time
            list(pool.map(save, pictures.values(), [out / f"{name}.png" for name in pictures]))
        return Seen(look, heat)

    def _page(self, photo: Photo, look: Look, found: Evidence) -> Figure:
        against = class_activation(found, self.layer, self.method, 1 - int(found.classes[0]))
        (other,) = looks(against, CLASSES)
        deeper = [
            Look(class_activation(found, layer, self.method).maps[0], layer)
            for layer in self.depths
        ]
        channels = {}
        for layer in self.depths:
            number = most_varied(_inside(found.maps[layer][0]))
            channels[layer] = (number, found.maps[layer][0, ..., number])
        heading = f"{photo.name}: what {self.model.name} sees"
        note = (
            f"{NAMES[self.method]} of {self.layer} on top, below it of one layer a block, and the "
            "most varied channel of each. Every map is scaled to its own maximum."
        )
        return one_page(photo.original, look, other, deeper, channels, heading, note, self.colormap)


def write_both(photo: Photo, seen: dict[str, Seen], out: Path, colormap: str) -> None:
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
