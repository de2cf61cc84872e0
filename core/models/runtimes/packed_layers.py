"""Layers whose weights are packed for oneDNN; evaluation only, they hold no parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS = 64
"""Rows of input the packing expects; others are as right and about as fast."""

_mkldnn = torch.ops.mkldnn


class PackedLinear(nn.Module):
    """`linear`, and the exact GELU after it if asked for."""

    def __init__(self, linear: nn.Linear, dtype: torch.dtype, *, gelu: bool = False) -> None:
        super().__init__()
        self._compute = PackedProduct(linear.weight, linear.bias, dtype, gelu=gelu)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., N) of x (..., K)."""
        return self._compute(x)


class PackedProduct:
    """x (..., K) -> x W' + b, or the exact GELU of that; W is (N, K)."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype, *, gelu: bool
    ) -> None:
        given = weight.detach().to(dtype).contiguous()
        self._weight = _mkldnn._reorder_linear_weight(given, ROWS)
        self._bias = None if bias is None else bias.detach().to(dtype).clone()
        self._after: tuple[str, list[float], str] = (
            ("gelu", [], "none") if gelu else ("none", [], "")
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Return (..., N) of x (..., K)."""
        found: Tensor = _mkldnn._linear_pointwise(x, self._weight, self._bias, *self._after)
        return found


class PackedConv1d(nn.Module):
    """A convolution over x (B, C, T), computed in fp32 whatever x is.

    oneDNN has no kernel for a grouped one in bf16 over fewer than some 90 frames, and takes 100
    times as long without.
    """

    def __init__(self, conv: nn.Conv1d) -> None:
        super().__init__()
        self._padding, self._stride = [0, int(conv.padding[0])], [1, conv.stride[0]]
        self._dilation, self._groups = [1, conv.dilation[0]], conv.groups
        weight = conv.weight.detach().float().unsqueeze(2).contiguous()
        self._weight = _mkldnn._reorder_convolution_weight(
            weight, self._padding, self._stride, self._dilation, self._groups
        )
        self._bias = None if conv.bias is None else conv.bias.detach().float().clone()

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C', T')."""
        found: Tensor = _mkldnn._convolution_pointwise(
            x.float().unsqueeze(2), self._weight, self._bias, self._padding, self._stride,
            self._dilation, self._groups, "none", [], "",
        )  # fmt: skip
        return found.squeeze(2).to(x.dtype)


def is_exact_gelu(activation: Any) -> bool:
    """Return whether an activation is GELU by the error function, no approximation of it."""
    if isinstance(activation, nn.GELU):
        return activation.approximate == "none"
    return getattr(activation, "act", activation) is F.gelu
