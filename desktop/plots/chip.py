"""A spot in the colours of the emotions whose words stand beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from desktop.plots.plot import Plot, draw_chips


class Chip(Plot):
    """Decoration only: the word beside it says the same, so it takes no focus."""

    def __init__(self, parent: QWidget | None = None, size: int = 22) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedSize(size, size)
        self._labels: tuple[str, ...] = ()
        self._faded = False

    def set_labels(self, labels: Sequence[str], faded: bool = False) -> None:
        """Show the colours of these classes; none shows an empty ring."""
        if (tuple(labels), faded) != (self._labels, self._faded):
            self._labels, self._faded = tuple(labels), faded
            self.update()

    def draw(self, painter: QPainter) -> None:
        """Paint the spot."""
        rect = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        if not self._labels:
            painter.setPen(QColor(self.theme.border))
            painter.setBrush(QColor(self.theme.sunken))
            painter.drawRoundedRect(rect, 5, 5)
            return
        painter.setOpacity(0.5 if self._faded else 1.0)
        draw_chips(painter, rect, self.theme, self._labels, 5)
