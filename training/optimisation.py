"""Learning rates over time and per parameter, and the precision of what is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ConfigError


def one_cycle(step: int, total: int, warmup: float) -> float:
    """Return the learning rate factor: 0.04 -> 1 over the warm-up, then a cosine down to 1e-3."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / rising))
    done = min(1.0, (step - rising) / max(1, total - rising))
    return 1e-3 + (1 - 1e-3) * 0.5 * (1 + math.cos(math.pi * done))


def constant(step: int, total: int, warmup: float) -> float:
    """Return 1 after a straight rise over the warm-up."""
    return _rise(step, total, warmup)[0]


def linear(step: int, total: int, warmup: float) -> float:
    """Return a straight line to 0 after the warm-up."""
    factor, done = _rise(step, total, warmup)
    return factor * (1 - done)


def cosine(step: int, total: int, warmup: float) -> float:
    """Return half a cosine to 0 after the warm-up (Loshchilov & Hutter 2017, one period)."""
    factor, done = _rise(step, total, warmup)
    return factor * 0.5 * (1 + math.cos(math.pi * done))


def _rise(step: int, total: int, warmup: float) -> tuple[float, float]:
    """Return the factor of the warm-up, and which share of what follows it is done."""
    rising = round(total * warmup)
    if step < rising:
        return (step + 1) / (rising + 1), 0.0
    return 1.0, min(1.0, (step - rising) / max(1, total - rising))


SCHEDULES: Mapping[str, Callable[[int, int, float], float]] = {
    # name -> (step, all steps, share of the warm-up) -> factor of the learning rate
    "one_cycle": one_cycle,
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
}


def parameter_groups(
    model: nn.Module, weight_decay: float, rates: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """Return AdamW groups: decay for weight matrices, none for vectors and embeddings.

    Parameters without a gradient are in none. `factor` of a group multiplies the learning rate.

    Args:
        model: to be trained.
        weight_decay: of weight matrices.
        rates: start of parameters' names -> factor; the longest start counts, others have 1.

    Raises:
        ConfigError: no trained parameter's name starts so, or nothing can be trained.
    """
    rates = rates or {}
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not named:
        raise ConfigError("Every parameter is frozen: there is nothing to train.", "Unfreeze some.")
    _check_prefixes(rates, named)
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    groups: dict[float, list[dict[str, Any]]] = {}
    for factor in [1.0, *sorted(set(rates.values()) - {1.0})]:
        groups[factor] = [
            {"params": [], "weight_decay": weight_decay, "factor": factor},
            {"params": [], "weight_decay": 0.0, "factor": factor},
        ]
    for name, parameter in named.items():
        starts = [prefix for prefix in rates if name.startswith(prefix)]
        factor = rates[max(starts, key=len)] if starts else 1.0
        plain = parameter.ndim <= 1 or id(parameter) in embeddings
        groups[factor][plain]["params"].append(parameter)
    return [group for pair in groups.values() for group in pair]


def _check_prefixes(rates: Mapping[str, float], named: Mapping[str, Tensor]) -> None:
    for prefix in rates:
        if not any(name.startswith(prefix) for name in named):
            parts = ", ".join(dict.fromkeys(name.split(".")[0] for name in named))
            raise ConfigError(
                f"rates: no trained parameter's name starts with '{prefix}'.",
                f"Names start with: {parts}.",
            )


class Precision:
    """What matrix products are computed in, with loss scaling for fp16."""

    def __init__(self, name: str, device: torch.device) -> None:
        self._device = device.type
        self._dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(name)
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context of a forward pass."""
        return torch.autocast(
            self._device, dtype=self._dtype or torch.bfloat16, enabled=self._dtype is not None
        )

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradient, scaled where fp16 needs it."""
        torch.autograd.backward(self.scaler.scale(loss))

    def step(
        self, optimizer: torch.optim.Optimizer, parts: Sequence[Sequence[Tensor]], clip: float
    ) -> float:
        """Clip and apply the gradient; return its norm before clipping.

        A gradient that is not finite is not applied. With fp16 it has only overflown: the scale is
        lowered for the next step.

        Args:
            optimizer: of all parameters.
            parts: parameters that are clipped together, and others that are on their own.
            clip: largest norm of each part's gradient; 0: none.
        """
        self.scaler.unscale_(optimizer)
        norms = []
        for parameters in parts:
            norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
            if clip > 0:
                nn.utils.clip_grads_with_norm_(parameters, clip, norm)
            norms.append(norm)
        norm = norms[0] if len(norms) == 1 else torch.stack(norms).norm()
        if self.scaler.is_enabled() or bool(norm.isfinite()):
            self.scaler.step(optimizer)
            self.scaler.update()
        return float(norm)

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs, as plain JSON values."""
        return dict(self.scaler.state_dict())

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` returned."""
        if self.scaler.is_enabled() and state:
            self.scaler.load_state_dict(dict(state))
