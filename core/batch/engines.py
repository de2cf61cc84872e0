"""What can analyse the recordings of a batch, and how it is chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from core.batch.models import find_whisper
from core.batch.values import Options, Task, WorkerEvent
from core.cores import cores
from core.errors import ConfigError

AUTO = "auto"
GIGABYTE = 1 << 30
WORKER_BYTES = GIGABYTE
"""What a worker takes with the embedded model, beside the weights of Whisper ..."""
WEIGHTS_FACTOR = 3
"""... and for each byte of a larger checkpoint: its weights in fp32, and a copy while loading."""
WORTHWHILE_SECONDS = 600.0
"""Of audio for each worker; with less of it a process is not ready before the work is done."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Who works on a batch: `engine` of `ENGINES`, how many (None: as many as suit), and where."""

    engine: str = "processes"
    count: int | None = None
    address: str = ""


class Engine(Protocol):
    """Analyses recordings."""

    def run(
        self, tasks: Sequence[Task], options: Options, tell: Callable[[WorkerEvent], None]
    ) -> None:
        """Analyse all of them; `tell` gets one `Analysed` for each, as they become ready.

        `Advanced` may come from other threads, everything else comes from this one.

        Raises:
            EmoscopeError: the models can't be loaded, or there are no workers.
        """
        ...


ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "here": "core.batch.here:Here",
        "processes": "core.batch.processes:engine",
        "ray": "core.batch.cluster:engine",
    }
)
"""Name -> where what makes it from `Workers` is; imported on use, since Ray may be missing."""


def make_engine(workers: Workers) -> Engine:
    """Return the engine that was chosen. Raises WorkerError when it is not installed."""
    module, name = ENGINES[workers.engine].split(":")
    engine: Engine = getattr(import_module(module), name)(workers)
    return engine


def parse_workers(text: str) -> Workers:
    """Return what "auto", a number, "ray" or "ray://HOST:PORT" means. Raises ConfigError."""
    wanted = text.strip()
    if wanted.lower() == AUTO:
        return Workers()
    if wanted.lower() == "ray" or wanted.lower().startswith("ray://"):
        return Workers("ray", address=wanted if ":" in wanted else "")
    if wanted.isdecimal() and int(wanted) > 0:
        return Workers("here" if int(wanted) == 1 else "processes", int(wanted))
    raise ConfigError(
        f"{text!r} is no number of workers.",
        "Choose auto, a number from 1, ray, or the address of a Ray cluster, ray://HOST:PORT.",
    )


def settle(workers: Workers, tasks: Sequence[Task], options: Options) -> Workers:
    """Return workers with their number decided, where it was left to this machine.

    No more than there are recordings, cores and memory for, nor than the work is worth: each loads
    its own models. A GPU is used by one.
    """
    if workers.engine == "processes" and len(tasks) == 1:
        return Workers("here", 1)
    if workers.engine != "processes" or workers.count is not None:
        return workers
    worth = math.ceil(sum(task.seconds or 0.0 for task in tasks) / WORTHWHILE_SECONDS)
    each = WORKER_BYTES + WEIGHTS_FACTOR * _checkpoint_bytes(Path(options.model))
    each += _whisper_bytes(options.whisper)
    count = max(1, min(cores(), len(tasks), worth, free_bytes() // each))
    if count > 1 and options.device != "cpu" and _uses_gpu():
        count = 1
    return Workers("here" if count == 1 else "processes", count)


def free_bytes() -> int:
    """Return how much memory processes can still take."""
    import psutil

    return int(psutil.virtual_memory().available)


def _checkpoint_bytes(folder: Path) -> int:
    """Return how large a checkpoint is; 0 for the embedded one, which is small."""
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors"))


def _whisper_bytes(name: str) -> int:
    """Return how large the weights for recognition are; 0 without any."""
    weights = find_whisper(name)
    return weights.stat().st_size if weights is not None and weights.is_file() else 0


def _uses_gpu() -> bool:
    from core.models.device import choose_device

    return choose_device().device != "cpu"
