"""A user's own photos, explained: a page, a heatmap and the activations of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.decode import TALLEST, BadPhotoError, decode, original
from convlens.data.names import printable
from convlens.data.reading import content
from convlens.errors import InputError
from convlens.explain import layers, range_check
from convlens.explain.classifier import Classifier
from convlens.explain.evidence import Evidence, gather
from convlens.explain.gradcam import Heatmaps, Method, class_activation
from convlens.explain.maps import agreement, most_varied, resize
from convlens.files import atomic
from convlens.gallery import grids
from convlens.gallery.explanation import NAMES, Photo, write_activations
from convlens.gallery.heatmaps import Look, both_models, panels
from convlens.gallery.letters import readable
from convlens.gallery.one_page import one_page
from convlens.gallery.style import save
from convlens.text import says

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST = 480  # pixels a side of a photo in a figure
_DEPTHS, _CLASSES, _ROWS = 4, 3, 13  # on a page: depths, classes; rows of the sheet


def read(path: Path, classifier: Classifier, number: int = 1) -> Photo | str:
    """Return a photo as the model wants it and as figures want it, or why it can't be read.

    Figures name it by its file, or by `number` where no font has the letters.
    """
    try:
        return photo_of(content(path), path.stem, classifier, number)
    except BadPhotoError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


def photo_of(content: bytes, stem: str, classifier: Classifier, number: int = 1) -> Photo:
    """Return what `read` does from a file's bytes; raises BadPhotoError."""
    from PIL import Image

    found = decode(content, *classifier.size)
    shown = Image.fromarray(original(content))
    shown.thumbnail((_LARGEST, _LARGEST))
    name = readable(printable(stem), f"photo {number}")
    if max(found.width, found.height) > TALLEST * min(found.width, found.height):
        name += f" ({found.width:,} × {found.height:,} pixels, squeezed)"
    return Photo(name, np.asarray(shown), _channels(found.pixels, classifier.channels))


def _channels(rgb: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Return a photo (H, W, 3) with the channels of a grey (1), RGB (3) or RGBA (4) model."""
    from PIL import Image

    modes = {1: "L", 3: "RGB", 4: "RGBA"}
    if count not in modes:
        raise InputError(
            "photos", expected=f"{count} channels, as the model takes", found="grey, RGB or RGBA",
            fix="pass arrays (N, H, W, c) to convlens.explain",
        )  # fmt: skip
    return np.asarray(Image.fromarray(rgb).convert(modes[count])).reshape(*rgb.shape[:2], count)


def unique(names: Iterable[str]) -> Iterator[str]:
    """Yield each name, with a number where it was there before."""
    taken: set[str] = set()
    for name in names:
        numbered = (f"{name}_{count}" for count in itertools.count(2))
        free = next(n for n in itertools.chain([name], numbered) if n not in taken)
        taken.add(free)
        yield free


@dataclass(frozen=True)
class Seen:
    """What a classifier sees in one photo.

    Attributes
    ----------
    heatmaps
        Of the class explained; N is 1.
    looks
        That class first, then the most probable others: three, or all there are.
    """

    photo: Photo
    heatmaps: Heatmaps
    looks: list[Look]
    evidence: Evidence


class Explainer:
    """One classifier, prepared once to explain any number of photos.

    Parameters
    ----------
    label
        The class to explain; default: the one predicted for each photo.
    layer
        Whose maps the heatmap weighs; default: the classifier's own choice.

    Raises
    ------
    InputError
        For a layer that the model does not have.
    """

    def __init__(
        self,
        classifier: Classifier,
        layer: str | None = None,
        method: Method = "grad-cam",
        colormap: str = "viridis",
        label: int | None = None,
    ) -> None:
        classifier.slot(layer := layer or classifier.default_layer)
        self.classifier, self.layer, self.method = classifier, layer, method
        self.colormap, self.label = colormap, label
        self.depths = layers.stages(classifier)[-_DEPTHS:]
        self.rows = layers.spread(layers.convolutions(classifier), _ROWS)

    def gather(self, images: NDArray[Any], classes: Any = None) -> Evidence:
        """Run photos (N, H, W, c) forward and back for all that pages show: always one graph."""
        asked = [self.layer, *self.depths]
        return gather(self.classifier, images, self.rows, asked, classes=classes)

    def doubt(self, photo: Photo) -> str | None:
        """Return why the classifier's preprocessing looks wrong, if it does."""
        return range_check.doubt(self.gather(range_check.probes(photo.pixels)))

    def see(self, photo: Photo) -> Seen:
        """Run the net on a photo: once for the class explained, once for its rivals."""
        found = self.gather(photo.pixels[None], self.label)
        chances, first = found.probabilities[0], int(found.classes[0])
        heatmaps = class_activation(found, self.layer, self.method)
        rivals = [int(c) for c in np.argsort(-chances, kind="stable") if c != first]
        rivals = rivals[: _CLASSES - 1]
        if self.classifier.width == 1:  # the other class's score is minus this one's
            others = class_activation(found, self.layer, self.method, rivals[0]).maps
        else:
            again = np.repeat(photo.pixels[None], len(rivals), axis=0)
            second = self.gather(again, np.asarray(rivals, np.int32))
            others = class_activation(second, self.layer, self.method).maps
        looks = [
            Look(heat, says(self.classifier.classes[label], float(chances[label])))
            for label, heat in zip([first, *rivals], [*heatmaps.maps, *others], strict=True)
        ]
        return Seen(photo, heatmaps, looks, found)

    def write(
        self, seen: Seen, out: Path, *, every_channel: bool = False, arrays: bool = False
    ) -> None:
        """Write summary.png, heatmap.png and activations.png under `out`.

        `every_channel` adds a grid of every channel of every layer under `out`/channels, `arrays`
        the file arrays.npz: heatmap (H, W), raw (h, w), label and probabilities (C,).
        """
        makers = {"summary": self.page, "heatmap": self._heatmap}
        if self.rows:
            makers["activations"] = self._sheet
        if every_channel:
            everything = layers.spatial(self.classifier)
            found = gather(self.classifier, seen.photo.pixels[None], everything)
            write_activations(found, seen.photo, out / "channels", colormap=self.colormap)
        if arrays:
            _write_arrays(seen, out / "arrays.npz")

        def write(name: str) -> None:
            save(makers[name](seen), out / f"{name}.png", compression=1)

        with ThreadPoolExecutor() as pool:
            list(pool.map(write, makers))

    def _heatmap(self, seen: Seen) -> Figure:
        heading = f"{self.classifier.name}: where it looks ({NAMES[self.method]}, {self.layer})"
        return panels([seen.photo.original], seen.looks[:1], heading, self.colormap)

    def _sheet(self, seen: Seen) -> Figure:
        heading = f"{self.classifier.name}: {seen.photo.name}, convolution by convolution"
        maps = {layer: seen.evidence.maps[layer][0] for layer in self.rows}
        return grids.overview(maps, heading, self.colormap, seen.photo.original)

    def page(self, seen: Seen) -> Figure:
        """Return one page: evidence for the first classes, and what the net sees at four depths."""
        deeper, channels = [], {}
        for layer in self.depths:
            heat = class_activation(seen.evidence, layer, self.method).maps[0]
            deeper.append(Look(heat, layer))
            maps = seen.evidence.maps[layer][0]
            number = most_varied(_inside(maps))
            channels[layer] = (number, maps[..., number])
        heading = f"{seen.photo.name}: what {self.classifier.name} sees"
        note = (
            f"{NAMES[self.method]} of {self.layer} on top, below it of one layer a block, and the "
            "most varied channel of each. Every map is scaled to its own maximum."
        )
        photo = seen.photo.original
        return one_page(photo, seen.looks, deeper, channels, heading, note, self.colormap)


def _write_arrays(seen: Seen, path: Path) -> None:
    found = seen.heatmaps
    with atomic(path) as partial:
        np.savez(
            partial, heatmap=found.maps[0], raw=found.raw[0], label=found.classes[0],
            probabilities=seen.evidence.probabilities[0],
        )  # fmt: skip


def write_both(seen: dict[str, Seen], out: Path, colormap: str) -> None:
    """Write what two models see in one photo, over each other, to the file `out`."""
    photo = next(iter(seen.values())).photo
    height, width = photo.original.shape[:2]
    maps = [resize(one.heatmaps.maps, height, width)[0] for one in seen.values()]
    looks_of = {name: one.looks[0] for name, one in seen.items()}
    heading = f"{photo.name}: both models over each other"
    save(both_models(photo.original, looks_of, agreement(*maps), heading, colormap), out)


def _inside(maps: Any) -> Any:
    """Cut an eighth off every edge of (h, w, K) maps: padding makes channels that see but that."""
    high, wide = maps.shape[0] // 8, maps.shape[1] // 8
    return maps[high : maps.shape[0] - high, wide : maps.shape[1] - wide]
