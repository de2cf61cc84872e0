from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from training.evaluation.affect import concordance, known, pearson
from training.evaluation.metrics import (
    bootstrap_weights,
    element_accuracy,
    multilabel_calibration_error,
    multilabel_f1,
)


@pytest.fixture
def ratings() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    truth = rng.uniform(-1, 1, 80)
    return truth, 0.5 * truth + 0.2 + 0.2 * rng.normal(size=80)


def written_out(x: np.ndarray, y: np.ndarray) -> float:
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    return 2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


def test_concordance_is_the_formula(ratings):
    x, y = ratings
    assert concordance(x, y, np.ones((1, x.size)))[0] == pytest.approx(written_out(x, y))


def test_concordance_falls_with_shift_and_scale_where_a_correlation_does_not(ratings):
    x, y = ratings
    ones = np.ones((1, x.size))
    assert pearson(x, 0.3 * y + 0.4, ones)[0] == pytest.approx(pearson(x, y, ones)[0])
    assert concordance(x, 0.3 * y + 0.4, ones)[0] < concordance(x, y, ones)[0] - 0.1
    assert concordance(x, x, ones)[0] == pytest.approx(1.0)
    assert concordance(x, -x, ones)[0] == pytest.approx(-written_out(x, x), abs=0.05)


def test_pearson_equals_numpy(ratings):
    x, y = ratings
    assert pearson(x, y, np.ones((1, x.size)))[0] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_a_resample_equals_the_figure_of_the_repeated_rows(ratings):
    x, y = ratings
    weights = bootstrap_weights(x.size, resamples=4, seed=2)
    for row, ccc, r in zip(
        weights.astype(int), concordance(x, y, weights), pearson(x, y, weights), strict=True
    ):
        repeated = x.repeat(row), y.repeat(row)
        assert ccc == pytest.approx(written_out(*repeated))
        assert r == pytest.approx(np.corrcoef(*repeated)[0, 1])


def test_a_large_offset_costs_no_digits(ratings):
    x, y = ratings
    ones = np.ones((1, x.size))
    far = concordance(x + 1e6, y + 1e6, ones)[0]
    assert far == pytest.approx(written_out(x, y), rel=1e-6)


def test_saying_the_same_of_everything_is_no_agreement(ratings):
    x, _ = ratings
    constant, ones = np.full(x.size, 0.3), np.ones((1, x.size))
    assert concordance(x, constant, ones)[0] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(pearson(x, constant, ones)[0])


def test_rows_that_nobody_rated_are_known():
    assert known([0.1, float("nan"), -1]).tolist() == [True, False, True]


def test_micro_f1_and_element_accuracy_equal_scikit_learn():
    rng = np.random.default_rng(0)
    truth, prediction = rng.random((200, 7)) < 0.3, rng.random((200, 7)) < 0.4
    ones = np.ones((1, 200))
    expected = f1_score(truth, prediction, average="micro")
    assert multilabel_f1(truth, prediction, "micro", ones)[0] == pytest.approx(expected)
    cells = accuracy_score(truth.ravel(), prediction.ravel())
    assert element_accuracy(truth, prediction, ones)[0] == pytest.approx(cells)


def test_nothing_said_and_nothing_true_is_no_micro_f1():
    nothing = np.zeros((5, 3))
    assert multilabel_f1(nothing, nothing, "micro", np.ones((1, 5)))[0] == 0.0


def test_calibration_of_labels_that_stand_for_themselves():
    truth = np.array([[1, 0]] * 9 + [[0, 0]])
    sure = np.tile([0.9, 0.0], (10, 1))
    ones = np.ones((1, 10))
    assert multilabel_calibration_error(sure, truth, ones)[0] == pytest.approx(0.0)
    half = np.tile([0.5, 0.5], (10, 1))
    assert multilabel_calibration_error(half, truth, ones)[0] == pytest.approx((0.4 + 0.5) / 2)
