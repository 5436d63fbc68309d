"""Variants of a training side by side: every seed a dot, every mean a bar, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.evaluation.studies import by_variant
from convlens.gallery import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _ROW, _MARGIN = 9.0, 0.42, 1.1  # inches


@style.applied()
def comparison(runs: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw one row a variant: accuracy on test and validation by seed, and mean seconds.

    Each run has `variant`, `accuracy`, `val_accuracy`, `seconds` and `seconds_features`.
    """
    groups = by_variant(runs)
    fig = style.figure(_WIDTH, _MARGIN + _ROW * len(groups))
    left, right = fig.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    for row, group in enumerate(groups.values()):
        _dots(left, [run["val_accuracy"] for run in group], row + 0.14, style.SKY, "validation")
        _dots(left, [run["accuracy"] for run in group], row - 0.14, style.VERMILION, "test")
        _costs(right, group, row)
    left.set_yticks(range(len(groups)), list(groups))
    left.invert_yaxis()
    left.set_title("Accuracy: seeds, and their mean")
    right.set_title("Seconds")
    for axes, place in ((left, "outside lower left"), (right, "outside lower right")):
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        fig.legend(list(unique.values()), list(unique), loc=place, ncols=2)
    return fig


def _dots(axes: Axes, values: Sequence[float], height: float, colour: str, label: str) -> None:
    axes.plot(values, [height] * len(values), "o", color=colour, markersize=5, label=label)
    mean = float(np.mean(values))
    axes.plot([mean, mean], [height - 0.16, height + 0.16], "-", color=colour, linewidth=2)


def _costs(axes: Axes, group: Sequence[Mapping[str, Any]], row: int) -> None:
    training = float(np.mean([run["seconds"] for run in group]))
    features = float(np.mean([run["seconds_features"] for run in group]))
    axes.barh(row, training, 0.5, color=style.ORANGE, label="training")
    if features:
        axes.barh(row, features, 0.5, left=training, color=style.MUTED, label="features, once")
    axes.annotate(
        f"{training + features:.0f}", (training + features, row), xytext=(3, 0),
        textcoords="offset points", va="center", color=style.INK, annotation_clip=False,
    )  # fmt: skip
