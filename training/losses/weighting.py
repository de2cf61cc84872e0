"""How much a class counts in a loss, from how often it occurs in the training part."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from core.errors import ConfigError


def class_weights(labels: Tensor, kind: str, beta: float = 0.999) -> Tensor | None:
    """Return one weight per class, or None for `none`.

    Classes without an example get the weight of a class with one.

    Args:
        labels: (n, C) zeros and ones of the training part.
        kind: `none`; `inverse`: n / (C n_c); `effective`: (1 - beta) / (1 - beta^n_c), scaled to a
            mean of 1 (Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples",
            eq. 2); `positive`: negatives / positives per class, the usual `pos_weight`.
        beta: of `effective`.

    Raises:
        ConfigError: there is no such kind, or no row.
    """
    if kind not in _KINDS:
        raise ConfigError(
            f"There are no class weights {kind!r}.", f"There are: {', '.join(_KINDS)}."
        )
    if labels.ndim != 2 or not len(labels):
        raise ConfigError("Class weights need labelled rows.", "Check the split.")
    counts = labels.double().sum(dim=0).clamp(min=1)
    weights = _KINDS[kind](counts, len(labels), beta)
    return None if weights is None else weights.float()


def _none(counts: Tensor, rows: int, beta: float) -> Tensor | None:
    return None


def _inverse(counts: Tensor, rows: int, beta: float) -> Tensor | None:
    return rows / (len(counts) * counts)


def _effective(counts: Tensor, rows: int, beta: float) -> Tensor | None:
    weights = (1 - beta) / (1 - torch.pow(torch.as_tensor(beta, dtype=counts.dtype), counts))
    return weights * len(counts) / weights.sum()


def _positive(counts: Tensor, rows: int, beta: float) -> Tensor | None:
    return (rows - counts).clamp(min=1) / counts


_KINDS: Mapping[str, Callable[[Tensor, int, float], Tensor | None]] = {
    "none": _none,
    "inverse": _inverse,
    "effective": _effective,
    "positive": _positive,
}
