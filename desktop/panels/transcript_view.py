"""The list of turns: one column of rows of their own height, and a row that stays where it is."""

from __future__ import annotations

from PySide6.QtCore import QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

Place = tuple[QPersistentModelIndex, int]
"""A row, and how far below the top of the view it begins (pixels)."""


class TranscriptView(QTableView):
    """One column; row heights are set when a turn or the width changes, never for all at once."""

    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalHeader().hide()
        self.horizontalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(10)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)

    def anchor(self) -> Place | None:
        """Return the row that is to stay where it is, and where it is (pixels from the top).

        That is the selected row while it is seen, else the topmost one that is seen whole.
        """
        index = self.currentIndex()
        chosen = self.selectionModel().isSelected(index) if index.isValid() else False
        if not (chosen and self._seen(index.row())):
            row = max(0, self.rowAt(0))
            row += self.rowViewportPosition(row) < 0 and self._seen(row + 1)
            index = self.model().index(row, 0)
        if not index.isValid():
            return None
        return QPersistentModelIndex(index), self.rowViewportPosition(index.row())

    def hold(self, anchor: Place | None) -> None:
        """Scroll so that a row is again where it was."""
        self.updateGeometries()
        if anchor is not None and anchor[0].isValid():
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.rowViewportPosition(anchor[0].row()) - anchor[1])

    def to_the_end(self) -> None:
        """Scroll to the newest row, as high as it is by now."""
        self.updateGeometries()
        self.scrollToBottom()

    def _seen(self, row: int) -> bool:
        top = self.rowViewportPosition(row)
        inside = top >= 0 and top + self.rowHeight(row) <= self.viewport().height()
        return 0 <= row < self.model().rowCount() and inside

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap the texts again at a new width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.resized.emit()
