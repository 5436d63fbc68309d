"""Accuracy and loss over the epochs, as the tutorials draw them: dots and a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convlens.files import read_csv
from convlens.gallery import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Mapping[str, Sequence[float]]


def write(table: Path, out: Path, title: str) -> None:
    """Draw a training's curves.csv to `out`."""
    rows = read_csv(table)
    columns = {key: [float(row[key]) for row in rows] for key in rows[0]}
    style.save(curves(columns, title), out)


@style.applied()
def curves(history: Curves, title: str) -> Figure:
    """Draw accuracy and log loss of training (dots) and validation (line).

    `history` has the columns epoch, accuracy, val_accuracy, loss, val_loss.
    """
    fig = style.figure(9, 3.6)
    left, right = fig.subplots(1, 2)
    _draw(left, history, "accuracy", "Accuracy")
    left.set_ylim(None, 1.005)
    _draw(right, history, "loss", "Log loss (nats)")
    right.set_ylim(0, None)
    fig.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return fig


def _draw(axes: Axes, history: Curves, key: str, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epoch, training, validation = history["epoch"], history[key], history[f"val_{key}"]
    axes.plot(epoch, training, "o", color=style.SKY, markersize=4, label="training")
    axes.plot(epoch, validation, "-", color=style.VERMILION, linewidth=2, label="validation")
    axes.annotate(
        f"{validation[-1]:.3f}", (epoch[-1], validation[-1]), xytext=(4, 0),
        textcoords="offset points", va="center", color=style.VERMILION, annotation_clip=False,
    )  # fmt: skip
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="best")
