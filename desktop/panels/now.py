"""Dock: what is heard right now (or in the selected turn): a word, or several, and the bars."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.labels import EMOTIONS
from core.pipeline.events import SessionState
from core.types import SAMPLE_RATE, EmotionResult, Turn, TurnStatus
from desktop import names
from desktop.panels.headline import Headline
from desktop.panels.panel import Panel
from desktop.plots.chip import Chip
from desktop.plots.emotion_bars import EmotionBars
from desktop.theme import Theme
from desktop.view_state import ViewState

QUIET_AFTER = 2.5
"""Seconds without a result after which the panel says "listening" again."""


class NowPanel(Panel):
    """The steady label above the raw probabilities; calm in silence."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._chip = Chip(self)
        self._word = Headline(self)
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
        self._number.setFont(self._word.large_font())
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

    def _is_quiet(self) -> bool:
        state = self.state
        if state.selected is not None or not state.live or not state.time.following:
            return False
        if state.newest is None:
            return True
        shown_since = max(state.newest_at, state.newest.end / SAMPLE_RATE)
        return state.time.now - shown_since > QUIET_AFTER

    def _refresh(self, *_: object) -> None:
        self._quiet = self._is_quiet()
        turn = None if self._quiet else self.state.shown_turn()
        result = None if turn is None else turn.emotion
        if turn is None or result is None:
            self._show_calm()
            return
        shown = self._shown_labels(turn, result)
        self._chip.set_labels(shown, faded=result.uncertain)
        words = " + ".join(names.emotion(label) for label in shown) or names.no_emotion()
        self._word.set_words(
            self.tr("not sure: {emotion}?").format(emotion=words) if result.uncertain else words
        )
        # Of several emotions each has its number beside its bar.
        share = result.probabilities[result.labels.index(shown[0])] if len(shown) == 1 else None
        self._number.setText("" if share is None else names.probability(share))
        self._note.setText(self._note_for(turn, result))
        self._bars.set_probabilities(
            result.labels, result.probabilities, shown, result.uncertain, result.thresholds
        )
        self._bars.describe(self._bars.summary())
        self._bars.setToolTip("" if result.exclusive else self._independence())

    def _independence(self) -> str:
        return self.tr(
            "Each emotion is judged on its own: several can be given, or none, and the numbers "
            "need not add up to 100 %. The mark on a bar shows from where on its emotion is given."
        )

    def _show_calm(self) -> None:
        if self._waits_for_text():
            self._show_waiting()
            return
        listening = self.state.session is SessionState.RUNNING and self.state.live
        self._chip.set_labels(())
        self._word.set_words(self.tr("listening") if listening else self._idle_word())
        self._number.setText("")
        self._note.setText(self.tr("Nobody is speaking.") if listening else "")
        labels = self.state.timeline.labels or EMOTIONS
        self._bars.set_probabilities(labels, (), (), faded=False)
        self._bars.describe(self._word.words())

    def _waits_for_text(self) -> bool:
        """True when somebody spoke whom the model can't judge before the text is there."""
        last = self.state.turns.turn(self.state.turns.rowCount() - 1)
        return last is not None and "text_awaited" in last.notes

    def _show_waiting(self) -> None:
        self._chip.set_labels(())
        self._word.set_words(self.tr("waiting for the text"))
        self._number.setText("")
        self._note.setText(self.tr("This model reads what is said, not how it sounds."))
        self._bars.set_probabilities(self.state.labels, (), (), faded=False)
        self._bars.describe(self._word.words())

    def _idle_word(self) -> str:
        if self.state.session is SessionState.LOADING:
            return self.tr("getting ready…")
        return "–"

    def _shown_labels(self, turn: Turn, result: EmotionResult) -> tuple[str, ...]:
        newest = self.state.newest
        steady = self.state.steady.labels
        following = newest is not None and newest.index == turn.index
        if following and steady is not None and set(steady) <= set(result.labels):
            return steady
        return result.given

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
