"""Figures of dialogue models, with intervals from resampling dialogues.

Utterances of one dialogue depend on each other, so the dialogue is what is drawn with replacement
(Efron & Tibshirani 1993, An introduction to the bootstrap, chapter 8). A resample is a vector of
multiplicities, and each dialogue is a confusion matrix: thousands of resamples are one product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.context.answers import Answers
from training.evaluation.metrics import Estimate, bootstrap_weights, f1_of, uar_of, wa_of

__all__ = [
    "FIGURES",
    "Estimate",
    "Scored",
    "always",
    "differences",
    "figures",
    "pooled",
    "scored",
    "values",
]

Float = NDArray[np.float64]

RESAMPLES = 2000

FIGURES: Mapping[str, Callable[[Float], Float]] = {
    # name -> confusion matrices (R, C, C), rows the truth -> (R,); as scikit-learn defines them
    "f1_weighted": lambda matrix: f1_of(matrix, "weighted"),
    "accuracy": wa_of,
    "f1_macro": lambda matrix: f1_of(matrix, "macro"),
    "uar": uar_of,
}


@dataclass(frozen=True)
class Scored:
    """Confusions by dialogue.

    Attributes:
        counts: (dialogues, C, C), rows the truth.
        strata: (dialogues,) which corpus each is of; resamples keep each corpus's size.
    """

    counts: Float
    strata: NDArray[np.int64]

    @property
    def confusion(self) -> Float:
        """All dialogues together (C, C)."""
        return np.asarray(self.counts.sum(axis=0))

    @property
    def utterances(self) -> int:
        """How many labelled utterances were judged."""
        return int(self.counts.sum())


def scored(answers: Answers, chosen: NDArray[np.int64] | None = None) -> Scored:
    """Count what was answered.

    Args:
        chosen: (N,) other decisions than those of the answers.
    """
    rows, classes = answers.labelled, len(answers.classes)
    decided = answers.chosen if chosen is None else chosen
    cells = np.ravel_multi_index(
        (answers.dialogue[rows], answers.truth[rows], decided[rows]),
        (len(answers.corpora), classes, classes),
    )
    counts = np.bincount(cells, minlength=len(answers.corpora) * classes * classes)
    _, strata = np.unique(np.asarray(answers.corpora), return_inverse=True)
    shaped = counts.reshape(-1, classes, classes).astype(np.float64)
    return Scored(shaped, strata.astype(np.int64))


def always(answers: Answers, label: int) -> Scored:
    """Count what always answering one class would give: the commonest one of the training part."""
    return scored(answers, np.full(len(answers.truth), label, dtype=np.int64))


def pooled(parts: Sequence[Scored]) -> Scored:
    """Return several corpora, each with classes of its own, as one.

    The classes stand side by side: accuracy counts all utterances alike, weighted F1 weighs every
    class of every corpus by its support, and dialogues are resampled within their corpus.
    """
    widths = [part.counts.shape[1] for part in parts]
    total = sum(len(part.counts) for part in parts)
    counts = np.zeros((total, sum(widths), sum(widths)))
    strata = np.zeros(total, dtype=np.int64)
    row = column = stratum = 0
    for part, width in zip(parts, widths, strict=True):
        rows, columns = slice(row, row + len(part.counts)), slice(column, column + width)
        counts[rows, columns, columns] = part.counts
        strata[rows] = part.strata + stratum
        row, column, stratum = rows.stop, columns.stop, stratum + int(part.strata.max()) + 1
    return Scored(counts, strata)


def values(part: Scored) -> dict[str, float]:
    """Return every figure without an interval."""
    matrix = part.confusion[None]
    return {name: float(figure(matrix)[0]) for name, figure in FIGURES.items()}


def figures(
    runs: Scored | Sequence[Scored], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Return every figure with its 95 % interval.

    Args:
        runs: one model, or several trainings of it on the same dialogues: then of their mean.
    """
    return _estimates(_listed(runs), (), resamples, seed)


def differences(
    runs: Scored | Sequence[Scored],
    others: Scored | Sequence[Scored],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return by how much figures of one model exceed those of another, judged on the same draws.

    Raises:
        ValueError: they have not judged the same dialogues.
    """
    return _estimates(_listed(runs), _listed(others), resamples, seed)


def _estimates(
    runs: Sequence[Scored], others: Sequence[Scored], resamples: int, seed: int
) -> dict[str, Estimate]:
    _check_same([*runs, *others])
    strata = runs[0].strata
    draws = np.concatenate(
        [np.ones((1, len(strata))), dialogue_draws(strata, resamples, seed)]
    )  # the first row is the dialogues as they are
    mean = _means(runs, draws)
    if others:
        subtracted = _means(others, draws)
        mean = {name: value - subtracted[name] for name, value in mean.items()}
    found = {}
    for name, value in mean.items():
        low, high = np.nanpercentile(value[1:], [2.5, 97.5])
        found[name] = Estimate(float(value[0]), float(low), float(high))
    return found


def dialogue_draws(strata: NDArray[np.int64], resamples: int, seed: int) -> Float:
    """Return how often each dialogue is drawn (resamples, dialogues), corpus by corpus."""
    draws = np.zeros((resamples, len(strata)))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        draws[:, rows] = bootstrap_weights(len(rows), resamples, seed + int(stratum))
    return draws


def _means(runs: Sequence[Scored], draws: Float) -> dict[str, Float]:
    matrices = [
        (draws @ run.counts.reshape(len(run.counts), -1)).reshape(-1, *run.counts.shape[1:])
        for run in runs
    ]
    return {
        name: np.mean([figure(matrix) for matrix in matrices], axis=0)
        for name, figure in FIGURES.items()
    }


def _listed(runs: Scored | Sequence[Scored]) -> Sequence[Scored]:
    return (runs,) if isinstance(runs, Scored) else tuple(runs)


def _check_same(runs: Sequence[Scored]) -> None:
    truth = runs[0].counts.sum(axis=2)
    for run in runs[1:]:
        if run.counts.shape != runs[0].counts.shape or (run.counts.sum(axis=2) != truth).any():
            raise ValueError("figures can only be compared on the same dialogues")
