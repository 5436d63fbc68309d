"""A trained model on the test split: every number and table of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Split, load_split
from convlens.engines import Engine
from convlens.engines.local import LOCAL
from convlens.errors import InputError
from convlens.evaluation import metrics
from convlens.evaluation.metrics import Scored
from convlens.evaluation.predict import score
from convlens.files import read_csv, write_csv, write_json
from convlens.models import heads, keras_file
from convlens.params import EvaluateParams
from convlens.paths import METRICS, NET
from convlens.progress import Progress, silent
from convlens.runtime import Runtime

ROC = ("class", "false_positive_rate", "true_positive_rate", "logit")
CALIBRATION = ("confidence", "accuracy", "images")
BY_CLASS = ("class", "precision", "recall", "f1", "support", "roc_auc")


@dataclass(frozen=True)
class Evaluation:
    """One model on one split: its scores, and the mistakes worth a look."""

    scored: Scored
    classes: tuple[str, ...]
    scores: dict[str, float | int]
    by_class: metrics.ClassScores
    calibration: metrics.Calibration
    roc: dict[str, tuple[metrics.Floats, metrics.Floats, metrics.Floats]]
    paths: list[str]
    mistakes: NDArray[np.int64]
    images: NDArray[Any]


def evaluate_model(
    folder: Path,
    prepared: Path,
    out: Path,
    params: EvaluateParams,
    runtime: Runtime,
    progress: Progress = silent,
    split_name: str = "test",
    engine: Engine = LOCAL,
) -> Evaluation:
    """Score `folder`/model.keras in the machine's precision; write metrics and tables to `out`.

    Writes metrics.json, predictions.csv, confusion.csv (one row an image, for DVC's confusion
    plot), classes.csv, roc.csv (each class against the rest; of two classes the second one) and
    calibration.csv. All are about the images as they are; if `params.mirror` asks for it,
    `mirror_accuracy` and `mirror_log_loss` are those of the mean logits of an image and its
    mirror image, which costs as much again.

    Raises
    ------
    InputError
        If the model tells other classes apart than the data has, or takes images of another size.
    """
    saved = keras_file.load(folder / NET)
    model = keras_file.with_policy(saved, runtime.policy)
    split = load_split(prepared, split_name)
    _check_classes(folder, heads.load_names(folder, model), split.classes)
    wanted, size = model.input_shape[1], split.images.shape[1]
    if wanted not in (None, size):
        raise InputError(
            folder / NET, expected=f"a model for images of {size} pixels, as the data's",
            found=f"one for {wanted} pixels", fix="train the model on these data: `make repro`",
        )  # fmt: skip
    scored = score(model, split, progress=progress, engine=engine)
    manifest = read_csv(prepared / "manifest.csv")
    result = Evaluation(
        scored,
        split.classes,
        metrics.scores(scored, params.confidence, params.calibration_bins),
        metrics.by_class(scored),
        metrics.calibration(scored, params.calibration_bins),
        {split.classes[c]: metrics.roc(scored, c) for c in metrics.positive(scored)},
        [row["path"] for row in manifest if row["split"] == split_name],
        metrics.most_confident_mistakes(scored, params.mistakes),
        split.images,
    )
    with_mirror = _with_mirror(model, split, scored, progress, engine) if params.mirror else {}
    marks = {"precision": runtime.precision, "model": keras_file.weights_digest(saved)}
    write_json(out / METRICS, result.scores | with_mirror | marks)
    _write_tables(out, result)
    return result


def _check_classes(folder: Path, known: Sequence[str], asked: Sequence[str]) -> None:
    if tuple(known) != tuple(asked):
        raise InputError(
            folder / heads.NAMES,
            expected=f"the data's classes: {', '.join(asked)}",
            found=", ".join(known),
            fix="train the model on these data: `make repro`",
        )


def _with_mirror(
    model: Any, split: Split, scored: Scored, progress: Progress, engine: Engine
) -> dict[str, float]:
    mirrored = score(model, split, progress=progress, mirrored=True, engine=engine)
    both = Scored(scored.labels, (scored.logits + mirrored.logits) / 2)
    accuracy, loss = float(both.correct.mean()), metrics.log_loss(both)
    return {"mirror_accuracy": accuracy, "mirror_log_loss": loss}


def _write_tables(out: Path, result: Evaluation) -> None:
    scored, names, each = result.scored, result.classes, result.by_class
    labels = [names[label] for label in scored.labels]
    predicted = [names[label] for label in scored.predicted]
    said = [f"probability_{name}" for name in names]
    rows = (
        {"path": path, "label": label, "predicted": answer, "correct": int(label == answer)}
        | {column: f"{value:.6f}" for column, value in zip(said, values, strict=True)}
        for path, label, answer, values in zip(
            result.paths, labels, predicted, scored.probabilities, strict=True
        )
    )
    write_csv(out / "predictions.csv", ("path", "label", "predicted", "correct", *said), rows)
    _write_table(out / "confusion.csv", ("label", "predicted"), (labels, predicted))
    areas = ["" if np.isnan(area) else area for area in each.roc_auc]  # it has no curve
    _write_table(
        out / "classes.csv", BY_CLASS,
        (names, each.precision, each.recall, each.f1, each.support, areas),
    )  # fmt: skip
    curves = [(np.full(len(fp), name), fp, *rest) for name, (fp, *rest) in result.roc.items()]
    _write_table(
        out / "roc.csv", ROC, [np.concatenate(column) for column in zip(*curves, strict=True)]
    )
    c = result.calibration
    _write_table(out / "calibration.csv", CALIBRATION, (c.confidence, c.accuracy, c.count))


def _write_table(path: Path, columns: Sequence[str], values: Sequence[Any]) -> None:
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True))
    write_csv(path, columns, rows)
