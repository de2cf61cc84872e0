"""Figures of trainings on several tasks, and what is kept of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from training.reproduce.two_stage_kept import KeptAnswers
from training.reproduce.two_stage_scores import (
    Choice,
    Errors,
    ScoredAnswers,
    figures,
    majority,
    occurring_counts,
)


def choice(rng: np.random.Generator, classes: int, rows: int) -> Choice:
    truth = rng.integers(classes, size=rows)
    guess = rng.integers(classes, size=rows)
    return Choice(truth, np.where(rng.random(rows) < 0.6, truth, guess))


def answers(seed: int, rows: int = 60, fold: int = 0) -> ScoredAnswers:
    rng = np.random.default_rng([seed, fold])
    return ScoredAnswers(
        classes=4, rows=np.arange(rows), emotion=choice(rng, 4, rows), gender=choice(rng, 2, rows),
        style=choice(rng, 2, rows), words=Errors(rng.integers(3, size=rows), np.full(rows, 3)),
        symbols=Errors(rng.integers(9, size=rows), np.full(rows, 12)),
        commonest={"emotion": 1, "gender": 0, "style": 1}, train_rows=200, trained=1234, heads=56,
        stored=789, seconds=1.5, fold=fold, seed=seed,
    )  # fmt: skip


def test_figures_are_means_over_trainings_within_their_intervals() -> None:
    trainings = [answers(0), answers(1), answers(0, fold=1)]
    found = figures(trainings)
    recalls = [balanced_accuracy_score(a.emotion.truth, a.emotion.predicted) for a in trainings]
    shares = [accuracy_score(a.emotion.truth, a.emotion.predicted) for a in trainings]
    assert found["uar"].value == pytest.approx(np.mean(recalls))
    assert found["wa"].value == pytest.approx(np.mean(shares))
    rates = [a.words.wrong.sum() / a.words.said.sum() for a in trainings if a.words]
    assert found["wer"].value == pytest.approx(np.mean(rates))
    for figure in found.values():
        assert figure.low < figure.value < figure.high
    assert set(found) == {"uar", "wa", "wer", "cer", "gender", "style"}


def test_rows_of_unknown_truth_do_not_count() -> None:
    one = answers(0)
    assert one.style is not None
    unknown = np.where(np.arange(60) < 30, -1, one.style.truth)
    found = figures([replace(one, style=Choice(unknown, one.style.predicted))])
    expected = accuracy_score(one.style.truth[30:], one.style.predicted[30:])
    assert found["style"].value == pytest.approx(expected)
    nothing = replace(one, style=Choice(np.full(60, -1), one.style.predicted))
    assert "style" not in figures([nothing])


def test_what_a_training_did_not_learn_has_no_figure() -> None:
    assert set(figures([replace(answers(0), words=None, gender=None)])) == {
        *("uar", "wa", "cer", "style")
    }


def test_the_commonest_class_is_that_of_the_training_part() -> None:
    one = answers(0)
    found = majority([one])
    assert found["uar"].value == pytest.approx(0.25)
    assert found["wa"].value == pytest.approx((one.emotion.truth == 1).mean())
    assert one.gender is not None
    assert found["gender"].value == pytest.approx((one.gender.truth == 0).mean())
    assert "wer" not in found


def test_counts_are_summed_over_folds_and_averaged_over_seeds() -> None:
    trainings = [answers(0), answers(1), answers(0, fold=1), answers(1, fold=1)]
    assert sum(occurring_counts(trainings)) == 120
    first = np.bincount(trainings[0].emotion.truth, minlength=4)
    assert occurring_counts(trainings[:1]) == tuple(first)


def test_what_is_kept_is_what_was_said(tmp_path: Path) -> None:
    one = replace(answers(3), style=None)
    KeptAnswers(tmp_path, resume=False).keep("a", one)
    found = KeptAnswers(tmp_path, resume=True).find("a")
    assert found is not None
    assert figures([found]) == figures([one])
    assert (found.stored, found.seconds, dict(found.commonest)) == (789, 1.5, dict(one.commonest))
    assert found.style is None
    assert KeptAnswers(tmp_path, resume=False).find("a") is None


def test_a_damaged_file_costs_a_training_only(tmp_path: Path) -> None:
    kept = KeptAnswers(tmp_path, resume=True)
    kept.keep("a", answers(0))
    path = tmp_path / "a.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    assert kept.find("a") is None
    assert kept.find("never") is None
