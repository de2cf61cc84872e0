"""What can compute a pretrained encoder, behind one small protocol; importing this needs no torch.

An encoder is cut into stages. Of speech: `convolve`, waveform (B, N) -> features (B, T, C), and
`contextualise`, features (B, T, C) -> sequence (B, T, D). Of text: `read`, tokens (B, L) and mask
(B, L) -> sequence (B, L, D) and, where the model's own pooler is used, pooled (B, D). Rows are of
equal length, nothing is padded. Everything before and after (normalising, pooling, heads) is torch,
and the same for all runtimes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
    from core.models.encoders.pretrained_text import PretrainedTextEncoder
    from core.models.runtimes.exports import ExportCache
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

MODES: tuple[Mode, ...] = (
    Mode("torch"),
    Mode("packed"),
    Mode("packed", Precision.BF16),
    Mode("onnxruntime"),
    Mode("onnxruntime", Precision.INT8),
    Mode("openvino"),
    Mode("openvino", Precision.BF16),
    Mode("openvino", Precision.INT8),
)
"""Everything an encoder can be computed by on a CPU; of equally fast ones the first is taken."""

_NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"onnxruntime": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino")}
)

AUTO = "auto"
"""Preference: the fastest runtime on this machine whose outputs are equal ..."""
LOSSY = "lossy"
"""... or also those that are not, where a quality check of this very checkpoint passed."""


@dataclass(frozen=True, slots=True)
class Preference:
    """What is wanted: one mode, or (None) the fastest, of lossy ones too if these are allowed."""

    mode: Mode | None = None
    lossy: bool = False

    def __str__(self) -> str:
        if self.mode is not None:
            return str(self.mode)
        return LOSSY if self.lossy else AUTO


def parse_preference(text: str) -> Preference:
    """Read "auto", "lossy", a runtime ("openvino") or a mode ("openvino:bf16").

    Raises:
        ConfigError: there is no such thing; it lists what there is, installed or not.
    """
    wanted = text.strip().lower()
    if wanted in (AUTO, LOSSY):
        return Preference(lossy=wanted == LOSSY)
    by_name = {str(mode): mode for mode in MODES} | {
        mode.runtime: mode for mode in MODES if not mode.lossy
    }
    if wanted in by_name:
        return Preference(by_name[wanted])
    lossy = [str(mode) for mode in MODES if mode.lossy]
    raise ConfigError(
        f"There is no encoder runtime {text!r}.",
        f"There are: {', '.join((AUTO, LOSSY, *RUNTIMES, *lossy))}.",
    )


def missing(mode: Mode) -> tuple[str, ...]:
    """Return the packages a mode needs that are not installed; nothing is imported."""
    return tuple(name for name in _NEEDS.get(mode.runtime, ()) if find_spec(name) is None)


def available() -> tuple[Mode, ...]:
    """Return the modes whose packages are installed; whether one works is found out on use."""
    return tuple(mode for mode in MODES if not missing(mode))


@dataclass(frozen=True, slots=True)
class Speech:
    """`SpeechStages` made of two functions; `graphs` are the exports they rest on."""

    info: RuntimeInfo
    convolve: Callable[[Tensor], Tensor]
    contextualise: Callable[[Tensor], Tensor]
    graphs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """`TextStages` made of a function; `graphs` are the exports it rests on."""

    info: RuntimeInfo
    read: Callable[[Tensor, Tensor], tuple[Tensor, Tensor | None]]
    graphs: tuple[Path, ...] = ()


class UnfitError(Exception):
    """A runtime can't compute an encoder; says why. Another is taken, so nobody sees it raised."""


def brief(error: Exception) -> str:
    """Return the first line of what a library raised; some tell their whole stack."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


class PassingError(UnfitError):
    """One that may not come again, such as a full disk."""


_SHORTAGES = ("memory", "bad_alloc", "bad allocation", "no space left", "too many open files")


def unfit(what: str, error: Exception) -> UnfitError:
    """Return why a runtime can't be used after what a library raised; passing, if it ran short.

    Foreign libraries say so as RuntimeError more often than as MemoryError or OSError.
    """
    short = any(word in str(error).lower() for word in _SHORTAGES)
    kind = PassingError if short or isinstance(error, (MemoryError, OSError)) else UnfitError
    return kind(f"{what} ({brief(error)})")


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a runtime may use.

    exports: where exported graphs lie. weights: hash (hex) of the encoder's weights.
    threads: for one computation.
    """

    exports: ExportCache
    weights: str
    threads: int = 1


class Runtime(Protocol):
    """Makes the stages of encoders in one mode; raises UnfitError where it can't."""

    def __init__(self, mode: Mode, place: Workplace) -> None: ...

    def speech(self, encoder: PretrainedSpeechEncoder) -> Speech:
        """Return the stages of a speech encoder."""
        ...

    def text(self, encoder: PretrainedTextEncoder) -> Text:
        """Return the stage of a text encoder."""
        ...
