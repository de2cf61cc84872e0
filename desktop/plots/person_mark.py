"""The mark of what a person says: a small figure, so that it is never taken for the model's."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from desktop.plots.plot import draw_chip
from desktop.theme import Theme

FIGURE = 11.0
"""Pixels of the figure, and of the spot beside it."""


def draw_person(painter: QPainter, box: QRectF, theme: Theme) -> None:
    """Draw a head above shoulders."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.text))
    painter.drawEllipse(QPointF(box.center().x(), box.top() + box.height() * 0.24), *_head(box))
    shoulders = QPainterPath(QPointF(box.left(), box.bottom()))
    rise = box.top() + box.height() * 0.42
    shoulders.cubicTo(box.left(), rise, box.right(), rise, box.right(), box.bottom())
    shoulders.closeSubpath()
    painter.drawPath(shoulders)


def draw_said(painter: QPainter, spot: QRectF, theme: Theme, label: str, confirms: bool) -> None:
    """Draw what a person says: the colour of another emotion, or a tick where the model is right.

    The spot is round; those of the model are not.
    """
    if not confirms:
        draw_chip(painter, spot, theme, label, spot.height() / 2)
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.text), 1.8))
    left, middle = spot.left(), spot.center().y()
    low, high = QPointF(left + 3.5, middle + 3.5), QPointF(left + 10, middle - 4)
    painter.drawPolyline([QPointF(left, middle), low, high])


def _head(box: QRectF) -> tuple[float, float]:
    radius = box.height() * 0.24
    return radius, radius
