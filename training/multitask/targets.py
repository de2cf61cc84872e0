"""What a batch should give on every task; unknown is unknown, and no loss is taken of it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.models.outputs import ModelInputs

UNKNOWN = -1
"""Class of a row of which it is not known."""


@dataclass(frozen=True, slots=True)
class TaskTargets:
    """Classes and texts of B rows.

    Attributes:
        emotion, gender, style: (B,) class indices, `UNKNOWN` where not known.
        allowed: (B, C) the emotions that occur in the row's corpus; all true with one corpus.
        symbols: (B, L) numbers of the text's symbols, from 1 (0 is the blank), zeros after the end.
        symbol_counts: (B,) length of each text; 0: no text, and no recognition loss.
        weights: (B,) of each row in every loss.
    """

    emotion: Tensor
    gender: Tensor
    style: Tensor
    allowed: Tensor
    symbols: Tensor
    symbol_counts: Tensor
    weights: Tensor


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """Inputs with what should come out; rows (B,) are indices into the examples."""

    inputs: ModelInputs
    targets: TaskTargets
    rows: Tensor
