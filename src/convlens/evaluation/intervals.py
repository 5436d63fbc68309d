"""How sure a number is."""

from __future__ import annotations


def wilson(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, without continuity correction.

    Source: Wilson 1927, https://doi.org/10.2307/2276774.
    """
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
