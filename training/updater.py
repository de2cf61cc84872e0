"""One step of training: forward and backward of its batches in every process, then the optimiser.

The gradient of a step over N batches and P processes is that of one batch of all their rows, where
the objective knows its normalisers (see `training.losses.Group`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.errors import EmoscopeError
from training.distributed import Processes
from training.losses.group import Group
from training.objective import Objective
from training.optimisation import SCHEDULES, Precision, parameter_groups
from training.trainer_config import TrainerConfig


class TrainingError(EmoscopeError):
    """Training can't go on: a loss or a gradient is no number any more."""


class LossModule(nn.Module):
    """The forward pass up to the losses, so that what averages gradients sees all of it."""

    def __init__(self, objective: Objective, precision: Precision) -> None:
        super().__init__()
        self.model = objective.model
        self._loss = objective.loss
        self._precision = precision

    def forward(self, batch: Any, group: Group | None) -> dict[str, Tensor]:
        """Return named losses; only `loss` has a gradient."""
        with self._precision.autocast():
            losses = (
                self._loss(self.model, batch)
                if group is None
                else self._loss(self.model, batch, group)
            )
        return {k: v if k == "loss" else v.detach() for k, v in losses.items()}


class Updater:
    """Owns the optimiser.

    Args:
        config: how to optimise.
        objective: whose model is moved to the device of this process.
        processes: that share the batches.
    """

    def __init__(self, config: TrainerConfig, objective: Objective, processes: Processes) -> None:
        self._config = config
        self._objective = objective
        self._processes = processes
        if objective.place is not None:
            objective.model.to(processes.device)
        groups = parameter_groups(objective.model, config.weight_decay, config.rates)
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
        device = next(objective.model.parameters()).device
        self.precision = Precision(config.precision, device)
        self._module = processes.wrap(LossModule(objective, self.precision))
        self._parts = _parts(objective)

    def rates(self, step: int, total: int) -> dict[str, float]:
        """Return the learning rate of each factor at a step, and set them."""
        schedule = SCHEDULES[self._config.schedule](step, total, self._config.warmup)
        found = {}
        for group in self.optimizer.param_groups:
            group["lr"] = self._config.learning_rate * schedule * group["factor"]
            found[f"x{group['factor']:g}"] = group["lr"]
        return found

    def update(self, batches: Sequence[Any], step: int) -> tuple[dict[str, float], float]:
        """Make one step with all of `batches`; return its losses and the gradient's norm.

        Raises:
            TrainingError: the loss or the gradient is not finite; the weights are as before.
        """
        self.optimizer.zero_grad(set_to_none=True)
        shares = [self._share(batch) for batch in batches]
        group = self._group([batch for batch, _ in shares])
        sums: dict[str, Tensor] = {}
        for number, (batch, fraction) in enumerate(shares):
            # What is exact in a group adds up; other means are weighted by their share of rows.
            factor = 1.0 if group is not None else fraction / len(shares)
            with self._synchronised(number == len(shares) - 1):
                losses = self._module(batch, group)
                self.precision.backward(losses["loss"] * (factor * self._processes.count))
            for name, value in losses.items():
                part = value.detach().double() * factor
                sums[name] = sums[name] + part if name in sums else part
        values = self._numbers(sums)
        if not math.isfinite(values["loss"]):
            raise self._not_finite(step, values, "The loss")
        norm = self.precision.step(self.optimizer, self._parts, self._config.gradient_clip)
        if not (math.isfinite(norm) or self.precision.scaler.is_enabled()):
            raise self._not_finite(step, values, "The gradient")
        return values, norm

    def _share(self, batch: Any) -> tuple[Any, float]:
        fraction = 1.0
        if self._processes.count > 1:
            assert self._objective.split is not None
            batch, fraction = self._objective.split(
                batch, self._processes.rank, self._processes.count
            )
        if self._objective.place is not None:
            batch = self._objective.place(batch, self._processes.device)
        return batch, fraction

    @torch.no_grad()
    def _group(self, shares: Sequence[Any]) -> Group | None:
        """Return the normalisers of everything that makes this step, in all processes."""
        if self._objective.normalisers is None:
            return None
        totals: dict[str, Tensor] = {}
        for batch in shares:
            for name, value in self._objective.normalisers(batch).items():
                totals[name] = totals[name] + value if name in totals else value
        names = list(totals)
        summed = self._processes.sum(torch.stack([totals[name].float() for name in names]))
        return Group(
            dict(zip(names, summed, strict=True)), self._processes.count, self._processes.sum
        )

    def _synchronised(self, last: bool) -> AbstractContextManager[None]:
        """Processes meet once a step, in the backward pass of its last batch."""
        if isinstance(self._module, DistributedDataParallel) and not last:
            return self._module.no_sync()
        return nullcontext()

    @torch.no_grad()
    def _numbers(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        summed = self._processes.sum(torch.stack(list(sums.values())))
        return dict(zip(sums, summed.tolist(), strict=True))

    def _not_finite(self, step: int, values: Mapping[str, float], what: str) -> TrainingError:
        said = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        other = "" if self._config.precision == "fp32" else " or set precision: fp32"
        return TrainingError(
            f"{what} of step {step + 1} is not finite ({said}).",
            f"Lower learning_rate (now {self._config.learning_rate:g}){other}.",
        )


def _parts(objective: Objective) -> list[list[nn.Parameter]]:
    """Return the parameters whose gradients are clipped together, and those apart from them."""
    named = list(objective.model.named_parameters())
    together = [p for name, p in named if not name.startswith(objective.apart)]
    apart = [p for name, p in named if name.startswith(objective.apart)]
    return [part for part in (together, apart) if part]
