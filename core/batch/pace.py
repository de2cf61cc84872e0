"""How far a batch is, how fast, and how long it will still take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.batch.values import Advanced, Analysed, BatchEvent, Began, Kept, Task, Written
from core.types import seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a batch stands.

    finished: of `files` recordings; done: seconds of audio, of `total` (as far as known).
    speed: seconds of audio a second, without what was done before.
    left: seconds of work, None while it can't be told.
    """

    finished: int
    files: int
    done: float
    total: float
    speed: float
    left: float | None

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0


class BatchPace:
    """Adds up what the workers report; every method from any thread.

    The clock runs from the first recording on: models that are being loaded are not slow audio.
    """

    def __init__(self, tasks: Sequence[Task], clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._lengths = {task.number: task.seconds or 0.0 for task in tasks}
        self._heard: dict[int, float] = {}
        self._finished: set[int] = set()
        self._kept = 0.0
        self._began: float | None = None

    def note(self, event: BatchEvent) -> None:
        """Take in what was reported."""
        with self._lock:
            if isinstance(event, Began):
                self._began = self._clock() if self._began is None else self._began
            elif isinstance(event, Kept):
                self._kept += event.seconds
                self._end(event.number, event.seconds)
            elif isinstance(event, Advanced):
                self._heard[event.number] = seconds(event.progress.done)
            elif isinstance(event, Written):
                self._end_of(event.analysed)

    def _end_of(self, analysed: Analysed) -> None:
        # what could not be read is neither done nor still to do
        self._end(analysed.number, analysed.seconds)

    def _end(self, number: int, length: float) -> None:
        self._finished.add(number)
        self._lengths[number] = self._heard[number] = length

    def standing(self) -> Standing:
        """Return where the batch stands now."""
        with self._lock:
            done = sum(self._heard.values())
            lengths = self._lengths.items()
            total = sum(max(length, self._heard.get(n, 0.0)) for n, length in lengths)
            took = 0.0 if self._began is None else self._clock() - self._began
            speed = (done - self._kept) / took if took > 0 else 0.0
            left = max(0.0, total - done) / speed if speed > 0 else None
            return Standing(len(self._finished), len(self._lengths), done, total, speed, left)
