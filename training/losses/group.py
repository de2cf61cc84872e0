"""What a batch is a part of when several batches, or several processes, make one update.

A mean over the whole group is a sum of every part's sum divided by the *group's* normaliser. The
normaliser depends on the targets alone, so it is known before the first forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor


def _same(value: Tensor) -> Tensor:
    return value


@dataclass(frozen=True, slots=True)
class Group:
    """Normalisers of all batches of an update in all processes.

    Attributes:
        totals: name of a part of the loss -> its normaliser, a scalar.
        processes: how many share a batch.
        sum_over_processes: differentiable; every process must call it equally often.
    """

    totals: Mapping[str, Tensor]
    processes: int = 1
    sum_over_processes: Callable[[Tensor], Tensor] = _same
