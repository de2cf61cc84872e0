"""Architectures by name, imported on use: listing them costs nothing and needs no torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import CheckpointError

if TYPE_CHECKING:
    from core.models.base import EmotionModel

ARCHITECTURES: Mapping[str, str] = MappingProxyType(
    {
        "bimodal": "core.models.bimodal:BimodalModel",
        "speech_text": "core.models.speech_text:SpeechTextModel",
        "voting": "core.models.voting:VotingModel",
        "two_stage": "core.models.two_stage:TwoStageModel",
        "ready_made": "core.models.ready_made:ReadyMadeModel",
    }
)
"""Name in a checkpoint's `architecture` -> "module:Class"."""


def architectures() -> tuple[str, ...]:
    """Return the known names, sorted."""
    return tuple(sorted(ARCHITECTURES))


def architecture_class(name: str) -> type[EmotionModel]:
    """Import and return the class of an architecture.

    Raises:
        CheckpointError: this version knows no architecture of that name.
    """
    if name not in ARCHITECTURES:
        raise CheckpointError(
            f"This version knows no architecture named {name!r}"
            f" (it knows {', '.join(architectures())}).",
            "Use a newer version, or a checkpoint of a known architecture.",
        )
    module, _, attribute = ARCHITECTURES[name].partition(":")
    found: type[EmotionModel] = getattr(importlib.import_module(module), attribute)
    return found
