"""Work that is done while it is not sure yet that a speaker is done, and thrown away if not.

The segmenter hands out a paused partial after a moment of silence. If nothing more is said, the
final covers the same samples, and what was found out about the one holds for the other.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.types import Utterance

Value = TypeVar("Value")

_NEWEST = 0.3
"""Weight of the newest duration in the running estimate."""


@dataclass(frozen=True, slots=True)
class AheadCounts:
    """Pauses in which work was begun, and those of them whose work was used or thrown away."""

    begun: int = 0
    used: int = 0
    wasted: int = 0


@dataclass(slots=True)
class _Kept(Generic[Value]):
    span: tuple[int, int]
    value: Value
    used: bool = False


class Foreseen(Generic[Value]):
    """What was found out about utterances that may be over; every method from any thread.

    One entry per utterance, of its newest pause. It may be used only for a final that covers the
    same samples.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, _Kept[Value]] = {}
        self._begun = self._used = self._wasted = 0

    @property
    def counts(self) -> AheadCounts:
        """How much work was begun, used and thrown away so far."""
        with self._lock:
            return AheadCounts(self._begun, self._used, self._wasted)

    def keep(self, utterance: Utterance, value: Value) -> None:
        """Keep a value for a paused utterance, in place of an earlier one of it."""
        with self._lock:
            kept = self._kept.get(utterance.index)
            if kept is not None and kept.span == _span(utterance):
                kept.value = value
                return
            self._drop(utterance.index)
            self._begun += 1
            self._kept[utterance.index] = _Kept(_span(utterance), value)

    def look(self, utterance: Utterance) -> Value | None:
        """Return what is kept for these very samples, None if nothing is."""
        with self._lock:
            kept = self._kept.get(utterance.index)
            return kept.value if kept is not None and kept.span == _span(utterance) else None

    def use(self, utterance: Utterance) -> Value | None:
        """Return what is kept for these very samples and count it as used."""
        with self._lock:
            kept = self._kept.get(utterance.index)
            if kept is None or kept.span != _span(utterance):
                return None
            kept.used = True
            return kept.value

    def drop(self, index: int) -> None:
        """Let go of what is kept for an utterance: it went on, or its turn is final."""
        with self._lock:
            self._drop(index)

    def clear(self) -> None:
        """Let go of everything: it no longer holds."""
        with self._lock:
            for index in tuple(self._kept):
                self._drop(index)

    def _drop(self, index: int) -> None:
        kept = self._kept.pop(index, None)
        if kept is not None:
            self._used += kept.used
            self._wasted += not kept.used


class PauseWatch:
    """How often a pause was the end of an utterance; written by the listening thread."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._ends = 0
        self._pauses = 0

    @property
    def share(self) -> float:
        """Share of the pauses that were the end; a half while nothing is known."""
        return (self._ends + 1) / (self._pauses + 2)

    def grew(self, utterance: Utterance) -> None:
        """Take a partial: a pause before it was not the end."""
        if self._open.pop(utterance.index, None) is not None:
            self._pauses += 1
        if utterance.paused:
            self._open[utterance.index] = utterance.end

    def ended(self, utterance: Utterance) -> None:
        """Take a final."""
        paused_at = self._open.pop(utterance.index, None)
        if paused_at is not None:
            self._pauses += 1
            self._ends += paused_at == utterance.end


class AheadRule:
    """Whether work in a pause is worth beginning: it can't be broken off, only thrown away.

    If the pause is the end, the result is there sooner by what is left of the hangover, or by all
    the work takes if that is less. If not, the real final can't come sooner than one hangover
    later, so up to that the work is free, and beyond it the final waits for the rest of it at most.
    Work is begun while the gain, weighed by how often a pause was the end, is not below the loss.

    Args:
        hangover: seconds of silence that end an utterance; padding: after so many it is paused.
    """

    def __init__(self, pauses: PauseWatch, hangover: float, padding: float) -> None:
        self._pauses = pauses
        self._hangover = hangover
        self._left = max(0.0, hangover - padding)
        self.estimate = 0.0
        """Seconds such work took of late; 0 until it was done once."""

    def took(self, seconds: float) -> None:
        """Take note of how long a final piece of work took, ahead or not."""
        known = self.estimate
        self.estimate = known + _NEWEST * (seconds - known) if known else seconds

    def worth(self) -> bool:
        """Return whether to begin now."""
        share = self._pauses.share
        gain = share * min(self.estimate, self._left)
        return gain >= (1.0 - share) * max(0.0, self.estimate - self._hangover)


def _span(utterance: Utterance) -> tuple[int, int]:
    return utterance.start, utterance.end
