"""Two nets over each other: one figure a photo, from the maps that `explain` left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convlens import paths
from convlens.data.dataset import load_classes
from convlens.data.decode import original
from convlens.explain.maps import agreement
from convlens.files import read_csv
from convlens.gallery import style
from convlens.gallery.heatmaps import Look, both_models
from convlens.text import says


def write_both(root: Path, nets: Sequence[str], out: Path, colormap: str) -> None:
    """Write `out`/NAME.png for every example photo, if there are two nets, both explained."""
    out.mkdir(parents=True, exist_ok=True)
    archives = [root / paths.explanation(net) / "heatmaps/maps.npz" for net in nets]
    if len(nets) != 2 or not all(path.is_file() for path in archives):
        return
    found = []
    for path in archives:
        with np.load(path, allow_pickle=False) as arrays:
            found.append(dict(arrays))
    classes = load_classes(root / paths.PREPARED)
    folder = root / paths.EXAMPLES
    for number, row in enumerate(read_csv(folder / "index.csv")):
        maps = [f["maps"][number] for f in found]
        looks = {
            model: Look(
                heat, says(classes[f["classes"][number]], float(f["probabilities"][number]))
            )
            for model, heat, f in zip(nets, maps, found, strict=True)
        }
        name = Path(row["file"]).stem
        photo = original((folder / row["file"]).read_bytes())
        figure = both_models(
            photo, looks, agreement(*maps), f"{name}: both models over each other", colormap
        )
        style.save(figure, out / f"{name}.png")
