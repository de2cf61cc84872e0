"""Weights and normalisation under a mask: what is not there takes no part."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def masked_softmax(scores: Tensor, allowed: Tensor) -> Tensor:
    """Return the softmax over the last axis of what is allowed; rows with nothing are zeros.

    Args:
        scores: (..., N). allowed: of a shape that broadcasts to it, true where it counts.
    """
    low = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(~allowed, low).softmax(dim=-1)
    return weights.masked_fill(~allowed, 0.0)


def zero_where_absent(values: Tensor, valid: Tensor) -> Tensor:
    """Return values (B, T, ...) with zeros where `valid` (B, T) is false, whatever lay there."""
    gaps = ~valid.reshape(*valid.shape, *(1,) * (values.ndim - valid.ndim))
    return values.masked_fill(gaps, 0.0)


class MaskedLayerNorm(nn.Module):
    """Layer normalisation of the D values of each of L layers, with weights of their own.

    Ba, Kiros & Hinton (2016), Layer normalization, arXiv 1607.06450. It takes nothing from other
    utterances, so padding and batch-mates have no part in it, in training either.
    """

    def __init__(self, layers: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(layers, dim))
        self.bias = nn.Parameter(torch.zeros(layers, dim))

    def forward(self, values: Tensor, valid: Tensor) -> Tensor:
        """Normalise (B, T, L, D); `valid` is not needed."""
        return F.layer_norm(values, values.shape[-1:]) * self.weight + self.bias


class MaskedBatchNorm(nn.Module):
    """Batch normalisation of L layers of D values over the utterances that are there.

    Ioffe & Szegedy (2015), Batch normalization, ICML. In training the mean and the (biased)
    variance of the batch's valid utterances, in evaluation running ones (unbiased, momentum 0.1).
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, layers: int, dim: int, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(layers, dim))
        self.bias = nn.Parameter(torch.zeros(layers, dim))
        self.register_buffer("running_mean", torch.zeros(layers, dim))
        self.register_buffer("running_var", torch.ones(layers, dim))

    def forward(self, values: Tensor, valid: Tensor) -> Tensor:
        """Normalise (B, T, L, D) by what lies where `valid` (B, T) is true."""
        mean, variance = self.running_mean, self.running_var
        if self.training and int(valid.sum()) > 1:  # one utterance has no variance
            mean, variance = self._of_batch(values, valid)
        scale = self.weight * (variance + self.epsilon).rsqrt()
        return (values - mean) * scale + self.bias

    def _of_batch(self, values: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        there = values[valid]  # (N, L, D)
        mean, variance = there.mean(dim=0), there.var(dim=0, unbiased=False)
        with torch.no_grad():
            unbiased = variance * (len(there) / (len(there) - 1))
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
        return mean, variance


class NoNorm(nn.Module):
    """Leaves the values as they are."""

    def __init__(self, layers: int, dim: int) -> None:
        super().__init__()

    def forward(self, values: Tensor, valid: Tensor) -> Tensor:
        """Return (B, T, L, D) unchanged."""
        return values


NORMS: dict[str, type[nn.Module]] = {
    "layer": MaskedLayerNorm,
    "batch": MaskedBatchNorm,
    "none": NoNorm,
}
