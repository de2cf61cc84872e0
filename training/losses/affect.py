"""Losses of arousal and valence over a batch, by name; rows of weight 0 are as if not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from training.losses.group import Group

_TINY = 1e-8


def mse(predicted: Tensor, truth: Tensor, weights: Tensor, total: Tensor, group: Group) -> Tensor:
    """Return this batch's part of the weighted mean squared error of the whole group.

    Args:
        predicted, truth, weights: (B,).
        total: the group's summed weights.
        group: of batches that make one update.
    """
    return (weights * (predicted - truth).square()).sum() / total.clamp(min=_TINY)


def ccc(predicted: Tensor, truth: Tensor, weights: Tensor, total: Tensor, group: Group) -> Tensor:
    """Return 1 - the concordance correlation coefficient (Lin 1989), weighted by rows.

    The coefficient is one of the whole batch, over all processes that share it. It does not add up
    over batches: where several make an update, this is their mean by summed weights.
    """
    count = group.sum_over_processes(weights.sum())
    means = group.sum_over_processes(
        torch.stack([(weights * predicted).sum(), (weights * truth).sum()])
    ) / count.clamp(min=_TINY)
    x, y = predicted - means[0], truth - means[1]
    moments = group.sum_over_processes(
        torch.stack([(weights * x * y).sum(), (weights * (x * x + y * y)).sum()])
    ) / count.clamp(min=_TINY)
    concordance = 2 * moments[0] / (moments[1] + (means[0] - means[1]).square() + _TINY)
    share = count / total.clamp(min=_TINY) / group.processes
    return share * (1 - concordance)


AFFECT: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor, Group], Tensor]] = {
    "mse": mse,
    "ccc": ccc,
}
