"""What this machine can compute at most: one large product of matrices in each precision.

By oneDNN, with packed weights where torch's own way (MKL) is slower. Encoders are given as a share
of this: it says how much there is still to be had.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

SIZE, QUICK_SIZE = 2048, 512
"""Rows and columns of square matrices."""
_ROUNDS = 5


def peaks(size: int = SIZE, device: str = "cpu") -> dict[str, float]:
    """Return floating-point (or integer) operations a second by precision.

    A precision that this processor or build lacks is left out. The best of several rounds of the
    best way, with as many threads as torch has.
    """
    ways = _ON_CPU if device == "cpu" else _ON_GPU
    found: dict[str, float] = {}
    for precision, makers in ways.items():
        rates = [rate for make in makers if (rate := _rate(make, size, device)) is not None]
        if rates:
            found[precision] = max(rates)
    return found


def _rate(make: Callable[[int, str], Callable[[], Any]], size: int, device: str) -> float | None:
    import torch

    try:
        with torch.no_grad():
            multiply = make(size, device)
            seconds = min(_timed(multiply, device) for _ in range(_ROUNDS + 1))
    except (RuntimeError, NotImplementedError, AttributeError):
        return None
    return 2 * size**3 / seconds


def _timed(multiply: Callable[[], Any], device: str) -> float:
    import torch

    began = time.perf_counter()
    multiply()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _by_torch(dtype: str) -> Callable[[int, str], Callable[[], Any]]:
    def make(size: int, device: str) -> Callable[[], Any]:
        import torch

        left, right = (_random(size, device).to(getattr(torch, dtype)) for _ in range(2))
        return lambda: left @ right

    return make


def _packed(dtype: str) -> Callable[[int, str], Callable[[], Any]]:
    def make(size: int, device: str) -> Callable[[], Any]:
        import torch

        left, right = (_random(size, device).to(getattr(torch, dtype)) for _ in range(2))
        ops = torch.ops.mkldnn
        packed = ops._reorder_linear_weight(right, size)
        return lambda: ops._linear_pointwise(left, packed, None, "none", [], "")

    return make


def _by_integers(size: int, device: str) -> Callable[[], Any]:
    import torch

    left, right = (
        torch.randint(-127, 127, (size, size), dtype=torch.int8, device=device) for _ in range(2)
    )
    return lambda: torch._int_mm(left, right)


def _random(size: int, device: str) -> Tensor:
    import torch

    return torch.randn(size, size, device=device)


_ON_CPU: Mapping[str, tuple[Callable[[int, str], Callable[[], Any]], ...]] = {
    "fp32": (_by_torch("float32"), _packed("float32")),
    "bf16": (_by_torch("bfloat16"), _packed("bfloat16")),
    "int8": (_by_integers,),
}
_ON_GPU: Mapping[str, tuple[Callable[[int, str], Callable[[], Any]], ...]] = {
    "fp32": (_by_torch("float32"),),
    "fp16": (_by_torch("float16"),),
    "bf16": (_by_torch("bfloat16"),),
}


def operations(model: nn.Module, *inputs: Tensor) -> int:
    """Return how many operations one call of a model takes: products of matrices, convolutions.

    Counted by torch as it computes; what is done element by element is left out.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(*inputs)
    return int(counter.get_total_flops())
