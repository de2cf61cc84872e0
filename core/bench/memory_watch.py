"""The most memory a process takes while something runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from core.bench.memory import MEGABYTE, resident_megabytes

_INTERVAL = 0.01


class MemoryWatch:
    """`growth`: MB of resident memory beyond what there was, at the highest point so far."""

    def __init__(self) -> None:
        self._before = self._most = resident_megabytes()

    @property
    def growth(self) -> float:
        """Return it in MB."""
        return self._most - self._before

    def look(self) -> None:
        """Look once."""
        now = float(psutil.Process().memory_info().rss) / MEGABYTE
        self._most = max(self._most, now)


@contextmanager
def watched_memory(interval: float = _INTERVAL) -> Iterator[MemoryWatch]:
    """Look at the memory every few milliseconds while the block runs, and after it."""
    watch, done = MemoryWatch(), threading.Event()

    def run() -> None:
        while not done.wait(interval):
            watch.look()

    thread = threading.Thread(target=run, name="bench-memory", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.look()
        done.set()
        thread.join()
