"""What can compute a pretrained encoder, behind one small protocol; importing this needs no torch.

An encoder is cut into stages. Of speech: `convolve`, waveform (B, N) -> features (B, T, C), and
`contextualise`, features (B, T, C) -> sequence (B, T, D). Of text: `read`, tokens (B, L) and mask
(B, L) -> sequence (B, L, D) and, where the model's own pooler is used, pooled (B, D). Rows are of
equal length, nothing is padded. Everything before and after (normalising, pooling, heads) is torch,
and the same for all runtimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from core.types import RuntimeInfo


class Precision(StrEnum):
    """Numbers an encoder is computed with."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class Mode:
    """A runtime and a precision; every precision but fp32 is lossy."""

    runtime: str
    precision: Precision = Precision.FP32

    @property
    def lossy(self) -> bool:
        """Whether outputs differ from fp32 by more than rounding."""
        return self.precision is not Precision.FP32

    def __str__(self) -> str:
        return f"{self.runtime}:{self.precision}"


class SpeechStages(Protocol):
    """The two stages of a speech encoder; tensors on the CPU, in fp32, in and out."""

    @property
    def info(self) -> RuntimeInfo:
        """What it is, why it was chosen, and how far it is from plain torch."""
        ...

    def convolve(self, waveform: Tensor) -> Tensor:
        """Return features (B, T, C) of waveform (B, N)."""
        ...

    def contextualise(self, features: Tensor) -> Tensor:
        """Return the sequence (B, T, D) of features (B, T, C)."""
        ...


class TextStages(Protocol):
    """The only stage of a text encoder."""

    @property
    def info(self) -> RuntimeInfo:
        """What it is, why it was chosen, and how far it is from plain torch."""
        ...

    def read(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return sequence (B, L, D) and pooled (B, D) or None, of tokens and mask (B, L)."""
        ...


RUNTIMES: Mapping[str, str] = MappingProxyType(
    {
        "torch": "core.models.runtimes.plain:Plain",
        "packed": "core.models.runtimes.packed:Packed",
        "onnxruntime": "core.models.runtimes.onnx_runtime:OnnxRuntime",
        "openvino": "core.models.runtimes.openvino:OpenVino",
    }
)
"""Name -> where its maker is; imported on use, since two of them may not be installed."""

AUTO = "auto"
"""Preference: the fastest runtime on this machine whose outputs are equal ..."""
LOSSY = "lossy"
"""... or also those that are not, where a quality check of this very checkpoint passed."""
