"""Self-contrastive losses: vectors of one utterance, made by different tasks, drawn together.

Gao et al. (2024), ICASSP, section 2.3. What the paper prints can't be meant: its (6) is the
*negative* sum of distances, the least of which is far apart, and its (7) takes the cosine of a
difference, which is of one vector. Its text says that distances are reduced; so they are here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

_TINY = 1e-6
"""A vector shorter than that points nowhere."""


def scl_norm(vectors: Sequence[Tensor]) -> Tensor:
    """Return the sum (B,) of Euclidean distances between all pairs of vectors (B, D), in fp32.

    Equal vectors have distance 0, with gradient 0.
    """
    return _summed(_distance, vectors)


def scl_cos(vectors: Sequence[Tensor]) -> Tensor:
    """Return the sum (B,) of 1 - cosine over all pairs of vectors (B, D), in fp32.

    With three vectors that is 3 less the sum of the cosines. A cosine with a vector of zeros is 0,
    with gradient 0.
    """
    return _summed(_turned, vectors)


def _summed(measure: Callable[[Tensor, Tensor], Tensor], vectors: Sequence[Tensor]) -> Tensor:
    if len(vectors) < 2:
        raise ValueError("there is nothing to compare fewer than two vectors with")
    pairs = combinations([vector.float() for vector in vectors], 2)
    return torch.stack([measure(one, other) for one, other in pairs]).sum(dim=0)


def _distance(one: Tensor, other: Tensor) -> Tensor:
    distance: Tensor = torch.linalg.vector_norm(one - other, dim=1)
    return distance


def _turned(one: Tensor, other: Tensor) -> Tensor:
    squares = (one * one).sum(dim=1), (other * other).sum(dim=1)
    somewhere = (squares[0] > _TINY**2) & (squares[1] > _TINY**2)
    lengths = [square.where(somewhere, 1.0).sqrt() for square in squares]
    cosine = (one * other).sum(dim=1) / (lengths[0] * lengths[1])
    return 1 - cosine.where(somewhere, 0.0)


CONTRASTIVE: Mapping[str, Callable[[Sequence[Tensor]], Tensor]] = {
    "scl_norm": scl_norm,
    "scl_cos": scl_cos,
}
"""Name in `training.multitask.config.LOSSES` -> function."""
