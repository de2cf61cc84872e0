"""When a growing utterance may be listened to, so that finals never wait for long."""

from __future__ import annotations

import math
from collections.abc import Callable


class Pacing:
    """Bounds the share of the time that partial passes take, and shares it out fairly.

    Who was refused since the last pass has the next one: of two people who speak at once, the one
    whose sound always comes first must not have them all.

    Args:
        share: of the time, the most that passes may take.
        clock: seconds.
    """

    def __init__(self, share: float, clock: Callable[[], float]) -> None:
        self._share = share
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next pass may begin at once."""
        self._next = -math.inf
        self._last: int | None = None
        self._refused: int | None = None

    def begin(self, index: int) -> float | None:
        """Return the time if an utterance may be listened to now, else None."""
        now = self._clock()
        if now < self._next:
            if index != self._last:
                self._refused = index
            return None
        # Once only: whoever was refused may have fallen silent since.
        gives_way = index == self._last and self._refused is not None
        self._refused = None
        return None if gives_way else now

    def end(self, index: int, began: float) -> None:
        """Take note that a pass over an utterance, begun when `begin` said so, is over."""
        now = self._clock()
        self._next = began + (now - began) / self._share
        self._last = index
