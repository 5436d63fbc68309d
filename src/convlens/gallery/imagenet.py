"""What a net with ImageNet's 1000 classes says of photos, as files."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convlens import files
from convlens.data import decode
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import Method, heatmaps
from convlens.explain.imagenet import class_names, top
from convlens.gallery import style
from convlens.gallery.explanation import Photo, looks
from convlens.gallery.heatmaps import Look, overlay
from convlens.gallery.rows import Rgb
from convlens.progress import Progress, silent
from convlens.text import says

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GUESSES = ("photo", "rank", "label", "name", "probability")


def chelsea(size: int) -> Photo:
    """Return Chelsea, the cat that ships with the package, for a model of `size` pixels a side."""
    content = resources.files("convlens").joinpath("assets/chelsea.png").read_bytes()
    pixels = decode.decode(content, size).pixels
    return Photo("chelsea", decode.original(content), pixels, "cat")


def write_guesses(
    model: Classifier,
    photos: Sequence[Photo],
    out: Path,
    *,
    method: Method = "grad-cam",
    colormap: str = "viridis",
    progress: Progress = silent,
) -> None:
    """Write NAME.png for each photo, its five best guesses and where the first one looks.

    guesses.csv holds them all.
    """
    pixels = np.stack([photo.pixels for photo in photos])
    found = heatmaps(model, pixels, method=method, batch_size=4, progress=progress)
    rows = []
    ranked = zip(photos, looks(found, class_names()), top(found.logits), strict=True)
    for photo, look, guesses in ranked:
        named = [(guess.name, guess.probability) for guess in guesses]
        heading = f"{photo.name}: what {model.name} on ImageNet takes it for"
        figure = top_guesses(photo.original, look, named, heading, colormap)
        style.save(figure, out / f"{photo.name}.png")
        for rank, (label, name, probability) in enumerate(guesses, 1):
            row = (photo.name, rank, label, name, round(probability, 6))
            rows.append(dict(zip(GUESSES, row, strict=True)))
    files.write_csv(out / "guesses.csv", GUESSES, rows)


@style.applied()
def top_guesses(
    photo: Rgb,
    look: Look,
    guesses: Sequence[tuple[str, float]],
    heading: str,
    colormap: str = "viridis",
) -> Figure:
    """Draw a photo (H, W, 3), the heatmap of its first guess on top, and bars of all guesses.

    Parameters
    ----------
    guesses
        (name, probability in 0..1), the most probable first.
    """
    side = 3.6
    high = side * photo.shape[0] / photo.shape[1]
    fig = style.figure(3 * side + 1, max(high, 2.2) + 0.9)
    fig.suptitle(heading, size=14, weight="bold", x=0.01, ha="left")
    left, middle, right = fig.subplots(1, 3, width_ratios=(1, 1, 1.1))
    titles = ("photo", look.caption if look.heat.any() else f"{look.caption}: no evidence found")
    pictures = (photo, overlay(photo, look.heat, colormap))
    for axes, picture, title in zip((left, middle), pictures, titles, strict=True):
        axes.imshow(picture, interpolation="antialiased")
        axes.set_title(title, weight="normal", size=10)
        axes.set_axis_off()
    places = range(len(guesses))
    chances = [100 * probability for _, probability in guesses]
    right.barh(places, chances, color=[style.GREEN] + [style.SKY] * (len(guesses) - 1), height=0.45)
    for place, (name, probability) in zip(places, guesses, strict=True):
        right.text(0, place - 0.36, says(name, probability), size=10, va="center")
    right.set(xlim=(0, 100), ylim=(len(guesses) - 0.5, -0.75), yticks=[])
    right.set_xlabel("probability, %")
    right.spines["left"].set_visible(False)
    right.grid(False, axis="y")
    return fig
