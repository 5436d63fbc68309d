"""All nets in one place: summary.json, and the table that closes a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convlens import paths
from convlens.errors import InputError
from convlens.files import read_csv, read_json
from convlens.runtime import versions
from convlens.text import decimal, percent

SECONDS = "seconds"
NOT_KNOWN = "–"


def summary(root: Path, nets: Sequence[str], confidence: float) -> dict[str, Any]:
    """Collect what the files under `root` say about `nets`; same files, same result.

    Returns
    -------
    dict
        `data` (source, digest of the manifest, image_size, counts), `confidence` of the
        intervals in 0..1, `models` (test metrics, precision, epochs, parameters and the sha256
        of the weights for each) and `versions`.

    Raises
    ------
    InputError
        If a file of an earlier stage is missing.
    """
    data = _read(root / paths.DATA)
    models = {}
    for name in nets:
        tested = _read(root / paths.evaluation(name) / paths.METRICS)
        trained = _read(root / paths.trained(name) / paths.METRICS)
        models[name] = {key: value for key, value in tested.items() if key != "model"} | {
            key: trained[key] for key in ("epochs", "parameters", "weights_sha256")
        }
    return {
        "data": {key: data[key] for key in ("source", "digest", "image_size", "counts")},
        "confidence": confidence,
        "models": models,
        "versions": versions(),
    }


def closing_table(root: Path) -> list[tuple[str, ...]]:
    """Return header and one row a model, as text, from reports/summary.json under `root`.

    Raises
    ------
    InputError
        If there is no summary yet.
    """
    found = _read(root / paths.SUMMARY)
    level = f"{100 * found['confidence']:g} %"
    rows: list[tuple[str, ...]] = [
        ("model", "test accuracy", f"{level} interval", "log loss", "ROC AUC", "training time")
    ]
    for name, scores in found["models"].items():
        rows.append(
            (
                name,
                percent(scores["accuracy"]),
                f"{percent(scores['accuracy_low'])} – {percent(scores['accuracy_high'])}",
                decimal(scores["log_loss"]),
                decimal(scores["roc_auc"]),
                duration(training_seconds(root / paths.trained(name))),
            )
        )
    return rows


def training_seconds(folder: Path) -> float | None:
    """Return how long the model in `folder` trained here, or None if that is not known.

    Wall times are in history.csv, which DVC does not track: after a checkout it can belong to
    another model. It counts only if its other columns are those of curves.csv.
    """
    curves, history = folder / "curves.csv", folder / "history.csv"
    if not (curves.is_file() and history.is_file()):
        return None
    timed = read_csv(history)
    without = [{key: row[key] for key in row if key != SECONDS} for row in timed]
    if without != read_csv(curves) or not all(row.get(SECONDS) for row in timed):
        return None
    return sum(float(row[SECONDS]) for row in timed)


def duration(seconds: float | None) -> str:
    """Return seconds as "48 s", "3 min 05 s" or "1 h 02 min"; "–" for None."""
    if seconds is None:
        return NOT_KNOWN
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InputError(
            path,
            expected="the result of an earlier stage",
            found="no such file",
            fix="run `make repro`, which makes what is missing",
        )
    return read_json(path)
