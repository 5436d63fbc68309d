"""What several seeds say together: mean, spread, interval, and the band for other machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

METRICS = ("accuracy", "log_loss", "roc_auc", "brier", "ece")
BAND_SPREADS = 4.0
SMALLEST_MARGIN = 0.02  # two equal seeds do not make every other machine wrong


def study(
    runs: Sequence[Mapping[str, float]], confidence: float
) -> dict[str, dict[str, float | list[float]]]:
    """Return for each metric its value by seed, mean, sample standard deviation and interval.

    The interval is Student's t for the mean over seeds, on one test split: it says how far
    another seed may lie, not another test split.
    """
    from scipy.stats import t

    result: dict[str, dict[str, float | list[float]]] = {}
    for key in METRICS:
        values = np.array([run[key] for run in runs], dtype=np.float64)
        mean = float(values.mean())
        spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        reach = t.ppf((1 + confidence) / 2, len(values) - 1) if len(values) > 1 else 0.0
        half = float(reach * spread / np.sqrt(len(values)))
        result[key] = {
            "values": values.tolist(),
            "mean": mean,
            "sd": spread,
            "low": mean - half,
            "high": mean + half,
        }
    return result


def band(runs: Sequence[Mapping[str, float]], key: str) -> list[float]:
    """Return [low, high] of `key` that a run on another machine has to meet: mean ± 4 sd."""
    values = np.array([run[key] for run in runs], dtype=np.float64)
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    margin = max(BAND_SPREADS * spread, SMALLEST_MARGIN)
    return [float(values.mean() - margin), float(values.mean() + margin)]
