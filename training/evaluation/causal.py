"""What a user gets: a baseline from no more than was heard before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUDGETS = (10, 30, 60)
"""Seconds heard before."""
_GROUPS = 4

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hearing:
    """Clips heard first, which make the baseline, and clips judged with it."""

    heard: Indices
    judged: Indices


def plan_hearings(seconds: Sequence[float], budget: float, seed: int) -> list[Hearing]:
    """Order one speaker's clips at random and judge every clip once, by what went before it.

    The order is a circle cut into a few arcs. The clips of an arc are judged with a baseline from
    the clips right before the arc that add up to `budget` seconds (or come nearest to it when the
    speaker has fewer); a clip never shapes the baseline by which it is judged.

    Args:
        seconds: length of each clip.
        budget: of the baseline, in seconds.
        seed: of the order.
    """
    order = np.random.default_rng(seed).permutation(len(seconds))
    hearings = []
    for arc in np.array_split(np.arange(len(order)), min(_GROUPS, max(1, len(order)))):
        others = [int(order[(arc[0] - back) % len(order)]) for back in range(1, len(order))]
        others = others[: len(order) - len(arc)]
        hearings.append(Hearing(_up_to(others, seconds, budget), order[arc]))
    return hearings


def _up_to(candidates: Sequence[int], seconds: Sequence[float], budget: float) -> Indices:
    """Return the first candidates that together come nearest to the budget; at least one."""
    chosen: list[int] = []
    total = 0.0
    for index in candidates:
        if chosen and total + seconds[index] / 2 > budget:
            break
        chosen.append(index)
        total += seconds[index]
    return np.asarray(chosen, dtype=np.int64)
