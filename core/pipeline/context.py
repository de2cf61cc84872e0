"""What a session asks of its dialogue model; the real one is `core.pipeline.dialogue_context`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.types import ContextInfo, FloatArray, Modality, Turn


class DialogueContext(Protocol):
    """Reads each turn among the turns before it. Belongs to the emotion thread."""

    def warm_up(self) -> ContextInfo:
        """Load weights, run once and measure. Raises CheckpointError."""
        ...

    def add(self, turn: Turn, features: dict[Modality, FloatArray]) -> Sequence[Turn]:
        """Judge a final turn within the window that ends with it.

        Args:
            turn: final; its speaker is taken as given.
            features: pooled vectors (D,) of the utterance model; empty if it could not judge it.

        Returns:
            The turn with its `context`, then earlier turns whose `hindsight` has changed its label.
        """
        ...

    def finish(self) -> Sequence[Turn]:
        """Return every turn with the `hindsight` of the whole dialogue: nothing more will come."""
        ...

    def reset(self) -> None:
        """Forget every turn: a new session starts."""
        ...
