"""Every picture that explains one model, written under one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens import files
from convlens.data import decode
from convlens.explain import filters, layers, saliency
from convlens.explain.classifier import Classifier
from convlens.explain.depth import Depth, Layer
from convlens.explain.evidence import Evidence, gather
from convlens.explain.gradcam import Heatmaps, Method, class_activation, joined
from convlens.explain.maps import most_varied
from convlens.gallery import channels, grids
from convlens.gallery.depth import depth_curves
from convlens.gallery.filters import filter_grid, kernel_grid
from convlens.gallery.heatmaps import Look, panels, views
from convlens.gallery.style import save
from convlens.params import FilterParams
from convlens.progress import Progress, silent
from convlens.text import says

_LAYERS_SHOWN = 18
CLASSES_SHOWN = 4  # classes with pictures of their own
NAMES: dict[Method, str] = {
    "grad-cam": "Grad-CAM",
    "grad-cam++": "Grad-CAM++",
    "layer-cam": "LayerCAM",
    "hires-cam": "HiRes-CAM",
}


class Photo(NamedTuple):
    """A photo: its name, its own pixels (H, W, 3), and what the model gets (S, S, 3); uint8.

    `label` is its class, "" if nobody knows.
    """

    name: str
    original: NDArray[np.uint8]
    pixels: NDArray[np.uint8]
    label: str = ""


def read_examples(folder: Path, size: int) -> list[Photo]:
    """Return the examples that `prepare` left in `folder`, for a model of `size` pixels a side."""
    photos = []
    for row in files.read_csv(folder / "index.csv"):
        content = (folder / row["file"]).read_bytes()
        name, pixels = Path(row["file"]).stem, decode.decode(content, size).pixels
        photos.append(Photo(name, decode.original(content), pixels, row["label"]))
    return photos


def first_of_classes(photos: Sequence[Photo]) -> list[Photo]:
    """Return the first photo of each class, of so many classes as a figure holds."""
    first = {photo.label: photo for photo in reversed(photos)}
    labels = dict.fromkeys(photo.label for photo in photos)
    return [first[label] for label in labels][:CLASSES_SHOWN]


def _spatial(classifier: Classifier) -> list[str]:
    """Return the layers that the pictures show: all of VGG16's, some of a deeper net's."""
    return layers.spread(layers.spatial(classifier), _LAYERS_SHOWN)


def _convolutions(classifier: Classifier) -> list[str]:
    known = {*layers.convolutions(classifier)}
    return [layer for layer in _spatial(classifier) if layer in known]


class Seen(NamedTuple):
    """What one pass through the net and one back show of every photo.

    The layers' maps are kept of a few photos only, in the order of `few`.
    """

    few: list[Evidence]
    heatmaps: Heatmaps
    depth: Depth


def see(
    classifier: Classifier,
    photos: Sequence[Photo],
    few: Sequence[Photo],
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    progress: Progress = silent,
) -> Seen:
    """Run each of `photos` once; of the `few` among them, keep every convolution's gradients."""
    names, layer = _spatial(classifier), layer or classifier.default_layer
    kept, maps, depth = {}, [], Depth(classifier)
    for photo in progress(photos, what=f"heatmaps of {layer}", unit="photo"):
        asked = [layer, *(_convolutions(classifier) if photo in few else ())]
        seen = gather(classifier, photo.pixels[None], names, asked)
        depth.add({name: seen.maps[name] for name in names})
        maps.append(class_activation(seen, layer, method))
        if photo in few:
            kept[photo.name] = seen
    return Seen([kept[photo.name] for photo in few], joined(maps), depth)


def write_activations(
    seen: Evidence,
    photo: Photo,
    out: Path,
    *,
    colormap: str = "viridis",
    channel: int | None = None,
    progress: Progress = silent,
) -> None:
    """Write a grid of every layer, one large channel of each, and all convolutions in one view.

    `seen` is of this photo alone. `channel` picks the large one; default, or where a layer has
    fewer: its most varied.
    """
    classifier = seen.classifier
    maps = {layer: seen.maps[layer][0] for layer in _spatial(classifier)}
    for number, (layer, values) in enumerate(
        progress(maps.items(), what=f"channels of {photo.name}", total=len(maps), unit="layer"), 1
    ):
        grid = grids.activation_grid(values, layer, colormap, photo.original)
        save(grid, out / f"{number:02d}_{layer}.png")
    chosen = {}
    for layer, values in maps.items():
        exists = channel is not None and channel < values.shape[-1]
        index = channel if channel is not None and exists else most_varied(values)
        chosen[layer] = (index, values[..., index])
    heading = f"{classifier.name}: one channel a layer"
    save(channels.large(photo.original, chosen, heading, colormap), out / "channels.png")
    only = {layer: maps[layer] for layer in _convolutions(classifier)}
    heading = f"{classifier.name}: convolution by convolution"
    save(grids.overview(only, heading, colormap, photo.original), out / "overview.png")


def write_depth(classifier: Classifier, rows: Sequence[Layer], out: Path) -> None:
    """Write depth.csv and depth.png: every layer's sparsity and field of view."""
    files.write_csv(out / "depth.csv", list(Layer.__annotations__), rows)
    save(depth_curves(rows, classifier.name, classifier.size[0]), out / "depth.png")


def write_filters(
    classifier: Classifier,
    wanted: FilterParams,
    names: Sequence[str],
    out: Path,
    *,
    policy: str = "float32",
    progress: Progress = silent,
) -> dict[str, int]:
    """Write what excites the first channels of the layers `names`, and the first kernels.

    Returns
    -------
    dict
        `filters` shown and `filters_unmoved`: those whose activation did not rise.
    """
    first, kernels = filters.first_kernels(classifier)
    save(kernel_grid(kernels, first), out / "kernels.png")
    shown = unmoved = 0
    for name in names:
        count = int(classifier.graph.shapes[classifier.slot(name)][-1] or 0)
        found = filters.ascend(
            classifier, name, range(min(wanted.count, count)),
            size=wanted.size, steps=wanted.steps, policy=policy, progress=progress,
        )  # fmt: skip
        shown += len(found.moved)
        unmoved += int((~found.moved).sum())
        gain = found.end - found.start
        grid = filter_grid(found.images, found.channels, found.moved, name, gain)
        save(grid, out / f"{name}.png")
    return {"filters": shown, "filters_unmoved": unmoved}


def write_heatmaps(
    classifier: Classifier,
    photos: Sequence[Photo],
    found: Heatmaps,
    out: Path,
    *,
    method: Method,
    colormap: str = "viridis",
) -> None:
    """Write where a model looks for its predicted class, a figure a photo."""
    heading = f"{classifier.name}: where it looks ({NAMES[method]}, {found.layer})"
    for photo, look in zip(photos, looks(found, classifier.classes), strict=True):
        save(panels([photo.original], [look], heading, colormap), out / f"{photo.name}.png")


def write_methods(
    photos: Sequence[Photo], seen: Sequence[Evidence], out: Path, *, layer: str, colormap: str
) -> dict[str, float]:
    """Write methods.png: four class-activation maps and two pixel saliencies of each photo.

    Returns
    -------
    dict
        `integrated_gradients_gap`: by how much of the score's change the attributions miss it,
        at worst.
    """
    classifier = seen[0].classifier
    pixels = np.stack([photo.pixels for photo in photos])
    labels = np.concatenate([each.classes for each in seen])
    smooth = saliency.smooth_grad(classifier, pixels, labels, samples=8)
    integrated = saliency.integrated_gradients(classifier, pixels, labels, steps=32)
    rows = [
        [Look(class_activation(each, layer, m).maps[0], name) for m, name in NAMES.items()]
        + [Look(one, "SmoothGrad"), Look(other, "Integrated Gradients")]
        for each, one, other in zip(
            seen, saliency.strength(smooth), saliency.strength(integrated.attributions), strict=True
        )
    ]
    heading = f"{classifier.name}: six ways to ask where it looks"
    note = f"The first four weigh the maps of {layer}, the last two single pixels."
    save(views([p.original for p in photos], rows, heading, note, colormap), out / "methods.png")
    return {"integrated_gradients_gap": round(float(np.abs(integrated.gap).max()), 4)}


def write_layers(seen: Evidence, photo: Photo, out: Path, *, method: Method, colormap: str) -> None:
    """Write NAME_layers.png: the heatmap of one photo from every convolution."""
    names = _convolutions(seen.classifier)
    columns = [Look(class_activation(seen, name, method).maps[0], name) for name in names]
    heading = f"{seen.classifier.name}: the same question at every depth ({NAMES[method]})"
    figure = views([photo.original], [columns], heading, "", colormap)
    save(figure, out / f"{photo.name}_layers.png")


def looks(found: Heatmaps, classes: Sequence[str]) -> list[Look]:
    """Return each map with the class it argues for and that class's probability."""
    return [
        Look(heat, says(classes[label], probability))
        for heat, label, probability in zip(
            found.maps, found.classes, found.probabilities, strict=True
        )
    ]
