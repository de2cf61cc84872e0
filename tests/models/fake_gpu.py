"""A GPU that is none: it computes on the CPU, and fails as a real one is known to fail."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from core.models.base import EmotionModel
from core.models.inference import rows_of
from core.models.outputs import ModelInputs
from core.models.runtimes.base import Precision

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
LOST = torch.AcceleratorError("CUDA error: unspecified launch failure")


@dataclass
class FakeGpu:
    """A `Placement`: a copy of the model that no longer works once it `breaks`.

    rows: the most that fit into its memory. breaks: called with the number of batches so far, it
    may return what to raise. moved_rows: of every batch that was sent there, as it came.
    """

    rows: int = 1 << 30
    breaks: Callable[[int], RuntimeError | None] = lambda count: None
    adopts: RuntimeError | None = None
    moved_rows: list[int] = field(default_factory=list)
    tidied: int = 0

    def adopt(self, model: EmotionModel, precision: Precision) -> EmotionModel:
        if self.adopts is not None:
            raise self.adopts
        return copy.deepcopy(model)

    def moved(self, inputs: ModelInputs) -> ModelInputs:
        self.moved_rows.append(rows_of(inputs))
        error = self.breaks(len(self.moved_rows))
        if error is not None:
            raise error
        if rows_of(inputs) > self.rows:
            raise FULL
        return inputs

    def tidy(self) -> None:
        self.tidied += 1


def after(count: int, error: RuntimeError) -> Callable[[int], RuntimeError | None]:
    """Fail for good once so many batches were taken."""
    return lambda taken: error if taken > count else None


@dataclass(frozen=True)
class FakeProbe:
    """What a machine says about its GPU; a recent one with 8 GB by default."""

    built: bool = True
    usable: bool = True
    on_the_bus: bool = True
    version: tuple[int, int] = (8, 6)
    architectures: Sequence[str] = ("sm_75", "sm_86", "sm_90")
    free: int = 8 << 30
    refuses: bool = False

    def torch_has_cuda(self) -> bool:
        return self.built

    def is_usable(self) -> bool:
        return self.usable

    def is_on_the_bus(self) -> bool:
        return self.on_the_bus

    def capability(self) -> tuple[int, int]:
        if self.refuses:
            raise RuntimeError("CUDA error: initialization error")
        return self.version

    def built_for(self) -> tuple[str, ...]:
        return tuple(self.architectures)

    def free_bytes(self) -> int:
        return self.free
