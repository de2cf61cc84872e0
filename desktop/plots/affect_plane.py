"""Valence and arousal: where the voice is now, and the way it came in the last minute."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from core.labels import AFFECT_COORDINATES
from desktop import names
from desktop.plots.plot import Plot, draw_chip

EXTENT = 1.0


class AffectPlane(Plot):
    """Points (age in 0 new .. 1 old, valence, arousal, label); the newest last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[tuple[float, float, float, str], ...] = ()
        self._faded = False
        self.setMinimumHeight(120)

    def set_points(
        self, points: Sequence[tuple[float, float, float, str]], faded: bool = False
    ) -> None:
        """Show a trail; `faded` when the newest result is "not sure"."""
        if tuple(points) != self._points or faded != self._faded:
            self._points, self._faded = tuple(points), faded
            self.update()

    def draw(self, painter: QPainter) -> None:
        """Paint the plane, the words that anchor it and the trail."""
        area = QRectF(self.rect()).adjusted(26, 8, -12, -22)
        painter.setPen(QPen(QColor(self.theme.border), 1))
        painter.setBrush(QColor(self.theme.sunken))
        painter.drawRoundedRect(area, 6, 6)
        centre = area.center()
        painter.drawLine(QPointF(area.left(), centre.y()), QPointF(area.right(), centre.y()))
        painter.drawLine(QPointF(centre.x(), area.top()), QPointF(centre.x(), area.bottom()))
        self._draw_axes(painter, area)
        self._draw_anchors(painter, area)
        self._draw_trail(painter, area)

    def _point(self, area: QRectF, valence: float, arousal: float) -> QPointF:
        inner = area.adjusted(10, 10, -10, -10)
        x = inner.center().x() + max(-1.0, min(1.0, valence / EXTENT)) * inner.width() / 2
        y = inner.center().y() - max(-1.0, min(1.0, arousal / EXTENT)) * inner.height() / 2
        return QPointF(x, y)

    def _draw_axes(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(self.small_font(0.82))
        painter.setPen(QColor(self.theme.muted))
        below = QRectF(area.left(), area.bottom() + 3, area.width(), 18)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, self.tr("unpleasant"))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, self.tr("pleasant"))
        painter.save()
        painter.translate(6, area.center().y())
        painter.rotate(-90)
        side = QRectF(-area.height() / 2, 0, area.height(), 18)
        painter.drawText(side, Qt.AlignmentFlag.AlignLeft, self.tr("calm"))
        painter.drawText(side, Qt.AlignmentFlag.AlignRight, self.tr("excited"))
        painter.restore()

    def _draw_anchors(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(self.small_font(0.82))
        taken: list[QRectF] = []
        for label, (valence, arousal) in AFFECT_COORDINATES.items():
            point = self._point(area, valence, arousal)
            painter.setOpacity(0.75)
            draw_chip(painter, QRectF(point.x() - 3, point.y() - 3, 6, 6), self.theme, label)
            painter.setOpacity(1.0)
            painter.setPen(QColor(self.theme.muted))
            width = painter.fontMetrics().horizontalAdvance(names.emotion(label)) + 4
            box = QRectF(point.x() + 6, point.y() - 8, width, 16)
            if box.right() > area.right() - 2:
                box.moveRight(point.x() - 6)
            while any(box.intersects(other) for other in taken):
                box.translate(0, 13)
            taken.append(box)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, names.emotion(label))

    def _draw_trail(self, painter: QPainter, area: QRectF) -> None:
        previous: QPointF | None = None
        for age, valence, arousal, label in self._points:
            point = self._point(area, valence, arousal)
            if previous is not None:
                line = QColor(self.theme.muted)
                line.setAlphaF(0.1 + 0.45 * (1 - age))
                painter.setPen(QPen(line, 1.2))
                painter.drawLine(previous, point)
            dot = self.theme.emotion_colour(label)
            dot.setAlphaF(0.15 + 0.75 * (1 - age))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(dot)
            painter.drawEllipse(point, 2.6, 2.6)
            previous = point
        if previous is None:
            return
        painter.setOpacity(0.6 if self._faded else 1.0)
        painter.setPen(QPen(QColor(self.theme.text), 2))
        painter.setBrush(self.theme.emotion_colour(self._points[-1][3]))
        painter.drawEllipse(previous, 8, 8)
        painter.setOpacity(1.0)
