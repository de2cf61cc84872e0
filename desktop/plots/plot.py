"""What every plot shares: a theme, an accessible name and a text summary."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop.theme import LIGHT, Theme


class Plot(QWidget):
    """Arrays in, picture out: keeps no more than it draws. Subclasses paint in `draw`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = LIGHT
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours from the next paint on."""
        self.theme = theme
        self.update()

    def describe(self, summary: str) -> None:
        """Set what a screen reader says about the picture."""
        if summary != self.accessibleDescription():
            self.setAccessibleDescription(summary)

    def draw(self, painter: QPainter) -> None:
        """Paint the picture."""
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and a focus ring when reached by keyboard."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        """Repaint when the language or font changes."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.FontChange):
            self.update()

    def small_font(self, factor: float = 0.88) -> QFont:
        """Return the widget's font, smaller."""
        font = QFont(self.font())
        font.setPointSizeF(max(7.0, font.pointSizeF() * factor))
        return font


def draw_chip(painter: QPainter, rect: QRectF, theme: Theme, label: str, radius: float = 3) -> None:
    """Fill a rectangle in the colour of an emotion, outlined where the contrast is low."""
    painter.setPen(QPen(QColor(theme.text), 1) if theme.needs_outline(label) else Qt.PenStyle.NoPen)
    painter.setBrush(theme.emotion_colour(label))
    painter.drawRoundedRect(rect, radius, radius)


def draw_chips(
    painter: QPainter, rect: QRectF, theme: Theme, labels: Sequence[str], radius: float = 3
) -> None:
    """Divide a rectangle among the colours of several emotions, one above the other."""
    height = rect.height() / max(1, len(labels))
    for position, label in enumerate(labels):
        part = QRectF(rect.left(), rect.top() + position * height, rect.width(), height)
        if len(labels) > 1:
            part.adjust(0, 0 if position == 0 else 0.75, 0, -0.75)
        draw_chip(painter, part, theme, label, min(radius, part.height() / 2))
