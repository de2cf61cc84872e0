"""Rows as batches of similar length, so that little of a batch is padding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

_BUCKET_RATIO = 1.1
"""Longest over shortest row of a bucket, where a batch's padded length is limited."""


@dataclass(frozen=True, slots=True)
class BucketConfig:
    """What one batch is."""

    size: int = 16
    """Most rows."""
    length: float = 0.0
    """Most of rows times longest row: positions of cached features, seconds end to end; 0: any."""
    pool: int = 64
    """Batches whose rows are sorted by length together: 1 is no sorting, more is less padding but
    less chance in what comes together."""

    def __post_init__(self) -> None:
        if self.size < 1 or self.length < 0 or self.pool < 1:
            raise ValueError("size and pool must be at least 1, and length not negative")


def shuffled_batches(
    rows: Rows, lengths: NDArray[np.float64], config: BucketConfig, generator: np.random.Generator
) -> list[Rows]:
    """Return rows, given in random order, as batches in random order.

    Args:
        rows: indices into `lengths` (N,).
    """
    cut = _limited if config.length > 0 else _pooled
    batches = cut(rows, lengths, config)
    return [batches[index] for index in generator.permutation(len(batches))]


def sorted_batches(rows: Rows, lengths: NDArray[np.float64], config: BucketConfig) -> list[Rows]:
    """Return rows as batches, shortest first: for scoring, where order does not matter."""
    order = rows[np.argsort(lengths[rows], kind="stable")]
    if config.length > 0:
        return _limited(order, lengths, config)
    return _parts(order, config.size)


def batch_count(rows: Rows, lengths: NDArray[np.float64], config: BucketConfig) -> int:
    """Return how many batches rows make, in whatever order they come."""
    return len((_limited if config.length > 0 else _pooled)(rows, lengths, config))


def padded_share(batches: list[Rows], lengths: NDArray[np.float64]) -> float:
    """Return computed over needed positions: 1 without any padding."""
    computed = sum(len(batch) * float(lengths[batch].max()) for batch in batches)
    return computed / sum(float(lengths[batch].sum()) for batch in batches)


def _pooled(rows: Rows, lengths: NDArray[np.float64], config: BucketConfig) -> list[Rows]:
    batches: list[Rows] = []
    step = config.size * config.pool
    for start in range(0, len(rows), step):
        pool = rows[start : start + step]
        if config.pool > 1:
            pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += _parts(pool, config.size)
    return batches


def _limited(rows: Rows, lengths: NDArray[np.float64], config: BucketConfig) -> list[Rows]:
    """Cut rows at fixed edges of length, so that their number of batches is always the same."""
    bucket = np.ceil(np.log(np.maximum(lengths[rows], 1e-3)) / np.log(_BUCKET_RATIO)).astype(int)
    batches: list[Rows] = []
    for number in np.unique(bucket):
        fits = int(config.length / _BUCKET_RATIO**number)
        batches += _parts(rows[bucket == number], max(1, min(config.size, fits)))
    return batches


def _parts(rows: Rows, size: int) -> list[Rows]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
