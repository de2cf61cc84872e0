"""The adapter itself: what is added to a model's logits for one person, and how it is found.

With z the calibrated logits of a clip and v its vector (see `core.models.judgement`), the answer is

    z' = (1 + a) z + b + W (v - m) / (r sqrt(D)),

where m and r are the mean and the root mean square deviation of the person's own vectors. The loss,
the cross-entropy of z' plus a ridge on a, b and W, is convex: one minimum, found the same each
time. It is logistic regression with the model's own answer as the offset: where there is nothing to
learn, the answer stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.specification import Problem
from core.types import FloatArray

Float = NDArray[np.float64]

RIDGE, RIDGE_BIAS, RIDGE_SHARPNESS = 0.002, 1.0, 1.0
"""Weights of |W|^2, |b|^2 and a^2, halved, against the cross-entropy of a clip. Of W anything from
.001 to .01 did the same on forty speakers, .1 less."""

_ITERATIONS = 200
_TOLERANCE = 1e-6
"""Of the slope; the answers no longer change to four digits."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What was seen, a row for each look.

    Attributes:
        logits: (n, C), calibrated but for how little was heard.
        vectors: (n, D).
        truth: (n,) indices of labels.
        weights: (n,) how much each counts.
        doubt: (n,) what the answer is divided by where little was heard.
    """

    logits: Float
    vectors: Float
    truth: NDArray[np.int64]
    weights: Float
    doubt: Float


@dataclass(frozen=True, slots=True)
class Correcting:
    """What was learned: a (`sharpness`), b (`bias`, (C,)), W (`matrix`, (C, D)), m (`mean`, (D,)).

    `scale` is r sqrt(D).
    """

    sharpness: float
    bias: FloatArray
    matrix: FloatArray
    mean: FloatArray
    scale: float

    def __call__(self, logits: Float, vectors: Float) -> Float:
        """Return calibrated logits (n, C), corrected, of clips with the vectors (n, D)."""
        away = (vectors - self.mean) / self.scale
        return np.asarray((1.0 + self.sharpness) * logits + self.bias + away @ self.matrix.T)


def learn(rows: Rows, problem: Problem) -> Correcting:
    """Return the correction of least loss. Deterministic; takes milliseconds."""
    from scipy.optimize import minimize

    mean = np.average(rows.vectors, axis=0, weights=rows.weights).astype(np.float32)
    away = rows.vectors - mean
    scale = max(float(np.sqrt((away**2).mean())), 1e-6) * np.sqrt(away.shape[1])
    places, directions = _spanned(away / scale)
    loss = _Loss(rows, places, problem)
    start = np.zeros(loss.parameters)
    options = {"maxiter": _ITERATIONS, "gtol": _TOLERANCE}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    sharpness, bias, matrix = loss.parted(found.x)
    return Correcting(
        float(sharpness),
        bias.astype(np.float32),
        np.ascontiguousarray((directions.T @ matrix).T, np.float32),  # as files want it
        mean,
        float(scale),
    )


def log_loss(scores: Float, truth: NDArray[np.int64], problem: Problem) -> tuple[Float, Float]:
    """Return the loss (n,) of scores (n, C) and its slope (n, C).

    The cross-entropy of the true label; where labels stand for themselves, that of each of them,
    the true one being said and the others not.
    """
    wanted = np.eye(scores.shape[1])[truth]
    if problem is Problem.MULTI_LABEL:
        losses = np.logaddexp(0.0, scores) - wanted * scores
        return losses.sum(axis=1), 0.5 * (1.0 + np.tanh(0.5 * scores)) - wanted
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(logs)), truth], np.exp(logs) - wanted


def _spanned(vectors: Float) -> tuple[Float, Float]:
    """Return vectors (n, D) as places (n, r) along orthonormal directions (r, D) they span.

    The matrix of least loss has nothing across them, so it is sought in them alone: with far fewer
    clips than dimensions, at a fraction of the cost.
    """
    left, sizes, right = np.linalg.svd(vectors, full_matrices=False)
    kept = sizes > 1e-9 * max(float(sizes[0]), 1e-300)
    return left[:, kept] * sizes[kept], right[kept]


class _Loss:
    """The loss and its slope at parameters: a, then b (C,), then W along directions (r, C)."""

    def __init__(self, rows: Rows, places: Float, problem: Problem) -> None:
        self._rows, self._places, self._problem = rows, places, problem
        self._classes = rows.logits.shape[1]
        self.parameters = 1 + self._classes * (1 + places.shape[1])

    def parted(self, parameters: Float) -> tuple[Float, Float, Float]:
        """Return a (), b (C,) and W (r, C)."""
        classes = self._classes
        return (
            parameters[0],
            parameters[1 : 1 + classes],
            parameters[1 + classes :].reshape(-1, classes),
        )

    def __call__(self, parameters: Float) -> tuple[float, Float]:
        """Return the loss and its slope."""
        rows = self._rows
        sharpness, bias, matrix = self.parted(parameters)
        answer = (1.0 + sharpness) * rows.logits + bias + self._places @ matrix
        losses, slopes = log_loss(answer / rows.doubt[:, None], rows.truth, self._problem)
        slopes = slopes * (rows.weights / rows.doubt)[:, None]
        penalty = RIDGE * (matrix**2).sum() + RIDGE_BIAS * (bias**2).sum()
        loss = float(rows.weights @ losses + (penalty + RIDGE_SHARPNESS * sharpness**2) / 2)
        slope = [
            np.atleast_1d((slopes * rows.logits).sum() + RIDGE_SHARPNESS * sharpness),
            slopes.sum(axis=0) + RIDGE_BIAS * bias,
            (self._places.T @ slopes + RIDGE * matrix).ravel(),
        ]
        return loss, np.concatenate(slope)
