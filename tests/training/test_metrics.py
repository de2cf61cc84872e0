from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from training.metrics import cross_fitted_macro_f1, f1_per_class, fit_thresholds, macro_f1


def sample(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    targets = (generator.random((rows, 3)) < [0.5, 0.2, 0.05]).astype(float)
    scores = 1 / (1 + np.exp(-(2 * targets - 2 + generator.normal(size=(rows, 3)))))
    return scores, targets


def test_f1_agrees_with_scikit_learn() -> None:
    scores, targets = sample()
    thresholds = np.array([0.4, 0.3, 0.2])
    expected = f1_score(targets, scores > thresholds, average=None)
    assert f1_per_class(scores, targets, thresholds) == pytest.approx(expected)
    assert macro_f1(scores, targets, thresholds) == pytest.approx(expected.mean())


def test_fitted_thresholds_are_close_to_the_best_on_other_rows() -> None:
    scores, targets = sample()
    fitted = fit_thresholds(scores[:2000], targets[:2000])
    grid = np.linspace(0.02, 0.9, 200)
    best = np.mean(
        [
            max(f1_per_class(scores[2000:], targets[2000:], np.full(3, t))[k] for t in grid)
            for k in range(3)
        ]
    )
    assert macro_f1(scores[2000:], targets[2000:], fitted) > best - 0.03


def test_cross_fitting_does_not_score_what_it_fitted_on() -> None:
    generator = np.random.default_rng(1)
    scores, targets = generator.random((60, 2)), (generator.random((60, 2)) < 0.3).astype(float)
    own = macro_f1(scores, targets, fit_thresholds(scores, targets))
    assert cross_fitted_macro_f1(scores, targets, seed=0) <= own


def test_a_class_without_rows_gets_a_neutral_threshold() -> None:
    assert fit_thresholds(np.full((5, 1), 0.3), np.zeros((5, 1)))[0] == 0.5
