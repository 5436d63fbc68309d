"""What several seeds say together: mean, spread, interval, and the band for other machines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from convlens.text import aligned

METRICS = (
    "accuracy", "mirror_accuracy", "log_loss", "roc_auc", "brier", "ece", "val_accuracy",
    "val_loss", "seconds",
)  # fmt: skip
BAND_SPREADS = 4.0
SMALLEST_MARGIN = 0.02  # two equal seeds do not make every other machine wrong
Run = Mapping[str, Any]


def spread(runs: Sequence[Run], confidence: float) -> dict[str, dict[str, dict[str, float]]]:
    """Return mean, sample standard deviation and interval of each metric, by variant.

    The interval is Student's t for the mean over seeds, on one test split: it says how far
    another seed may lie, not another test split.
    """
    return {
        variant: {
            key: _spread([float(run[key]) for run in group], confidence)
            for key in METRICS
            if key in group[0]
        }
        for variant, group in by_variant(runs).items()
    }


def by_variant(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Group runs by their variant, in order of first appearance."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run["variant"], []).append(run)
    return groups


def table(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return the spread as aligned text: accuracies ± spread, log loss, training time."""
    rows = [("variant", "test accuracy", "mirror too", "validation", "log loss", "seconds")]
    for variant, metrics in found.items():
        cells = (
            f"{metrics['accuracy']['mean']:.4f} ± {metrics['accuracy']['sd']:.4f}",
            f"{metrics['mirror_accuracy']['mean']:.4f}" if "mirror_accuracy" in metrics else "–",
            f"{metrics['val_accuracy']['mean']:.4f} ± {metrics['val_accuracy']['sd']:.4f}",
            f"{metrics['log_loss']['mean']:.4f}",
            f"{metrics['seconds']['mean']:.0f}",
        )
        rows.append((variant, *cells))
    return aligned(rows)


def ranked(trials: Sequence[Run]) -> list[Run]:
    """Return a search's trials, the best by validation log loss first, those without one last.

    Before any that was stopped come those that ran all epochs: what else it would have become
    nobody knows.
    """
    most = max(trial.get("epochs", 0) for trial in trials)
    return sorted(
        trials,
        key=lambda trial: (trial.get("epochs") != most, trial.get("val_loss", math.inf)),
    )


def trials_table(trials: Sequence[Run]) -> str:
    """Return trials as aligned text: what was drawn, epochs, what they came to, or why not."""
    said = ("trial", "epochs", "val_loss", "val_accuracy", "reason")
    drawn = [key for key in trials[0] if key not in said]
    rows = [("trial", *drawn, "epochs", "log loss", "validation")]
    for trial in trials:
        values = [str(trial["trial"]), *(f"{trial[key]}" for key in drawn)]
        found = [str(trial.get("epochs", "–")), "–", trial.get("reason", "").split("\n")[0]]
        if "val_loss" in trial:
            found[1:] = [f"{trial['val_loss']:.4f}", f"{trial['val_accuracy']:.4f}"]
        rows.append((*values, *found))
    return aligned(rows)


def bands(runs: Sequence[Run], keys: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Return [low, high] of each key that a run on another machine has to meet: mean ± 4 sd.

    No accuracy lies outside of [0, 1], and no loss below 0.
    """
    return {
        variant: {
            key: _band([float(run[key]) for run in group], 1.0 if "accuracy" in key else math.inf)
            for key in keys
        }
        for variant, group in by_variant(runs).items()
    }


def _spread(values: Sequence[float], confidence: float) -> dict[str, float]:
    from scipy.stats import t

    mean, sd = float(np.mean(values)), _sd(values)
    degrees = len(values) - 1
    half = float(t.ppf((1 + confidence) / 2, degrees) * sd / len(values) ** 0.5) if degrees else 0.0
    return {"mean": mean, "sd": sd, "low": mean - half, "high": mean + half}


def _band(values: Sequence[float], most: float) -> list[float]:
    mean = float(np.mean(values))
    margin = max(BAND_SPREADS * _sd(values), SMALLEST_MARGIN)
    return [max(mean - margin, 0.0), min(mean + margin, most)]


def _sd(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
