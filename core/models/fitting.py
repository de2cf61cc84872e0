"""Puts a loaded model where it runs best: on a GPU, or on the CPU by the fastest runtimes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.models.device import AUTO, CUDA, CudaProbe, DeviceChoice, Probe, choose_device, half_of
from core.models.encoders.trainable import FreezableEncoder
from core.models.placement import memory_of
from core.models.runtimes.base import LOSSY, Mode, Precision, parse_preference
from core.types import Modality, RuntimeInfo

if TYPE_CHECKING:
    from core.models.base import EmotionModel
    from core.models.checkpoint import LoadedModel

log = logging.getLogger(__name__)

QUICK = "packed"
"""What encoders are fitted with when a session has to go on without the GPU: it takes a second, and
its outputs are equal."""

_HALF = (Precision.FP16, Precision.BF16)
_CHECKED = (Mode("packed", Precision.BF16), Mode("openvino", Precision.BF16))
"""A quality check of one of these on the CPU speaks for bf16 on a GPU too."""


def device_for(
    loaded: LoadedModel, preference: str = AUTO, runtime: str = AUTO, probe: Probe | None = None
) -> DeviceChoice:
    """Choose the device and the precision of a model's encoders there.

    Args:
        preference: "auto", "cpu" or "cuda".
        runtime: "lossy", or a mode with half precision, lets encoders on a GPU compute in it.
        probe: what tells about the GPU; None: PyTorch.

    Raises:
        ConfigError: there is no such runtime.
    """
    asked = probe or CudaProbe()
    wanted = parse_preference(runtime)
    seconds = getattr(loaded.processor.config, "longest_seconds", None) or 0.0
    needed = memory_of(loaded.model, seconds=seconds) if preference != "cpu" else 0
    choice = choose_device(preference, needed, asked)
    if choice.device != CUDA:
        return choice
    half = half_of(asked)
    by_name = wanted.mode is not None and wanted.mode.precision in _HALF
    # What was checked in bf16 says nothing of fp16, whose numbers end at 65,504.
    checked = wanted.lossy and half is Precision.BF16 and _passed(loaded)
    return DeviceChoice(choice.device, choice.reason, half) if by_name or checked else choice


def pretrained_of(model: EmotionModel) -> dict[Modality, FreezableEncoder]:
    """Return the pretrained encoders of a model: those that runtimes are for."""
    found = {m: getattr(model, m.value, None) for m in (Modality.SPEECH, Modality.TEXT)}
    return {m: e for m, e in found.items() if isinstance(e, FreezableEncoder)}


def on_gpu(
    model: EmotionModel, choice: DeviceChoice, runtime: str = AUTO
) -> tuple[RuntimeInfo, ...]:
    """Say what computes the encoders of a model on the GPU."""
    half = choice.precision is not Precision.FP32
    reason = "chosen" if half and runtime not in (AUTO, LOSSY) else "only"
    return tuple(
        RuntimeInfo(modality, "torch", choice.precision.value, reason, lossy=half)
        for modality in pretrained_of(model)
    )


def on_cpu(
    loaded: LoadedModel,
    runtime: str = AUTO,
    threads: int = 1,
    cache: Path | None = None,
    exporting: Callable[[], None] | None = None,
) -> tuple[RuntimeInfo, ...]:
    """Fit the pretrained encoders with what computes them best here; compact ones need nothing.

    What can't be fitted is computed by torch (reason `fallback`): a model that works slowly is
    better than none.

    Raises:
        ConfigError: there is no such runtime.
    """
    encoders = pretrained_of(loaded.model)
    if not encoders:
        return ()
    wanted = parse_preference(runtime)
    from core.models.runtimes.equip import equip

    try:
        return equip(
            loaded.model,
            loaded.processor,
            loaded.info.digest,
            wanted,
            threads=threads,
            cache=cache,
            exporting=exporting,
        )
    except Exception as error:  # what a library that compiles models raises varies
        log.warning("no runtime could be fitted; torch computes the encoders", exc_info=True)
        return _by_torch(encoders, str(error) or type(error).__name__)


def _by_torch(encoders: dict[Modality, FreezableEncoder], detail: str) -> tuple[RuntimeInfo, ...]:
    for encoder in encoders.values():
        encoder.run_on(None)  # type: ignore[operator]
    return tuple(RuntimeInfo(m, "torch", reason="fallback", detail=detail) for m in encoders)


def _passed(loaded: LoadedModel) -> bool:
    """Tell whether half precision passed a quality check with this checkpoint."""
    from core.quality import passed

    digest = loaded.info.digest
    return all(
        any(passed(digest, modality, mode) is not None for mode in _CHECKED)
        for modality in pretrained_of(loaded.model)
    )
