"""A contact sheet of images whose label every model contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convlens.data.whats_there import number
from convlens.gallery.data_charts import captioned
from convlens.gallery.rows import Picture
from convlens.text import says

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convlens.evaluation.suspects import Suspect

SHOWN = 24


def label_suspects(suspects: Sequence[Suspect], images: NDArray[np.uint8]) -> Figure:
    """Draw the first SHOWN suspects out of the test `images`, uint8 (N, S, S, 3)."""
    pictures = [
        Picture(
            np.asarray(images[s.row]),
            f"{PurePosixPath(s.path).name}\nlabelled {s.label}\n"
            + "\n".join(f"{model} {says(s.predicted, p)}" for model, p in s.probability.items()),
        )
        for s in suspects[:SHOWN]
    ]
    note = "No held-out image has a label that every model is confidently against."
    if suspects:
        models = len(suspects[0].probability)
        who = {1: "the model is", 2: "both models are"}.get(models, f"all {models} models are")
        shared = " shared" if models > 1 else ""
        note = (
            f"{number(len(suspects), 'held-out image')} that {who} confidently against. Look at "
            f"them: a wrong label, an odd picture, or a{shared} mistake? Nothing was changed."
        )
    return captioned(pictures, 6, "Label suspects", note)
