"""From a sequence of vectors to one, by name.

`mean` and `last` keep to what is valid. `padded_mean` and `padded_last` take in what fills up a
batch, as the published code of RSA-CFN (mean over 256 padded tokens) and of KNU (the last frame of
a zero-padded batch) does: a row's result then depends on the rows beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from core.errors import ConfigError

Pooling = Callable[[Tensor, Tensor], Tensor]
"""(sequence (B, T, D), mask (B, T)) -> (B, D)."""


def mean(sequence: Tensor, mask: Tensor) -> Tensor:
    """Mean over valid positions; zero for a row without any."""
    weight = mask.unsqueeze(-1).to(sequence.dtype)
    return (sequence * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


def last(sequence: Tensor, mask: Tensor) -> Tensor:
    """The last valid position."""
    index = mask.sum(dim=1).clamp(min=1) - 1
    return sequence[torch.arange(len(sequence), device=sequence.device), index]


def first(sequence: Tensor, mask: Tensor) -> Tensor:
    """The first position: what BERT-type models call [CLS]."""
    return sequence[:, 0]


def padded_mean(sequence: Tensor, mask: Tensor) -> Tensor:
    """Mean over all positions, padding included."""
    return sequence.mean(dim=1)


def padded_last(sequence: Tensor, mask: Tensor) -> Tensor:
    """The last position of the batch, padding or not."""
    return sequence[:, -1]


POOLINGS: Mapping[str, Pooling] = MappingProxyType(
    {
        "mean": mean,
        "last": last,
        "cls": first,
        "padded_mean": padded_mean,
        "padded_last": padded_last,
    }
)
"""Name in an encoder's configuration -> function."""


def pooling(name: str) -> Pooling:
    """Return a pooling by name. Raises ConfigError naming those there are."""
    if name not in POOLINGS:
        raise ConfigError(f"There is no pooling {name!r}.", f"There are: {', '.join(POOLINGS)}.")
    return POOLINGS[name]
