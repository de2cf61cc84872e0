"""A bottleneck adapter: two layers with a ReLU between them, added to what goes in.

Houlsby et al. (2019), Parameter-efficient transfer learning for NLP, ICML, section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class BottleneckAdapter(nn.Module):
    """`x + up(relu(down(x)))` over the last dimension; a new one changes nothing.

    Args:
        dim: size of the last dimension of what goes in and comes out.
        width: size between the two layers; at least 1.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"the width of a bottleneck must be at least 1, not {width}")
        self.down = nn.Linear(dim, width)
        self.up = nn.Linear(width, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) to (..., D)."""
        adapted: Tensor = x + self.up(self.down(x).relu())
        return adapted


_CHILD = "adapter"


def insert(module: nn.Module, adapter: BottleneckAdapter) -> RemovableHandle | None:
    """Let an adapter follow a module, as its child; names of the module's own weights stay.

    Returns:
        what removes the hook by which it takes part; None: it is the last of a sequence.
    """
    module.add_module(_CHILD, adapter)
    return None if isinstance(module, nn.Sequential) else module.register_forward_hook(_adapted)


def remove(module: nn.Module) -> None:
    """Take the adapter from a module; the caller removes the hook."""
    delattr(module, _CHILD)


def adapter_of(module: nn.Module) -> BottleneckAdapter:
    """Return the adapter that follows a module."""
    found = module.get_submodule(_CHILD)
    assert isinstance(found, BottleneckAdapter)
    return found


def beginning(module: str) -> str:
    """Return how the names of the weights of the adapter that follows a module begin."""
    return f"{module}.{_CHILD}."


def shapes(dim: int, width: int) -> dict[str, tuple[int, ...]]:
    """Return the weights of an adapter, by name in the module that it follows."""
    sizes = {
        "down.weight": (width, dim), "down.bias": (width,),
        "up.weight": (dim, width), "up.bias": (dim,),
    }  # fmt: skip
    return {f"{_CHILD}.{name}": size for name, size in sizes.items()}


def parameter_names(modules: Sequence[str]) -> Iterator[str]:
    """Yield the names of the weights of the adapters that follow modules."""
    return (f"{module}.{name}" for module in modules for name in shapes(1, 1))


def _adapted(module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
    # a function of its own, so that copies of the module are adapted by their own adapter
    adapted: Tensor = module.get_submodule(_CHILD)(output)
    return adapted
