"""Figures of dialogue models as rows of a reproduction: means over seeds, and their spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.context.parts import DialogueParts
from training.context.scores import RESAMPLES, Estimate, Scored, always, figures, scored, values
from training.reproduce.dialogue_lab import Run
from training.reproduce.rows import Row, RowResult

INTERVALS = (
    f"Intervals: 95 %, {RESAMPLES} bootstrap resamples of the test dialogues (utterances of one"
    " dialogue depend on each other); with several seeds, of their mean. A spread, where shown, is"
    " the standard deviation over seeds with the least and the largest value, no interval."
)
SPREAD = "_spread"
_SAID = ("accuracy", "f1_weighted")


def row_result(
    row: Row,
    runs: Sequence[Run],
    seeds: Sequence[int],
    parts: DialogueParts,
    readings: Sequence[str],
) -> RowResult:
    """Return what the trainings of a row came to.

    Args:
        runs: one per seed.
        readings: whose figures are given; of one reading by their plain names, of several with the
            reading before them (`causal_f1_weighted`).
    """
    found: dict[str, Estimate] = {}
    majority: dict[str, Estimate] = {}
    for reading in readings:
        start = "" if len(readings) == 1 else f"{reading}_"
        counted = [scored(run.answers[reading]) for run in runs]
        found |= {start + name: each for name, each in figures(counted).items()}
        found |= {start + name + SPREAD: each for name, each in spread(counted).items()}
        guess = always(runs[0].answers[reading], parts.commonest())
        majority |= {start + name: each for name, each in figures(guess).items()}
    first = [scored(run.answers[readings[0]]) for run in runs]
    return RowResult(
        name=row.name,
        system=row.system,
        figures=found,
        counts=tuple(np.mean([s.confusion.sum(axis=0) for s in first], axis=0)),
        majority=majority,
        occurring=tuple(first[0].confusion.sum(axis=1)),
        rows=first[0].utterances,
        train_rows=parts.train.utterances,
        parameters=runs[0].parameters,
        head_parameters=runs[0].parameters,
        seconds=sum(run.seconds for run in runs),
        seeds=tuple(seeds),
        notes=tuple(_note(s, each) for s, each in zip(seeds, first, strict=True)),
    )


def spread(runs: Sequence[Scored]) -> dict[str, Estimate]:
    """Return the standard deviation over seeds, the least and the largest value; {} of one seed."""
    if len(runs) < 2:
        return {}
    each = [values(run) for run in runs]
    told = {name: [value[name] for value in each] for name in each[0]}
    return {name: Estimate(float(np.std(x, ddof=1)), min(x), max(x)) for name, x in told.items()}


def _note(seed: int, run: Scored) -> str:
    told = values(run)
    return f"seed {seed}: " + ", ".join(f"{name} {told[name]:.4f}" for name in _SAID)
