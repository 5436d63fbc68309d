"""Every picture that explains one model, written under one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens import files
from convlens.data import CLASSES, decode
from convlens.evaluation.numbers import says
from convlens.explain import depth, filters, layers, saliency
from convlens.explain.activations import activations, most_varied
from convlens.explain.gradcam import Heatmaps, Method, heatmaps
from convlens.explain.one_pass import one_pass
from convlens.figures import channels, grids
from convlens.figures.depth import depth_curves
from convlens.figures.filters import filter_grid, kernel_grid
from convlens.figures.heatmaps import Look, panels, views
from convlens.figures.style import save
from convlens.params import FilterParams
from convlens.progress import Progress, silent

NAMES: dict[Method, str] = {
    "grad-cam": "Grad-CAM",
    "grad-cam++": "Grad-CAM++",
    "layer-cam": "LayerCAM",
    "hires-cam": "HiRes-CAM",
}


class Photo(NamedTuple):
    """A photo: its name, its own pixels (H, W, 3), and what the model gets (S, S, 3); uint8."""

    name: str
    original: NDArray[np.uint8]
    pixels: NDArray[np.uint8]


def read_examples(folder: Path, size: int) -> list[Photo]:
    """Return the examples that `prepare` left in `folder`, for a model of `size` pixels a side."""
    photos = []
    for row in files.read_csv(folder / "index.csv"):
        content = (folder / row["file"]).read_bytes()
        name, pixels = Path(row["file"]).stem, decode.decode(content, size).pixels
        photos.append(Photo(name, decode.original(content), pixels))
    return photos


def write_activations(
    model: Any,
    photo: Photo,
    out: Path,
    *,
    colormap: str = "viridis",
    channel: int | None = None,
    progress: Progress = silent,
) -> None:
    """Write a grid of every layer, one large channel of each, and all convolutions in one view.

    `channel` picks the large one; default, or where a layer has fewer: its most varied.
    """
    found = activations(model, photo.pixels[None])
    maps = {layer: values[0] for layer, values in found.items()}
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
    heading = f"{model.name}: one channel a layer"
    save(channels.large(photo.original, chosen, heading, colormap), out / "channels.png")
    only = {layer: maps[layer] for layer in layers.convolutions(model)}
    heading = f"{model.name}: convolution by convolution"
    save(grids.overview(only, heading, colormap, photo.original), out / "overview.png")


def write_depth(model: Any, images: NDArray[np.uint8], out: Path) -> None:
    """Write depth.csv and depth.png: every layer's sparsity and field of view over `images`."""
    rows = depth.summary(model, images)
    files.write_csv(out / "depth.csv", list(depth.Layer.__annotations__), rows)
    save(depth_curves(rows, model.name, images.shape[1]), out / "depth.png")


def write_filters(
    model: Any,
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
    first, kernels = filters.first_kernels(model)
    save(kernel_grid(kernels, first), out / "kernels.png")
    shown = unmoved = 0
    for name in names:
        (output,) = layers.outputs(model, [name])
        found = filters.ascend(
            model, name, range(min(wanted.count, int(output.shape[-1]))),
            size=wanted.size, steps=wanted.steps, policy=policy, progress=progress,
        )  # fmt: skip
        shown += len(found.moved)
        unmoved += int((~found.moved).sum())
        gain = found.end - found.start
        grid = filter_grid(found.images, found.channels, found.moved, name, gain)
        save(grid, out / f"{name}.png")
    return {"filters": shown, "filters_unmoved": unmoved}


def write_heatmaps(
    model: Any,
    photos: Sequence[Photo],
    out: Path,
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    colormap: str = "viridis",
    classes: Sequence[str] = CLASSES,
    progress: Progress = silent,
) -> Heatmaps:
    """Write where the model looks for its predicted class, a figure a photo; return the maps."""
    pixels = np.stack([photo.pixels for photo in photos])
    found = heatmaps(model, pixels, layer=layer, method=method, progress=progress)
    heading = f"{model.name}: where it looks ({NAMES[method]}, {found.layer})"
    for photo, look in zip(photos, looks(found, classes), strict=True):
        save(panels([photo.original], [look], heading, colormap), out / f"{photo.name}.png")
    return found


def write_classes(
    model: Any,
    photos: Sequence[Photo],
    out: Path,
    *,
    layer: str | None,
    method: Method,
    colormap: str,
) -> None:
    """Write classes.png: what argues for a cat and what for a dog, on each photo."""
    pixels = np.stack([photo.pixels for photo in photos])
    each = [
        looks(heatmaps(model, pixels, layer=layer, method=method, classes=label), CLASSES)
        for label in range(len(CLASSES))
    ]
    heading = f"{model.name}: what argues for each class ({NAMES[method]})"
    note = "Evidence for a cat and evidence for a dog are different maps of one photo."
    originals = [photo.original for photo in photos]
    rows = list(zip(*each, strict=True))
    save(views(originals, rows, heading, note, colormap), out / "classes.png")


def write_methods(
    model: Any, photos: Sequence[Photo], out: Path, *, layer: str | None, colormap: str
) -> dict[str, float]:
    """Write methods.png: four class-activation maps and two pixel saliencies of each photo.

    Returns
    -------
    dict
        `integrated_gradients_gap`: by how much of the score's change the attributions miss it,
        at worst.
    """
    pixels = np.stack([photo.pixels for photo in photos])
    found = {m: heatmaps(model, pixels, layer=layer, method=m) for m in NAMES}
    labels = found["grad-cam"].classes
    smooth = saliency.smooth_grad(model, pixels, labels, samples=8)
    integrated = saliency.integrated_gradients(model, pixels, labels, steps=32)
    maps = {NAMES[method]: maps.maps for method, maps in found.items()} | {
        "SmoothGrad": saliency.strength(smooth),
        "Integrated Gradients": saliency.strength(integrated.attributions),
    }
    rows = [
        [Look(heats[number], name) for name, heats in maps.items()] for number in range(len(photos))
    ]
    heading = f"{model.name}: six ways to ask where it looks"
    note = (
        f"The first four weigh the maps of {found['grad-cam'].layer}, the last two single pixels."
    )
    save(views([p.original for p in photos], rows, heading, note, colormap), out / "methods.png")
    return {"integrated_gradients_gap": round(float(np.abs(integrated.gap).max()), 4)}


def write_layers(model: Any, photo: Photo, out: Path, *, method: Method, colormap: str) -> None:
    """Write NAME_layers.png: the heatmap of one photo from every convolution."""
    names = layers.convolutions(model)
    found = one_pass(model, [], names)(photo.pixels)
    columns = [Look(found.heatmap(name, method), name) for name in names]
    heading = f"{model.name}: the same question at every depth ({NAMES[method]})"
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
