from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from training.evaluation.metrics import (
    bootstrap_weights,
    calibration_error,
    confusion,
    estimate,
    expected_calibration_error,
    f1_of,
    multilabel_f1,
    uar_of,
    unweighted_average_recall,
    wa_of,
)
from training.evaluation.scoring import Predictions, pooled, score


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.choice(5, 300, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    return truth, np.where(rng.random(300) < 0.6, truth, rng.choice(5, 300))


def test_label_metrics_equal_scikit_learn(labels):
    truth, prediction = labels
    matrix = confusion(truth, prediction, 5, np.ones((1, truth.size)))
    assert uar_of(matrix)[0] == pytest.approx(recall_score(truth, prediction, average="macro"))
    assert wa_of(matrix)[0] == pytest.approx(accuracy_score(truth, prediction))
    for average in ("macro", "weighted"):
        expected = f1_score(truth, prediction, average=average)
        assert f1_of(matrix, average)[0] == pytest.approx(expected)


def test_a_resample_equals_the_metric_of_the_repeated_clips(labels):
    truth, prediction = labels
    weights = bootstrap_weights(truth.size, resamples=3, seed=1)
    values = uar_of(confusion(truth, prediction, 5, weights))
    for row, value in zip(weights.astype(int), values, strict=True):
        repeated = recall_score(truth.repeat(row), prediction.repeat(row), average="macro")
        assert value == pytest.approx(repeated)


def test_a_class_that_does_not_occur_does_not_lower_recall():
    assert unweighted_average_recall([0, 0, 2, 2], [0, 1, 2, 2]) == pytest.approx(0.75)


def test_the_interval_holds_the_value_and_narrows_with_more_clips(labels):
    truth, prediction = labels

    def width(times: int) -> float:
        t, p = np.tile(truth, times), np.tile(prediction, times)
        found = estimate(lambda w: uar_of(confusion(t, p, 5, w)), t.size)
        assert found.low < found.value < found.high
        return found.high - found.low

    assert width(9) == pytest.approx(width(1) / 3, rel=0.25)


def test_the_interval_is_seeded(labels):
    truth, prediction = labels

    def found(seed: int) -> object:
        return estimate(lambda w: wa_of(confusion(truth, prediction, 5, w)), truth.size, seed)

    assert found(4) == found(4)
    assert found(4) != found(5)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    probabilities = np.tile([0.9, 0.1], (10, 1))
    assert expected_calibration_error(probabilities, [0] * 9 + [1]) == pytest.approx(0.0)
    assert expected_calibration_error(probabilities, [0] * 5 + [1] * 5) == pytest.approx(0.4)
    weights = np.array([[1.0] * 5 + [0.0] * 5])
    assert calibration_error(probabilities, [0] * 5 + [1] * 5, weights)[0] == pytest.approx(0.1)


def test_gaps_of_different_bins_do_not_cancel():
    probabilities = np.array([[0.95, 0.05], [0.6, 0.4]])
    assert expected_calibration_error(probabilities, [1, 0]) == pytest.approx((0.95 + 0.4) / 2)


def test_multilabel_f1_equals_scikit_learn():
    rng = np.random.default_rng(0)
    truth, prediction = rng.random((200, 7)) < 0.3, rng.random((200, 7)) < 0.4
    for average in ("macro", "weighted"):
        found = multilabel_f1(truth, prediction, average, np.ones((1, 200)))[0]
        assert found == pytest.approx(f1_score(truth, prediction, average=average))


def test_the_interval_of_the_calibration_error_holds_its_value():
    rng = np.random.default_rng(0)
    truth = rng.choice(4, 60)
    logits = rng.normal(size=(1, 60, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    found = score(Predictions(truth, probabilities.argmax(axis=2), probabilities), classes=4)
    assert 0 <= found.ece.low < found.ece.value < found.ece.high


def test_several_orders_are_averaged_clip_by_clip():
    truth = np.array([0, 0, 1, 1])
    chosen = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
    found = score(Predictions(truth, chosen), classes=3)
    assert found.n == 4
    assert found.uar.value == pytest.approx(0.75)
    assert found.matrix[0].tolist() == [1.5, 0.5, 0.0]
    assert found.ece is None


def test_corpora_are_joined_clip_by_clip():
    one = Predictions(np.array([0, 1]), np.array([[0, 1]]))
    two = Predictions(np.array([2]), np.array([[2], [0]]))
    joined = pooled([one, two])
    assert joined.truth.tolist() == [0, 1, 2]
    assert joined.chosen.tolist() == [[0, 1, 2], [0, 1, 0]]
    assert pooled([]) is None
