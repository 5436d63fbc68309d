"""Whether the heatmaps are true: deletion and insertion curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.gallery import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ORDERS = {
    "heatmap": (style.GREEN, "-", "by heatmap"),
    "gaussian": (style.ORANGE, "--", "centre first"),
    "random": (style.MUTED, ":", "in random order"),
}


@style.applied()
def removal(curves: Mapping[str, Mapping[str, npt.NDArray[np.float64]]], heading: str) -> Figure:
    """Draw mean deletion and insertion curves, with the standard error as a band.

    Parameters
    ----------
    curves
        `deletion` and `insertion`, each with `heatmap`, `random` and `gaussian`: (N, steps + 1).
    """
    fig = style.figure(9.6, 4.2)
    fig.suptitle(heading, size=14, weight="bold", x=0.01, ha="left")
    titles = {
        "deletion": "Blurring away: lower is better",
        "insertion": "Bringing back: higher is better",
    }
    for axes, (kind, title) in zip(fig.subplots(1, 2, sharey=True), titles.items(), strict=True):
        for name, (colour, line, label) in _ORDERS.items():
            values = curves[kind][name]
            x = np.linspace(0, 100, values.shape[1])
            mean = values.mean(axis=0)
            error = values.std(axis=0, ddof=min(1, len(values) - 1)) / np.sqrt(len(values))
            axes.plot(x, mean, line, color=colour, label=label, linewidth=2)
            axes.fill_between(x, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0)
        axes.set_title(title)
        axes.set_xlabel("% of the photo " + ("blurred" if kind == "deletion" else "shown sharp"))
        axes.set_ylim(-0.02, 1.02)
    fig.axes[0].set_ylabel("probability of the predicted class")
    fig.axes[0].legend(loc="lower left")
    return fig
