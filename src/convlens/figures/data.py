"""The prepared data at a glance: counts, sizes, brightness, contact sheets, suspects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.data import SPLITS
from convlens.figures import style
from convlens.figures.gallery import Picture, gallery
from convlens.figures.sheet import Rgb, mosaic, show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS, CELL = 12, 96


@style.applied()
def counts(numbers: Mapping[str, Mapping[str, int]], title: str) -> Figure:
    """Draw how many images each class has in each split: `numbers`[split][label]."""
    fig = style.figure(6.4, 3.4)
    axes = fig.subplots()
    classes = list(numbers[SPLITS[0]])
    width = 0.8 / len(classes)
    for number, label in enumerate(classes):
        there = [numbers[split][label] for split in SPLITS]
        bars = axes.bar(
            np.arange(len(SPLITS)) + (number - (len(classes) - 1) / 2) * width, there, 0.95 * width,
            color=style.colour(number), label=label,
        )  # fmt: skip
        axes.bar_label(bars, [f"{count:,}" for count in there], padding=2, color=style.INK)
    axes.set_xticks(range(len(SPLITS)), SPLITS)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("images")
    axes.margins(y=0.12)
    axes.set_title(title)
    axes.legend(loc="upper right")
    return fig


@style.applied()
def sizes(original: Mapping[str, npt.NDArray[Any]], size: int, title: str) -> Figure:
    """Draw the images' sizes before they were squashed to `size`: label → (N, 2) width, height."""
    fig = style.figure(6.4, 4.6)
    axes = fig.subplots()
    top = 1.05 * max(int(points.max(initial=size)) for points in original.values())
    for number, (label, points) in enumerate(original.items()):
        axes.scatter(
            points[:, 0], points[:, 1], s=14, alpha=0.35, linewidths=0,
            color=style.colour(number), label=f"{label}, {len(points):,}",
        )  # fmt: skip
    axes.plot(size, size, "s", color=style.INK, markersize=6, label=f"squashed to {size} × {size}")
    axes.plot([0, top], [0, top], "--", color=style.MUTED, linewidth=1, zorder=0)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_xlabel("width (pixels)")
    axes.set_ylabel("height (pixels)")
    axes.set_title(title)
    axes.legend(loc="upper left")
    return fig


@style.applied()
def brightness(levels: Mapping[str, npt.NDArray[Any]], title: str) -> Figure:
    """Draw how bright the images of each class are: label → (N,) mean grey levels in 0..255."""
    fig = style.figure(6.4, 3.4)
    axes = fig.subplots()
    bins = list(range(0, 257, 8))
    for number, (label, values) in enumerate(levels.items()):
        mean = float(values.mean())
        colour = style.colour(number)
        share = np.histogram(values, bins)[0] * 100 / len(values)
        axes.stairs(share, bins, fill=True, alpha=0.18, color=colour)
        axes.stairs(share, bins, linewidth=1.8, color=colour, label=f"{label}, mean {mean:.0f}")
        axes.axvline(mean, color=colour, linewidth=1, linestyle="--")
    axes.set_xlim(0, 255)
    axes.set_xlabel("mean brightness (0 black, 255 white)")
    axes.set_ylabel("% of the class")
    axes.set_title(title)
    axes.legend(loc="upper right")
    return fig


@style.applied()
def contact_sheet(rows: Sequence[tuple[str, Rgb]], heading: str, note: str) -> Figure:
    """Lay rows of (label, images (K, CELL, CELL, 3)) out under a heading, K at most COLUMNS."""
    blank = np.full((1, CELL, CELL, 3), 255, np.uint8)
    cells = [
        np.concatenate([images, np.repeat(blank, COLUMNS - len(images), axis=0)])
        for _, images in rows
    ]
    picture = mosaic(np.concatenate(cells), COLUMNS)
    return show(picture, heading, note, [label for label, _ in rows]).figure


@style.applied()
def captioned(pictures: Sequence[Picture], columns: int, heading: str, note: str) -> Figure:
    """Draw captioned pictures `columns` a row, or only the heading if there are none."""
    if not pictures:
        fig = style.figure(9.6, 0.8, layout="none")
        fig.text(0.023, 0.5, f"{heading}: none", size=14, weight="bold", va="center")
        return fig
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    # the gallery sizes its cells by the longest row
    fill = Picture(np.full((1, 1, 3), 255, np.uint8))
    rows[0] = [*rows[0], *[fill] * (columns - len(rows[0]))]
    return gallery(rows, heading, note)
