"""Which processor a model runs on, and why."""

from __future__ import annotations

from dataclasses import dataclass

import torch

AUTO, CPU, CUDA = "auto", "cpu", "cuda"


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device name for torch and, as a code, the reason it was chosen.

    Codes: `chosen` (asked for), `cuda_found`, `torch_without_cuda` (this build of PyTorch can't
    use a GPU), `no_cuda_device` (no NVIDIA GPU, or no driver for it), `out_of_memory`.
    """

    device: str
    reason: str


def choose_device(preference: str = AUTO) -> DeviceChoice:
    """Return the GPU where there is a usable one and it is not declined, else the CPU."""
    if preference == CPU:
        return DeviceChoice(CPU, "chosen")
    if torch.version.cuda is None:
        return DeviceChoice(CPU, "torch_without_cuda")
    if not torch.cuda.is_available():
        return DeviceChoice(CPU, "no_cuda_device")
    return DeviceChoice(CUDA, "chosen" if preference == CUDA else "cuda_found")
