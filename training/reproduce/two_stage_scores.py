"""Figures of trainings on several tasks: means over folds and seeds, with bootstrap intervals.

A figure is the mean over trainings. Its interval comes from drawing the rows of every test part
anew; trainings of one fold share the draws, as they share the rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from training.evaluation.metrics import Estimate, bootstrap_weights, confusion, uar_of, wa_of

Float = NDArray[np.float64]
Classes = NDArray[np.int64]
Figure = Callable[["ScoredAnswers", Float], Float]

RESAMPLES = 1000
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Choice:
    """Truth and prediction of one task, class indices (n,); truth `UNKNOWN` where not known."""

    truth: Classes
    predicted: Classes


@dataclass(frozen=True, slots=True)
class Errors:
    """Of recognition, per row (n,): wrong units (substituted, left out, put in), units said."""

    wrong: Classes
    said: Classes


@dataclass(frozen=True, slots=True)
class ScoredAnswers:
    """What one trained model says of the n rows of one test part.

    Attributes:
        classes: number of emotions.
        rows: (n,) indices into the corpus.
        emotion: of every row; gender, style: None where the model has no such head.
        words, symbols: None where it doesn't recognise.
        commonest: task -> the class that is commonest in the training part.
        trained: parameters that trained in the last stage; heads: of the classifiers.
        stored: bytes of what a user keeps beside the base: all weights where all of them trained,
            else adapters and heads.
        seconds: of training and judging.
    """

    classes: int
    rows: Classes
    emotion: Choice
    gender: Choice | None = None
    style: Choice | None = None
    words: Errors | None = None
    symbols: Errors | None = None
    commonest: Mapping[str, int] = field(default_factory=dict)
    train_rows: int = 0
    trained: int = 0
    heads: int = 0
    stored: int = 0
    seconds: float = 0.0
    fold: int = 0
    seed: int = 0


def _matrix(answers: ScoredAnswers, weights: Float) -> Float:
    return confusion(answers.emotion.truth, answers.emotion.predicted, answers.classes, weights)


def _right(choice: Choice | None, weights: Float) -> Float:
    """Return the share of rows of known truth that were told right, (R,)."""
    assert choice is not None
    known = (choice.truth != UNKNOWN).astype(np.float64)
    right = known * (choice.truth == choice.predicted)
    return np.asarray((weights @ right) / (weights @ known))


def _rate(errors: Errors | None, weights: Float) -> Float:
    """Return wrong units by units said, over all rows together, (R,)."""
    assert errors is not None
    return np.asarray((weights @ errors.wrong) / (weights @ errors.said))


_ALWAYS: Mapping[str, Figure] = {
    "uar": lambda a, w: uar_of(_matrix(a, w)),
    "wa": lambda a, w: wa_of(_matrix(a, w)),
}
_WHERE: Mapping[str, tuple[str, Figure]] = {
    # figure -> the attribute that must be there, and how it is computed
    "wer": ("words", lambda a, w: _rate(a.words, w)),
    "cer": ("symbols", lambda a, w: _rate(a.symbols, w)),
    "gender": ("gender", lambda a, w: _right(a.gender, w)),
    "style": ("style", lambda a, w: _right(a.style, w)),
}


def figures(trainings: Sequence[ScoredAnswers]) -> dict[str, Estimate]:
    """Return uar, wa, and of wer, cer, gender and style what there is. Not of no training."""
    there = {name: f for name, (needs, f) in _WHERE.items() if _all_have(trainings, needs)}
    draws = {a.fold: bootstrap_weights(len(a.rows), RESAMPLES, seed=a.fold) for a in trainings}
    return {n: _estimate(f, trainings, draws) for n, f in {**_ALWAYS, **there}.items()}


def majority(trainings: Sequence[ScoredAnswers]) -> dict[str, Estimate]:
    """Return the figures of always saying the commonest class of the training part."""
    return figures([_guess(answers) for answers in trainings])


def _guess(answers: ScoredAnswers) -> ScoredAnswers:
    def always(task: str, choice: Choice | None) -> Choice | None:
        if choice is None:
            return None
        said = answers.commonest.get(task, 0)
        return Choice(choice.truth, np.full_like(choice.truth, said))

    emotion = always("emotion", answers.emotion)
    assert emotion is not None
    gender, style = always("gender", answers.gender), always("style", answers.style)
    return replace(answers, emotion=emotion, gender=gender, style=style, words=None, symbols=None)


def _all_have(trainings: Sequence[ScoredAnswers], attribute: str) -> bool:
    """Tell whether all trainings have it, of at least a row."""
    return all(_counted(getattr(answers, attribute)) for answers in trainings)


def _counted(part: Choice | Errors | None) -> bool:
    if part is None:
        return False
    return bool((part.truth != UNKNOWN).any() if isinstance(part, Choice) else part.said.any())


def _estimate(
    figure: Figure, trainings: Sequence[ScoredAnswers], draws: Mapping[int, Float]
) -> Estimate:
    value = np.mean([figure(a, np.ones((1, len(a.rows))))[0] for a in trainings])
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a resample without a row that counts
        drawn = np.mean([figure(a, draws[a.fold]) for a in trainings], axis=0)
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(float(value), float(low), float(high))


def occurring_counts(trainings: Sequence[ScoredAnswers]) -> tuple[float, ...]:
    """Return rows per emotion in the test parts, summed over folds and averaged over seeds."""
    seeds = len({answers.seed for answers in trainings})
    counted = [np.bincount(a.emotion.truth, minlength=a.classes) for a in trainings]
    return tuple(float(n) / seeds for n in np.sum(counted, axis=0))
