"""Dialogue architectures by name, imported on use: listing them needs no torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import CheckpointError

if TYPE_CHECKING:
    from core.models.context.base import DialogueModel

DIALOGUE_ARCHITECTURES: Mapping[str, str] = MappingProxyType(
    {
        "mglra": "core.models.mglra:MGLRA",
        "bilstm": "core.models.context.bilstm:BiLSTM",
        "utterance": "core.models.context.utterance:UtteranceOnly",
    }
)
"""Name in a dialogue checkpoint's `architecture` -> "module:Class"."""


def dialogue_architecture(name: str) -> type[DialogueModel]:
    """Import and return the class of an architecture.

    Raises:
        CheckpointError: this version knows no dialogue architecture of that name.
    """
    if name not in DIALOGUE_ARCHITECTURES:
        raise CheckpointError(
            f"This version knows no dialogue architecture named {name!r}"
            f" (it knows {', '.join(sorted(DIALOGUE_ARCHITECTURES))}).",
            "Use a newer version, or a checkpoint of a known architecture.",
        )
    module, _, attribute = DIALOGUE_ARCHITECTURES[name].partition(":")
    found: type[DialogueModel] = getattr(importlib.import_module(module), attribute)
    return found
