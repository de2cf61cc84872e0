"""Figures and their intervals, against scikit-learn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from training.context.answers import Answers
from training.context.scores import (
    FIGURES,
    always,
    dialogue_draws,
    differences,
    figures,
    pooled,
    scored,
    values,
)
from training.data.dialogues import UNLABELLED

Ints = NDArray[np.int64]


def _f1(average: str) -> Callable[[Ints, Ints], float]:
    def figure(truth: Ints, chosen: Ints) -> float:
        there = np.unique(truth)
        return float(
            metrics.f1_score(truth, chosen, average=average, labels=there, zero_division=0)
        )

    return figure


REFERENCE: Mapping[str, Callable[[Ints, Ints], float]] = {
    "f1_weighted": _f1("weighted"),
    "accuracy": lambda truth, chosen: float(metrics.accuracy_score(truth, chosen)),
    "f1_macro": _f1("macro"),
    "uar": lambda truth, chosen: float(
        metrics.recall_score(
            truth, chosen, average="macro", labels=np.unique(truth), zero_division=0
        )
    ),
}


def answered(
    seed: int, skill: float = 1.0, dialogues: int = 30, classes: int = 4, corpora: int = 1
) -> Answers:
    """Return answers whose truth depends on the classes and dialogues alone."""
    truths = np.random.default_rng(7)
    lengths = truths.integers(1, 12, size=dialogues)
    dialogue = np.repeat(np.arange(dialogues), lengths)
    truth = truths.integers(classes, size=len(dialogue))
    truth[truths.random(len(truth)) < 0.1] = UNLABELLED
    logits = np.random.default_rng(seed).normal(size=(len(truth), classes))
    logits[np.arange(len(truth)), np.maximum(truth, 0)] += skill
    names = tuple(f"c{n * corpora // dialogues}" for n in range(dialogues))
    labels = tuple(f"l{n}" for n in range(classes))
    return Answers(labels, logits, truth, dialogue, names, ("",) * len(truth))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_that_of_scikit_learn(name: str) -> None:
    found = answered(1)
    truth, chosen = found.truth[found.labelled], found.chosen[found.labelled]
    assert values(scored(found))[name] == pytest.approx(REFERENCE[name](truth, chosen), abs=1e-12)


@pytest.mark.parametrize("name", FIGURES)
def test_a_resample_is_that_of_scikit_learn_on_the_dialogues_drawn(name: str) -> None:
    found = answered(1, corpora=2)
    part = scored(found)
    draws = dialogue_draws(part.strata, 5, seed=3)
    for draw in draws:
        rows = np.concatenate(
            [
                np.tile(np.flatnonzero((found.dialogue == d) & found.labelled), int(times))
                for d, times in enumerate(draw)
            ]
        )
        expected = REFERENCE[name](found.truth[rows], found.chosen[rows])
        matrix = np.tensordot(draw, part.counts, axes=1)[None]
        assert FIGURES[name](matrix)[0] == pytest.approx(expected, abs=1e-12)


def test_each_corpus_keeps_its_number_of_dialogues() -> None:
    part = scored(answered(1, corpora=3))
    draws = dialogue_draws(part.strata, 50, seed=1)
    for stratum in range(3):
        mine = part.strata == stratum
        assert (draws[:, mine].sum(axis=1) == mine.sum()).all()
    assert len(np.unique(draws, axis=0)) > 40


def test_an_interval_holds_the_figure_and_shrinks_with_more_dialogues() -> None:
    few, many = (figures(scored(answered(1, dialogues=n)))["accuracy"] for n in (20, 400))
    for found in (few, many):
        assert found.low < found.value < found.high
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_a_paired_difference_is_narrower_than_the_figures_are_apart() -> None:
    one = answered(1, dialogues=100)
    chosen = one.chosen.copy()
    better = np.flatnonzero(one.labelled)[::6]
    chosen[better] = one.truth[better]
    worse, good = scored(one), scored(one, chosen)
    found = differences(good, worse)["accuracy"]
    assert 0 < found.low < found.value < found.high
    each = figures(good)["accuracy"]
    assert found.high - found.low < 0.7 * (each.high - each.low)
    assert differences(good, good)["f1_macro"].high == 0.0


def test_several_trainings_count_as_their_mean() -> None:
    runs = [scored(answered(seed)) for seed in (1, 2, 3)]
    each = [values(run)["f1_weighted"] for run in runs]
    assert figures(runs)["f1_weighted"].value == pytest.approx(np.mean(each))


def test_pooling_weighs_every_class_of_every_corpus_by_its_support() -> None:
    parts = [answered(1, classes=4), answered(2, classes=3, dialogues=12)]
    rows = [part.labelled for part in parts]
    truth = np.concatenate([parts[0].truth[rows[0]], 4 + parts[1].truth[rows[1]]])
    chosen = np.concatenate([parts[0].chosen[rows[0]], 4 + parts[1].chosen[rows[1]]])
    found = values(pooled([scored(part) for part in parts]))
    for name, reference in REFERENCE.items():
        assert found[name] == pytest.approx(reference(truth, chosen), abs=1e-12)
    together = pooled([scored(parts[0]), scored(parts[1])])
    assert np.unique(together.strata).tolist() == [0, 1]


def test_always_one_class_is_a_figure_of_its_own() -> None:
    found = answered(1)
    share = float((found.truth[found.labelled] == 2).mean())
    assert values(always(found, 2))["accuracy"] == pytest.approx(share)


def test_other_dialogues_can_not_be_compared() -> None:
    with pytest.raises(ValueError, match="same dialogues"):
        differences(scored(answered(1)), scored(answered(1, dialogues=31)))


def test_two_thousand_resamples_take_a_second_at_most() -> None:
    part = scored(answered(1, dialogues=1000, classes=7))
    started = time.perf_counter()
    figures([part, part, part], resamples=2000)
    assert time.perf_counter() - started < 3.0  # so much where the machine is busy
