"""States, threads and events of a session: what there is to know about starting and ending."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from core.errors import EmoscopeError
from core.pipeline.events import Event, SessionState, StateChanged

log = logging.getLogger(__name__)

Listener: TypeAlias = Callable[[Event], None]

_ACTIVE = (SessionState.LOADING, SessionState.RUNNING)


class Lifecycle:
    """IDLE -> LOADING -> RUNNING -> STOPPING -> IDLE, or FAILED; every method from any thread."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._listener_failed = False
        self._lock = threading.RLock()
        self._done = threading.Event()
        self._threads: list[threading.Thread] = []
        self._missing = {"source", "analyzer"}
        self.state = SessionState.IDLE
        self.error: Exception | None = None
        self.stopping = threading.Event()
        """Set once the session is to end."""

    def emit(self, event: Event) -> None:
        """Tell the listener; one that raises is logged and does no harm."""
        try:
            self._listener(event)
        except (Exception, SystemExit):  # some consoles exit when nobody reads them any more
            if not self._listener_failed:  # or a long session fills the log with it
                self._listener_failed = True
                log.exception("the listener failed on %s", type(event).__name__)

    def start(self, work: dict[str, Callable[[], None]]) -> None:
        """Start a thread per entry, named after it. Raises RuntimeError the second time."""
        with self._lock:
            if self._threads:
                raise RuntimeError("a session can be started once")
            self._enter(SessionState.LOADING)
            self._threads = [
                threading.Thread(target=self._guarded, args=(job,), name=f"emoscope-{name}")
                for name, job in work.items()
            ]
            for thread in self._threads:
                thread.start()

    def loaded(self, part: str) -> bool:
        """Note that "source" or "analyzer" is ready; true for the part that was the last."""
        with self._lock:
            self._missing.discard(part)
            if self._missing or self.state is not SessionState.LOADING:
                return False
            self._enter(SessionState.RUNNING)
            return True

    def stop(self) -> None:
        """Ask every thread to end; returns at once."""
        with self._lock:
            if self.state in _ACTIVE:
                self._enter(SessionState.STOPPING)
            self.stopping.set()

    def fail(self, error: BaseException) -> None:
        """Stop because of an error; the first one is kept."""
        if not isinstance(error, Exception):
            error = RuntimeError(f"A part of the session ended the program ({error!r}).")
        if not isinstance(error, EmoscopeError):
            log.error("the session failed", exc_info=error)
        with self._lock:
            self.error = self.error or error
            self.stop()

    def end(self, close: Callable[[], None]) -> None:
        """Finish, on the last thread: wait for the others, `close`, and say how it went."""
        if self.error is not None:
            # Said at once: another thread may still be loading a large model.
            self._enter(SessionState.FAILED, _sentence(self.error))
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        close()
        if self.error is None:
            self._enter(SessionState.IDLE)
        elif self.state is not SessionState.FAILED:
            self._enter(SessionState.FAILED, _sentence(self.error))
        self._done.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until every thread has ended; false when that takes longer than `timeout` (s)."""
        if not self._threads:
            return True
        if not self._done.wait(timeout):
            return False
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        return True

    def _enter(self, state: SessionState, detail: str = "") -> None:
        # Emitted under the lock, so that two threads can't tell of two states in the wrong order.
        with self._lock:
            self.state = state
            self.emit(StateChanged(state, detail))

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # a library that calls sys.exit must not hang the session
            self.fail(error)


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__
