"""How memory grows over time."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import numpy as np
import psutil

MEGABYTE = 1e6


def resident_megabytes() -> float:
    """Return the resident memory of this process, after a collection, in MB."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / MEGABYTE


def slope(hours: Sequence[float], megabytes: Sequence[float]) -> float:
    """Return the growth in MB per hour: the median of all pairwise slopes.

    Theil (1950), A rank-invariant method of linear regression analysis: one step, such as a pool
    that is allocated late, moves it little. Needs at least two points.
    """
    x, y = np.asarray(hours), np.asarray(megabytes)
    later, earlier = np.triu_indices(len(x), k=1)[::-1]
    return float(np.median((y[later] - y[earlier]) / (x[later] - x[earlier])))
