"""Which rows an epoch is made of: each once, or drawn so that classes or corpora balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How strongly rare classes and small corpora are favoured; with both 0 every row comes once.

    A row is drawn (with replacement) with a probability that falls with the number of rows of its
    class and of its corpus to these powers: 0 as they are, 0.5 by the square root, 1 all alike.
    Not together with class weights in the loss: both do the same.
    """

    class_balance: float = 0.0
    corpus_balance: float = 0.0
    size: float = 1.0
    """Rows of an epoch over rows there are, where they are drawn."""

    def __post_init__(self) -> None:
        if not (0 <= self.class_balance <= 1 and 0 <= self.corpus_balance <= 1):
            raise ValueError("class_balance and corpus_balance must be between 0 and 1")
        if self.size <= 0:
            raise ValueError("size must be positive")

    @property
    def draws(self) -> bool:
        """Whether rows are drawn with replacement."""
        return self.class_balance > 0 or self.corpus_balance > 0


def row_probabilities(
    labels: Tensor, corpora: Sequence[str], config: SamplingConfig
) -> NDArray[np.float64] | None:
    """Return the probability of each row (N,), None where every row comes once.

    Args:
        labels: (N, C) zeros and ones. A row of several classes counts as its rarest; one of none
            as the commonest.
        corpora: (N,) name of each row's corpus.
    """
    if not config.draws:
        return None
    table = labels.numpy() > 0
    counts = np.maximum(table.sum(axis=0), 1)
    rarest = np.where(table, counts[None], counts.max()).min(axis=1).astype(np.float64)
    _, which, sizes = np.unique(np.asarray(corpora), return_inverse=True, return_counts=True)
    weights = rarest**-config.class_balance
    # balanced within each corpus first, so that each corpus gets the share it shall have
    totals = np.bincount(which, weights=weights)
    shares = sizes.astype(np.float64) ** (1 - config.corpus_balance)
    if config.corpus_balance > 0:
        weights = weights / totals[which] * shares[which]
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def drawn_rows(
    count: int,
    probabilities: NDArray[np.float64] | None,
    config: SamplingConfig,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the rows of an epoch in random order: all of them, or as many as configured, drawn.

    Draws are systematic (Kish 1965): a row of expected count x comes floor(x) or ceil(x) times.
    """
    if probabilities is None:
        return generator.permutation(count)
    size = epoch_size(count, probabilities, config)
    points = (np.arange(size) + generator.random()) / size
    order = generator.permutation(count)
    edges = np.cumsum(probabilities[order])
    chosen = order[np.minimum(np.searchsorted(edges, points * edges[-1], side="right"), count - 1)]
    return np.asarray(generator.permutation(chosen), dtype=np.int64)


def epoch_size(
    count: int, probabilities: NDArray[np.float64] | None, config: SamplingConfig
) -> int:
    """Return how many rows an epoch has."""
    return count if probabilities is None else max(1, round(config.size * count))
