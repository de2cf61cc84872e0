"""A source that delivers as a device would, on a clock that runs faster."""

from __future__ import annotations

import threading
import time

from core.pipeline.protocols import AudioSource
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, Message


class AcceleratedSource:
    """Delivers the blocks of another source when they are due, at `speed` times real time."""

    def __init__(self, inner: AudioSource, speed: float) -> None:
        self._inner = inner
        self._speed = speed
        self._stopped = threading.Event()
        self._began = 0.0
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

    @property
    def clock_seconds(self) -> float:
        """Seconds since the start on the accelerated clock."""
        return (time.monotonic() - self._began) * self._speed

    def start(self) -> None:
        """Open the inner source and start the clock."""
        self._inner.start()
        self._began = time.monotonic()

    def read(self, timeout: float) -> AudioBlock | None:
        """Return the next block once it is due, None when that takes longer than `timeout`."""
        due = (self._position + WINDOW) / SAMPLE_RATE
        wait = (due - self.clock_seconds) / self._speed
        if wait > 0:
            self._stopped.wait(min(wait, timeout))
            if wait > timeout:
                return None
        block = self._inner.read(timeout)
        if block is not None:
            self._position = block.start + WINDOW
        return block

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call."""
        return self._inner.take_messages()

    def stop(self) -> None:
        """Stop delivering."""
        self._stopped.set()
        self._inner.stop()
