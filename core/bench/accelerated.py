"""A source that delivers as a device would, on a clock that runs faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.pipeline.protocols import AudioSource
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, Message


class AcceleratedSource:
    """Delivers the blocks of another source when they are due, at most `speed` times real time.

    Args:
        inner: what is delivered.
        speed: seconds of audio in a second.
        keeps_up: told the position (samples); while it says no the clock stands still, so that a
            slow machine is given the time that a real clock would give it.
    """

    def __init__(
        self, inner: AudioSource, speed: float, keeps_up: Callable[[int], bool] = lambda _: True
    ) -> None:
        self._inner = inner
        self._speed = speed
        self._keeps_up = keeps_up
        self._stopped = threading.Event()
        self._due = 0.0
        self._position = 0

    @property
    def description(self) -> str:
        """Name of what is delivered."""
        return self._inner.description

    @property
    def channels(self) -> int:
        """Rows of every block."""
        return self._inner.channels

    @property
    def total_samples(self) -> int | None:
        """None: a device has no end that is known before."""
        return None

    def start(self) -> None:
        """Open the inner source and start the clock."""
        self._inner.start()
        self._due = time.monotonic()

    def read(self, timeout: float) -> AudioBlock | None:
        """Return the next block once it is due, None when that takes longer than `timeout`."""
        if not self._keeps_up(self._position):
            self._stopped.wait(min(0.01, timeout))
            self._due = time.monotonic()
            return None
        wait = self._due - time.monotonic()
        if wait > 0:
            self._stopped.wait(min(wait, timeout))
            if wait > timeout:
                return None
        block = self._inner.read(timeout)
        if block is not None:
            self._position = block.start + WINDOW
            self._due += WINDOW / SAMPLE_RATE / self._speed
        return block

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call."""
        return self._inner.take_messages()

    def stop(self) -> None:
        """Stop delivering."""
        self._stopped.set()
        self._inner.stop()
