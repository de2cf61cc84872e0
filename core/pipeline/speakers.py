"""What a session asks of whoever tells voices apart; the real one is `voice_speakers`."""

from __future__ import annotations

from typing import Protocol

from core.types import Utterance


class SpeakerTracker(Protocol):
    """Names the speakers of a session by their voices. Belongs to the emotion thread.

    It is asked only about complete utterances whose speaker neither the transcript nor the channel
    tells, once each and in the order in which they ended.
    """

    def warm_up(self) -> None:
        """Load weights and run once. Raises CheckpointError."""
        ...

    def name(self, utterance: Utterance) -> str | None:
        """Return who speaks, by the same name as before if heard before; None: can't tell."""
        ...

    def reset(self) -> None:
        """Forget every voice: a new session starts."""
        ...
