from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from core.models.specification import Problem
from training.evaluation.system_scores import Affect, Judged, majority_of, score
from training.reproduce import published


def judged(fold: int = 0, seed: int = 0, rows: int = 120) -> Judged:
    rng = np.random.default_rng([fold, seed])
    truth = np.random.default_rng(fold).choice(4, rows, p=[0.6, 0.2, 0.1, 0.1])
    logits = rng.normal(size=(rows, 4)) + 2 * np.eye(4)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ratings = rng.uniform(-1, 1, rows)
    ratings[::7] = np.nan
    affect = {"arousal": Affect(ratings, 0.5 * np.nan_to_num(ratings))}
    return Judged(
        Problem.SINGLE_LABEL, np.eye(4)[truth], probabilities,
        np.eye(4)[probabilities.argmax(axis=1)], np.arange(rows), affect, fold=fold, seed=seed,
    )  # fmt: skip


def names(values: np.ndarray) -> np.ndarray:
    return values.argmax(axis=1)


def test_figures_of_one_training_equal_scikit_learn():
    one = judged()
    found = score([one])
    truth, chosen = names(one.truth), names(one.chosen)
    for average in ("weighted", "macro"):
        expected = f1_score(truth, chosen, average=average)
        assert found.figures[f"f1_{average}"].value == pytest.approx(expected)
    assert found.figures["uar"].value == pytest.approx(recall_score(truth, chosen, average="macro"))
    for name, figure in found.figures.items():
        assert figure.low <= figure.value <= figure.high, name
    assert found.matrix.sum() == found.rows == 120


def test_folds_and_seeds_are_averaged_and_counts_are_per_seed():
    trainings = [judged(fold, seed) for fold in (0, 1) for seed in (0, 1, 2)]
    found = score(trainings)
    alone = [score([one]).figures["f1_macro"].value for one in trainings]
    assert found.figures["f1_macro"].value == pytest.approx(np.mean(alone))
    assert found.rows == 240
    assert found.occurring.sum() == pytest.approx(240)
    assert found.predicted.sum() == pytest.approx(240)


def test_trainings_of_one_fold_share_its_resamples():
    twice = score([judged(), replace(judged(), seed=5)])
    once = score([judged()])
    assert twice.figures["f1_weighted"] == once.figures["f1_weighted"]


def test_rows_without_a_rating_are_left_out_of_the_agreement():
    one = judged()
    assert score([one]).figures["ccc_arousal"].value == pytest.approx(0.8, abs=0.01)
    assert "ccc_valence" not in score([one]).figures
    assert "ccc_mean" not in score([one]).figures


def test_a_regression_has_no_figures_of_labels():
    found = score([replace(judged(), judges_labels=False)])
    assert set(found.figures) == {"ccc_arousal", "pearson_arousal"}
    assert found.matrix is None
    assert found.reliability is None


def test_always_neutral_on_the_evaluation_part_of_the_paper():
    counts = published.EVALUATION_COUNTS
    truth = np.eye(7)[np.repeat(np.arange(7), counts)]
    always = majority_of(
        Judged(Problem.SINGLE_LABEL, truth, truth, truth, np.arange(len(truth)), commonest=0)
    )
    figures = score([always], resamples=10).figures
    assert 100 * figures["wa"].value == pytest.approx(86.67, abs=0.005)
    assert figures["f1_weighted"].value == pytest.approx(0.8048, abs=5e-5)
    assert figures["f1_macro"].value == pytest.approx(0.1327, abs=5e-5)


def test_several_labels_are_scored_as_such():
    rng = np.random.default_rng(0)
    truth = (rng.random((90, 5)) < 0.3).astype(float)
    probabilities = np.clip(0.5 * truth + 0.6 * rng.random((90, 5)), 0, 1)
    chosen = (probabilities > 0.5).astype(float)
    found = score([Judged(Problem.MULTI_LABEL, truth, probabilities, chosen, np.arange(90))])
    expected = f1_score(truth, chosen, average="micro")
    assert found.figures["f1_micro"].value == pytest.approx(expected)
    assert found.matrix is None
    assert sum(found.reliability.rows) == 90 * 5


def test_reliability_bins_hold_every_row():
    found = score([judged()]).reliability
    assert sum(found.rows) == 120
    assert all(0 <= a <= 1 for a in found.accuracy)
    assert list(found.confidence) == sorted(found.confidence)
