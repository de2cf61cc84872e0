"""How large a model is."""

from __future__ import annotations

from torch import nn


def number_of_parameters(module: nn.Module, *, trainable: bool = False) -> int:
    """Return how many parameters a module has; with `trainable` only those that are trained."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable)


def weight_bytes(module: nn.Module) -> int:
    """Return the bytes of a module's parameters and buffers."""
    tensors = [*module.parameters(), *module.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
