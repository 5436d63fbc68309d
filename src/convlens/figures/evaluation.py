"""Confusion, ROC, calibration and the most confident mistakes of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data import CLASSES
from convlens.evaluation.numbers import decimal, percent, says
from convlens.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convlens.evaluation.evaluate import Evaluation


def write(result: Evaluation, out: Path, title: str) -> None:
    """Write confusion.png, roc.png, calibration.png and mistakes.png into `out`."""
    summary, c = result.summary, result.calibration
    accuracy = f"{title}: {percent(summary['accuracy'])} of {summary['n']} test images"
    style.save(confusion(result.confusion, CLASSES, accuracy), out / "confusion.png")
    curve = roc(result.roc[0], result.roc[1], summary["roc_auc"], f"{title}: ROC")
    style.save(curve, out / "roc.png")
    chart = calibration(c.said, c.happened, c.count, summary["ece"], f"{title}: calibration")
    style.save(chart, out / "calibration.png")
    items = [
        Mistake(
            result.images[row],
            result.paths[row],
            CLASSES[result.scored.labels[row]],
            CLASSES[result.scored.predicted[row]],
            float(np.abs(result.scored.probabilities[row] - 0.5) + 0.5),
        )
        for row in result.mistakes
    ]
    style.save(mistakes(items, f"{title}: most confident mistakes"), out / "mistakes.png")


@style.applied()
def confusion(counts: NDArray[np.int64], classes: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix: `counts`[label, predicted], each cell with its share of the row."""
    fig = style.figure(4.2, 3.9)
    axes = fig.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        axes.text(
            column, row, f"{counts[row, column]}\n{share[row, column]:.1%}",
            ha="center", va="center",
            color="white" if share[row, column] > 0.5 else style.INK,
        )  # fmt: skip
    axes.grid(visible=False)
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    axes.set_title(title)
    return fig


@style.applied()
def roc(
    false_positive: NDArray[Any], true_positive: NDArray[Any], auc: float, title: str
) -> Figure:
    """Draw the ROC curve, "dog" being positive."""
    fig = style.figure(4.2, 3.9)
    axes = fig.subplots()
    axes.plot([0, 1], [0, 1], "--", color=style.MUTED, linewidth=1, label="chance")
    axes.plot(
        false_positive, true_positive, color=style.BLUE, linewidth=2, drawstyle="steps-post",
        label=f"AUC {decimal(auc)}",
    )  # fmt: skip
    axes.set_xlabel("cats taken for dogs")
    axes.set_ylabel("dogs found")
    axes.set_title(title)
    axes.legend(loc="lower right")
    return fig


@style.applied()
def calibration(
    said: NDArray[Any], happened: NDArray[Any], count: NDArray[Any], ece: float, title: str
) -> Figure:
    """Draw what was said against what happened; a dot's area is its number of images."""
    fig = style.figure(4.2, 3.9)
    axes = fig.subplots()
    axes.plot([0, 1], [0, 1], "--", color=style.MUTED, linewidth=1, label="perfect")
    axes.plot(said, happened, color=style.BLUE, linewidth=1, alpha=0.6)
    axes.scatter(
        said, happened, s=20 + 300 * count / count.sum(), color=style.BLUE, zorder=3,
        label=f"calibration error {ece:.3f}",
    )  # fmt: skip
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xlabel("probability of dog, as said")
    axes.set_ylabel("share of dogs, as it was")
    axes.set_title(title)
    axes.legend(loc="upper left")
    return fig


@dataclass(frozen=True)
class Mistake:
    """One wrongly classified image: uint8 (S, S, 3), its path, and what was said of it."""

    image: NDArray[np.uint8]
    path: str
    label: str
    predicted: str
    probability: float


@style.applied()
def mistakes(items: Sequence[Mistake], title: str) -> Figure:
    """Draw the most confident mistakes, at most six a row, or say that there are none."""
    columns = min(6, max(3, len(items)))
    rows = -(-len(items) // columns)
    fig = style.figure(1.65 * columns, 2.15 * rows + 0.5)
    fig.suptitle(title if items else f"{title}: none", x=0.01, ha="left", fontweight="bold")
    if not items:
        return fig
    grid = fig.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, item in zip(grid.flat, items, strict=False):
        axes.imshow(item.image)
        axes.set_title(
            f"{item.label}, said\n{says(item.predicted, item.probability)}",
            fontsize=9, fontweight="normal",
        )  # fmt: skip
    return fig
