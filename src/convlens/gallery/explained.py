"""The library's `explain`: photos in; arrays, a figure and pages out."""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import InputError
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import Method, heatmaps
from convlens.explain.placement import Placement
from convlens.explain.score import probabilities
from convlens.gallery import style
from convlens.gallery.explanation import NAMES, Photo
from convlens.gallery.heatmaps import Look, panels
from convlens.gallery.own_photos import Explainer, read, unique
from convlens.text import says

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOTEBOOK = 72  # dots an inch: as wide as a notebook's text; 256 colours keep its file small


@dataclass(frozen=True, repr=False)
class Explanation:
    """Where a classifier looks in N photos; in a notebook it shows itself as a picture.

    Attributes
    ----------
    heatmaps
        (N, H, W) float32 in [0, 1], at the size that the net sees: positive evidence for the
        class explained, each map scaled to a maximum of 1.
    raw
        (N, h, w) float32 at the layer's own resolution: signed, before ReLU and scaling.
    empty
        (N,) bool: no place argues for the class; the map is all zero.
    classes
        (N,) int32: the class explained, an index into `classifier.classes`.
    probabilities
        (N, C) float64: what the net says of each photo.
    layer, placement, method
        Whose maps were weighed, where its units look, in pixels, and how they were weighed.
    names
        The photos' names, each once.
    """

    heatmaps: NDArray[np.float32]
    raw: NDArray[np.float32]
    empty: NDArray[np.bool_]
    classes: NDArray[np.int32]
    probabilities: NDArray[np.float64]
    layer: str
    placement: Placement
    method: Method
    names: tuple[str, ...]
    classifier: Classifier
    _photos: tuple[Photo, ...]

    def figure(self) -> Figure:
        """Return a figure: a row for each photo, its heatmap, and the heatmap on the photo."""
        names, rows = self.classifier.classes, np.arange(len(self.classes))
        chances = self.probabilities[rows, self.classes]
        looks = [
            Look(heat, says(names[label], float(chance)))
            for heat, label, chance in zip(self.heatmaps, self.classes, chances, strict=True)
        ]
        heading = f"{self.classifier.name}: where it looks ({NAMES[self.method]}, {self.layer})"
        return panels([photo.original for photo in self._photos], looks, heading)

    def save(self, folder: Path | str) -> Path:
        """Write what `convlens explain` writes of each photo under `folder`/NAME; return `folder`.

        That is summary.png, a page with the evidence for the three most probable classes;
        heatmap.png; activations.png; arrays.npz.
        """
        for photo, label, name in zip(self._photos, self.classes, self.names, strict=True):
            explainer = Explainer(self.classifier, self.layer, self.method, label=int(label))
            explainer.write(explainer.see(photo), Path(folder) / name, arrays=True)
        return Path(folder)

    def __repr__(self) -> str:
        count = len(self.classes)
        photos = "1 photo" if count == 1 else f"{count} photos"
        return f"<Explanation of {photos} by {self.classifier.name}: {self.method}, {self.layer}>"

    def _repr_png_(self) -> bytes:
        from PIL import Image

        drawn, packed = io.BytesIO(), io.BytesIO()
        with style.applied():
            self.figure().savefig(drawn, format="png", dpi=_NOTEBOOK)
        image = Image.open(drawn).convert("RGB")
        image.quantize(palette=image.quantize()).save(packed, "PNG")
        return packed.getvalue()


def explain(
    classifier: Classifier,
    photos: Path | str | Sequence[Path | str] | NDArray[Any],
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    classes: int | str | Sequence[int | str] | None = None,
) -> Explanation:
    """Explain what `classifier` says of `photos`.

    Parameters
    ----------
    photos
        A path, several, or an array (N, H, W, c) in 0..255 of the size that the net takes.
    layer
        Whose maps are weighed, one of `classifier.layers`; default: `classifier.default_layer`.
    method
        "grad-cam", "grad-cam++", "layer-cam" or "hires-cam".
    classes
        The class to explain, by name or index: one for all or one a photo; default: the class
        predicted for each.

    Raises
    ------
    InputError
        For a photo that can't be read, or an unknown layer, method or class.
    """
    if method not in NAMES:
        wanted = ", ".join(NAMES)
        raise InputError("method", expected=wanted, found=repr(method), fix="name one of these")
    shown = _photos(classifier, photos)
    pixels = np.stack([photo.pixels for photo in shown])
    layer = layer or classifier.default_layer
    labels = None if classes is None else _labels(classifier, classes, len(shown))
    found = heatmaps(classifier, pixels, layer=layer, method=method, classes=labels)
    return Explanation(
        found.maps, found.raw, found.empty, found.classes,
        probabilities(found.logits, classifier.ending), layer,
        classifier.placement(layer, pixels.shape[1:3]), method,
        tuple(unique(photo.name for photo in shown)), classifier, tuple(shown),
    )  # fmt: skip


def class_index(classifier: Classifier, wanted: str | int) -> int:
    """Return the index of a class, given by its name or index.

    Raises
    ------
    InputError
        For a class that there isn't; it lists what may have been meant.
    """
    names = classifier.classes
    if isinstance(wanted, str) and wanted in names:
        return names.index(wanted)
    if str(wanted).isdecimal() and int(wanted) < len(names):
        return int(wanted)
    near = difflib.get_close_matches(str(wanted).lower(), [n.lower() for n in names], 5, 0.4)
    meant = [name for name in names if name.lower() in near] or names[:10]
    raise InputError(
        f"model {classifier.name}, class {wanted}",
        expected=f"one of {len(names)} classes, by name or by number from 0",
        found="no such class", fix=f"name one, for example {', '.join(meant)}",
    )  # fmt: skip


def _photos(classifier: Classifier, given: Any) -> list[Photo]:
    if isinstance(given, np.ndarray):
        pixels = given if given.ndim == 4 else given[None]
        return [
            Photo(f"photo_{number}", _shown(values), values)
            for number, values in enumerate(pixels, 1)
        ]
    paths = [Path(given)] if isinstance(given, (str, Path)) else [Path(path) for path in given]
    photos = []
    for path in paths:
        photo = read(path, classifier)
        if isinstance(photo, str):
            raise InputError(path, expected="a photo", found=photo, fix="leave it out")
        photos.append(photo)
    if not photos:
        raise InputError("photos", expected="at least one", found="none", fix="name a photo")
    return photos


def _shown(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an array (H, W, c) as people see it, (H, W, 3) uint8: grey unless it has colours."""
    levels = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    return levels[..., :3] if levels.shape[-1] >= 3 else np.repeat(levels[..., :1], 3, axis=-1)


def _labels(classifier: Classifier, wanted: Any, count: int) -> NDArray[np.int32]:
    several = [wanted] if isinstance(wanted, str) else np.atleast_1d(wanted).tolist()
    labels = [class_index(classifier, one) for one in several]
    if len(labels) not in (1, count):
        raise InputError(
            "classes", expected=f"one class, or one for each of {count} photos",
            found=str(len(labels)), fix="give as many classes as photos",
        )  # fmt: skip
    return np.asarray(np.broadcast_to(np.asarray(labels, np.int32), count))
