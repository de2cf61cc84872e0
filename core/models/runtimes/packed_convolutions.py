"""The convolutions over a waveform as matrix products, features last all the way.

With features last, the k frames under a kernel lie side by side in memory, so a convolution is one
product over an overlapping view: nothing is copied, and nothing is transposed between layers.

The first layer of models with a group norm (wav2vec2-base, HuBERT-base) is normalised by the mean
and the variance of each channel over the clip. The layer before the norm is linear, so both follow
from the mean m and the covariance S (k, k) of the k samples under the kernel w: w'm and w'Sw. They
are put into the kernel, in double precision, and norm and GELU cost no pass over the output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.runtimes.base import UnfitError
from core.models.runtimes.packed_layers import PackedProduct, is_exact_gelu

Layer = Callable[[Tensor], Tensor]


class PackedConvolutions:
    """Waveform (B, N) -> features (B, T, C) of an evaluating Hugging Face feature extractor.

    Raises:
        UnfitError: it has a layer of another kind.
    """

    def __init__(self, extractor: Any, dtype: torch.dtype) -> None:
        self._layers = [_packed(layer, dtype) for layer in extractor.conv_layers]

    def __call__(self, waveform: Tensor) -> Tensor:
        """Compute the features."""
        hidden = waveform.unsqueeze(-1)
        for layer in self._layers:
            hidden = layer(hidden)
        return hidden


def _packed(layer: Any, dtype: torch.dtype) -> Layer:
    norm = getattr(layer, "layer_norm", None)
    conv = layer.conv
    if conv.padding[0] or conv.dilation[0] != 1 or conv.groups != 1:
        raise UnfitError("it has a convolution of an unknown kind")
    if isinstance(norm, nn.GroupNorm):
        return GroupNormed(conv, norm, layer.activation, dtype)
    return Convolved(conv, norm, layer.activation, dtype)


class Convolved:
    """Convolution, layer norm if there is one, activation: (B, T, C) -> (B, T', C')."""

    def __init__(self, conv: Any, norm: Any, activation: Any, dtype: torch.dtype) -> None:
        self._kernel, self._stride = conv.kernel_size[0], conv.stride[0]
        self._norm = _in(norm, dtype)
        fused = norm is None and is_exact_gelu(activation)
        self._activation = nn.Identity() if fused else activation
        weight = conv.weight.permute(0, 2, 1).flatten(1)
        self._product = PackedProduct(weight, conv.bias, dtype, gelu=fused)

    def __call__(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        hidden = self._product(_under_kernels(x, self._kernel, self._stride))
        if self._norm is not None:
            hidden = self._norm(hidden)
        found: Tensor = self._activation(hidden)
        return found


class GroupNormed:
    """Convolution of a waveform (B, N, 1), norm of each channel over time, activation."""

    def __init__(self, conv: Any, norm: nn.GroupNorm, activation: Any, dtype: torch.dtype) -> None:
        if conv.in_channels != 1 or norm.num_groups != norm.num_channels:
            raise UnfitError("it has a group norm of an unknown kind")
        self._kernel, self._stride = conv.kernel_size[0], conv.stride[0]
        self._weight = conv.weight.detach().flatten(1).double()
        self._norm, self._activation, self._dtype = norm, activation, dtype

    def __call__(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        rows = [self._row(row) for row in _under_kernels(x, self._kernel, self._stride)]
        return torch.stack(rows) if len(rows) > 1 else rows[0].unsqueeze(0)

    def _row(self, frames: Tensor) -> Tensor:
        """Return (T, C) of the samples under each kernel (T, k)."""
        exact = frames.double()
        mean = exact.mean(dim=0)
        centred = exact - mean
        covariance = centred.T @ centred / len(centred)
        variance = torch.einsum("ck,kl,cl->c", self._weight, covariance, self._weight)
        scale = self._norm.weight.double() * torch.rsqrt(variance.clamp(min=0) + self._norm.eps)
        weight = self._weight * scale[:, None]
        bias = self._norm.bias.double() - weight @ mean
        found: Tensor = self._activation(
            F.linear(frames, weight.to(self._dtype), bias.to(self._dtype))
        )
        return found


def _under_kernels(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Return (B, T', k C), a view where memory allows: x (B, T, C) under each place of a kernel."""
    return x.unfold(1, kernel, stride).transpose(2, 3).flatten(2)


def _in(norm: Any, dtype: torch.dtype) -> Any:
    if norm is None or dtype == torch.float32:
        return norm
    other = nn.LayerNorm(norm.normalized_shape, norm.eps, dtype=dtype)
    other.load_state_dict(norm.state_dict())
    return other.requires_grad_(False)
