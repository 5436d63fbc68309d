"""What a training leaves behind: the same five files for every model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convlens.files import write_csv, write_json
from convlens.models import heads, keras_file
from convlens.paths import METRICS, NET
from convlens.runtime import Runtime
from convlens.training.checkpoint import History
from convlens.training.fit import CURVES, HISTORY

if TYPE_CHECKING:
    import keras


def write(
    out: Path, model: keras.Model, history: History, runtime: Runtime, classes: Sequence[str]
) -> None:
    """Write model.keras, classes.json, curves.csv, history.csv and metrics.json.

    history.csv is curves.csv and the seconds of each epoch. Wall time is never the same twice,
    so DVC tracks curves.csv, and equal runs give equal outputs.
    """
    keras_file.save(model, out / NET)
    heads.save_names(out, classes)
    write_csv(out / "curves.csv", CURVES, ({key: row[key] for key in CURVES} for row in history))
    write_csv(out / "history.csv", HISTORY, history)
    last = history[-1]
    metrics = {key: last[key] for key in CURVES if key not in ("epoch", "learning_rate")}
    write_json(
        out / METRICS,
        metrics
        | {
            "epochs": len(history),
            "parameters": model.count_params(),
            "precision": runtime.precision,
            "weights_sha256": keras_file.weights_digest(model),
        },
    )
