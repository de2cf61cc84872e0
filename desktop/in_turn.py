"""Work beside the window, one thing after the other: what is asked first is done first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QEventLoop

from desktop.view_state import RunApart


class InTurn:
    """A queue before `EventBridge.run`, which by itself does everything at once.

    Args:
        run: does work on a named thread, and calls back in the GUI thread.
        name: of the threads.
    """

    def __init__(self, run: RunApart, name: str) -> None:
        self._run = run
        self._name = name
        self._waiting: deque[tuple[Callable[[], Any], Callable[..., Any], Callable[..., Any]]]
        self._waiting = deque()
        self._busy = False

    @property
    def idle(self) -> bool:
        """True when nothing is done and nothing waits."""
        return not self._busy

    def do(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], Any],
        failed: Callable[[Exception], Any],
    ) -> None:
        """Do `work` after what waits already; then call `done` or `failed` in the GUI thread."""
        self._waiting.append((work, done, failed))
        if not self._busy:
            self._next()

    def finish(self, timeout: float) -> bool:
        """Do what waits before the window goes (GUI thread); False when that takes too long (s)."""
        deadline = time.monotonic() + timeout
        while not self.idle and time.monotonic() < deadline:
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
            time.sleep(0.005)
        return self.idle

    def _next(self) -> None:
        if not self._waiting:
            return
        self._busy = True
        work, done, failed = self._waiting.popleft()
        self._run(
            self._name,
            work,
            lambda result: self._end(done, result),
            lambda error: self._end(failed, error),
        )

    def _end(self, told: Callable[[Any], Any], value: Any) -> None:
        self._busy = False
        try:
            told(value)
        finally:
            if not self._busy:
                self._next()
