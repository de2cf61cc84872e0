"""What a session asks of its dialogue model; the real one is `core.pipeline.dialogue_context`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.types import ContextInfo, FloatArray, Modality, Turn


@dataclass(frozen=True, slots=True)
class UtteranceModel:
    """Name and weights (sha256, hex) of an utterance model; features of another mean nothing."""

    name: str
    digest: str


class DialogueContext(Protocol):
    """Reads each turn among the turns before it. Belongs to the emotion thread."""

    @property
    def trained_on(self) -> UtteranceModel:
        """The utterance model whose features it reads; known before anything is loaded."""
        ...

    def warm_up(self) -> ContextInfo:
        """Load weights, run once and measure. Raises CheckpointError."""
        ...

    def add(self, turn: Turn, features: dict[Modality, FloatArray]) -> Sequence[Turn]:
        """Judge a final turn within the window that ends with it.

        Args:
            turn: final; its speaker is taken as given.
            features: pooled vectors (D,) of the utterance model; empty if it could not judge it.

        Returns:
            The turn with its `context` (none if it has no feature the model reads), then earlier
            turns whose label `hindsight` has changed.
        """
        ...

    def finish(self) -> Sequence[Turn]:
        """Return every turn that has `context`, with the `hindsight` of the whole dialogue.

        Nothing more will come.
        """
        ...

    def reset(self) -> None:
        """Forget every turn: a new session starts."""
        ...
