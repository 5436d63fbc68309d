"""Every picture that explains one model, written under one folder."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens import files
from convlens.data import decode
from convlens.engines import Batch, Engine, survived
from convlens.engines.local import LOCAL
from convlens.explain import filters, layers, saliency
from convlens.explain.classifier import Classifier
from convlens.explain.depth import Layer
from convlens.explain.evidence import Evidence
from convlens.explain.gradcam import Heatmaps, Method, class_activation
from convlens.explain.maps import most_varied
from convlens.gallery import channels, grids
from convlens.gallery.depth import depth_curves
from convlens.gallery.filters import filter_grid, kernel_grid
from convlens.gallery.heatmaps import Look, panels, views
from convlens.gallery.style import save
from convlens.params import FilterParams
from convlens.progress import Progress, silent
from convlens.text import says
from convlens.workers import cores

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


def shown_layers(classifier: Classifier) -> list[str]:
    """Return the layers that the pictures show: all of VGG16's, some of a deeper net's."""
    return layers.spread(layers.spatial(classifier), _LAYERS_SHOWN)


def shown_convolutions(classifier: Classifier) -> list[str]:
    known = {*layers.convolutions(classifier)}
    return [layer for layer in shown_layers(classifier) if layer in known]


def write_activations(
    seen: Evidence,
    photo: Photo,
    out: Path,
    *,
    colormap: str = "viridis",
    channel: int | None = None,
) -> None:
    """Write a grid of every layer, one large channel of each, and all convolutions in one view.

    `seen` is of this photo alone. `channel` picks the large one; default, or where a layer has
    fewer: its most varied.
    """
    classifier = seen.classifier
    maps = {layer: seen.maps[layer][0] for layer in shown_layers(classifier)}

    def write(number: int, layer: str) -> None:
        grid = grids.activation_grid(maps[layer], layer, colormap, photo.original)
        save(grid, out / f"{number:02d}_{layer}.png")

    with ThreadPoolExecutor(cores()) as pool:  # Pillow encodes side by side
        list(pool.map(write, range(1, len(maps) + 1), maps))
    chosen = {}
    for layer, values in maps.items():
        exists = channel is not None and channel < values.shape[-1]
        index = channel if channel is not None and exists else most_varied(values)
        chosen[layer] = (index, values[..., index])
    heading = f"{classifier.name}: one channel a layer"
    save(channels.large(photo.original, chosen, heading, colormap), out / "channels.png")
    only = {layer: maps[layer] for layer in shown_convolutions(classifier)}
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
    engine: Engine = LOCAL,
) -> dict[str, int]:
    """Write what excites the first channels of the layers `names`, and the first kernels.

    Returns
    -------
    dict
        `filters` shown and `filters_unmoved`: those whose activation did not rise.
    """
    first, kernels = filters.first_kernels(classifier)
    save(kernel_grid(kernels, first), out / "kernels.png")

    def of_layer(block: Batch) -> Batch:
        (name,) = block["layer"]
        count = int(classifier.graph.shapes[classifier.slot(name)][-1] or 0)
        found = filters.ascend(
            classifier, name, range(min(wanted.count, count)),
            size=wanted.size, steps=wanted.steps, policy=policy,
        )  # fmt: skip
        return vars(found)

    blocks = [{"layer": np.array([name], object)} for name in names]
    made = engine.map(lambda: of_layer, blocks) if blocks else iter(())
    shown = unmoved = 0
    for number, batch in progress(made, what="filters", total=len(names), unit="layer"):
        name, found = names[number], filters.Filters(**survived(batch, blocks[number]))
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
    integrated = saliency.integrated_gradients(classifier, pixels, labels, steps=16)
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
    names = shown_convolutions(seen.classifier)
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
