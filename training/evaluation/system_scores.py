"""What a trained system is worth: figures over folds and seeds, beside the majority class.

A system is trained once per fold and seed; each training leaves the `Judged` of its test part. A
figure is the mean over trainings, as the papers average over folds. Its interval comes from drawing
the rows of every test part anew; trainings of one fold share the draws, as they share the rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.models.calibration import CALIBRATION_BINS, calibration_error
from core.models.specification import Problem
from training.evaluation.affect import concordance, known, pearson
from training.evaluation.metrics import (
    Estimate,
    bootstrap_weights,
    confusion,
    element_accuracy,
    f1_of,
    multilabel_calibration_error,
    multilabel_f1,
    uar_of,
    wa_of,
)

Float = NDArray[np.float64]
Indices = NDArray[np.int64]
Figure = Callable[["Judged", Float], Float]

AFFECTS = ("arousal", "valence")


@dataclass(frozen=True, slots=True)
class Affect:
    """truth (n,), NaN where nobody judged, and prediction (n,), both in [-1, 1]."""

    truth: Float
    prediction: Float


@dataclass(frozen=True, slots=True)
class Judged:
    """What one trained model says of one test part of n rows and C labels.

    Attributes:
        truth: (n, C) zeros and ones.
        probabilities: (n, C), calibrated; they sum to one if the problem is single-label.
        chosen: (n, C) zeros and ones, the decision.
        rows: (n,) indices into the corpus.
        affect: by name (`AFFECTS`), where the model predicts it and the corpus knows it.
        commonest: index of the label that is commonest in the training part.
        judges_labels: false when the model was trained on arousal and valence only.
        fold, seed: which of the trainings this is.
    """

    problem: Problem
    truth: Float
    probabilities: Float
    chosen: Float
    rows: Indices
    affect: Mapping[str, Affect] = field(default_factory=dict)
    commonest: int = 0
    judges_labels: bool = True
    fold: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reliability:
    """Per bin of confidence: mean confidence, share that was right, rows."""

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SystemScores:
    """Figures by name, the same of always saying the commonest label, and counts.

    Attributes:
        predicted, occurring: (C,) rows per label, summed over folds and averaged over seeds.
        matrix: (C, C) rows the truth, likewise; of a multi-label problem None.
        rows: judged per seed.
        trainings: how many there were.
    """

    figures: Mapping[str, Estimate]
    majority: Mapping[str, Estimate]
    predicted: Float
    occurring: Float
    matrix: Float | None
    reliability: Reliability | None
    rows: int
    trainings: int


def _matrix(judged: Judged, weights: Float) -> Float:
    truth, chosen = judged.truth.argmax(axis=1), judged.chosen.argmax(axis=1)
    return confusion(truth, chosen, judged.truth.shape[1], weights)


_SINGLE: Mapping[str, Figure] = {
    "f1_weighted": lambda j, w: f1_of(_matrix(j, w), "weighted"),
    "f1_macro": lambda j, w: f1_of(_matrix(j, w), "macro"),
    "uar": lambda j, w: uar_of(_matrix(j, w)),
    "wa": lambda j, w: wa_of(_matrix(j, w)),
    "f1_micro": lambda j, w: multilabel_f1(j.truth, j.chosen, "micro", w),
    "element_accuracy": lambda j, w: element_accuracy(j.truth, j.chosen, w),
    "ece": lambda j, w: calibration_error(j.probabilities, j.truth.argmax(axis=1), w),
}
_MULTI: Mapping[str, Figure] = {
    "f1_micro": lambda j, w: multilabel_f1(j.truth, j.chosen, "micro", w),
    "f1_weighted": lambda j, w: multilabel_f1(j.truth, j.chosen, "weighted", w),
    "f1_macro": lambda j, w: multilabel_f1(j.truth, j.chosen, "macro", w),
    "element_accuracy": lambda j, w: element_accuracy(j.truth, j.chosen, w),
    "ece": lambda j, w: multilabel_calibration_error(j.probabilities, j.truth, w),
}
_FIGURES: Mapping[Problem, Mapping[str, Figure]] = {
    Problem.SINGLE_LABEL: _SINGLE,
    Problem.MULTI_LABEL: _MULTI,
}
_RECENTRED = frozenset({"ece"})
"""Figures that resampling inflates: gaps of a resample are wider than those of the rows."""


def score(trainings: Sequence[Judged], resamples: int = 1000) -> SystemScores:
    """Score every training of one system together. `trainings` must not be empty."""
    draws = {j.fold: bootstrap_weights(len(j.rows), resamples, seed=j.fold) for j in trainings}
    first = trainings[0]
    table = _FIGURES[first.problem] if first.judges_labels else {}
    figures = {name: _estimate(name, f, trainings, draws) for name, f in table.items()}
    guessed = [majority_of(judged) for judged in trainings]
    majority = {
        name: _estimate(name, f, guessed, draws) for name, f in table.items() if name != "ece"
    }
    affect = _affect_figures(trainings, draws)
    seeds = len({judged.seed for judged in trainings})
    return SystemScores(
        figures={**figures, **affect},
        majority=majority,
        predicted=_summed([j.chosen.sum(axis=0) for j in trainings], seeds),
        occurring=_summed([j.truth.sum(axis=0) for j in trainings], seeds),
        matrix=_summed_matrix(trainings, seeds) if first.judges_labels else None,
        reliability=reliability(trainings) if first.judges_labels else None,
        rows=round(sum(len(j.rows) for j in trainings) / seeds),
        trainings=len(trainings),
    )


def majority_of(judged: Judged) -> Judged:
    """Return what always saying the commonest label of the training part would say."""
    always = np.zeros_like(judged.truth)
    always[:, judged.commonest] = 1.0
    return Judged(judged.problem, judged.truth, always, always, judged.rows, fold=judged.fold)


def _estimate(
    name: str, figure: Figure, trainings: Sequence[Judged], draws: Mapping[int, Float]
) -> Estimate:
    values = [float(figure(j, np.ones((1, len(j.rows))))[0]) for j in trainings]
    resampled = np.mean([figure(j, draws[j.fold]) for j in trainings], axis=0)
    return _interval(float(np.mean(values)), resampled, recentre=name in _RECENTRED)


def _affect_figures(trainings: Sequence[Judged], draws: Mapping[int, Float]) -> dict[str, Estimate]:
    """Return CCC and Pearson of what every training predicts, and the mean CCC of both."""
    found: dict[str, tuple[float, Float]] = {}
    for kind, agreement in (("ccc", concordance), ("pearson", pearson)):
        for name in AFFECTS:
            if all(_judged_rows(judged, name) > 1 for judged in trainings):
                found[f"{kind}_{name}"] = _agreement(agreement, name, trainings, draws)
    both = [found[f"ccc_{name}"] for name in AFFECTS if f"ccc_{name}" in found]
    if len(both) == len(AFFECTS):
        value = float(np.mean([value for value, _ in both]))
        found["ccc_mean"] = (value, np.mean([many for _, many in both], axis=0))
    return {name: _interval(value, many) for name, (value, many) in found.items()}


def _judged_rows(judged: Judged, name: str) -> int:
    return int(known(judged.affect[name].truth).sum()) if name in judged.affect else 0


def _agreement(
    figure: Callable[[Float, Float, Float], Float],
    name: str,
    trainings: Sequence[Judged],
    draws: Mapping[int, Float],
) -> tuple[float, Float]:
    """Return the mean over trainings, and that of every resample (R,).

    A model that says the same of every row agrees with nothing: its NaN counts as 0.
    """
    values, many = [], []
    for judged in trainings:
        affect = judged.affect[name]
        there = known(affect.truth)
        truth, prediction = affect.truth[there], affect.prediction[there]
        values.append(figure(truth, prediction, np.ones((1, truth.size)))[0])
        many.append(np.nan_to_num(figure(truth, prediction, draws[judged.fold][:, there])))
    return float(np.mean(np.nan_to_num(values))), np.mean(many, axis=0)


def _interval(value: float, resampled: Float, recentre: bool = False) -> Estimate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN: there is no interval
        if recentre:
            resampled = resampled - np.nanmean(resampled) + value
        low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Estimate(value, max(0.0, float(low)) if recentre else float(low), float(high))


def _summed(counts: Sequence[Float], seeds: int) -> Float:
    return np.asarray(np.sum(counts, axis=0) / seeds)


def _summed_matrix(trainings: Sequence[Judged], seeds: int) -> Float | None:
    if trainings[0].problem is Problem.MULTI_LABEL:
        return None
    return _summed([_matrix(j, np.ones((1, len(j.rows))))[0] for j in trainings], seeds)


def reliability(trainings: Sequence[Judged]) -> Reliability:
    """Return how often predictions of a confidence come true, in 15 bins, empty ones left out.

    Single label: of the most probable label. Multi-label: of every label of every row.
    """
    pairs = [_confidence(judged) for judged in trainings]
    confidence = np.concatenate([c for c, _ in pairs])
    right = np.concatenate([r for _, r in pairs])
    edges = np.linspace(0.0, 1.0, CALIBRATION_BINS + 1)[1:-1]
    bins = np.digitize(confidence, edges, right=True)
    filled = [k for k in range(CALIBRATION_BINS) if (bins == k).any()]
    return Reliability(
        tuple(float(confidence[bins == k].mean()) for k in filled),
        tuple(float(right[bins == k].mean()) for k in filled),
        tuple(int((bins == k).sum()) for k in filled),
    )


def _confidence(judged: Judged) -> tuple[Float, Float]:
    if judged.problem is Problem.MULTI_LABEL:
        return judged.probabilities.ravel(), judged.truth.ravel()
    best = judged.probabilities.argmax(axis=1)
    each = np.arange(len(best))
    return judged.probabilities[each, best], judged.truth[each, best]
