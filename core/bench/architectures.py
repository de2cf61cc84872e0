"""The sizes of published models: what is built with random weights to be measured."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

KERNELS, STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
KLUE_VOCABULARY = 32_000


@dataclass(frozen=True, slots=True)
class SpeechShape:
    """A wav2vec 2.0 model; `stable` for the large kind with layer norms before its blocks."""

    name: str
    width: int = 768
    layers: int = 12
    heads: int = 12
    channels: int = 512
    stable: bool = False


@dataclass(frozen=True, slots=True)
class TextShape:
    """A RoBERTa model."""

    name: str
    width: int = 768
    layers: int = 12
    heads: int = 12
    vocabulary: int = KLUE_VOCABULARY


@dataclass(frozen=True, slots=True)
class WhisperShape:
    """A multilingual Whisper model; `alignment`: the (layer, head) pairs that give word times."""

    name: str
    width: int
    layers: int
    heads: int
    alignment: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Architectures:
    """Everything that is measured: the base models, a large one, and Whispers by name."""

    speech: SpeechShape
    text: TextShape
    large: SpeechShape
    whispers: Mapping[str, WhisperShape] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def largest(self) -> str:
        """Name of the last Whisper, the largest."""
        return list(self.whispers)[-1]


TINY = WhisperShape("tiny", 384, 4, 6, ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)))
BASE = WhisperShape(
    "base", 512, 6, 8, ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6))
)
SMALL = WhisperShape(
    "small",
    768,
    12,
    12,
    ((5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)),
)
REAL = Architectures(
    speech=SpeechShape("wav2vec2-base"),
    text=TextShape("klue-roberta-base"),
    large=SpeechShape("wav2vec2-large", width=1024, layers=24, heads=16, stable=True),
    whispers=MappingProxyType({shape.name: shape for shape in (TINY, BASE, SMALL)}),
)
"""As published: facebook/wav2vec2-base and -large-960h-lv60, klue/roberta-base, openai/whisper."""


def fingerprint(*parts: SpeechShape | TextShape | WhisperShape | int | None) -> str:
    """Return 12 hex digits that tell one thing to be built from another."""
    plain = [dataclasses.asdict(p) if dataclasses.is_dataclass(p) else p for p in parts]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:12]
