"""What a person said, and what of it is kept on this computer: a list, and ways to forget."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QEvent, QLocale, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.personal.types import Correction
from desktop import messages, names, personal_words
from desktop.panels.correction_menu import chip_icon
from desktop.personal_work import Kept
from desktop.theme import Theme

_CORRECTION = Qt.ItemDataRole.UserRole


class _List(QTreeWidget):
    """Asks for a few rows only, and takes what is left over."""

    def sizeHint(self) -> QSize:
        return QSize(400, 100)


class KeptCorrections(QFrame):
    """The newest first; several can be chosen and removed."""

    removed = Signal(object)
    """Corrections (a tuple) to be forgotten."""
    cleared = Signal()
    folder_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._theme = theme
        self._shown: tuple[Correction, ...] | None = None
        self._person = ""
        self.summary = QLabel(self)
        self.list: QTreeWidget = _List(self)
        self.remove = QPushButton(self.tr("Remove the chosen ones"), self)
        self.folder = QPushButton(self.tr("Open the folder"), self)
        self.clear = QPushButton(self)
        self.question = QLabel(self)
        self.really = QPushButton(self.tr("Remove everything"), self)
        self.rather_not = QPushButton(self.tr("Keep it"), self)
        self._build()

    def show_kept(self, kept: Kept) -> None:
        """Show what is kept of a person."""
        said = personal_words.kept(kept)
        problems = [messages.sentence(problem) for problem in kept.problems]
        self.summary.setText("\n".join((said, *problems)))
        self.remove.setEnabled(bool(self.list.selectedItems()))
        self.clear.setText(self.tr("Remove everything of “{name}”…").format(name=kept.person))
        self.clear.setEnabled(bool(kept.corrections or kept.adapter))
        if kept.person != self._person:
            self._ask(False)
        if (kept.person, kept.corrections) != (self._person, self._shown):
            self._person, self._shown = kept.person, kept.corrections
            self._fill(kept.corrections)

    def _build(self) -> None:
        heading = QLabel(self.tr("What you said"), self)
        heading.setObjectName("heading")
        self.summary.setWordWrap(True)
        self._build_list()
        row, question = QHBoxLayout(), QHBoxLayout()
        for button in (self.remove, self.folder):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.clear)
        self.question.setWordWrap(True)
        question.addWidget(self.question, 1)
        question.addWidget(self.rather_not)
        question.addWidget(self.really)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(8)
        column.addWidget(heading)
        column.addWidget(self.summary)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        column.addLayout(question)
        for button in (self.remove, self.folder, self.clear, self.really, self.rather_not):
            button.setAutoDefault(False)
        self.remove.clicked.connect(self._remove)
        self.folder.clicked.connect(self.folder_wanted)
        self.clear.clicked.connect(lambda: self._ask(True))
        self.rather_not.clicked.connect(lambda: self._ask(False))
        self.really.clicked.connect(self._clear)
        self._ask(False)

    def _build_list(self) -> None:
        columns = (self.tr("You say"), self.tr("The model said"), self.tr("Text"), self.tr("When"))
        self.list.setHeaderLabels(columns)
        self.list.setAccessibleName(self.tr("Turns you spoke about"))
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setMinimumHeight(100)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(2, self.list.header().ResizeMode.Stretch)
        self.list.installEventFilter(self)
        self.list.itemSelectionChanged.connect(
            lambda: self.remove.setEnabled(bool(self.list.selectedItems()))
        )

    def _fill(self, corrections: tuple[Correction, ...]) -> None:
        self.list.clear()
        self.list.addTopLevelItems([self._row(c) for c in reversed(corrections)])
        for column in (0, 1, 3):
            self.list.resizeColumnToContents(column)

    def _row(self, correction: Correction) -> QTreeWidgetItem:
        said = names.emotion(correction.said) if correction.said else self.tr("not sure")
        made = QDateTime.fromString(correction.made, Qt.DateFormat.ISODate).toLocalTime()
        when = QLocale().toString(made, QLocale.FormatType.ShortFormat)
        text = correction.text or self.tr("(no text)")
        word = names.emotion(correction.label)
        if correction.weight < 1:
            word = self.tr("{emotion} (left alone)").format(emotion=word)
        row = QTreeWidgetItem([word, said, text, when])
        row.setIcon(0, chip_icon(correction.label, self._theme))
        if correction.said:
            row.setIcon(1, chip_icon(correction.said, self._theme))
        row.setToolTip(2, f"{text}\n{correction.source}, {names.clock(correction.start)}")
        row.setData(0, _CORRECTION, correction)
        return row

    def _remove(self) -> None:
        chosen = tuple(item.data(0, _CORRECTION) for item in self.list.selectedItems())
        if chosen:
            self.removed.emit(chosen)

    def _ask(self, asking: bool) -> None:
        text = self.tr("Remove all sound of “{name}”, and what was learned from it?")
        self.question.setText(text.format(name=self._person))
        for widget in (self.question, self.really, self.rather_not):
            widget.setVisible(asking)
        for button in (self.remove, self.folder, self.clear):
            button.setVisible(not asking)
        if asking:
            self.rather_not.setFocus()

    def _clear(self) -> None:
        self._ask(False)
        self.cleared.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remove the chosen rows by the key for that."""
        pressed = event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if pressed and watched is self.list and event.key() == Qt.Key.Key_Delete:  # type: ignore[attr-defined]
            self._remove()
            return True
        return super().eventFilter(watched, event)
