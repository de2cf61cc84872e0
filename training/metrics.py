"""Scores of multi-label text: macro F1 and the thresholds that go with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def sigmoid(logits: Float) -> Float:
    """Logistic function, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def fit_thresholds(scores: Float, targets: Float, smoothing: float = 2.0) -> Float:
    """Return per class the threshold (C,) of the best F1 on scores (n, C) in [0, 1].

    Args:
        scores, targets: (n, C); targets are zeros and ones.
        smoothing: added to the denominator of F1; draws the choice for a rare class away from
            thresholds that a handful of rows happen to favour.
    """
    return np.array(
        [_best_threshold(scores[:, k], targets[:, k], smoothing) for k in range(scores.shape[1])]
    )


def _best_threshold(score: Float, target: Float, smoothing: float) -> float:
    if not target.any():
        return 0.5
    order = np.argsort(-score)
    hits = np.cumsum(target[order])
    f1 = 2 * hits / (np.arange(1, len(score) + 1) + target.sum() + smoothing)
    ranked = score[order]
    width = max(1, int(0.05 * target.sum()))
    kernel = np.ones(2 * width + 1)
    smooth = np.convolve(f1, kernel, "same") / np.convolve(np.ones_like(f1), kernel, "same")
    best = int(np.argmax(smooth))
    following = ranked[best + 1] if best + 1 < len(ranked) else ranked[best]
    return float((ranked[best] + following) / 2)


def f1_per_class(scores: Float, targets: Float, thresholds: Float) -> Float:
    """Return F1 per class (C,); a class with neither rows nor predictions scores 0."""
    predicted = scores > thresholds
    hits = (predicted & (targets > 0)).sum(axis=0)
    total = predicted.sum(axis=0) + (targets > 0).sum(axis=0)
    return np.asarray(2 * hits / np.maximum(total, 1), dtype=np.float64)


def macro_f1(scores: Float, targets: Float, thresholds: Float) -> float:
    """Mean over classes of F1."""
    return float(f1_per_class(scores, targets, thresholds).mean())


def cross_fitted_macro_f1(scores: Float, targets: Float, seed: int, folds: int = 2) -> float:
    """Macro F1 with every row judged by thresholds fitted on the other folds."""
    fold = np.random.default_rng(seed).integers(folds, size=len(scores))
    predicted = np.zeros_like(scores)
    for k in range(folds):
        thresholds = fit_thresholds(scores[fold != k], targets[fold != k])
        predicted[fold == k] = scores[fold == k] > thresholds
    return macro_f1(predicted, targets, np.full(scores.shape[1], 0.5))
