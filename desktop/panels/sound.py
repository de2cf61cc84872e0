"""Dock: the sound of the last seconds, or of the whole recording."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from core.pipeline.events import SessionState
from core.types import SAMPLE_RATE, WINDOW, Turn
from desktop import names
from desktop.item_models.sound_history import SPECTROGRAM_WINDOWS
from desktop.panels.panel import Panel
from desktop.plots.waveform import WaveformPlot
from desktop.theme import Theme
from desktop.view_state import ViewState

LIVE_SECONDS = 20.0
"""How much is shown while listening."""


class SoundPanel(Panel):
    """Waveform with speech shaded; a spectrogram below it while listening."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.body.setContentsMargins(2, 2, 2, 2)
        self.plot = WaveformPlot(self)
        self.plot.setObjectName("waveform")
        self.body.addWidget(self.plot)
        self._dirty = True
        state.sound_changed.connect(self._mark)
        state.cleared.connect(self._mark)
        state.time.changed.connect(self._mark)
        state.state_changed.connect(self._mark)
        state.selection_changed.connect(self._select)
        self.share_time(self.plot)
        self.set_theme(state.theme)
        self.retranslate()

    def title(self) -> str:
        """Return the title of the dock."""
        return self.tr("Sound")

    def retranslate(self) -> None:
        """Set every text again."""
        self.plot.setAccessibleName(self.tr("Waveform of the sound, speech shaded"))
        self._mark()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self.plot.set_theme(theme)
        self._mark()

    def frame(self) -> None:
        """Draw what was heard since the last frame."""
        if not self._dirty or not self.isVisible():
            return
        self._dirty = False
        state = self.state
        first, last = state.time.stretch(LIVE_SECONDS)
        columns = self.plot.columns()
        following = state.time.following
        self.plot.set_sound(
            first,
            last,
            state.sound.envelope(first, last, columns),
            state.sound.speech(first, last, columns),
            relative=following,
        )
        levels = state.sound.spectrogram(last) if following else None
        share = SPECTROGRAM_WINDOWS * WINDOW / SAMPLE_RATE / LIVE_SECONDS
        self.plot.set_spectrogram(levels, share)
        self.plot.set_hint(self._hint())
        self.plot.describe(self.summary())

    def summary(self) -> str:
        """Return the picture in words."""
        first, last = self.state.time.stretch(LIVE_SECONDS)
        return self.tr("{first} to {last}. {hint}").format(
            first=names.clock(first), last=names.clock(last), hint=self._hint()
        )

    def _hint(self) -> str:
        if self.state.session is not SessionState.RUNNING or not self.state.live:
            return ""
        return self.tr("speech") if self.state.sound.is_speech() else self.tr("listening")

    def _mark(self, *_: object) -> None:
        self._dirty = True

    def _select(self, turn: Turn | None) -> None:
        span = None if turn is None else (turn.start / SAMPLE_RATE, turn.end / SAMPLE_RATE)
        self.plot.set_selection(span)
