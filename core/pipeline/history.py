"""The turns of a session, in order, for whoever wants to look at them."""

from __future__ import annotations

import threading

from core.types import Turn


class History:
    """Turns by start time; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[int, Turn] = {}
        self._revision = 0
        self._sorted: tuple[Turn, ...] | None = ()

    @property
    def revision(self) -> int:
        """Grows with every change, so that a reader can tell whether to look again."""
        return self._revision

    def update(self, turn: Turn) -> None:
        """Add a turn, or replace the one of the same index."""
        with self._lock:
            self._turns[turn.index] = turn
            self._changed()

    def discard(self, index: int) -> None:
        """Remove a turn that turned out to be none."""
        with self._lock:
            if self._turns.pop(index, None) is not None:
                self._changed()

    def get(self, index: int) -> Turn | None:
        """Return the turn of this index, or None."""
        with self._lock:
            return self._turns.get(index)

    def snapshot(self) -> tuple[Turn, ...]:
        """Return all turns ordered by start; the tuple does not change afterwards."""
        with self._lock:
            if self._sorted is None:
                self._sorted = tuple(
                    sorted(self._turns.values(), key=lambda turn: (turn.start, turn.index))
                )
            return self._sorted

    def __len__(self) -> int:
        with self._lock:
            return len(self._turns)

    def _changed(self) -> None:
        self._revision += 1
        self._sorted = None
