"""Was that right? A line with buttons below the evidence of a turn; later, what the user said."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from core.personal.types import Correction
from core.types import Turn
from desktop import names
from desktop.panels.correction_menu import chip_icon
from desktop.theme import Theme
from desktop.view_state import ViewState


class CorrectionRow(QWidget):
    """Shown for turns that can be corrected; asks `ViewState.correction_asked`."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self._turn: Turn | None = None
        self._spot = QLabel(self)
        self._words = QLabel(self)
        self.change = QPushButton(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._spot)
        row.addWidget(self._words, 1)
        row.addWidget(self.change)
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.change.setObjectName("small")
        self.change.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.change.clicked.connect(self._ask)
        state.corrected.changed.connect(self.refresh)
        state.state_changed.connect(self.refresh)
        self.hide()

    def show_turn(self, turn: Turn | None) -> None:
        """Ask about this turn."""
        self._turn = turn
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Say again what holds now."""
        turn = self._turn
        said = None if turn is None else self.state.corrected.of(turn)
        possible = turn is not None and self.state.correctable(turn)
        self.setVisible(possible or said is not None)
        self._spot.setVisible(said is not None)
        self.change.setVisible(possible)
        if said is not None:
            self._spot.setPixmap(chip_icon(said.label, self.state.theme).pixmap(12, 12))
        words = self.tr("Was that right?") if said is None else self.said(said)
        self._words.setText(words)
        self._words.setToolTip(words)
        self.change.setText(self.tr("Say what it was…") if said is None else self.tr("Change…"))
        self.change.setToolTip(self.tr("Your word is kept beside the model's (Ctrl+L)"))

    def said(self, said: Correction) -> str:
        """Return what the user said, and whose voice it is."""
        if said.confirms:
            text = self.tr("You say: right, {emotion} ({person})")
        else:
            text = self.tr("You say: {emotion} ({person})")
        return text.format(emotion=names.emotion(said.label), person=said.person)

    def _ask(self) -> None:
        if self._turn is not None:
            place = self.change.mapToGlobal(QPoint(0, self.change.height()))
            self.state.correction_asked.emit(self._turn, place)

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.refresh()
