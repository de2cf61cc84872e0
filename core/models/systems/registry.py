"""The published systems by name; listing them needs no torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import ConfigError
from core.types import Modality

if TYPE_CHECKING:
    from core.models.systems.head import SystemHead

_BOTH = (Modality.SPEECH, Modality.TEXT)
_PACKAGE = "core.models.systems"


@dataclass(frozen=True, slots=True)
class System:
    """One system: where its head is ("module:Class"), what it takes, and who published it.

    `sequences`: its head looks at sequences; all others at pooled vectors alone.
    `nested`: it also answers from nested (Matryoshka) sizes of its representation.
    """

    head: str
    modalities: tuple[Modality, ...]
    source: str
    sequences: bool = False
    nested: bool = False


def _rsa_cfn(module: str, name: str, modalities: tuple[Modality, ...] = _BOTH) -> System:
    return System(f"{_PACKAGE}.{module}:{name}", modalities, "RSA-CFN")


def _knu(module: str, name: str, modalities: tuple[Modality, ...] = _BOTH) -> System:
    return System(f"{_PACKAGE}.{module}:{name}", modalities, "KNU")


SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        "speech": _rsa_cfn("speech", "SpeechHead", (Modality.SPEECH,)),
        "text": _rsa_cfn("text", "TextHead", (Modality.TEXT,)),
        "early": _rsa_cfn("early", "EarlyHead"),
        "late": _rsa_cfn("late", "LateHead"),
        "mlp_mixer": System(f"{_PACKAGE}.mlp_mixer:MlpMixerHead", _BOTH, "RSA-CFN", sequences=True),
        "stack": _rsa_cfn("stack", "StackHead"),
        "residual": _rsa_cfn("residual", "ResidualHead"),
        "rsa": _rsa_cfn("rsa", "RsaHead"),
        "rsa_cfn": _rsa_cfn("rsa_cfn", "RsaCfnSystemHead"),
        "low_rank_rsa_cfn": System(
            f"{_PACKAGE}.low_rank_rsa_cfn:LowRankRsaCfnHead", _BOTH, "Emoscope"
        ),
        "nested_early": System(
            f"{_PACKAGE}.nested_early:NestedEarlyHead", _BOTH, "Emoscope", nested=True
        ),
        "hybrid": _rsa_cfn("hybrid", "HybridHead"),
        "knu_speech": _knu("knu_unimodal", "KnuSpeechHead", (Modality.SPEECH,)),
        "knu_text": _knu("knu_unimodal", "KnuTextHead", (Modality.TEXT,)),
        "cat": _knu("cat", "CatHead"),
        "add": _knu("add", "AddHead"),
    }
)


def system(name: str) -> System:
    """Return a system by name. Raises ConfigError naming those there are."""
    if name not in SYSTEMS:
        raise ConfigError(f"There is no system {name!r}.", f"There are: {', '.join(SYSTEMS)}.")
    return SYSTEMS[name]


def head_class(name: str) -> type[SystemHead]:
    """Import and return the class of a system's head. Raises ConfigError for an unknown name."""
    module, _, attribute = system(name).head.partition(":")
    found: type[SystemHead] = getattr(importlib.import_module(module), attribute)
    return found
