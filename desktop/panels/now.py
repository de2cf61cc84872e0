"""Dock: what is heard right now (or in the selected turn): one word and seven bars."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from core.labels import EMOTIONS
from core.pipeline.events import SessionState
from core.types import SAMPLE_RATE, EmotionResult, Turn, TurnStatus
from desktop import names
from desktop.panels.panel import Panel
from desktop.plots.chip import Chip
from desktop.plots.emotion_bars import EmotionBars
from desktop.theme import Theme
from desktop.view_state import ViewState

QUIET_AFTER = 2.5
"""Seconds without speech after which the panel says "listening" again."""


class NowPanel(Panel):
    """The steady label above the raw probabilities; calm in silence."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._chip = Chip(self)
        self._word = QLabel(self)
        self._number = QLabel(self)
        self._note = QLabel(self)
        self._bars = EmotionBars(self)
        self._shown: EmotionResult | None = None
        self._quiet = True
        self._build()
        for signal in (state.turn_changed, state.cleared, state.selection_changed):
            signal.connect(self._refresh)
        state.state_changed.connect(self._refresh)
        self.set_theme(state.theme)
        self.retranslate()

    def title(self) -> str:
        """Return the title of the dock."""
        return self.tr("Now")

    def retranslate(self) -> None:
        """Set every text again."""
        self._bars.setAccessibleName(self.tr("Probability of each emotion"))
        self._word.setAccessibleName(self.tr("Emotion heard now"))
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._bars.set_theme(theme)
        self._chip.set_theme(theme)

    def frame(self) -> None:
        """Become calm when nobody has spoken for a while."""
        if self._is_quiet() != self._quiet:
            self._refresh()

    def _build(self) -> None:
        font = self._word.font()
        font.setPointSizeF(font.pointSizeF() * 1.7)
        font.setBold(True)
        self._word.setFont(font)
        self._number.setFont(font)
        self._note.setObjectName("muted")
        self._note.setWordWrap(True)
        self._note.setMinimumHeight(self._note.fontMetrics().height() + 2)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._chip)
        row.addWidget(self._word, 1)
        row.addWidget(self._number, 0, Qt.AlignmentFlag.AlignRight)
        head = QVBoxLayout()
        head.setSpacing(0)
        head.addLayout(row)
        head.addWidget(self._note)
        self.body.addLayout(head)
        self.body.addWidget(self._bars, 1)
        self._word.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _is_quiet(self) -> bool:
        state = self.state
        if state.selected is not None or not state.live or not state.time.following:
            return False
        newest = state.newest
        return newest is None or state.time.now - newest.end / SAMPLE_RATE > QUIET_AFTER

    def _refresh(self, *_: object) -> None:
        self._quiet = self._is_quiet()
        turn = None if self._quiet else self.state.shown_turn()
        result = None if turn is None else turn.emotion
        if turn is None or result is None:
            self._show_calm()
            return
        label = self._label(turn, result)
        share = result.probabilities[result.labels.index(label)]
        self._chip.set_label(label, faded=result.uncertain)
        self._word.setText(
            self.tr("not sure: {emotion}?").format(emotion=names.emotion(label))
            if result.uncertain
            else names.emotion(label)
        )
        self._number.setText(names.probability(share))
        self._note.setText(self._note_for(turn, result))
        self._bars.set_probabilities(result.labels, result.probabilities, label, result.uncertain)
        self._bars.describe(self._bars.summary())

    def _show_calm(self) -> None:
        listening = self.state.session is SessionState.RUNNING and self.state.live
        self._chip.set_label(None)
        self._word.setText(self.tr("listening") if listening else self._idle_word())
        self._number.setText("")
        self._note.setText(self.tr("Nobody is speaking.") if listening else "")
        labels = self.state.timeline.labels or EMOTIONS
        self._bars.set_probabilities(labels, (), None, faded=False)
        self._bars.describe(self._word.text())

    def _idle_word(self) -> str:
        if self.state.session is SessionState.LOADING:
            return self.tr("getting ready…")
        return "–"

    def _label(self, turn: Turn, result: EmotionResult) -> str:
        newest = self.state.newest
        steady = self.state.steady.label
        following = newest is not None and newest.index == turn.index
        return steady if following and steady in result.labels and steady else result.label

    def _note_for(self, turn: Turn, result: EmotionResult) -> str:
        parts = [turn.speaker] if turn.speaker else []
        if self.state.selected is not None or not self.state.time.following:
            parts.insert(0, names.clock(turn.start / SAMPLE_RATE))
        return " · ".join([*parts, self._source(turn, result)])

    def _source(self, turn: Turn, result: EmotionResult) -> str:
        if result.doubts:
            return "; ".join(names.doubt(reason) for reason in result.doubts)
        heard = " + ".join(names.modality(kind) for kind in result.modalities)
        if turn.status is TurnStatus.PARTIAL:
            return self.tr("from {modalities}, still speaking").format(modalities=heard)
        return self.tr("from {modalities}").format(modalities=heard)
