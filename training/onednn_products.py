"""Linear layers through oneDNN while training, on a CPU in fp32.

`nn.Linear` multiplies through MKL, which takes its AVX2 path on AMD processors and so reaches less
than half of their peak (see `core.models.runtimes.packed`). oneDNN does better on the very same
weights, unpacked: in the forward pass and in both products of the backward pass. Results are equal
to rounding, and nothing is held besides what autograd holds anyway: no input is kept for a weight
that is frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

LEAST_WORK = 3_000_000
"""Multiplications from which on the forward product is worth the detour, which takes some 70 us of
Python; measured on one core of an AMD EPYC, where it is even from 2.5 million on."""


def onednn_products() -> AbstractContextManager[object]:
    """Return a context in which linear layers go through oneDNN, their later gradients included.

    Other devices and precisions are computed as ever; so is everything where PyTorch was built
    without oneDNN. Only the forward pass needs to run within.
    """
    return _Products() if torch.backends.mkldnn.is_available() else nullcontext()  # type: ignore[no-untyped-call]


class _Products(TorchFunctionMode):
    """Takes the place of `F.linear` where it can."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is F.linear and _is_fit(*args, **(kwargs or {})):
            return linear(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _is_fit(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> bool:
    if torch.is_autocast_enabled("cpu") or input.device.type != "cpu":
        return False
    single = all(each.dtype == torch.float32 for each in (input, weight))
    shaped = weight.ndim == 2 <= input.ndim
    return single and shaped and input.numel() * len(weight) >= LEAST_WORK


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input (..., K) weight' + bias, shape (..., N), of weight (N, K); fp32, on the CPU."""
    rows = input.flatten(0, -2)  # outside of the function: a view within could not be written to
    found: Tensor = _Linear.apply(rows, weight, bias)  # type: ignore[no-untyped-call]
    return found.view(*input.shape[:-1], len(weight))


def _product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return left (M, K) right' + bias, shape (M, N), of right (N, K)."""
    found: Tensor = torch.ops.mkldnn._linear_pointwise(left, right, bias, "none", [], "")
    return found


class _Linear(torch.autograd.Function):
    """The three products of a linear layer of rows (M, K)."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        of_input, of_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(input if of_weight else None, weight if of_input else None)
        return _product(input.contiguous(), weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        input, weight = ctx.saved_tensors
        of_bias = ctx.needs_input_grad[2]
        gradient = gradients[0].contiguous()
        return (
            None if weight is None else _product(gradient, weight.T),
            None if input is None else _product(gradient.T, input.T),
            gradient.sum(dim=0) if of_bias else None,
        )
