"""The keys, from the same table as the menus."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from desktop.actions import ACTIONS


class ShortcutsDialog(QDialog):
    """What each key does, and what the mouse does in the plots."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keys"))
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 14)
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(7)
        rows = [
            (
                QKeySequence(entry.keys).toString(QKeySequence.SequenceFormat.NativeText),
                QCoreApplication.translate("Actions", entry.text),
            )
            for entry in ACTIONS.values()
            if entry.keys
        ]
        rows += [
            (self.tr("Drag in a plot"), self.tr("Zoom into a part of a recording")),
            (self.tr("Wheel over a plot"), self.tr("Zoom around the pointer")),
            (self.tr("Double click in a plot"), self.tr("Show the whole recording")),
            (self.tr("Click in a plot"), self.tr("Select the turn spoken there")),
        ]
        for position, (keys, meaning) in enumerate(rows):
            left = QLabel(keys, self)
            font = left.font()
            font.setBold(True)
            left.setFont(font)
            grid.addWidget(left, position, 0, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(QLabel(meaning, self), position, 1)
        column.addLayout(grid)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column.addSpacing(8)
        column.addWidget(buttons)
