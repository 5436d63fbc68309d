"""Scores of a binary classifier from its logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.evaluation.intervals import wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """Predictions on labelled images.

    labels: (N,) uint8, 1 = dog; logits: (N,) float64, positive = dog.
    """

    labels: NDArray[np.uint8]
    logits: Floats

    @property
    def probabilities(self) -> Floats:
        """The probability of "dog", in [0, 1]."""
        from scipy.special import expit

        return np.asarray(expit(self.logits), dtype=np.float64)

    @property
    def predicted(self) -> NDArray[np.uint8]:
        """1 where the logit is positive; a logit of exactly 0 counts as cat."""
        return (self.logits > 0).astype(np.uint8)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Where prediction and label agree."""
        return np.equal(self.predicted, self.labels)


def summary(scored: Scored, confidence: float, bins: int) -> dict[str, float | int]:
    """Return accuracy with its Wilson interval, log loss (nats), ROC AUC, Brier, ECE and n."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    right, n = int(scored.correct.sum()), len(scored.labels)
    low, high = wilson(right, n, confidence)
    return {
        "accuracy": right / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "log_loss": log_loss(scored),
        "roc_auc": float(roc_auc_score(scored.labels, scored.logits)),
        "brier": float(brier_score_loss(scored.labels, scored.probabilities)),
        "ece": expected_calibration_error(scored, bins),
        "n": n,
    }


def log_loss(scored: Scored) -> float:
    """Return the mean negative log-likelihood in nats, from logits: no probability saturates."""
    signed = np.where(scored.labels == 1, scored.logits, -scored.logits)
    return float(np.logaddexp(0.0, -signed).mean())


@dataclass(frozen=True)
class Calibration:
    """Occupied bins of equal width over the probability of "dog": what was said, what happened."""

    said: Floats
    happened: Floats
    count: NDArray[np.int64]


def calibration(scored: Scored, bins: int) -> Calibration:
    """Return mean probability and share of dogs in each of `bins` bins that holds an image."""
    index = np.minimum((scored.probabilities * bins).astype(np.int64), bins - 1)
    count = np.bincount(index, minlength=bins)
    held = count > 0
    said = np.bincount(index, scored.probabilities, bins)[held] / count[held]
    happened = np.bincount(index, scored.labels, bins)[held] / count[held]
    return Calibration(said, happened, count[held])


def expected_calibration_error(scored: Scored, bins: int) -> float:
    """Return the mean of |said - happened| over bins, weighted by their images, in [0, 1].

    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3, on P(dog).
    """
    c = calibration(scored, bins)
    return float(np.average(np.abs(c.said - c.happened), weights=c.count))


def roc(scored: Scored) -> tuple[Floats, Floats, Floats]:
    """Return false-positive rate, true-positive rate and threshold, "dog" being positive."""
    from sklearn.metrics import roc_curve

    false_positive, true_positive, threshold = roc_curve(scored.labels, scored.logits)
    return false_positive, true_positive, threshold


def most_confident_mistakes(scored: Scored, count: int) -> NDArray[np.int64]:
    """Return the rows of the wrong predictions, the surest first, at most `count`."""
    wrong = np.flatnonzero(~scored.correct)
    return wrong[np.argsort(-np.abs(scored.logits[wrong]), kind="stable")][:count]
