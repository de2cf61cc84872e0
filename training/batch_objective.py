"""The objective of a speech-text system: batches of inputs or of cached features, and one loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from core.models.base import EmotionModel
from core.models.outputs import EmotionOutput
from training.data.batch import Batch
from training.losses import EmotionLoss, Group
from training.objective import Objective

T = TypeVar("T")
_PROBES = ("probes.",)
"""Of `SpeechTextModel`: they learn from detached features."""


def batch_objective(
    model: EmotionModel,
    criterion: EmotionLoss,
    batches: Callable[[int, np.random.Generator], Iterable[Batch]],
    steps_per_epoch: int,
    validate: Callable[[nn.Module], Mapping[str, float]],
) -> Objective:
    """Return an objective that runs on any device and shares its batches between processes.

    Frozen weights are taken to be those of encoders, which a resumed training loads again.
    """

    def loss(model: nn.Module, batch: Batch, group: Group) -> Mapping[str, Tensor]:
        assert isinstance(model, EmotionModel)
        return criterion(run_batch(model, batch), batch.targets, group)

    return Objective(
        model, batches, steps_per_epoch, loss, validate,
        normalisers=lambda batch: criterion.normalisers(batch.targets),
        split=split_batch,
        place=place_batch,
        apart=_PROBES,
        reloads_frozen=True,
    )  # fmt: skip


def run_batch(model: EmotionModel, batch: Batch) -> EmotionOutput:
    """Run the model on inputs, or on features that were cached."""
    features = batch.features
    if features is None:
        assert batch.inputs is not None
        features = model.encode(batch.inputs)
    output: EmotionOutput = model(features)
    return output


def split_batch(batch: Batch, rank: int, processes: int) -> tuple[Batch, float]:
    """Return every `processes`-th row from `rank` on, and which fraction of the rows it is.

    A process without a row gets the first one with weight 0, so that it can take part.
    """
    rows = torch.arange(len(batch.rows))[rank::processes]
    if len(rows):
        return map_tensors(batch, lambda t: t[rows]), len(rows) / len(batch.rows)
    idle = map_tensors(batch, lambda t: t[:1])
    weights = torch.zeros_like(idle.targets.weights)
    return dataclasses.replace(
        idle, targets=dataclasses.replace(idle.targets, weights=weights)
    ), 0.0


def place_batch(batch: Batch, device: torch.device) -> Batch:
    """Return the batch on a device."""
    return map_tensors(batch, lambda t: t.to(device))


def map_tensors(value: T, change: Callable[[Tensor], Tensor]) -> T:
    """Return a dataclass with every tensor in it, or in dataclasses in it, changed."""
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        inner = getattr(value, field.name)
        if isinstance(inner, Tensor):
            changed[field.name] = change(inner)
        elif dataclasses.is_dataclass(inner):
            changed[field.name] = map_tensors(inner, change)
    return dataclasses.replace(value, **changed)  # type: ignore[type-var]
