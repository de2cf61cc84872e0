"""In the status line: how far what is shown is behind, and what is left out to keep up."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QWidget

from core.pipeline.events import EffortChanged, SessionState, TurnUpdated
from desktop import engine_words
from desktop.item_models.delay import Delay
from desktop.view_state import ViewState

RENEWED_MS = 1000
"""The figure changes once a second at most: a number that flutters can't be read."""


class DelayLabel(QLabel):
    """ "0.2 s behind", while somebody is recorded; marked only when it matters."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("delay")
        self._state = state
        self._delay = Delay()
        self.awaited: Callable[[], float] = lambda: 0.0
        """Returns how long (s) a finished turn has been waiting for its result, 0 if none is."""
        self._clock = QTimer(self)
        self._clock.setInterval(RENEWED_MS)
        self._clock.timeout.connect(self.refresh)
        self.hide()
        state.state_changed.connect(self._follow)

    def take(self, event: TurnUpdated) -> None:
        """Take a turn as it was told."""
        first = self._delay.seconds(self._state.time.now) is None
        if self._state.live:
            self._delay.take(event.turn, event.lag, self._state.time.now)
        if first:
            self.refresh()

    def begin(self) -> None:
        """Forget the last session."""
        self._delay.clear()
        self.awaited = lambda: 0.0
        self.refresh()

    def refresh(self) -> None:
        """Show how far behind it is now."""
        running = self._state.session in (SessionState.RUNNING, SessionState.STOPPING)
        now = self._state.time.now
        seconds = self._delay.seconds(now, self.awaited()) if running else None
        self.setVisible(seconds is not None)
        if seconds is None:
            return
        said = engine_words.delay(seconds)
        self.setText(said)
        self.setToolTip(
            self.tr(
                "How long after something was said its result is shown. The pause that tells that "
                "a turn is over is part of it."
            )
        )
        self.setAccessibleName(self.tr("Delay of the results: {delay}").format(delay=said))
        self._mark(self._delay.late)

    def _mark(self, late: bool) -> None:
        if self.property("late") != late:
            self.setProperty("late", late)
            self.style().unpolish(self)
            self.style().polish(self)

    def _follow(self, session: SessionState) -> None:
        if self._state.live and session is SessionState.RUNNING:
            self._clock.start()
        elif session in (SessionState.IDLE, SessionState.FAILED):
            self._clock.stop()
        self.refresh()


class EffortLabel(QLabel):
    """What a live session leaves out because the computer can't keep up; hidden if nothing."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: EffortChanged | None = None
        self._state = state
        self.hide()
        state.state_changed.connect(lambda _: self.refresh())

    def take(self, event: EffortChanged | None) -> None:
        """Show this level; None: a new session starts with everything."""
        self._event = event
        self.refresh()

    def explanation(self) -> str:
        """Return what is left out and what never is, "" while nothing is."""
        if self._event is None or not self._event.level:
            return ""
        order = self.tr(
            "This computer is busy, so what is shown while somebody speaks gives way, one step at "
            "a time, and comes back by itself. The result of a finished turn and the recorded "
            "sound never give way."
        )
        steps = engine_words.effort_steps(self._event.level)
        return "\n".join((order, *(f"• {step}" for step in steps)))

    def refresh(self) -> None:
        """Say it again, as after a change of language."""
        running = self._state.session in (SessionState.RUNNING, SessionState.STOPPING)
        text = self.explanation() if running else ""
        self.setVisible(bool(text))
        if text and self._event is not None:
            self.setText(engine_words.effort(self._event.level, self._event.levels))
            self.setToolTip(text)
            self.setAccessibleName(self.text())
            self.setAccessibleDescription(text)
