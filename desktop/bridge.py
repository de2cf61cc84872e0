"""The only point where other threads reach the window: core events in, Qt signals out.

`EventBridge.publish` may be called from any thread. Events are collected under a lock and handed
over in the GUI thread, at most `RATE` times a second, so that a recording analysed at a hundred
times its speed can't flood the event loop. Superseded turns, progress and saved marks are dropped;
audio, notices, states and that a dialogue model is ready never are (audio only if the window was
stuck for a minute).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from core.pipeline.events import (
    AudioHeard,
    ContextReady,
    EffortChanged,
    Event,
    ModelReady,
    Notice,
    Progress,
    Saved,
    SessionState,
    StateChanged,
    TurnUpdated,
)
from core.types import TurnStatus

RATE = 30.0
"""Most deliveries a second; a finished turn or a new state is delivered at once."""

_AUDIO_KEPT = 60 * 32

_Ordered: TypeAlias = StateChanged | Notice | ContextReady | EffortChanged | ModelReady

T = TypeVar("T")


class EventBridge(QObject):
    """Delivers session events and results of background work in the GUI thread."""

    state_changed = Signal(object)
    audio_heard = Signal(object)
    turn_updated = Signal(object)
    notice = Signal(object)
    context_ready = Signal(object)
    effort_changed = Signal(object)
    model_ready = Signal(object)
    progressed = Signal(object)
    saved = Signal(object)
    _woken = Signal(bool)
    _returned = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._ordered: deque[_Ordered] = deque()
        self._audio: deque[AudioHeard] = deque(maxlen=_AUDIO_KEPT)
        self._turns: dict[int, TurnUpdated] = {}
        self._progress: Progress | None = None
        self._saved: Saved | None = None
        self._asleep = True
        self._closed = False
        self._workers: set[threading.Thread] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.deliver)
        self._last = 0.0
        self._told = {
            StateChanged: self.state_changed,
            Notice: self.notice,
            ContextReady: self.context_ready,
            EffortChanged: self.effort_changed,
            ModelReady: self.model_ready,
        }
        self._woken.connect(self._schedule, Qt.ConnectionType.QueuedConnection)
        self._returned.connect(self._conclude, Qt.ConnectionType.QueuedConnection)

    def publish(self, event: Event) -> None:
        """Accept an event from any thread; returns at once."""
        urgent = _is_urgent(event)
        with self._lock:
            self._store(event)
            wake = self._asleep or urgent
            self._asleep = False
            if wake and not self._closed:
                self._woken.emit(urgent)

    def run(
        self,
        name: str,
        work: Callable[[], T],
        done: Callable[[T], Any],
        failed: Callable[[Exception], Any],
    ) -> None:
        """Do `work` on a named thread and call `done` or `failed` in the GUI thread."""

        def body() -> None:
            try:
                result = work()
            except Exception as error:
                outcome: Callable[[], Any] = _Outcome(failed, error)
            else:
                outcome = _Outcome(done, result)
            with self._lock:
                self._workers.discard(threading.current_thread())
                if not self._closed:
                    self._returned.emit(outcome)

        thread = threading.Thread(target=body, name=f"emoscope-{name}", daemon=True)
        with self._lock:
            self._workers.add(thread)
        thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for background work at the end; False when something is still hanging."""
        deadline = time.monotonic() + timeout
        with self._lock:
            workers = list(self._workers)
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        return not any(worker.is_alive() for worker in workers)

    def close(self, timeout: float) -> bool:
        """Wait as `join` does, then take nothing more: whoever is late speaks to nobody.

        Emitting and closing exclude each other, so this object may be deleted afterwards.
        """
        ended = self.join(timeout)
        with self._lock:
            self._closed = True
        return ended

    def deliver(self) -> None:
        """Emit everything collected so far; called in the GUI thread."""
        with self._lock:
            ordered, self._ordered = self._ordered, deque()
            audio = tuple(self._audio)
            self._audio.clear()
            turns, self._turns = self._turns, {}
            progress, self._progress = self._progress, None
            saved, self._saved = self._saved, None
            self._asleep = True
        self._last = time.monotonic()
        endings = [event for event in ordered if _is_ending(event)]
        for event in ordered:
            if event not in endings:
                self._told[type(event)].emit(event)
        if audio:
            self.audio_heard.emit(audio)
        for turn in turns.values():
            self.turn_updated.emit(turn)
        if progress is not None:
            self.progressed.emit(progress)
        if saved is not None:
            self.saved.emit(saved)
        for ending in endings:
            self.state_changed.emit(ending)

    def _store(self, event: Event) -> None:
        if isinstance(event, AudioHeard):
            self._audio.append(event)
        elif isinstance(event, TurnUpdated):
            self._turns.pop(event.turn.index, None)
            self._turns[event.turn.index] = event
        elif isinstance(event, Progress):
            self._progress = event
        elif isinstance(event, Saved):
            self._saved = event
        else:
            self._ordered.append(event)

    def _conclude(self, outcome: Callable[[], Any]) -> None:
        outcome()

    def _schedule(self, urgent: bool) -> None:
        wait = 0.0 if urgent else self._last + 1.0 / RATE - time.monotonic()
        if wait <= 0.0:
            self._timer.stop()
            self.deliver()
        elif not self._timer.isActive():
            self._timer.start(round(wait * 1000))


class _Outcome:
    """A callback and its argument; called and dropped in the GUI thread."""

    def __init__(self, callback: Callable[[Any], Any], value: Any) -> None:
        self._callback = callback
        self._value = value

    def __call__(self) -> None:
        self._callback(self._value)


def _is_ending(event: Event) -> bool:
    """True for a state after which nothing more comes: it is told after what came before it."""
    ended = (SessionState.IDLE, SessionState.FAILED)
    return isinstance(event, StateChanged) and event.state in ended


def _is_urgent(event: Event) -> bool:
    if isinstance(event, TurnUpdated):
        return event.turn.status is not TurnStatus.PARTIAL
    return isinstance(event, StateChanged)
