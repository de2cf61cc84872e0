"""The line at the bottom: what runs where, how fast, what is heard as text, what is saved."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from core.pipeline.events import Progress, SessionState
from core.types import SAMPLE_RATE, ModelInfo
from desktop import messages, names
from desktop.view_state import ViewState


class StatusLine(QStatusBar):
    """Labels that are set from facts, each with a tooltip that says more."""

    whisper_wanted = Signal()

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.setSizeGripEnabled(False)
        self._processor = QLabel(self)
        self._model = QLabel(self)
        self._lag = QLabel(self)
        self._text = QLabel(self)
        self._get = QToolButton(self)
        self._progress = QProgressBar(self)
        self._saved = QLabel(self)
        self._info: ModelInfo | None = None
        self._lag_seconds: float | None = None
        self._transcriber: str | None = None
        self._off = False
        self._looked = False
        self._saved_at: float | None = None
        self._seen_progress: Progress | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._show_saved)
        self._build()
        state.state_changed.connect(self._show_state)
        self.retranslate()

    def set_model(self, info: ModelInfo) -> None:
        """Say which model judges and where it runs, and why there."""
        if info != self._info:
            self._info = info
            self._show_model()

    def set_lag(self, seconds: float | None) -> None:
        """Say how long after the speech the result came."""
        if seconds is None:
            return
        previous = self._lag_seconds
        self._lag_seconds = seconds if previous is None else 0.7 * previous + 0.3 * seconds
        self._show_lag()

    def set_transcriber(self, name: str | None, off: bool = False) -> None:
        """Say what writes the text; None: speech only, because none is here or all are `off`."""
        self._transcriber = name
        self._off = off
        self._looked = True
        self._show_transcriber()

    def text_source(self) -> str:
        """Return what is said about where the text comes from."""
        return self._text.text()

    def set_progress(self, progress: Progress | None) -> None:
        """Show how far into a recording the analysis is."""
        self._seen_progress = progress
        self._show_progress()

    def set_saved(self) -> None:
        """Take note that everything heard so far is on disk."""
        self._saved_at = time.monotonic()
        self._show_saved()
        self._clock.start()

    def begin(self) -> None:
        """Forget the figures of the last session."""
        self._lag_seconds = self._saved_at = self._seen_progress = None
        self._clock.stop()
        for show in (self._show_lag, self._show_saved, self._show_progress):
            show()

    def retranslate(self) -> None:
        """Set every text again."""
        self._get.setText(self.tr("Get one…"))
        self._get.setAccessibleName(self.tr("Get a speech recognition model"))
        self._progress.setAccessibleName(self.tr("Progress of the analysis"))
        for show in (
            self._show_model,
            self._show_lag,
            self._show_transcriber,
            self._show_progress,
            self._show_saved,
        ):
            show()

    def _build(self) -> None:
        self._progress.setFixedWidth(260)
        self._progress.hide()
        self._get.clicked.connect(self.whisper_wanted)
        self._get.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for widget in (self._processor, self._model, self._lag, self._text, self._get):
            self.addWidget(widget)
        self.addPermanentWidget(self._progress)
        self.addPermanentWidget(self._saved)

    def _show_model(self) -> None:
        info = self._info
        if info is None:
            self._processor.setText(self.tr("no model loaded yet"))
            self._model.setText("")
            return
        where = info.device.upper()
        self._processor.setText(
            self.tr("{device} ({reason})").format(
                device=where, reason=messages.device_reason(info.device_reason)
            )
            if info.device_reason
            else where
        )
        self._model.setText(
            self.tr("{name} {version}").format(name=info.name, version=info.version)
        )
        self._model.setToolTip(f"sha256 {info.digest[:16]}…")

    def _show_lag(self) -> None:
        if self._lag_seconds is None:
            self._lag.setText("")
            return
        milliseconds = QLocale().toString(round(self._lag_seconds * 1000))
        self._lag.setText(self.tr("lag {milliseconds} ms").format(milliseconds=milliseconds))
        self._lag.setToolTip(self.tr("From the last sample of speech to the result."))

    def _show_transcriber(self) -> None:
        missing = self._looked and self._transcriber is None
        self._get.setVisible(missing and not self._off)
        if not self._looked:
            text = ""
        elif not missing:
            text = self.tr("text by {name}").format(name=self._transcriber)
        elif self._off:
            text = self.tr("speech only: recognition is off")
        else:
            text = self.tr("speech only: no Whisper model")
        self._text.setText(text)

    def _show_progress(self) -> None:
        progress = self._seen_progress
        running = self.state.session in (SessionState.RUNNING, SessionState.STOPPING)
        self._progress.setVisible(progress is not None and running)
        if progress is None:
            return
        if progress.total:
            self._progress.setRange(0, 1000)
            self._progress.setValue(round(1000 * progress.done / progress.total))
            left = (progress.total - progress.done) / SAMPLE_RATE / max(progress.speed, 0.01)
            self._progress.setFormat(
                self.tr("{percent}, {speed} × speed, {left} left").format(
                    percent=names.percent(progress.done / progress.total),
                    speed=QLocale().toString(progress.speed, "f", 1),
                    left=names.clock(left),
                )
            )
        else:
            self._progress.setRange(0, 0)
            self._progress.setFormat("")

    def _show_saved(self) -> None:
        if self._saved_at is None:
            self._saved.setText("")
            return
        running = self.state.session in (SessionState.RUNNING, SessionState.STOPPING)
        age = round(time.monotonic() - self._saved_at) if running else 0
        self._saved.setText(
            self.tr("● saved")
            if age < 3
            else self.tr("● saved {seconds} s ago").format(seconds=age)
        )

    def _show_state(self, session: SessionState) -> None:
        if session not in (SessionState.RUNNING, SessionState.STOPPING):
            self._clock.stop()
            if self._saved_at is not None:
                self._saved.setText(self.tr("● saved"))
        self._show_progress()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
