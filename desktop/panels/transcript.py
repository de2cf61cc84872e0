"""Dock: who said what and how it sounded, with a search field."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    Qt,
)
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from core.pipeline.events import SessionState
from core.types import Turn
from desktop.item_models.replaced_words import replaced_words
from desktop.item_models.turn_delegate import TurnDelegate
from desktop.item_models.turns import turn_text
from desktop.panels.fresh_words import FreshWords
from desktop.panels.panel import Panel
from desktop.panels.transcript_view import Place, TranscriptView
from desktop.theme import Theme
from desktop.view_state import ViewState


class TranscriptPanel(Panel):
    """The list of turns; the newest stays in view unless the user scrolled away."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.view = TranscriptView(self)
        self._delegate = TurnDelegate(self)
        self._delegate.corrected = state.corrected
        self._empty = QLabel(self)
        self._find = QFrame(self)
        self._needle = QLineEdit(self._find)
        self._previous = QToolButton(self._find)
        self._next = QToolButton(self._find)
        self._close = QToolButton(self._find)
        self._selecting = False
        self._corrections_fit = False
        self._held: Place | None = None
        self.fresh = FreshWords(self)
        self._delegate.marks = self.fresh.spans
        self.fresh.changed.connect(self.view.viewport().update)
        self._build()
        model = state.turns
        self.view.setModel(model)
        self.view.setItemDelegate(self._delegate)
        model.rowsAboutToBeInserted.connect(self._remember_place)
        model.rowsAboutToBeRemoved.connect(self._remember_place)
        model.rowsInserted.connect(self._inserted)
        model.rowsRemoved.connect(self._removed)
        model.text_replaced.connect(self._mark)
        model.dataChanged.connect(self._changed)
        model.modelReset.connect(self._reset)
        self.view.resized.connect(self._measure_all)
        self.view.selectionModel().selectionChanged.connect(self._picked)
        self.view.clicked.connect(self._clicked)
        state.selection_changed.connect(self._select)
        state.state_changed.connect(self._show_empty)
        state.context_changed.connect(self._fit_context)
        state.corrected.changed.connect(self._fit_corrections)
        self.view.customContextMenuRequested.connect(self._ask_at)
        self.setFocusProxy(self.view)
        self.set_theme(state.theme)
        self.retranslate()

    def title(self) -> str:
        """Return the title of the dock."""
        return self.tr("Transcript")

    def retranslate(self) -> None:
        """Set every text again."""
        self.view.setAccessibleName(self.tr("Turns of the conversation"))
        self._needle.setPlaceholderText(self.tr("Find in the transcript"))
        self._needle.setAccessibleName(self.tr("Find in the transcript"))
        for button, text, name in (
            (self._previous, "↑", self.tr("Previous match")),
            (self._next, "↓", self.tr("Next match")),
            (self._close, "✕", self.tr("Close the search")),
        ):
            button.setText(text)
            button.setAccessibleName(name)
            button.setToolTip(name)
        if self._fit_emotions():
            self._measure_all()
        self._show_empty()
        self.view.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._delegate.theme = theme
        self.view.viewport().update()

    def open_search(self) -> None:
        """Show the search field and put the cursor in it."""
        self._find.show()
        self._needle.setFocus()
        self._needle.selectAll()

    def _build(self) -> None:
        self.body.setContentsMargins(4, 4, 4, 4)
        row = QHBoxLayout(self._find)
        row.setContentsMargins(2, 0, 2, 2)
        row.addWidget(self._needle, 1)
        for button in (self._previous, self._next, self._close):
            row.addWidget(button)
        self._find.hide()
        self._empty.setObjectName("muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self.body.addWidget(self._find)
        self.body.addWidget(self._empty, 1)
        self.body.addWidget(self.view, 1)
        self._needle.textChanged.connect(self._search)
        self._needle.returnPressed.connect(self._go_next)
        self._next.clicked.connect(self._go_next)
        self._previous.clicked.connect(lambda: self._go(backwards=True))
        self._close.clicked.connect(self._close_search)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self._find)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._close_search)

    def _show_empty(self, *_: object) -> None:
        empty = self.state.turns.rowCount() == 0
        self._empty.setVisible(empty)
        self.view.setVisible(not empty)
        if self.state.preparing:
            self._empty.setText(
                self.tr(
                    "The model is being prepared for this computer, which is done once and may "
                    "take a minute. What is said meanwhile is not lost."
                )
            )
        elif self.state.session is SessionState.LOADING:
            self._empty.setText(
                self.tr("The model is being loaded. What is said meanwhile is not lost.")
            )
        elif self.state.session in (SessionState.RUNNING, SessionState.STOPPING):
            self._empty.setText(self.tr("What is said appears here, with how it sounded."))
        elif self.state.session is SessionState.FAILED:
            self._empty.setText(self.tr("It ended before a turn was complete."))
        else:
            self._empty.setText(self.tr("No speech was found."))

    def _fit_context(self) -> None:
        """Make room for the mark of an emotion that context changes, where there is context."""
        expected = self.state.context is not None or self.state.expects_context
        kept = self._delegate.in_context and self.state.turns.rowCount() > 0
        if (expected or kept) != self._delegate.in_context:
            self._delegate.in_context = expected or kept
            self._measure_all()
            self.view.viewport().update()

    def _fit_corrections(self) -> None:
        """Make room for what people say of turns as soon as there is anything."""
        any_said = len(self.state.corrected) > 0
        if any_said != self._corrections_fit:
            self._corrections_fit = any_said
            self._measure_all()
        self.view.viewport().update()

    def place_of(self, turn: Turn) -> QPoint | None:
        """Return where on the screen a turn ends, below its emotion; None out of sight."""
        row = self.state.turns.row_of(turn.index)
        if row is None or not self.seen:
            return None
        rect = self.view.visualRect(self.state.turns.index(row, 0))
        if not self.view.viewport().rect().intersects(rect):
            return None
        return self.view.viewport().mapToGlobal(QPoint(rect.right() - 260, rect.bottom()))

    def _ask_at(self, place: QPoint) -> None:
        """Ask what a turn was, as by the right button or the menu key."""
        turn = self.state.turns.turn(self.view.rowAt(place.y()))
        if turn is not None:
            self.state.select(turn)
            self.state.correction_asked.emit(turn, self.view.viewport().mapToGlobal(place))

    def _remember_place(self, *_: object) -> None:
        """Rows come or go in a moment: what is read then is known only now."""
        self._held = None if self._follows() else self.view.anchor()

    def _follows(self) -> bool:
        """True while the newest turn is to stay in view."""
        bar = self.view.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 24
        return at_end and self.state.live and self.state.selected is None

    def _inserted(self, _: QModelIndex, first: int, last: int) -> None:
        fitted = self._fit_speakers(), self._fit_emotions()
        if any(fitted):
            self._measure_all()
        else:
            self._measure(first, last)
        if self.view.isHidden():
            self._show_empty()

    def _removed(self, *_: object) -> None:
        self.view.hold(self._held)
        self._held = None

    def _changed(self, first: QModelIndex, last: QModelIndex) -> None:
        if self._fit_emotions():
            self._measure_all()
        else:
            self._measure(first.row(), last.row())

    def _measure(self, first: int, last: int) -> None:
        """Give rows the height of their texts; what is read stays where it is."""
        follows = self._follows()
        anchor = None if follows else self._held or self.view.anchor()
        self._held = None
        width, font = self.view.viewport().width(), self.view.font()
        for row in range(first, last + 1):
            turn = self.state.turns.turn(row)
            if turn is not None:
                height = self._delegate.row_height(turn, font, width)
                if height != self.view.rowHeight(row):
                    self.view.setRowHeight(row, height)
        if follows:
            self.view.to_the_end()
        else:
            self.view.hold(anchor)

    def _mark(self, before: Turn, after: Turn) -> None:
        """Mark for a moment which words took the place of others, unless they are selected."""
        if self.state.selected is None or self.state.selected.index != after.index:
            self.fresh.add(after.index, replaced_words(turn_text(before), turn_text(after)))

    def _reset(self) -> None:
        self.fresh.clear()
        self._measure_all()

    def _measure_all(self) -> None:
        count = self.state.turns.rowCount()
        if count:
            self._measure(0, count - 1)
        else:
            self._delegate.speaker_width = 0
        self._show_empty()

    def _fit_speakers(self) -> bool:
        """Make room for the longest speaker name; true when that changed."""
        metrics = self.view.fontMetrics()
        names = self.state.speakers()
        width = max((metrics.horizontalAdvance(name) + 4 for name in names if name), default=0)
        width = min(width, 120)
        changed = width != self._delegate.speaker_width
        self._delegate.speaker_width = width
        return changed

    def _fit_emotions(self) -> bool:
        """Make room for the words of the model's classes; true when that changed."""
        state = self.state
        return self._delegate.measure_emotions(state.labels, self.view.font(), state.exclusive)

    def _picked(self, chosen: QItemSelection, _: QItemSelection) -> None:
        """Follow the user; a current row alone (Qt sets one on focus) selects nothing."""
        if not self._selecting and not chosen.isEmpty():
            self.state.select(self.state.turns.turn(chosen.indexes()[0].row()))

    def _clicked(self, index: QModelIndex) -> None:
        turn = self.state.turns.turn(index.row())
        if turn is not None:
            self.state.play_asked.emit(turn)

    def _select(self, turn: Turn | None) -> None:
        row = None if turn is None else self.state.turns.row_of(turn.index)
        if turn is not None:
            self.fresh.forget(turn.index)
        self._selecting = True
        if row is None:
            self.view.selectionModel().clear()
        elif row != self.view.currentIndex().row() or not self.view.selectionModel().hasSelection():
            index = self.state.turns.index(row, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.view.scrollTo(index)
        self._selecting = False

    def _search(self, text: str) -> None:
        self._delegate.needle = text
        self.view.viewport().update()
        if text:
            self._go(backwards=False, from_here=True)

    def _go_next(self) -> None:
        self._go(backwards=False)

    def _go(self, backwards: bool, from_here: bool = False) -> None:
        here = self.view.currentIndex().row()
        row = self.state.turns.find(
            self._needle.text(), here - 1 if from_here and here >= 0 else here, backwards
        )
        found = row is not None or not self._needle.text()
        self._needle.setProperty("missing", not found)
        if row is not None:
            self.state.select(self.state.turns.turn(row))

    def _close_search(self) -> None:
        self._needle.clear()
        self._find.hide()
        self.view.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        """Measure again when the font changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_delegate"):
            self._measure_all()
