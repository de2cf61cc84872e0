"""Which processor a model runs on, and why."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from core.models.runtimes.base import Precision

log = logging.getLogger(__name__)

AUTO, CPU, CUDA = "auto", "cpu", "cuda"

OLDEST = (6, 0)
"""Compute capability below which PyTorch is built for no GPU any more (Pascal is 6.x) ..."""
NATIVE_BF16 = (8, 0)
"""... and from which on a GPU computes with bf16 itself (Ampere); older ones take fp16."""

_PCI = Path("/sys/bus/pci/devices")
_NVIDIA, _DISPLAY = "0x10de", "0x03"


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device name for torch and, as a code, the reason it was chosen.

    Codes: `chosen` (asked for), `cuda_found`, `torch_without_cuda` (this build of PyTorch can't
    use a GPU), `no_cuda_device` (no NVIDIA GPU, or none that can be seen), `no_driver` (there is
    one, but no driver that works with this PyTorch), `gpu_too_old` (this PyTorch is built for
    newer ones only), `too_little_memory` (less is free on the GPU than the model takes),
    `out_of_memory` (the GPU's memory was full while it ran), `device_failed` (the GPU stopped
    answering).
    """

    device: str
    reason: str
    precision: Precision = Precision.FP32
    """Of the encoders; whatever judges by what they say is computed in fp32."""


class Probe(Protocol):
    """What is asked about the GPU before a model is put there."""

    def torch_has_cuda(self) -> bool:
        """Tell whether this build of PyTorch can use a GPU at all."""
        ...

    def is_usable(self) -> bool:
        """Tell whether PyTorch finds a GPU and a driver."""
        ...

    def is_on_the_bus(self) -> bool:
        """Tell whether there is an NVIDIA GPU, with or without a driver."""
        ...

    def capability(self) -> tuple[int, int]:
        """Return the GPU's compute capability."""
        ...

    def built_for(self) -> tuple[str, ...]:
        """Return the architectures PyTorch is built for ("sm_86", "compute_90"); () if unknown."""
        ...

    def free_bytes(self) -> int:
        """Return how much of the GPU's memory is free."""
        ...


class CudaProbe:
    """The first GPU of this machine, as PyTorch sees it."""

    def torch_has_cuda(self) -> bool:
        """Tell whether this build of PyTorch can use a GPU at all."""
        return torch.version.cuda is not None

    def is_usable(self) -> bool:
        """Tell whether PyTorch finds a GPU and a driver."""
        return torch.cuda.is_available()

    def is_on_the_bus(self) -> bool:
        """Tell whether there is an NVIDIA GPU; False where the bus can't be read."""
        return _has_display_of(_NVIDIA, _PCI)

    def capability(self) -> tuple[int, int]:
        """Return the GPU's compute capability."""
        major, minor = torch.cuda.get_device_capability()
        return major, minor

    def built_for(self) -> tuple[str, ...]:
        """Return the architectures this PyTorch is built for."""
        return tuple(torch.cuda.get_arch_list())

    def free_bytes(self) -> int:
        """Return how much of the GPU's memory is free."""
        return int(torch.cuda.mem_get_info()[0])


def choose_device(
    preference: str = AUTO, needed: int = 0, probe: Probe | None = None
) -> DeviceChoice:
    """Return the GPU where there is a usable one and it is not declined, else the CPU.

    Args:
        preference: "auto", "cpu" or "cuda".
        needed: bytes that the model takes there (see `memory_of`); 0: not asked.
        probe: what tells about the GPU; None: PyTorch.
    """
    if preference == CPU:
        return DeviceChoice(CPU, "chosen")
    if (obstacle := _obstacle(probe or CudaProbe(), needed)) is not None:
        return DeviceChoice(CPU, obstacle)
    return DeviceChoice(CUDA, "chosen" if preference == CUDA else "cuda_found")


def half_of(probe: Probe) -> Precision:
    """Return the half precision that suits the GPU."""
    return Precision.BF16 if probe.capability() >= NATIVE_BF16 else Precision.FP16


def _obstacle(probe: Probe, needed: int) -> str | None:
    """Return the code of why the GPU can't be used, None if it can."""
    if not probe.torch_has_cuda():
        return "torch_without_cuda"
    if not probe.is_usable():
        return "no_driver" if probe.is_on_the_bus() else "no_cuda_device"
    try:
        if not _is_built_for(probe.capability(), probe.built_for()):
            return "gpu_too_old"
        if needed and probe.free_bytes() < needed:
            return "too_little_memory"
    except RuntimeError:  # a GPU may be there and yet refuse every call
        log.warning("the GPU can't be asked about itself", exc_info=True)
        return "device_failed"
    return None


def _is_built_for(capability: tuple[int, int], built: Iterable[str]) -> bool:
    """Tell whether some build runs: the same major version, or one that is compiled on the spot."""
    known = [architecture_of(name) for name in built]
    if not known:
        return capability >= OLDEST
    return any(
        (major == capability[0] and minor <= capability[1])
        or (compiled_later and (major, minor) <= capability)
        for major, minor, compiled_later in known
    )


def architecture_of(name: str) -> tuple[int, int, bool]:
    """Return what "sm_86", "sm_90a" or "compute_90" means; the last is true for "compute"."""
    kind, _, digits = name.partition("_")
    number = int("".join(c for c in digits if c.isdigit()) or 0)
    return number // 10, number % 10, kind == "compute"


def _has_display_of(vendor: str, folder: Path) -> bool:
    """Look for a graphics card of a vendor where Linux lists what is on the bus."""
    if not folder.is_dir():
        return False
    return any(
        _line(device / "vendor") == vendor and _line(device / "class").startswith(_DISPLAY)
        for device in folder.iterdir()
    )


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
