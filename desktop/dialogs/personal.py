"""Personal adapters in one place: what was said, what is learned from it, whether it is used."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from core.pipeline.events import SessionState
from desktop.dialogs.personal_kept import KeptCorrections
from desktop.dialogs.personal_learning import Learning
from desktop.dialogs.personal_use import Use
from desktop.panels.choice_box import ChoiceBox
from desktop.personal import Personal
from desktop.trouble import open_path
from desktop.view_state import ViewState


class PersonalDialog(QDialog):
    """Shows `Personal` and tells it what is wanted; learning goes on when this is closed.

    `recording` tells whether a recording is shown that can be judged again.
    """

    again_wanted = Signal()

    def __init__(
        self,
        personal: Personal,
        state: ViewState,
        recording: Callable[[], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._personal = personal
        self._state = state
        self._recording = recording
        self.person = ChoiceBox(self)
        self.kept = KeptCorrections(state.theme, self)
        self.learning = Learning(self)
        self.use = Use(self)
        self._area = QScrollArea(self)
        self.close_button = QPushButton(self.tr("Close"), self)
        self._build()
        self._connect()
        self.refresh()
        self._focus_first()
        personal.look()

    def refresh(self, *_: object) -> None:
        """Show again what holds now."""
        personal = self._personal
        self._fill_persons()
        kept = personal.kept
        self.kept.show_kept(kept)
        passed = len(personal.left_alone())
        self.learning.show_left_alone(personal.counts_left_alone, passed)
        self.learning.show_state(
            len(kept.corrections) + passed,
            personal.overview.model,
            personal.progress,
            personal.outcome,
        )
        speakers = tuple(name for name in self._state.speakers() if name)
        told = personal.outcome is not None and personal.outcome.report.adapter is not None
        self.use.show_state(
            kept.adapter, personal.person, personal.is_on, speakers, personal.speakers, told
        )
        ended = self._state.session in (SessionState.IDLE, SessionState.FAILED)
        self.use.show_again(kept.adapter is not None and ended and self._recording())
        self._fit()

    def _fit(self) -> None:
        """Give everything the height it needs at this width; what is too much is scrolled to."""
        content = self._area.widget()
        layout = None if content is None else content.layout()
        if content is not None and layout is not None:
            layout.activate()
            content.setMinimumHeight(layout.totalHeightForWidth(self._area.viewport().width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap the texts again at another width."""
        super().resizeEvent(event)
        self._fit()

    def _focus_first(self) -> None:
        """Begin where the next step is: to use what was learned, else to learn."""
        for widget in (self.use.switch, self.learning.adapt, self.person):
            if widget.isEnabled():
                widget.setFocus()
                return

    def _fill_persons(self) -> None:
        persons = self._personal.persons()
        if tuple(self.person.itemText(i) for i in range(self.person.count())) != persons:
            self.person.clear()
            self.person.addItems(list(persons))
        self.person.setCurrentIndex(persons.index(self._personal.person))
        self.person.setEnabled(not self._personal.adapting)

    def _connect(self) -> None:
        personal = self._personal
        personal.changed.connect(self.refresh)
        self._state.state_changed.connect(self.refresh)
        self.person.textActivated.connect(personal.choose_person)
        self.kept.removed.connect(personal.remove)
        self.kept.cleared.connect(personal.clear)
        self.kept.folder_wanted.connect(lambda: open_path(personal.overview.folder))
        self.learning.wanted.connect(personal.adapt)
        self.learning.cancelled.connect(personal.cancel)
        self.learning.left_alone_chosen.connect(personal.count_left_alone)
        self.use.switched.connect(personal.switch)
        self.use.speakers_chosen.connect(personal.choose_speakers)
        self.use.again_wanted.connect(self.again_wanted)
        self.close_button.clicked.connect(self.reject)

    def _build(self) -> None:
        self.setWindowTitle(self.tr("Personal adapter"))
        self.setMinimumSize(620, 480)
        self.resize(720, 660)
        scrolled = QWidget(self)
        column = QVBoxLayout(scrolled)
        column.setContentsMargins(20, 16, 20, 6)
        column.setSpacing(10)
        column.addLayout(self._head())
        column.addWidget(self._paragraph(self._what_it_is()))
        column.addWidget(self.kept, 1)
        column.addWidget(self.learning)
        column.addWidget(self.use)
        promise = self._paragraph(self._promise())
        promise.setObjectName("caption")
        column.addWidget(promise)
        row = QHBoxLayout()
        row.setContentsMargins(20, 0, 20, 14)
        row.addStretch(1)
        row.addWidget(self.close_button)
        self.close_button.setAutoDefault(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._scrolling(scrolled), 1)
        whole.addLayout(row)

    def _scrolling(self, content: QWidget) -> QScrollArea:
        """Return what lets a low window show everything."""
        area = self._area
        area.setWidget(content)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _head(self) -> QHBoxLayout:
        title = QLabel(self.tr("Personal adapter"), self)
        font = QFont(title.font())
        font.setPointSizeF(font.pointSizeF() * 1.4)
        font.setBold(True)
        title.setFont(font)
        whose = QLabel(self.tr("Whose voice:"), self)
        whose.setObjectName("muted")
        self.person.setAccessibleName(self.tr("Whose voice"))
        row = QHBoxLayout()
        row.addWidget(title, 1)
        row.addWidget(whose)
        row.addWidget(self.person)
        return row

    def _paragraph(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setWordWrap(True)
        return label

    def _what_it_is(self) -> str:
        return self.tr(
            "People differ in how they sound. Say of some turns of one person how they sounded "
            "(Ctrl+L, or the right mouse button in the transcript), and the model can learn to "
            "hear that person a little better."
        )

    def _promise(self) -> str:
        return self.tr(
            "Nothing of this leaves this computer. The model itself and your recordings are never "
            "changed. What is learned is how you name what you hear: it is not the truth about a "
            "person, and still only an expression."
        )
