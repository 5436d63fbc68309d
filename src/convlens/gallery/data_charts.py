"""The prepared data at a glance: counts, sizes, brightness, contact sheets, suspects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.data import SPLITS
from convlens.gallery import style
from convlens.gallery.rows import Picture, in_rows
from convlens.gallery.sheet import Rgb, mosaic, show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS, CELL = 12, 96
MANY = 7  # classes that have colours of their own, at most


@style.applied()
def counts(numbers: Mapping[str, Mapping[str, int]], title: str) -> Figure:
    """Draw how many images each class has in each split: `numbers`[split][label].

    Of more than MANY classes each is a bar of its splits, the smallest class first.
    """
    classes = list(numbers[SPLITS[0]])
    if len(classes) > MANY:
        return _stacked(numbers, title)
    fig = style.figure(6.4, 3.4)
    axes = fig.subplots()
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


def _stacked(numbers: Mapping[str, Mapping[str, int]], title: str) -> Figure:
    totals = {label: sum(numbers[s][label] for s in SPLITS) for label in numbers[SPLITS[0]]}
    classes = sorted(totals, key=lambda label: totals[label])
    fig = style.figure(6.4, 1.2 + 0.16 * len(classes))
    axes = fig.subplots()
    left = np.zeros(len(classes))
    for number, split in enumerate(SPLITS):
        there = np.array([numbers[split][label] for label in classes])
        axes.barh(range(len(classes)), there, left=left, color=style.colour(number), label=split)
        left += there
    axes.set_yticks(range(len(classes)), [style.shortened(label) for label in classes], fontsize=7)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("images")
    axes.set_title(title)
    axes.legend(loc="best")
    return fig


@style.applied()
def sizes(original: Mapping[str, npt.NDArray[Any]], size: int, title: str) -> Figure:
    """Draw the images' sizes before they were squashed to `size`: label → (N, 2) width, height."""
    fig = style.figure(6.4, 4.6)
    axes = fig.subplots()
    many = len(original) > MANY
    top = 1.05 * max(int(points.max(initial=size)) for points in original.values())
    for number, (label, points) in enumerate(original.items()):
        axes.scatter(
            points[:, 0], points[:, 1], s=14, alpha=0.35, linewidths=0,
            color=style.BLUE if many else style.colour(number),
            label=None if many else f"{label}, {len(points):,}",
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
    """Draw how bright the images of each class are: label → (N,) mean grey levels in 0..255.

    Of more than MANY classes the darkest and the brightest one have names and colours.
    """
    fig = style.figure(6.4, 3.4)
    axes = fig.subplots()
    bins = list(range(0, 257, 8))
    means = {label: float(values.mean()) for label, values in levels.items()}
    many = len(levels) > MANY
    named = [min(means, key=means.__getitem__), max(means, key=means.__getitem__)]
    named = named if many else list(levels)
    for label, values in levels.items():
        mean = means[label]
        share = np.histogram(values, bins)[0] * 100 / len(values)
        if label not in named:
            axes.stairs(share, bins, linewidth=0.8, color=style.GRID, zorder=1)
            continue
        colour = style.colour(named.index(label))
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
    return in_rows(rows, heading, note)
