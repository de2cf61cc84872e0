"""A spot in the colour of an emotion, beside its word."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from desktop.plots.plot import Plot, draw_chip


class Chip(Plot):
    """Decoration only: the word beside it says the same, so it takes no focus."""

    def __init__(self, parent: QWidget | None = None, size: int = 22) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedSize(size, size)
        self._label: str | None = None
        self._faded = False

    def set_label(self, label: str | None, faded: bool = False) -> None:
        """Show the colour of a class; None shows an empty ring."""
        if (label, faded) != (self._label, self._faded):
            self._label, self._faded = label, faded
            self.update()

    def draw(self, painter: QPainter) -> None:
        """Paint the spot."""
        rect = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        if self._label is None:
            painter.setPen(QColor(self.theme.border))
            painter.setBrush(QColor(self.theme.sunken))
            painter.drawRoundedRect(rect, 5, 5)
            return
        painter.setOpacity(0.5 if self._faded else 1.0)
        draw_chip(painter, rect, self.theme, self._label, 5)
