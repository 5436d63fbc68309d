"""Confusion, ROC, calibration and the most confident mistakes of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.gallery import style
from convlens.text import decimal, percent, says

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from convlens.evaluation.evaluate import Evaluation

WITH_SHARE, NUMBERED, WITH_NAMES = 5, 20, 140  # most classes whose cells have these
PAIRS, NAMED = 20, 6  # pairs listed, curves named


def write(result: Evaluation, out: Path, title: str) -> None:
    """Write confusion.png, roc.png, calibration.png and mistakes.png into `out`."""
    scores, scored, c = result.scores, result.scored, result.calibration
    accuracy = f"{title}: {percent(scores['accuracy'])} of {scores['n']} test images"
    style.save(confusion(scored.confusion, result.classes, accuracy), out / "confusion.png")
    style.save(roc(result, f"{title}: ROC"), out / "roc.png")
    chart = calibration(c.confidence, c.accuracy, c.count, scores["ece"], f"{title}: calibration")
    style.save(chart, out / "calibration.png")
    items = [
        Mistake(
            result.images[row],
            result.paths[row],
            result.classes[scored.labels[row]],
            result.classes[scored.predicted[row]],
            float(scored.confidence[row]),
        )
        for row in result.mistakes
    ]
    style.save(mistakes(items, f"{title}: most confident mistakes"), out / "mistakes.png")


@style.applied()
def confusion(counts: NDArray[np.int64], classes: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix, `counts`[label, predicted], shaded by the share of the row.

    More than two classes are sorted by recall, the worst first, and the pairs that are mixed up
    most often stand beside the matrix; up to `NUMBERED` classes each cell has its count, up to
    `WITH_NAMES` each row its name.
    """
    count = len(classes)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if count == 2:
        fig = style.figure(4.2, 3.9)
        axes = fig.subplots()
    else:
        side = max(3.2, min(0.55 * count, 4.0 + 0.11 * min(count, WITH_NAMES)))
        fig = style.figure(side + 4.2, side + 0.7)
        axes, beside = fig.subplots(1, 2, width_ratios=(side + 1.2, 3.0))
        order = np.argsort(share.diagonal(), kind="stable")
        counts, share = counts[np.ix_(order, order)], share[np.ix_(order, order)]
        classes = [classes[c] for c in order]
        _worst_pairs(beside, counts, classes)
    shade = share if count <= NUMBERED else np.sqrt(share)  # without numbers, rare ones must show
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape) if count <= NUMBERED else ():
        of_row = f"\n{share[row, column]:.1%}" if count <= WITH_SHARE else ""
        if of_row or counts[row, column]:
            axes.text(
                column, row, f"{counts[row, column]}{of_row}", ha="center", va="center",
                color="white" if share[row, column] > 0.5 else style.INK,
            )  # fmt: skip
    axes.grid(visible=False)
    size, names = max(5.0, min(10.0, 400 / count)), [style.shortened(name) for name in classes]
    ticks, names = (range(count), names) if count <= WITH_NAMES else ([], [])
    axes.set_xticks(ticks, names, fontsize=size, rotation=90 if count > 4 else 0)
    axes.set_yticks(ticks, names, fontsize=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("label" if count == 2 else "label, the worst recall first")
    axes.set_title(title)
    return fig


def _worst_pairs(axes: Axes, counts: NDArray[np.int64], classes: Sequence[str]) -> None:
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = [divmod(int(cell), len(counts)) for cell in order if wrong.flat[cell]]
    lines = [
        f"{wrong[label, said]} of {counts[label].sum()}  "
        f"{style.shortened(classes[label])} → {style.shortened(classes[said])}"
        for label, said in pairs
    ]
    axes.axis("off")
    axes.set_title("mixed up most often" if lines else "no mistake")
    axes.text(0, 1, "\n".join(lines), va="top", linespacing=1.6, fontsize=9)


@style.applied()
def roc(result: Evaluation, title: str) -> Figure:
    """Draw a ROC curve for each class against the rest, named where they are few."""
    fig = style.figure(4.2, 3.9)
    axes = fig.subplots()
    axes.plot([0, 1], [0, 1], "--", color=style.MUTED, linewidth=1, label="chance")
    areas = dict(zip(result.classes, result.by_class.roc_auc, strict=True))
    worst = sorted(result.roc, key=lambda name: areas[name])[:NAMED]
    for name, (false_positive, true_positive, _) in result.roc.items():
        known, one = name in worst, len(result.roc) == 1
        label = (
            f"AUC {decimal(areas[name])}"
            if one
            else f"{style.shortened(name)} {decimal(areas[name])}"
        )
        axes.plot(
            false_positive, true_positive, drawstyle="steps-post", zorder=2 + known,
            color=style.colour(worst.index(name)) if known else style.GRID,
            linewidth=2 if one else 1.2, label=label if known else None,
        )  # fmt: skip
    if len(result.classes) == 2:
        other, positive = result.classes
        axes.set_xlabel(f"{style.shortened(other)} taken for {style.shortened(positive)}")
        axes.set_ylabel(f"{style.shortened(positive)} found")
    else:
        axes.set_xlabel("others taken for the class")
        axes.set_ylabel("images of the class found")
        title = f"{title}, mean AUC {decimal(result.scores['roc_auc'])}"
    axes.set_title(title)
    axes.legend(loc="lower right", title="the worst:" if len(worst) < len(result.roc) else None)
    return fig


@style.applied()
def calibration(
    said: NDArray[Any], right: NDArray[Any], count: NDArray[Any], ece: float, title: str
) -> Figure:
    """Draw confidence against accuracy; a dot's area is its number of images."""
    fig = style.figure(4.2, 3.9)
    axes = fig.subplots()
    axes.plot([0, 1], [0, 1], "--", color=style.MUTED, linewidth=1, label="perfect")
    axes.plot(said, right, color=style.BLUE, linewidth=1, alpha=0.6)
    axes.scatter(
        said, right, s=20 + 300 * count / count.sum(), color=style.BLUE, zorder=3,
        label=f"calibration error {ece:.3f}",
    )  # fmt: skip
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xlabel("probability of the predicted class, as said")
    axes.set_ylabel("share that was right")
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
