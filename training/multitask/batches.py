"""Batches of several tasks: those of any system, with the targets of every task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from training.batch_objective import map_tensors
from training.data.batch import Batch
from training.data.batches import BatchConfig, BatchSource, ScoringBatches, SystemBatches
from training.data.split_config import Rows
from training.multitask.data import TaskData, take_tasks
from training.multitask.targets import TaskBatch


class TaskBatches:
    """An epoch of training: (epoch, generator) -> batches, always `steps` of them.

    Args:
        source: of the inputs of all rows.
        rows: to be trained on; None: those of the training part.

    Raises:
        ConfigError: there is no row.
    """

    def __init__(
        self,
        source: BatchSource,
        data: TaskData,
        rows: Sequence[int] | Rows | None = None,
        config: BatchConfig | None = None,
    ) -> None:
        chosen = data.parts.train if rows is None else rows
        self._data = data
        self._batches = SystemBatches(
            source, data.system.targets, chosen, config, corpora=data.system.corpora
        )
        self.steps = self._batches.steps

    def __call__(self, epoch: int, generator: np.random.Generator) -> Iterator[TaskBatch]:
        """Yield the batches of an epoch; all randomness comes from the generator."""
        return (_with_tasks(batch, self._data) for batch in self._batches(epoch, generator))


class ScoringTaskBatches:
    """Every row once, unaltered, shortest first; iterate as often as needed."""

    def __init__(
        self,
        source: BatchSource,
        data: TaskData,
        rows: Sequence[int] | Rows,
        config: BatchConfig | None = None,
    ) -> None:
        self._data = data
        self._batches = ScoringBatches(source, data.system.targets, rows, config)
        self.rows: Rows = np.asarray(rows, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[TaskBatch]:
        return (_with_tasks(batch, self._data) for batch in self._batches)


def split_tasks(batch: TaskBatch, rank: int, processes: int) -> tuple[TaskBatch, float]:
    """Return every `processes`-th row from `rank` on, and which fraction of the rows it is.

    A process without a row gets the first one with weight 0, so that it can take part.
    """
    rows = torch.arange(len(batch.rows))[rank::processes]
    if len(rows):
        return map_tensors(batch, lambda t: t[rows]), len(rows) / len(batch.rows)
    idle = map_tensors(batch, lambda t: t[:1])
    nothing = replace(idle.targets, weights=torch.zeros_like(idle.targets.weights))
    return replace(idle, targets=nothing), 0.0


def place_tasks(batch: TaskBatch, device: torch.device) -> TaskBatch:
    """Return the batch on a device."""
    return map_tensors(batch, lambda t: t.to(device))


def _with_tasks(batch: Batch, data: TaskData) -> TaskBatch:
    assert batch.inputs is not None
    return TaskBatch(batch.inputs, take_tasks(data.targets, batch.rows), batch.rows)
