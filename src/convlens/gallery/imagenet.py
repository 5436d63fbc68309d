"""What VGG16 with its 1000 classes says of photos, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convlens import files
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import Method, heatmaps
from convlens.explain.imagenet import Guess, class_names, top
from convlens.gallery.explanation import Photo, looks
from convlens.gallery.guesses import top_guesses
from convlens.gallery.heatmaps import Look
from convlens.gallery.style import save
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GUESSES = ("photo", "rank", "label", "name", "probability")


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
        save(page(photo, look, guesses, colormap), out / f"{photo.name}.png")
        for rank, (label, name, probability) in enumerate(guesses, 1):
            row = (photo.name, rank, label, name, round(probability, 6))
            rows.append(dict(zip(GUESSES, row, strict=True)))
    files.write_csv(out / "guesses.csv", GUESSES, rows)


def page(photo: Photo, look: Look, guesses: Sequence[Guess], colormap: str) -> Figure:
    """Return the figure of one photo: the photo, where the best guess looks, and all guesses."""
    named = [(guess.name, guess.probability) for guess in guesses]
    heading = f"{photo.name}: what VGG16 on ImageNet takes it for"
    return top_guesses(photo.original, look, named, heading, colormap)
