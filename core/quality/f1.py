"""Macro F1 of two sets of answers to the same clips, and how sure their difference is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
_Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class F1Difference:
    """Macro F1 of exact and lossy answers to `clips` labelled clips.

    The loss (exact less lossy) lies between `lowest_loss` and `highest_loss`, each of which is the
    end of a one-sided interval (paired percentile bootstrap over clips).
    """

    clips: int
    exact: float
    lossy: float
    lowest_loss: float
    highest_loss: float

    @property
    def loss(self) -> float:
        """How much lower the F1 of the lossy answers is."""
        return self.exact - self.lossy


def f1_difference(
    truth: Sequence[Collection[str]],
    exact: Sequence[Collection[str]],
    lossy: Sequence[Collection[str]],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> F1Difference | None:
    """Compare two ways to answer with the truth; None when there is no clip.

    Args:
        truth: labels of each clip, one or several; F1 is averaged over those that occur.
        exact, lossy: labels each way gives the same clips.
        confidence: of each end of the interval.
        seed: of the resamples.
    """
    labels = sorted({label for given in truth for label in given})
    if not labels:
        return None
    counted = [_counted(labels, truth, given) for given in (exact, lossy)]
    whole = np.ones((1, len(truth)))
    scores = [float(_macro(whole, *parts)[0]) for parts in counted]
    draws = np.random.default_rng(seed).multinomial(
        len(truth), np.full(len(truth), 1 / len(truth)), RESAMPLES
    )
    weights = draws.astype(np.float64)
    losses = _macro(weights, *counted[0]) - _macro(weights, *counted[1])
    low, high = np.quantile(losses, (1 - confidence, confidence))
    return F1Difference(len(truth), scores[0], scores[1], float(low), float(high))


def _counted(
    labels: Sequence[str], truth: Sequence[Collection[str]], given: Sequence[Collection[str]]
) -> tuple[_Matrix, _Matrix]:
    """Return by clip and label: hits, and true plus given occurrences; both (N, C)."""
    true, said = _table(labels, truth), _table(labels, given)
    return true * said, true + said


def _table(labels: Sequence[str], rows: Sequence[Collection[str]]) -> _Matrix:
    return np.array([[float(label in row) for label in labels] for row in rows])


def _macro(weights: _Matrix, hits: _Matrix, occurrences: _Matrix) -> _Matrix:
    """Return macro F1 (R,) of clips that count `weights` (R, N) times; unseen labels count 0."""
    total = weights @ occurrences
    each: _Matrix = 2 * (weights @ hits) / np.maximum(total, 1.0)
    macro: _Matrix = each.mean(axis=1)
    return macro
