"""How far what is shown is behind what is said: calm, and never better than it is."""

from __future__ import annotations

from collections import deque

from core.types import SAMPLE_RATE, Turn, TurnStatus

HOLD = 3.0
"""Seconds for which the longest delay is held, so that the figure does not flutter."""

LATE = 2.0
"""Seconds from which on a delay is shown as trouble ..."""

LATE_NO_MORE = 1.5
"""... and below which it no longer is."""


class Delay:
    """Takes turns as they are told; times are seconds since the start of the session."""

    def __init__(self) -> None:
        self._told: deque[tuple[float, float]] = deque()
        self._open: dict[int, float] = {}
        """Where the turns that are not final end, as far as they were judged."""
        self._last: float | None = None
        self.late = False
        """Whether the delay is one that the user should notice."""

    def take(self, turn: Turn, lag: float | None, now: float) -> None:
        """Take a turn and how late it came (s); None where nobody measured that."""
        if turn.status is TurnStatus.FINAL:
            self._open.pop(turn.index, None)
        else:
            self._open[turn.index] = turn.end / SAMPLE_RATE
        if lag is not None:
            self._told.append((now, lag))

    def seconds(self, now: float, awaited: float = 0.0) -> float | None:
        """Return the longest delay of late, also of what is still awaited; None before any.

        `awaited` is how long the oldest finished turn has been waiting, whoever measures it (s).
        """
        while self._told and now - self._told[0][0] > HOLD:
            self._last = self._told.popleft()[1]
        if self._told:
            self._last = self._told[-1][1]
        delays = [lag for _, lag in self._told] + [now - end for end in self._open.values()]
        if awaited > 0.0:
            delays.append(awaited)
        if not delays:
            self.late = False
            return self._last
        longest = max(*delays, 0.0) if self._told else max(*delays, self._last or 0.0)
        self.late = longest >= (LATE_NO_MORE if self.late else LATE)
        return longest

    def clear(self) -> None:
        """Forget the session."""
        self._told.clear()
        self._open.clear()
        self._last = None
        self.late = False
