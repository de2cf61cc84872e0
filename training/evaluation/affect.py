"""Agreement of arousal and valence with the annotators, from weighted counts of resamples.

Lin (1989), A concordance correlation coefficient to evaluate reproducibility, Biometrics 45:
unlike a correlation it falls when predictions are shifted or scaled, so it can't be had by guessing
the order alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["concordance", "known", "pearson"]

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Moments:
    """Weighted means, variances and covariance, each (R,)."""

    mean_x: Float
    mean_y: Float
    var_x: Float
    var_y: Float
    covariance: Float


def known(truth: ArrayLike) -> NDArray[np.bool_]:
    """Tell which rows (n,) an annotator has judged: NaN stands for none."""
    return np.asarray(np.isfinite(np.asarray(truth, dtype=np.float64)))


def concordance(truth: ArrayLike, prediction: ArrayLike, weights: Float) -> Float:
    """Concordance correlation 2 cov / (var_x + var_y + (mean_x - mean_y)^2).

    Args:
        truth, prediction: (n,), rows without truth left out by the caller (see `known`).
        weights: (R, n), one row per resample.

    Returns:
        (R,) in [-1, 1]; NaN where both are one and the same constant.
    """
    m = _moments(truth, prediction, weights)
    spread = m.var_x + m.var_y + (m.mean_x - m.mean_y) ** 2
    return _ratio(2 * m.covariance, spread)


def pearson(truth: ArrayLike, prediction: ArrayLike, weights: Float) -> Float:
    """Pearson correlation (R,) of weighted rows; NaN where one of them is constant."""
    m = _moments(truth, prediction, weights)
    return _ratio(m.covariance, np.sqrt(m.var_x * m.var_y))


def _moments(truth: ArrayLike, prediction: ArrayLike, weights: Float) -> _Moments:
    x, y = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    w = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    # around the plain means, so that squares of a large offset do not cancel
    centre_x, centre_y = x.mean(), y.mean()
    x, y = x - centre_x, y - centre_y
    mean_x, mean_y = w @ x, w @ y
    return _Moments(
        mean_x + centre_x,
        mean_y + centre_y,
        w @ (x * x) - mean_x**2,
        w @ (y * y) - mean_y**2,
        w @ (x * y) - mean_x * mean_y,
    )


def _ratio(numerator: Float, denominator: Float) -> Float:
    """Divide; NaN where the denominator is next to nothing."""
    large = denominator > 1e-15
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=large)
