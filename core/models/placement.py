"""Putting a model and its inputs on a device, and telling what went wrong there.

A model on a GPU is a copy: the one on the host stays as it was loaded, in fp32. A GPU that is full
or gone can then be left at once, without asking it for anything, at the price of the model's size
in ordinary memory.
"""

from __future__ import annotations

import copy
import gc
import logging
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor, nn

from core.models.base import EmotionModel
from core.models.device import CPU, CUDA
from core.models.half import in_half
from core.models.outputs import ModelInputs
from core.models.runtimes.base import Precision

log = logging.getLogger(__name__)

OUT_OF_MEMORY, FAILED = "out_of_memory", "device_failed"

RESERVE = 256 << 20
"""Bytes that libraries on the GPU take for themselves."""
_LIVE = 4
"""Tensors of the first convolution's output that exist at once: before and after its norm, its
activation, and what the allocator has not given back."""
_FULL = ("out of memory", "alloc_failed")
_OF_THE_DEVICE = ("cuda", "cudnn", "cublas", "cufft", "nvrtc", "accelerator")


class Placement(Protocol):
    """Where a model runs."""

    def adopt(self, model: EmotionModel, precision: Precision) -> EmotionModel:
        """Return the model as it runs there, `model` left as it is."""
        ...

    def moved(self, inputs: ModelInputs) -> ModelInputs:
        """Return a batch as it is taken there."""
        ...

    def tidy(self) -> None:
        """Give memory back that nothing uses; never raises."""
        ...


class OnCpu:
    """The model as it was loaded."""

    def adopt(self, model: EmotionModel, precision: Precision) -> EmotionModel:
        """Return the model; on a CPU precision is a matter of runtimes."""
        model.to(CPU)
        return model

    def moved(self, inputs: ModelInputs) -> ModelInputs:
        """Return the batch."""
        return inputs

    def tidy(self) -> None:
        """Do nothing."""


class OnCuda:
    """A copy on the GPU; batches get there from pinned memory, without being waited for."""

    def adopt(self, model: EmotionModel, precision: Precision) -> EmotionModel:
        """Copy the model, its pretrained encoders in the precision asked for."""
        # convolutions in TF32 would differ by 1e-3 from those of training
        torch.backends.cudnn.allow_tf32 = False
        return in_half(copy.deepcopy(model), precision, CUDA).to(CUDA)

    def moved(self, inputs: ModelInputs) -> ModelInputs:
        """Copy a batch to the GPU."""
        return mapped(inputs, lambda t: t.pin_memory().to(CUDA, non_blocking=True))

    def tidy(self) -> None:
        """Give cached memory back, if the GPU still answers."""
        gc.collect()
        try:
            torch.cuda.empty_cache()
        except RuntimeError:
            log.warning("the GPU does not even take its memory back", exc_info=True)


PLACEMENTS: Mapping[str, Callable[[], Placement]] = MappingProxyType({CPU: OnCpu, CUDA: OnCuda})
"""Device of a `DeviceChoice` -> where that is."""


def mapped(inputs: ModelInputs, change: Callable[[Tensor], Tensor]) -> ModelInputs:
    """Return a batch with every tensor in it changed."""
    given = {f.name: getattr(inputs, f.name) for f in fields(inputs)}
    return replace(inputs, **{n: change(t) for n, t in given.items() if t is not None})


def failure_of(error: BaseException) -> str | None:
    """Return the code of what a device did wrong; None: the error is none of a device's."""
    if isinstance(error, torch.OutOfMemoryError):
        return OUT_OF_MEMORY
    if not isinstance(error, RuntimeError):
        return None
    text = str(error).lower()
    if not isinstance(error, torch.AcceleratorError) and not any(w in text for w in _OF_THE_DEVICE):
        return None
    return OUT_OF_MEMORY if any(word in text for word in _FULL) else FAILED


def memory_of(model: nn.Module, precision: Precision = Precision.FP32, seconds: float = 0.0) -> int:
    """Return about how many bytes a model takes on a GPU, one utterance at a time.

    Args:
        model: on the host.
        precision: of its encoders.
        seconds: longest piece of speech it is given; 0: it takes no samples.
    """
    size = 4 if precision is Precision.FP32 else 2
    weights = sum(p.numel() for p in (*model.parameters(), *model.buffers())) * size
    return weights + int(_first_convolution(model, seconds) * _LIVE * size) + RESERVE


def _first_convolution(model: nn.Module, seconds: float) -> float:
    """Return how many numbers the first convolution over samples gives out: the largest tensor."""
    from core.types import SAMPLE_RATE

    for module in model.modules():
        if isinstance(module, nn.Conv1d) and module.in_channels == 1:
            return seconds * SAMPLE_RATE / module.stride[0] * module.out_channels
    return 0.0
