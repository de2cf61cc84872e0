"""The weights that are validated and kept: a running mean of those trained, or those themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def frozen_names(model: nn.Module) -> set[str]:
    """Return the names of parameters that training does not change."""
    named = model.named_parameters(remove_duplicate=False)
    return {name for name, parameter in named if not parameter.requires_grad}


def copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of tensors."""
    return {name: value.detach().clone() for name, value in state.items()}


def on_cpu(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of tensors in main memory, where there is more of it than on a GPU."""
    return {name: value.detach().to("cpu", copy=True) for name, value in state.items()}


class AveragedWeights:
    """An exponential mean of everything that training changes in a model.

    Args:
        model: being trained.
        decay: of the mean; 0 keeps none, and `values` are the model's own.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model = model
        self._decay = decay
        self._frozen = frozen_names(model)
        self.mean: dict[str, Tensor] = {}
        if decay:
            self.mean = copied(self.current())

    def current(self) -> dict[str, Tensor]:
        """Return the model's own weights, without those that are frozen; not copied."""
        state = self._model.state_dict()
        return {name: value for name, value in state.items() if name not in self._frozen}

    def values(self) -> dict[str, Tensor]:
        """Return copies, in main memory, of the weights to be validated and kept."""
        return on_cpu(self.mean if self._decay else self.current())

    def restore(self, mean: Mapping[str, Tensor]) -> None:
        """Take over the mean of a run that goes on."""
        if self._decay:
            device = {name: value.device for name, value in self.current().items()}
            self.mean = {name: mean[name].to(device[name]) for name in device}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the mean towards the current weights; the decay grows with the steps done."""
        if not self._decay:
            return
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, value in self.current().items():
            if value.is_floating_point():
                self.mean[name].lerp_(value, 1 - decay)
            else:
                self.mean[name].copy_(value)

    @contextmanager
    def swapped_in(self) -> Iterator[nn.Module]:
        """Yield the model with the weights to be validated, then put its own back."""
        if not self._decay:
            yield self._model
            return
        own = copied(self.current())
        self._model.load_state_dict(self.mean, strict=False)
        try:
            yield self._model
        finally:
            self._model.load_state_dict(own, strict=False)
