"""The line at the bottom: what runs where, how fast, what is heard as text, what is saved."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from core.pipeline.events import EffortChanged, Progress, SessionState, TurnUpdated
from core.types import SAMPLE_RATE, ModelInfo
from desktop import engine_words, names
from desktop.panels.engine import EngineButton, Fact
from desktop.panels.keeping_up import DelayLabel, EffortLabel
from desktop.panels.personal_button import PersonalButton
from desktop.view_state import ViewState

PATIENCE = 3.0
"""Seconds of loading after which it is said how long it has been going on."""


class StatusLine(QStatusBar):
    """Labels that are set from facts, each with a tooltip that says more."""

    whisper_wanted = Signal()
    settings_wanted = Signal()
    """To the page of the settings about what computes the results."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.setSizeGripEnabled(False)
        self.engine = EngineButton(self.facts, self)
        self._model = QLabel(self)
        self.personal = PersonalButton(self)
        self.delay = DelayLabel(state, self)
        self.effort = EffortLabel(state, self)
        self._text = QLabel(self)
        self._get = QToolButton(self)
        self._progress = QProgressBar(self)
        self._saved = QLabel(self)
        self._info: ModelInfo | None = None
        self._compact = False
        self._loading_since: float | None = None
        self._transcriber: str | None = None
        self._off = False
        self._looked = False
        self._saved_at: float | None = None
        self._seen_progress: Progress | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tick)
        self._build()
        state.state_changed.connect(self._show_state)
        self.retranslate()

    def set_model(self, info: ModelInfo) -> None:
        """Say which model judges and where it runs, and why there."""
        if info != self._info:
            self._info = info
            self._show_model()

    def set_compact(self, compact: bool) -> None:
        """Leave out in a narrow window what is said elsewhere too."""
        self._compact = compact
        self._model.setVisible(bool(self._model.text()) and not compact)

    def take_turn(self, event: TurnUpdated) -> None:
        """Take note of how late a turn came."""
        self.delay.take(event)

    def take_effort(self, event: EffortChanged) -> None:
        """Say what is left out to keep up."""
        self.effort.take(event)
        self.engine.refresh()

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
        """Forget the model and the figures of the last session."""
        self._info = None
        self._saved_at = self._seen_progress = None
        self._clock.stop()
        self.delay.begin()
        self.effort.take(None)
        self._show_saved()
        self._show_progress()
        self._show_model()

    def facts(self) -> tuple[Fact, ...]:
        """Return all there is to say about what computes the results."""
        info = self._info
        found: list[Fact] = []
        if info is not None:
            found.append((self.tr("Model"), self._model.text()))
            found.append((self.tr("Runs on"), engine_words.where(info)))
            found += [
                (engine_words.encoder(entry.modality), engine_words.runtime(entry))
                for entry in info.runtimes
            ]
        found.append((self.tr("Personal adapter"), self.personal.explanation()))
        found.append((self.tr("Recognition"), self._transcriber or self._text.text()))
        if self.delay.text() and not self.delay.isHidden():
            found.append((self.tr("Delay"), self.delay.text()))
        if self.effort.explanation():
            found.append((self.tr("Keeping up"), self.effort.explanation()))
        return tuple((about, said) for about, said in found if said)

    def retranslate(self) -> None:
        """Set every text again."""
        self._get.setText(self.tr("Get one…"))
        self._get.setAccessibleName(self.tr("Get a speech recognition model"))
        self._progress.setAccessibleName(self.tr("Progress of the analysis"))
        for show in (
            self._show_transcriber,
            self._show_progress,
            self._show_saved,
            self.delay.refresh,
            self.effort.refresh,
            self._show_model,
        ):
            show()

    def _build(self) -> None:
        self._progress.setFixedWidth(260)
        self._progress.hide()
        self._get.clicked.connect(self.whisper_wanted)
        self._get.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.engine.settings_wanted.connect(self.settings_wanted)
        shown = (
            self.engine,
            self._model,
            self.personal,
            self.delay,
            self.effort,
            self._text,
            self._get,
        )
        for widget in shown:
            self.addWidget(widget)
        self.addPermanentWidget(self._progress)
        self.addPermanentWidget(self._saved)

    def _show_model(self) -> None:
        info = self._info
        named = self.tr("{name} {version}")
        self._model.setText(named.format(name=info.name, version=info.version) if info else "")
        self._model.setToolTip(f"sha256 {info.digest[:16]}…" if info else "")
        self.set_compact(self._compact)
        if self.state.session is SessionState.LOADING:
            self.engine.say(self._loading())
        elif info is None:
            self.engine.say(self.tr("no model loaded yet"))
        else:
            self.engine.say(engine_words.short(info))

    def _loading(self) -> str:
        """Say what takes so long before the first result, and for how long it has."""
        since = self._loading_since
        age = 0.0 if since is None else time.monotonic() - since
        if self.state.preparing:
            text = self.tr("preparing the model for this computer, once… {seconds} s")
        elif age < PATIENCE:
            text = self.tr("loading the model…")
        else:
            text = self.tr("loading the model… {seconds} s")
        return text.format(seconds=round(age))

    def _tick(self) -> None:
        """A second has passed."""
        self._show_saved()
        if self.state.session is SessionState.LOADING:
            self._show_model()

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
        self.engine.refresh()

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
        if session is SessionState.LOADING:
            self._loading_since = self._loading_since or time.monotonic()
            self._clock.start()
        else:
            self._loading_since = None
        self._show_model()
        if session in (SessionState.IDLE, SessionState.FAILED):
            self._clock.stop()
            if self._saved_at is not None:
                self._saved.setText(self.tr("● saved"))
        self._show_progress()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
