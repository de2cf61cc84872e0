"""How many processes train together, and what they say to one another.

The same command runs in one process (`emoscope train ...`) or in several, on one machine or many:

    accelerate launch --num_processes 2 -m training CONFIG ...     # two GPUs
    torchrun --nproc_per_node 2 -m training CONFIG ...             # the same; without a GPU, CPUs

(`accelerate launch --cpu --num_processes 2` starts a single process unless there is an MPI.) Every
process draws the same batches and takes its share; only the first one writes and reports.
"""

from __future__ import annotations

import atexit
import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ConfigError

_PATIENCE = timedelta(hours=12)
"""How long a process waits for another, which may be validating or extracting features; one that
has died ends the others through the launcher."""


class _Sum(torch.autograd.Function):
    """Sum over all processes; the gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.detach().clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        found: Tensor = _Sum.apply(gradients[0])  # type: ignore[no-untyped-call]
        return found


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train together.

    rank: from 0; count: of all; device: where this one computes.
    """

    rank: int
    count: int
    device: torch.device
    accelerator: Any = None

    @property
    def is_main(self) -> bool:
        """Whether this one writes, reports and validates."""
        return self.rank == 0

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.count > 1:
            self.accelerator.wait_for_everyone()

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return a module whose gradients are averaged over the processes."""
        if self.count == 1:
            return module
        gpu = self.device.type == "cuda"
        return nn.parallel.DistributedDataParallel(
            module,
            device_ids=[self.device.index] if gpu else None,
            # A head may leave parameters unused, for instance the probe of an absent modality.
            find_unused_parameters=True,
        )

    def sum(self, value: Tensor) -> Tensor:
        """Return the sum over all processes, differentiable."""
        if self.count == 1:
            return value
        total: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
        return total

    def gather(self, value: Tensor) -> list[Tensor]:
        """Return the tensor of every process; all have the same shape."""
        if self.count == 1:
            return [value]
        there = value.to(self.device).contiguous()
        found = [torch.empty_like(there) for _ in range(self.count)]
        torch.distributed.all_gather(found, there)
        return [each.to(value.device) for each in found]

    def from_main(self, values: Mapping[str, float] | None) -> dict[str, float]:
        """Return the main process's named numbers in every process; None in the others."""
        if self.count == 1:
            return dict(values or {})
        content = json.dumps(dict(values or {})).encode()
        length = torch.tensor([len(content)], device=self.device)
        torch.distributed.broadcast(length, src=0)
        data = torch.zeros(int(length), dtype=torch.uint8)
        if self.is_main:
            data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        data = data.to(self.device)
        torch.distributed.broadcast(data, src=0)
        return dict(json.loads(bytes(data.tolist())))


def current() -> Processes:
    """Return this process, having met the others that were launched with it."""
    accelerator = _accelerator()
    return Processes(
        accelerator.process_index, accelerator.num_processes, accelerator.device, accelerator
    )


def alone(device: torch.device) -> Processes:
    """Return a process that trains on its own, whatever others do."""
    return Processes(0, 1, device)


def training_processes(*, shared: bool, movable: bool, device: str = "auto") -> Processes:
    """Return the processes of a training.

    Args:
        shared: whether its batches can be shared.
        movable: whether they can go to a GPU.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        ConfigError: several processes were launched for what only one can do, or as asked.
    """
    found = current()
    on_cpu = device == "cpu" or not movable
    if not shared and not found.is_main:
        raise ConfigError(
            "This training can't be shared between processes.", "Start it without a launcher."
        )
    if not shared or found.count == 1:
        return alone(torch.device("cpu") if on_cpu else found.device)
    if on_cpu and found.device.type != "cpu":
        raise ConfigError(
            "Several processes were launched for GPUs, but this training is one for the CPU.",
            "Use accelerate launch --cpu, or device: auto.",
        )
    return found


@contextmanager
def main_first() -> Iterator[Processes]:
    """Let the main process do the block before the others, which then find what it has left."""
    processes = current()
    if not processes.is_main:
        processes.wait()
    try:
        yield processes
    finally:
        if processes.is_main:
            processes.wait()


@cache
def _accelerator() -> Any:
    try:
        from accelerate import Accelerator
        from accelerate.utils import InitProcessGroupKwargs
    except ImportError as error:
        raise ConfigError(
            "Training needs the package accelerate.", "pip install 'emoscope[training]' brings it."
        ) from error
    accelerator = Accelerator(
        # Precision is the trainer's: an Accelerator's can't change from one stage to the next.
        mixed_precision="no",
        cpu=not torch.cuda.is_available(),
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
    )
    if accelerator.num_processes > 1:
        atexit.register(_leave)
    return accelerator


def _leave() -> None:
    """Say goodbye to the others, having dropped every module that averages gradients with them."""
    gc.collect()
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
