"""What waits for the workers of a session."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from core.types import Transcript, Utterance


class Stage(Enum):
    """How much of an utterance is known when its emotion is to be judged."""

    PARTIAL = auto()
    """It is still being spoken."""
    SPEECH = auto()
    """It is complete; its text is being recognised."""
    FINAL = auto()
    """It is complete and so is its text, or there will be none."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge the emotion of an utterance; with `skip`, only make the turn (it has no samples)."""

    utterance: Utterance
    stage: Stage
    transcript: Transcript | None = None
    notes: tuple[str, ...] = ()
    skip: bool = False


@dataclass(frozen=True, slots=True)
class ShowText:
    """A growing utterance has a (newer) partial text."""

    index: int
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Prepare:
    """A paused utterance has the text that will be its final one, if nothing more is said."""

    utterance: Utterance
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Revise:
    """A turn that is final already has a better text."""

    utterance: Utterance
    transcript: Transcript


EmotionJob: TypeAlias = Judge | ShowText | Prepare | Revise


@dataclass(frozen=True, slots=True)
class Better:
    """Look at a complete utterance again, whose text `transcript` was delivered."""

    utterance: Utterance
    transcript: Transcript


RecognitionJob: TypeAlias = Utterance | Better


def partial_keys(index: int) -> tuple[tuple[str, int], tuple[str, int], tuple[str, int]]:
    """Return under which keys an utterance's partials wait: its sound, its text, what is prepared.

    What is prepared in a pause must not take the place of an older text in the queue: it would come
    before the sound of that pause, which would then be shown in place of both together.
    """
    return ("sound", index), ("text", index), ("prepared", index)


def revision_key(index: int) -> tuple[str, int]:
    """Return under which key the better text of a final turn waits; no partial drops it."""
    return ("revision", index)
