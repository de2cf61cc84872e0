"""Watches a live session in the real window: frames, turns, lags, effort, memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil
from PySide6.QtCore import QObject, QTimer

from core.bench.memory import MEGABYTE, slope
from core.pipeline.events import EffortChanged, Event, ModelReady, Notice, SessionState, TurnUpdated
from core.pipeline.session import Session
from core.types import SAMPLE_RATE, ModelInfo, Turn, TurnStatus
from desktop.app import Application
from desktop.sessions import Prepared, RealSessions
from desktop.settings import AppSettings

COVERED = 0.5
"""Share of a spoken line that final turns must cover for it to have arrived."""


@dataclass
class Told:
    """What a session told, in order; filled from several threads, read when it has ended."""

    turns: list[TurnUpdated] = field(default_factory=list)
    effort: list[EffortChanged] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    model: ModelInfo | None = None

    def take(self, event: Event) -> None:
        """Take an event on its way to the window."""
        if isinstance(event, TurnUpdated):
            self.turns.append(event)
        elif isinstance(event, EffortChanged):
            self.effort.append(event)
        elif isinstance(event, Notice):
            self.notices.append(event)
        elif isinstance(event, ModelReady):
            self.model = event.info

    def finals(self) -> dict[int, Turn]:
        """Return the final turns as they were told last, but those that were no speech."""
        latest = {told.turn.index: told.turn for told in self.turns}
        return {
            index: turn
            for index, turn in latest.items()
            if turn.status is TurnStatus.FINAL and (turn.emotion or turn.transcript or turn.notes)
        }

    def unfinished(self) -> list[int]:
        """Return the turns that were begun and never became final."""
        latest = {told.turn.index: told.turn.status for told in self.turns}
        return [index for index, status in latest.items() if status is not TurnStatus.FINAL]

    def lags(self) -> list[float]:
        """Return how late each turn was final for the first time, in seconds."""
        found: dict[int, float] = {}
        for told in self.turns:
            if told.turn.status is TurnStatus.FINAL and told.lag is not None:
                found.setdefault(told.turn.index, told.lag)
        return list(found.values())

    def bettered(self) -> int:
        """Return how many turns got a better text after they were final."""
        return sum("text_bettered" in turn.notes for turn in self.finals().values())


class WatchedSessions(RealSessions):
    """Makes the sessions the program makes, and takes note of what they tell."""

    def __init__(self) -> None:
        self.told = Told()
        self.session: Session | None = None

    def live(self, settings: AppSettings, listener: Callable[[Event], None]) -> Prepared:
        """Return a live session that is watched on its way to the window."""

        def both(event: Event) -> None:
            self.told.take(event)
            listener(event)

        prepared = super().live(settings, both)
        self.session = prepared.session
        return prepared


class WindowWatch(QObject):
    """Notes when the window has drawn a frame, how much memory there is, what the line says."""

    def __init__(self, application: Application) -> None:
        super().__init__(application.window)
        self._application = application
        self._process = psutil.Process()
        self.frames: list[float] = []
        self.memory: list[tuple[float, float]] = []
        """(s, MB) about once a second."""
        self.delays: list[str] = []
        self.watching = False
        application.window._frames.timeout.connect(self._drawn)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._look)
        self._clock.start()

    def gaps(self) -> list[float]:
        """Return milliseconds between successive frames."""
        return [1000 * float(gap) for gap in np.diff(self.frames)]

    def _drawn(self) -> None:
        if self.watching:
            self.frames.append(time.monotonic())

    def _look(self) -> None:
        if not self.watching or self._application.state.session is not SessionState.RUNNING:
            return
        resident = float(self._process.memory_info().rss) / MEGABYTE
        self.memory.append((time.monotonic(), resident))
        delay = self._application.window.status.delay
        if delay.isVisible() and (not self.delays or self.delays[-1] != delay.text()):
            self.delays.append(delay.text())


def covered(lines: Sequence[tuple[float, float]], turns: Sequence[Turn]) -> int:
    """Return how many of the spoken lines (start, end in s) turns with a result cover."""
    spans = [(t.start / SAMPLE_RATE, t.end / SAMPLE_RATE) for t in turns if t.emotion is not None]

    def share(first: float, last: float) -> float:
        inside = sum(max(0.0, min(last, end) - max(first, start)) for start, end in spans)
        return inside / (last - first)

    return sum(share(*line) >= COVERED for line in lines)


def growth(memory: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the growth of the later half in MB a minute, and in all, from its median start."""
    later = memory[len(memory) // 2 :]
    if len(later) < 4:
        return 0.0, 0.0
    hours = [(at - later[0][0]) / 3600 for at, _ in later]
    sizes = [size for _, size in later]
    quarter = max(1, len(sizes) // 4)
    rise = statistics.median(sizes[-quarter:]) - statistics.median(sizes[:quarter])
    return slope(hours, sizes) / 60, rise
