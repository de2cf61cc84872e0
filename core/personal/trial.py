"""Whether an adapter helps: judged on corrections it was not fitted on, by a rule stated here.

The corrections are cut into folds, twice; each fold is judged by an adapter fitted on the others.
The adapter is kept if both of this holds, with every correction counting as `Lessons.weights` say:

1. more turns became right than wrong, by more than `SURE` standard errors of the difference;
2. more turns are right than by always giving the most frequent label, by more than
   `BEYOND_HABIT` standard errors: labels that have nothing to do with the voice can't pass this.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.personal.correcting import Float, learn
from core.personal.lessons import Indices, Lessons
from core.personal.types import Gain

FOLDS, REPEATS = 5, 2
"""With fewer groups than folds, single clips are judged apart."""

SURE, BEYOND_HABIT = 0.5, 1.0

_INTERVAL = 0.95
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out: the gain, and how many standard errors each difference is worth."""

    gain: Gain
    sure: float
    beyond_habit: float

    @property
    def helps(self) -> bool:
        """Whether the adapter is kept."""
        return self.sure > SURE and self.beyond_habit > BEYOND_HABIT


def folds_of(lessons: Lessons, seed: int = 0) -> tuple[Indices, ...]:
    """Return the indices of each fold, groups kept together and labels spread evenly."""
    groups = [lesson.group for lesson in lessons.given]
    whole = len(set(groups)) >= FOLDS
    names = groups if whole else [str(i) for i in range(len(groups))]
    count = min(FOLDS, len(set(names)))
    random = np.random.default_rng(seed)
    order = random.permutation(len(names))
    sizes = np.zeros(count)
    held = np.zeros((count, len(lessons.labels)))
    fold: dict[str, int] = {}
    for index in order:
        if names[index] not in fold:
            truth = lessons.given[index].truth
            fold[names[index]] = int(np.lexsort((sizes, held[:, truth]))[0])
        place = fold[names[index]]
        sizes[place] += 1
        held[place, lessons.given[index].truth] += 1
    placed = np.array([fold[name] for name in names])
    return tuple(np.flatnonzero(placed == f) for f in range(count) if (placed == f).any())


def try_out(lessons: Lessons, told: Callable[[], None] = lambda: None) -> Trial:
    """Judge every correction by adapters that have not seen it; `told` after each fold."""
    weights = lessons.weights()
    everything = np.arange(len(lessons.given))
    final = lessons.final_rows(everything)
    right = np.zeros(len(everything))
    for repeat in range(REPEATS):
        for fold in folds_of(lessons, repeat):
            others = np.setdiff1d(everything, fold)
            correcting = learn(lessons.rows(others, weights), lessons.problem)
            answer = correcting(final.logits[fold], final.vectors[fold])
            right[fold] += (lessons.chosen(answer) == lessons.truth[fold]) / REPEATS
            told()
    return judged(~lessons.wrong(), right, lessons.truth, weights)


def judged(was: NDArray[np.bool_], became: Float, truth: Indices, weights: Float) -> Trial:
    """Return the verdict.

    Args:
        was: (n,) whether the model alone is right.
        became: (n,) how often adapters are that have not seen the clip, from 0 to 1.
        truth: (n,) indices of labels; weights: (n,).
    """
    change = became - was
    habit = truth == np.bincount(truth, weights=weights).argmax()
    low, high = _interval(change, weights)
    gain = Gain(
        float(np.average(was, weights=weights)),
        float(np.average(became, weights=weights)),
        low,
        high,
        len(truth),
        bool(np.ptp(weights) > 1e-9),
    )
    return Trial(
        gain, _errors_from_zero(change, weights), _errors_from_zero(became - habit, weights)
    )


def _errors_from_zero(differences: Float, weights: Float) -> float:
    """Return a weighted mean in its standard errors."""
    mean = float(np.average(differences, weights=weights))
    error = float(np.sqrt((weights**2 * (differences - mean) ** 2).sum()) / weights.sum())
    return mean / error if error else mean * math.inf if mean else 0.0


def _interval(differences: Float, weights: Float) -> tuple[float, float]:
    """Return bounds of a weighted mean by the bootstrap over corrections."""
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(differences), (_RESAMPLES, len(differences)))
    means = (weights * differences)[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    tail = (1 - _INTERVAL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
