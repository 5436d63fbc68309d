"""Scores of a classifier of two classes or more, from its logits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """Predictions on labelled images.

    labels: (N,) unsigned integers, indices of classes; logits: (N, C) float64, `of_two` classes
    if the model has one logit.
    """

    labels: NDArray[np.unsignedinteger[Any]]
    logits: Floats

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.logits.shape[1])

    @cached_property
    def odds(self) -> Floats:
        """Log-odds of each class against all others together, (N, C); for two classes ± z.

        They saturate nowhere, so they rank images that a probability of 1 would make equal.
        """
        left, right = (
            np.logaddexp.accumulate(side, axis=1) for side in (self.logits, self.logits[:, ::-1])
        )
        others = np.full_like(self.logits, -np.inf)
        others[:, 1:] = left[:, :-1]
        others[:, :-1] = np.logaddexp(others[:, :-1], right[:, -2::-1])
        return np.asarray(self.logits - others)

    @cached_property
    def probabilities(self) -> Floats:
        """The probability of each class, (N, C) in [0, 1]."""
        from scipy.special import expit

        return np.asarray(expit(self.odds), dtype=np.float64)

    @cached_property
    def predicted(self) -> Integers:
        """The class with the largest logit, (N,); of equal ones the first."""
        return np.asarray(self.logits.argmax(axis=1))

    @property
    def confidence(self) -> Floats:
        """The probability of the predicted class, (N,) in [1/C, 1]."""
        return self._of(self.probabilities, self.predicted)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Where prediction and label agree."""
        return np.asarray(self.predicted == self.labels)

    @property
    def confusion(self) -> Integers:
        """Counts of images by [label, predicted], (C, C)."""
        counts = np.zeros((self.classes, self.classes), np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    @property
    def log_losses(self) -> Floats:
        """The negative log-likelihood of each label in nats, (N,); no probability saturates."""
        return np.logaddexp(0.0, -self._of(self.odds, self.labels))

    @property
    def certainty(self) -> Floats:
        """The log-odds of the predicted class, (N,)."""
        return self._of(self.odds, self.predicted)

    def _of(self, values: Floats, classes: NDArray[Any]) -> Floats:
        return np.take_along_axis(values, classes[:, None].astype(np.int64), axis=1)[:, 0]


def of_two(logit: NDArray[Any]) -> Floats:
    """Return the logits (N, 2) of both classes from the second one's (N,) or (N, 1)."""
    second = np.asarray(logit, np.float64).reshape(-1, 1)
    return np.concatenate([np.zeros_like(second), second], axis=1)


@dataclass(frozen=True)
class ClassScores:
    """Scores of each class, (C,): 0 where a class was never predicted, or is not in the split.

    `roc_auc` is NaN for a class that has no image in the split, or all of them.
    """

    precision: Floats
    recall: Floats
    f1: Floats
    support: Integers
    roc_auc: Floats


def by_class(scored: Scored) -> ClassScores:
    """Return precision, recall, F1, number of images and one-against-rest ROC AUC of each class."""
    from sklearn.metrics import roc_auc_score

    counts = scored.confusion
    right, said, support = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
    area = [
        float(roc_auc_score(scored.labels == c, scored.odds[:, c]))
        if 0 < support[c] < len(scored.labels)
        else np.nan
        for c in range(scored.classes)
    ]
    return ClassScores(
        right / np.maximum(said, 1), right / np.maximum(support, 1),
        2 * right / np.maximum(said + support, 1), support, np.array(area),
    )  # fmt: skip


def wilson(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, without continuity correction.

    Source: Wilson 1927, https://doi.org/10.2307/2276774.
    """
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def scores(scored: Scored, confidence: float, bins: int) -> dict[str, float | int]:
    """Return the numbers of a whole split.

    Accuracy with its Wilson interval; balanced accuracy and macro F1, the means of recall and F1
    over the classes that the split has; log loss (nats); the mean one-against-rest ROC AUC; the
    Brier score, in [0, 1] (half of Brier's own); top-label calibration error; images.
    """
    right, n = int(scored.correct.sum()), len(scored.labels)
    low, high = wilson(right, n, confidence)
    each = by_class(scored)
    there = each.support > 0
    return {
        "accuracy": right / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": float(each.recall[there].mean()),
        "macro_f1": float(each.f1[there].mean()),
        "log_loss": log_loss(scored),
        "roc_auc": float(np.nanmean(each.roc_auc[positive(scored)])),
        "brier": brier(scored),
        "ece": expected_calibration_error(scored, bins),
        "n": n,
    }


def positive(scored: Scored) -> list[int]:
    """Return the classes that have a ROC curve of their own; that of two mirror each other."""
    support = np.bincount(scored.labels, minlength=scored.classes)
    held = [c for c in range(scored.classes) if 0 < support[c] < len(scored.labels)]
    return held[1:] if scored.classes == 2 else held


def log_loss(scored: Scored) -> float:
    """Return the mean negative log-likelihood in nats."""
    return float(scored.log_losses.mean())


def brier(scored: Scored) -> float:
    """Return half the mean squared distance of the probabilities from the truth, in [0, 1].

    Source: Brier 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    from sklearn.metrics import brier_score_loss

    two = scored.classes == 2
    said = scored.probabilities[:, 1] if two else scored.probabilities
    labels = None if two else range(scored.classes)
    return float(brier_score_loss(scored.labels, said, labels=labels, scale_by_half=True))


@dataclass(frozen=True)
class Calibration:
    """Occupied bins of equal width over the confidence: what was said, how often it was right."""

    confidence: Floats
    accuracy: Floats
    count: Integers


def calibration(scored: Scored, bins: int) -> Calibration:
    """Return mean confidence and accuracy in each of `bins` bins that holds an image."""
    said = scored.confidence
    index = np.minimum((said * bins).astype(np.int64), bins - 1)
    count = np.bincount(index, minlength=bins)
    held = count > 0
    confidence = np.bincount(index, said, bins)[held] / count[held]
    accuracy = np.bincount(index, scored.correct, bins)[held] / count[held]
    return Calibration(confidence, accuracy, count[held])


def expected_calibration_error(scored: Scored, bins: int) -> float:
    """Return the mean of |confidence - accuracy| over bins, weighted by images, in [0, 1].

    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3.
    """
    c = calibration(scored, bins)
    return float(np.average(np.abs(c.confidence - c.accuracy), weights=c.count))


def roc(scored: Scored, positive: int) -> tuple[Floats, Floats, Floats]:
    """Return false- and true-positive rates and log-odds thresholds of a class against the rest."""
    from sklearn.metrics import roc_curve

    rates = roc_curve(scored.labels == positive, scored.odds[:, positive])
    false_positive, true_positive, threshold = rates
    return false_positive, true_positive, threshold


def most_confident_mistakes(scored: Scored, count: int) -> Integers:
    """Return the rows of the wrong predictions, the surest first, at most `count`."""
    wrong = np.flatnonzero(~scored.correct)
    return wrong[np.argsort(-scored.certainty[wrong], kind="stable")][:count]
