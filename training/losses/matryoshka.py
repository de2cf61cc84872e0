"""The Matryoshka loss: the loss of every nested size of a representation, summed.

Kusupati et al. 2022, "Matryoshka Representation Learning", NeurIPS, eq. 1: the sum over sizes m of
c_m L(W^(m) z_1:m, y), the relative importance c_m being 1 for all of them. Which L it is, and which
rows count in it, is up to the loss that is given; so it wraps any model with nested logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class MatryoshkaConfig:
    """How the losses of nested sizes make one."""

    importance: Mapping[str, float] = field(default_factory=dict)
    """By size, such as `3072: 2.0`; 1 for those not named."""
    subset: int = 0
    """So many of the smaller sizes, drawn anew every step, are trained beside the whole one; 0: all
    of them, as published."""

    def __post_init__(self) -> None:
        if any(not str(size).isdecimal() for size in self.importance):
            raise ValueError("importance must name sizes, such as 3072: 2.0")
        if any(value < 0 for value in self.importance.values()):
            raise ValueError("an importance must not be negative")
        if self.subset < 0:
            raise ValueError("subset must not be negative")

    def weights(self, sizes: Iterable[int]) -> dict[int, float]:
        """Return the importance of each size.

        Raises:
            ConfigError: one is named that the model does not have.
        """
        there = sorted(sizes, reverse=True)
        if missing := sorted({int(s) for s in self.importance} - set(there), reverse=True):
            raise ConfigError(
                f"The model has no nested size {', '.join(map(str, missing))}.",
                f"Its sizes: {', '.join(map(str, there))}.",
            )
        named = {int(size): value for size, value in self.importance.items()}
        return {size: named.get(size, 1.0) for size in there}


def matryoshka(
    nested: Mapping[int, Tensor],
    loss: Callable[[Tensor], Tensor],
    config: MatryoshkaConfig,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the sum over sizes of importance times loss, shaped as `loss` returns it.

    Args:
        nested: size -> logits (..., C), the whole size among them.
        loss: logits of one size -> its loss, a scalar or one value per row. What does not count,
            such as a row without a label, is its own affair.
        config: importances, and whether a subset is drawn.
        generator: to draw the subset from, on the CPU; None: all sizes, as when a model is judged.

    Raises:
        ConfigError: nothing is nested, or an importance is given for a size that is not there.
    """
    if not nested:
        raise ConfigError(
            "The model has no nested sizes, which its loss asks for.",
            "Give it nested sizes, or train it without the Matryoshka loss.",
        )
    weights = config.weights(nested)
    chosen = tuple(weights) if generator is None else drawn(weights, config.subset, generator)
    return torch.stack([weights[size] * loss(nested[size]) for size in chosen]).sum(dim=0)


def drawn(sizes: Iterable[int], count: int, generator: torch.Generator) -> tuple[int, ...]:
    """Return the largest size and `count` of the others (0: all), largest first."""
    whole, *others = sorted(sizes, reverse=True)
    if count < 1 or count >= len(others):
        return (whole, *others)
    order = torch.randperm(len(others), generator=generator)[:count]
    return (whole, *(others[i] for i in sorted(order.tolist())))
