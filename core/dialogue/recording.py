"""A dialogue as a value: where its sound lies, who said what when, and what was read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core import __version__
from core.types import ModelInfo, Turn, seconds


@dataclass(frozen=True, slots=True)
class Annotation:
    """A stretch of a recording somebody already transcribed; times in seconds."""

    start: float
    end: float
    text: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What produced the turns. `created` is ISO 8601 local time with its offset."""

    source: str = ""
    created: str = ""
    model: ModelInfo | None = None
    transcriber: str = ""
    language: str = "auto"
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Recording:
    """A medium (None when only the turns are left), its turns by start, and how they came to be.

    `duration` is in samples at 16 kHz; `notes` are sentences such as what recovery had to repair.
    """

    media: Path | None
    turns: tuple[Turn, ...]
    duration: int
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()
    parts: tuple[Path, ...] = ()
    """Every file of the sound, in order, when it had to be split (`media` is the first)."""

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return seconds(self.duration)

    def speakers(self) -> tuple[str | None, ...]:
        """Return who speaks, in the order of their first turn."""
        return speakers_of(self.turns)


def speakers_of(turns: Sequence[Turn]) -> tuple[str | None, ...]:
    """Return who speaks in these turns, in the order of their first turn."""
    return tuple(dict.fromkeys(turn.speaker for turn in turns))
