"""Turns on their way to whoever looks at them: history, journal, listener."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from core.pipeline.events import Event, TurnUpdated
from core.pipeline.history import History
from core.pipeline.lifecycle import Listener
from core.pipeline.pace import Pace
from core.types import AudioBlock, ContextResult, ModelInfo, Turn, TurnStatus, Utterance


class SessionJournal(Protocol):
    """What a session asks of its journal; `core.dialogue.journal.Journal` is one.

    No method raises: trouble with the disk is told through the listener given to `begin`.
    """

    def begin(self, channels: int, facts: Mapping[str, object], listener: Listener) -> None:
        """Start writing a session with these facts about it."""
        ...

    def describe_model(self, model: ModelInfo) -> None:
        """Note which model judges; may come before `begin`, and again when that changes."""
        ...

    def write_audio(self, block: AudioBlock) -> None:
        """Append a block of sound."""
        ...

    def write_turn(self, turn: Turn) -> None:
        """Append a complete turn; a later one of the same index replaces it."""
        ...

    def write_hindsight(self, index: int, hindsight: ContextResult) -> None:
        """Append what later turns say of a turn that was written."""
        ...

    def close(self) -> None:
        """Mark the session as complete."""
        ...


class Publisher:
    """Keeps, writes and tells turns, with their lag where a clock runs.

    Turns are published on the emotion thread; `owe` and `lag` may be called from any.
    """

    def __init__(
        self,
        history: History,
        journal: SessionJournal | None,
        emit: Callable[[Event], None],
        pace: Pace | None,
    ) -> None:
        self._history = history
        self._journal = journal
        self._emit = emit
        self._pace = pace
        self._lock = threading.Lock()
        self._owed: dict[int, int] = {}

    def owe(self, utterance: Utterance) -> None:
        """Take note of a complete utterance: its final turn is still to come."""
        with self._lock:
            self._owed[utterance.index] = utterance.end

    @property
    def lag(self) -> float:
        """Seconds since the end of the oldest complete utterance without its final turn, else 0."""
        with self._lock:
            oldest = min(self._owed.values(), default=None)
        return 0.0 if oldest is None or self._pace is None else self._pace.lag(oldest)

    def describe(self, model: ModelInfo) -> None:
        """Write down which model judges from now on."""
        if self._journal is not None:
            self._journal.describe_model(model)

    def published(self, index: int) -> Turn | None:
        """Return a turn as it was published last, or None."""
        return self._history.get(index)

    def publish(self, turn: Turn) -> None:
        """Publish a turn as far as it has come."""
        if turn.status is TurnStatus.FINAL:
            with self._lock:
                self._owed.pop(turn.index, None)
        self._keep(turn)
        self._emit(TurnUpdated(turn, None if self._pace is None else self._pace.lag(turn.end)))

    def replace(self, turn: Turn) -> None:
        """Publish a final turn anew. No lag: what is late here is not the result of the turn."""
        self._keep(turn)
        self._emit(TurnUpdated(turn))

    def revise(self, index: int, hindsight: ContextResult) -> None:
        """Publish what is said of an earlier turn with later ones in view; nor is that late."""
        turn = self._history.revise(index, hindsight)
        if turn is None:
            return
        if self._journal is not None:
            self._journal.write_hindsight(index, hindsight)
        self._emit(TurnUpdated(turn))

    def _keep(self, turn: Turn) -> None:
        self._history.update(turn)
        if turn.status is not TurnStatus.PARTIAL and self._journal is not None:
            self._journal.write_turn(turn)
