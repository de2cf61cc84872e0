"""What the trainer trains, on what, and how it is judged; and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Objective:
    """What is trained, on what, and how it is judged.

    Attributes:
        model: its parameters that require a gradient are trained.
        batches: (epoch, generator) -> that epoch's batches; draw all randomness from the generator.
            Every process draws the same.
        steps_per_epoch: batches per epoch.
        loss: (model, batch) -> named losses; `loss` is minimised, the others are shown. With
            `normalisers` it takes a third argument, the `training.losses.Group` the batch is part
            of, and returns the batch's part of the group's losses. The names are the same in every
            process.
        validate: model in evaluation mode (averaged weights) -> named metrics. Several processes
            leave it to the first.
        normalisers: batch -> what each part of its loss is divided by, from its targets alone.
            Accumulated and shared batches are exact with it; without, batches count equally.
        split: (batch, rank, processes) -> this process's share, and the fraction of the batch's
            loss that it stands for. Without it, only one process can train.
        place: (batch, device) -> the batch there. Without it, training stays on the CPU.
        apart: starts of names of parameters that learn beside the others without touching them, as
            probes do; their gradient is clipped by its own norm.
        reloads_frozen: frozen weights, as those of pretrained encoders, are loaded anew by whoever
            resumes; the run keeps only a checksum of them.
    """

    model: nn.Module
    batches: Callable[[int, np.random.Generator], Iterable[Any]]
    steps_per_epoch: int
    loss: Callable[..., Mapping[str, Tensor]]
    validate: Callable[[nn.Module], Mapping[str, float]]
    normalisers: Callable[[Any], Mapping[str, Tensor]] | None = None
    split: Callable[[Any, int, int], tuple[Any, float]] | None = None
    place: Callable[[Any, torch.device], Any] | None = None
    apart: tuple[str, ...] = ()
    reloads_frozen: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: best value and epoch (from 1) of the metric, and one row per epoch."""

    best: float
    best_epoch: int
    history: tuple[Mapping[str, float], ...] = field(default=())
