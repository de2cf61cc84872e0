"""Recognition metrics with bootstrap intervals, computed from weighted counts.

A bootstrap resample of n clips is a vector of n multiplicities. Every metric here takes such
weights of shape (R, n) and returns (R,) values, so a thousand resamples cost one matrix product;
the plain metric is the case of one row of ones. Values equal scikit-learn's (tested).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.models.calibration import (
    CALIBRATION_BINS,
    calibration_error,
    expected_calibration_error,
)

__all__ = [
    "Estimate",
    "bootstrap_weights",
    "calibration_error",
    "confusion",
    "element_accuracy",
    "estimate",
    "expected_calibration_error",
    "f1_of",
    "multilabel_calibration_error",
    "multilabel_f1",
    "uar_of",
    "unweighted_average_recall",
    "wa_of",
]

Float = NDArray[np.float64]

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric and its 95 % percentile bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap_weights(n: int, resamples: int = RESAMPLES, seed: int = 0) -> Float:
    """Return multiplicities of shape (resamples, n): draws of n clips with replacement."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1.0 / n), size=resamples).astype(np.float64)


def estimate(metric: Callable[[Float], Float], n: int, seed: int = 0) -> Estimate:
    """Evaluate `metric` (weights (R, n) -> (R,)) on the clips as they are and on resamples."""
    value = float(metric(np.ones((1, n)))[0])
    values = metric(bootstrap_weights(n, seed=seed))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def confusion(truth: ArrayLike, prediction: ArrayLike, classes: int, weights: Float) -> Float:
    """Return weighted confusion matrices of shape (R, classes, classes), rows the truth."""
    cells = np.asarray(truth, dtype=np.int64) * classes + np.asarray(prediction, dtype=np.int64)
    onehot = np.zeros((cells.size, classes * classes))
    onehot[np.arange(cells.size), cells] = 1.0
    return (weights @ onehot).reshape(-1, classes, classes)


def _ratio(numerator: Float, denominator: Float) -> Float:
    """Divide, NaN where nothing is there to be counted."""
    return np.divide(
        numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0
    )


def uar_of(matrix: Float) -> Float:
    """Unweighted average recall of confusion matrices (R, C, C) over the classes that occur."""
    recall = _ratio(np.einsum("rcc->rc", matrix), matrix.sum(axis=2))
    return np.asarray(np.nanmean(recall, axis=1))


def wa_of(matrix: Float) -> Float:
    """Weighted accuracy, that is plain accuracy, of confusion matrices (R, C, C)."""
    return np.asarray(np.einsum("rcc->r", matrix) / matrix.sum(axis=(1, 2)))


def f1_of(matrix: Float, average: str) -> Float:
    """F1 of confusion matrices (R, C, C), `average` "macro" or "weighted", over present classes."""
    support = matrix.sum(axis=2)
    f1 = _ratio(2 * np.einsum("rcc->rc", matrix), support + matrix.sum(axis=1))
    occurs = support > 0
    weights = support if average == "weighted" else occurs.astype(np.float64)
    return np.asarray((np.where(occurs, f1, 0.0) * weights).sum(axis=1) / weights.sum(axis=1))


def multilabel_f1(truth: ArrayLike, prediction: ArrayLike, average: str, weights: Float) -> Float:
    """F1 of boolean (n, C) arrays: "macro" or "weighted" over the labels that occur in the truth,
    or "micro" over all cells together.
    """
    t, p = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    hits, support, fired = weights @ (t * p), weights @ t, weights @ p
    if average == "micro":
        counted = support.sum(axis=1) + fired.sum(axis=1)
        return np.nan_to_num(_ratio(2 * hits.sum(axis=1), counted))
    f1 = np.nan_to_num(_ratio(2 * hits, support + fired))
    share = support if average == "weighted" else (support > 0).astype(np.float64)
    return np.asarray((f1 * share).sum(axis=1) / share.sum(axis=1))


def element_accuracy(truth: ArrayLike, prediction: ArrayLike, weights: Float) -> Float:
    """Share of the cells of boolean (n, C) arrays that agree, (R,)."""
    equal = np.asarray(truth, dtype=bool) == np.asarray(prediction, dtype=bool)
    return np.asarray(weights @ equal.mean(axis=1) / weights.sum(axis=1))


def multilabel_calibration_error(
    probabilities: ArrayLike, truth: ArrayLike, weights: Float
) -> Float:
    """Calibration error of independent labels: the mean over labels of |frequency - probability|
    in 15 bins of probability; probabilities and truth (n, C), weights (R, n), result (R,).
    """
    p, t = np.asarray(probabilities, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    errors = [_binary_error(p[:, k], t[:, k], weights) for k in range(p.shape[1])]
    return np.asarray(np.mean(errors, axis=0))


def _binary_error(probability: Float, truth: Float, weights: Float) -> Float:
    edges = np.linspace(0.0, 1.0, CALIBRATION_BINS + 1)[1:-1]
    onehot = np.zeros((probability.size, CALIBRATION_BINS))
    onehot[np.arange(probability.size), np.digitize(probability, edges, right=True)] = 1.0
    gap = weights @ (onehot * (truth - probability)[:, None])
    return np.asarray(np.abs(gap).sum(axis=1) / weights.sum(axis=1))


def unweighted_average_recall(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean of the recalls of the classes that occur in `truth`."""
    t, p = np.asarray(truth, dtype=np.int64), np.asarray(prediction, dtype=np.int64)
    classes = int(max(t.max(), p.max())) + 1
    return float(uar_of(confusion(t, p, classes, np.ones((1, t.size))))[0])
