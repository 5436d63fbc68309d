"""A trained model on the test split: every number and table of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data import CLASSES
from convlens.data.dataset import Split, load_split
from convlens.evaluation import metrics
from convlens.evaluation.metrics import Scored
from convlens.evaluation.predict import score
from convlens.files import read_csv, write_csv, write_json
from convlens.models import keras_file
from convlens.params import EvaluateParams
from convlens.progress import Progress, silent
from convlens.runtime import Runtime

ROC = ("false_positive_rate", "true_positive_rate", "logit")
CALIBRATION = ("probability_dog", "share_of_dogs", "images")
PREDICTIONS = ("path", "label", "probability_dog", "predicted", "correct")


@dataclass(frozen=True)
class Evaluation:
    """One model on one split: its scores, and the mistakes worth a look."""

    scored: Scored
    summary: dict[str, float | int]
    calibration: metrics.Calibration
    roc: tuple[metrics.Floats, metrics.Floats, metrics.Floats]
    paths: list[str]
    mistakes: NDArray[np.int64]
    images: NDArray[Any]

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts by [label, predicted]."""
        counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
        np.add.at(counts, (self.scored.labels, self.scored.predicted), 1)
        return counts


def evaluate_model(
    folder: Path,
    prepared: Path,
    out: Path,
    params: EvaluateParams,
    runtime: Runtime,
    progress: Progress = silent,
    split_name: str = "test",
) -> Evaluation:
    """Score `folder`/model.keras in the machine's precision; write metrics and tables to `out`.

    Writes metrics.json, predictions.csv, confusion.csv (one row an image, for DVC's confusion
    plot), roc.csv and calibration.csv. All are about the images as they are; if `params.mirror`
    asks for it, `mirror_accuracy` and `mirror_log_loss` are those of the mean logit of an image
    and its mirror image, which costs as much again.
    """
    saved = keras_file.load(folder / "model.keras")
    model = keras_file.with_policy(saved, runtime.policy)
    split = load_split(prepared, split_name)
    scored = score(model, split, progress=progress)
    manifest = read_csv(prepared / "manifest.csv")
    result = Evaluation(
        scored,
        metrics.summary(scored, params.confidence, params.calibration_bins),
        metrics.calibration(scored, params.calibration_bins),
        metrics.roc(scored),
        [row["path"] for row in manifest if row["split"] == split_name],
        metrics.most_confident_mistakes(scored, params.mistakes),
        split.images,
    )
    with_mirror = _with_mirror(model, split, scored, progress) if params.mirror else {}
    marks = {"precision": runtime.precision, "model": keras_file.weights_digest(saved)}
    write_json(out / "metrics.json", result.summary | with_mirror | marks)
    _write_predictions(out, scored, result.paths)
    _write_table(out / "roc.csv", ROC, result.roc)
    c = result.calibration
    _write_table(out / "calibration.csv", CALIBRATION, (c.said, c.happened, c.count))
    return result


def _with_mirror(model: Any, split: Split, scored: Scored, progress: Progress) -> dict[str, float]:
    mirrored = score(model, split, progress=progress, mirrored=True)
    both = Scored(scored.labels, (scored.logits + mirrored.logits) / 2)
    accuracy, loss = float(both.correct.mean()), metrics.log_loss(both)
    return {"mirror_accuracy": accuracy, "mirror_log_loss": loss}


def _write_predictions(out: Path, scored: Scored, paths: list[str]) -> None:
    names = [(CLASSES[y], CLASSES[p]) for y, p in zip(scored.labels, scored.predicted, strict=True)]
    rows = [
        {
            "path": path,
            "label": label,
            "probability_dog": f"{probability:.6f}",
            "predicted": predicted,
            "correct": int(label == predicted),
        }
        for path, (label, predicted), probability in zip(
            paths, names, scored.probabilities, strict=True
        )
    ]
    write_csv(out / "predictions.csv", PREDICTIONS, rows)
    pairs = ({"label": label, "predicted": predicted} for label, predicted in names)
    write_csv(out / "confusion.csv", ("label", "predicted"), pairs)


def _write_table(path: Path, columns: tuple[str, ...], values: tuple[NDArray[Any], ...]) -> None:
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True))
    write_csv(path, columns, rows)
