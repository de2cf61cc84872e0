"""What should come out for examples: labels as zeros and ones, arousal and valence, row weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import CorpusError
from core.models.specification import Problem
from training.data.batch import Targets
from training.data.example import Example


def targets_of(
    examples: Sequence[Example],
    classes: Sequence[str],
    problem: Problem,
    weights: Sequence[float] | None = None,
) -> Targets:
    """Return targets of all examples, in their order.

    A row without a label is all zeros, and counts nothing in the losses of a single-label problem.

    Args:
        classes: names of the labels, in the order of the logits.
        weights: (N,) of each row in the loss; ones if None.

    Raises:
        CorpusError: a label is none of `classes`, or a row of a single-label problem has several.
    """
    number = {name: index for index, name in enumerate(classes)}
    labels = torch.zeros(len(examples), len(classes))
    for row, example in enumerate(examples):
        labels[row, _numbers(example, number, problem)] = 1.0
    return Targets(
        labels,
        _affect([example.arousal for example in examples]),
        _affect([example.valence for example in examples]),
        torch.ones(len(examples)) if weights is None else torch.tensor(weights).float(),
    )


def take(targets: Targets, rows: Sequence[int] | NDArray[np.int64] | Tensor) -> Targets:
    """Return the targets of some rows."""
    index = torch.as_tensor(np.asarray(rows), dtype=torch.long)
    return Targets(*(getattr(targets, field.name)[index] for field in fields(targets)))


def moved_targets(targets: Targets, device: torch.device | str) -> Targets:
    """Return targets on a device."""
    return Targets(*(getattr(targets, field.name).to(device) for field in fields(targets)))


def _numbers(example: Example, number: dict[str, int], problem: Problem) -> list[int]:
    where = example.source or f"{example.corpus}/{example.id}"
    unknown = [label for label in example.labels if label not in number]
    if unknown:
        raise CorpusError(
            f"{where}: the label {unknown[0]!r} is none of {', '.join(number)}.",
            "Map it in the label map of the corpus, or leave the row out.",
        )
    if problem is Problem.SINGLE_LABEL and len(example.labels) > 1:
        raise CorpusError(
            f"{where} has the labels {', '.join(example.labels)}, but the problem has one per row.",
            "Use the label transform, keep rows with one label, or make the problem multi_label.",
        )
    return [number[label] for label in example.labels]


def _affect(values: Sequence[float | None]) -> Tensor:
    return torch.tensor([math.nan if value is None else value for value in values])
