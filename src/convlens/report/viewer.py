"""Viewers: pictures that a slider over layers and a chooser of photos step through."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from convlens import paths
from convlens.files import read_csv
from convlens.report.pictures import Embedded, grid, picture, thumbnail


@dataclass(frozen=True)
class Example:
    """An example photo: its name among the examples, its path in the archive, its thumbnail."""

    name: str
    path: str
    label: str
    thumbnail: Embedded


@dataclass(frozen=True)
class Frame:
    """What a viewer shows for one photo at one step; `more` is folded away."""

    photo: int
    step: int
    note: str
    pictures: tuple[Embedded, ...]
    more: tuple[Embedded, ...] = ()


@dataclass(frozen=True)
class Viewer:
    """Frames for every photo and step; `what` names the steps, e.g. "layer"."""

    key: str
    title: str
    what: str
    photos: tuple[Example, ...]
    steps: tuple[str, ...]
    frames: tuple[Frame, ...]


def examples(root: Path) -> tuple[Example, ...]:
    """Return the example photos of data/prepared/examples, in the order of their index."""
    folder = root / paths.EXAMPLES
    if not (folder / "index.csv").is_file():
        return ()
    return tuple(
        Example(
            Path(row["file"]).stem, row["path"], row["label"], thumbnail(folder / row["file"], "")
        )
        for row in read_csv(folder / "index.csv")
    )


def activations(root: Path, model: str, photos: tuple[Example, ...]) -> Viewer | None:
    """Return the activation grids of `model`: a slider over its layers, first to last."""
    folder = root / paths.explanation(model) / "activations"
    layers = _layers(folder)
    grids = {
        photo: [folder / photo.name / f"{n:02d}_{name}.png" for n, name in enumerate(layers, 1)]
        for photo in photos
    }
    shown = tuple(photo for photo, files in grids.items() if all(p.is_file() for p in files))
    if not (layers and shown):
        return None
    places = [
        (number, step, name, grids[photo][step])
        for number, photo in enumerate(shown)
        for step, name in enumerate(layers)
    ]

    def drawn(number: int, step: int, name: str, path: Path) -> Frame:
        shot = grid(path, f"{model}, {name}: all channels")
        return Frame(number, step, _describe(layers[name]), (shot,))

    with ThreadPoolExecutor() as pool:  # Pillow resizes and encodes side by side
        frames = tuple(pool.map(drawn, *zip(*places, strict=True)))
    return Viewer(f"{model}-layers", model, "layer", shown, tuple(layers), frames)


def filters(root: Path, model: str) -> Viewer | None:
    """Return the filter pictures of `model`: the first kernels, then layer after layer."""
    folder = root / paths.explanation(model) / "filters"
    order = [*_layers(folder.parent / "activations"), "kernels"]
    there = sorted(
        (path for path in folder.glob("*.png") if path.stem in order),
        key=lambda path: (path.stem != "kernels", order.index(path.stem)),
    )
    if not there:
        return None
    names = tuple("first kernels" if p.stem == "kernels" else p.stem for p in there)
    frames = tuple(
        Frame(
            0,
            step,
            _KERNELS if path.stem == "kernels" else "",
            (picture(path, f"{model}, {name}"),),
        )
        for step, (path, name) in enumerate(zip(there, names, strict=True))
    )
    return Viewer(f"{model}-filters", model, "layer", (), names, frames)


def heatmaps(root: Path, models: Sequence[str], photos: tuple[Example, ...]) -> Viewer | None:
    """Return where the models look on each photo: two over each other, then one by one."""
    frames: list[Frame] = []
    shown: list[Example] = []
    for photo in photos:
        main = {"both models over each other": root / paths.BOTH / f"{photo.name}.png"}
        deeper = {}
        for model in models:
            folder = root / paths.explanation(model) / "heatmaps"
            main[f"{model}: photo, heatmap, overlay"] = folder / f"{photo.name}.png"
            deeper[f"{model}: heatmaps of all layers"] = folder / f"{photo.name}_layers.png"
        pictures, more = (
            tuple(picture(p, f"{photo.name}, {what}") for what, p in some.items() if p.is_file())
            for some in (main, deeper)
        )
        if pictures:
            frames.append(Frame(len(shown), 0, "", pictures, more))
            shown.append(photo)
    if not frames:
        return None
    title = {1: models[0], 2: "both models"}.get(len(models), f"all {len(models)} models")
    return Viewer("looks", title, "photo", tuple(shown), ("",), tuple(frames))


_KERNELS = (
    "The weights of the first layer are small colour images; no search is needed to see them."
)


def _layers(folder: Path) -> dict[str, dict[str, str]]:
    """Return layer name to its row of depth.csv, first to last."""
    table = folder / "depth.csv"
    return {row["layer"]: row for row in read_csv(table)} if table.is_file() else {}


def _describe(row: dict[str, str]) -> str:
    zero = 100 * float(row["sparsity"])
    silent = round(float(row["dead"]) * int(row["channels"]))
    text = (
        f"{row['channels']} channels of {row['height']} × {row['width']}. "
        f"One unit can see {row['receptive_field']} pixels of the picture a side; "
        f"{zero:.0f} % of all answers are zero"
    )
    return f"{text}, and {silent} channels are silent on every example." if silent else f"{text}."
