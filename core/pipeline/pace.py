"""How a session keeps up: lag behind the microphone, speed through a recording, falling behind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from core.pipeline.events import Notice, Progress, Severity
from core.types import SAMPLE_RATE, AudioBlock, Message


class Pace:
    """Relates samples to the clock; written by the listening thread, read by any."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest = (0, 0.0)
        self._began = clock()
        self._told = float("-inf")

    def restart(self) -> None:
        """Measure speed from now on: everything is loaded."""
        self._began = self._clock()

    def heard(self, block: AudioBlock) -> None:
        """Note when a block arrived."""
        self._newest = (block.start + block.samples.shape[1], self._clock())

    @property
    def position(self) -> int:
        """Sample index up to which the source was heard."""
        return self._newest[0]

    def lag(self, end: int) -> float:
        """Return seconds from when sample `end` was spoken to now.

        Taken from the newest block, so that a device whose clock drifts does not add to it.
        """
        position, arrived = self._newest
        return max(0.0, self._clock() - arrived + (position - end) / SAMPLE_RATE)

    def progress(self, total: int | None, *, last: bool = False) -> Progress | None:
        """Return how far the recording is, at most five times a second; None in between."""
        now = self._clock()
        if not last and now - self._told < 0.2:
            return None
        self._told = now
        done = self.position if total is None else min(self.position, total)
        speed = done / SAMPLE_RATE / max(now - self._began, 1e-6)
        return Progress(done, done if last else total, speed)


class BehindWatch:
    """Says when a live session falls behind, and when it has caught up again.

    It has fallen behind when a finished utterance waits longer than `after` seconds for a worker,
    or when most partial judgements of the last `after` seconds were dropped as stale.
    """

    def __init__(self, after: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._after = after
        self._clock = clock
        self._stale: deque[tuple[float, int]] = deque()
        self._behind = False
        self._base = 0

    def check(self, waited: float, stale: int) -> Notice | None:
        """Return what to tell, given the longest wait (s) and all partials dropped so far."""
        now = self._clock()
        self._stale.append((now, stale))
        while len(self._stale) > 1 and now - self._stale[1][0] >= self._after:
            self._stale.popleft()
        since, before = self._stale[0]
        # Four partials a second are made of one speaker; dropping two of them is most.
        behind = waited > self._after or stale - before > 2 * max(now - since, self._after)
        return self._changed(behind, waited, stale)

    def _changed(self, behind: bool, waited: float, stale: int) -> Notice | None:
        if behind == self._behind:
            return None
        self._behind = behind
        dropped = stale - self._base
        self._base = stale
        values = {"dropped": str(dropped), "waiting": f"{waited:.0f}"}
        return Notice(Message("falling_behind", values), Severity.WARNING, active=behind)
