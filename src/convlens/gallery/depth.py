"""Deeper is sparser and sees more: a summary of all layers as curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from convlens.gallery import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convlens.explain.depth import Layer


@style.applied()
def depth_curves(rows: Sequence[Layer], model: str, image_size: int) -> Figure:
    """Draw sparsity, dead share and the fields of view of every layer of `model`."""
    fig = style.figure(9.6, 6.4)
    fig.suptitle(f"{model}: from layer to layer", size=14, weight="bold", x=0.01, ha="left")
    answers, view = fig.subplots(2, 1, sharex=True)
    x = np.arange(len(rows))
    answers.plot(x, [100 * row["sparsity"] for row in rows], "o-", color=style.BLUE)
    answers.plot(x, [100 * row["dead"] for row in rows], "s-", color=style.VERMILION)
    answers.set_title("How many answers are zero")
    answers.set_ylabel("%")
    answers.set_ylim(-3, 103)
    answers.legend(["answers that are zero", "channels silent on every photo"], loc="best")
    view.plot(x, [row["receptive_field"] for row in rows], "s--", color=style.MUTED)
    view.plot(x, [row["effective_field"] for row in rows], "o-", color=style.GREEN)
    view.axhline(image_size, color=style.ORANGE, linewidth=1)
    view.set_title("How much of the photo one unit sees")
    view.set_ylabel("pixels a side")
    view.set_ylim(bottom=0)
    view.legend(
        ["could see (receptive field)", "does see (effective field)", f"the photo, {image_size}"],
        loc="upper left",
    )
    view.set_xticks(x, [row["layer"] for row in rows], rotation=45, ha="right")
    return fig
