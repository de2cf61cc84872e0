"""Valence and arousal: where the voice is now, and the way it came in the last minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from core.labels import AFFECT_COORDINATES
from desktop import names
from desktop.plots.plot import Plot, draw_chip

EXTENT = 1.0


@dataclass(frozen=True, slots=True)
class TrailPoint:
    """A position: age from 0 (new) to 1 (old), the class ("": none), and its turn."""

    age: float
    valence: float
    arousal: float
    label: str
    turn: int


class AffectPlane(Plot):
    """Shows a trail, the newest point last; points of one turn are joined."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[TrailPoint, ...] = ()
        self._faded = False
        self._caption = ""
        self.setMinimumHeight(96)

    def set_points(self, points: Sequence[TrailPoint], faded: bool = False) -> None:
        """Show a trail; `faded` when the newest result is "not sure"."""
        if tuple(points) != self._points or faded != self._faded:
            self._points, self._faded = tuple(points), faded
            self.update()

    def set_caption(self, text: str) -> None:
        """Say where the positions come from."""
        if text != self._caption:
            self._caption = text
            self.update()

    def draw(self, painter: QPainter) -> None:
        """Paint the plane, the words that anchor it and the trail."""
        area = QRectF(self.rect()).adjusted(4, 4, -4, -20)
        painter.setPen(QPen(QColor(self.theme.border), 1))
        painter.setBrush(QColor(self.theme.sunken))
        painter.drawRoundedRect(area, 6, 6)
        centre = area.center()
        painter.drawLine(QPointF(area.left(), centre.y()), QPointF(area.right(), centre.y()))
        painter.drawLine(QPointF(centre.x(), area.top()), QPointF(centre.x(), area.bottom()))
        painter.setFont(self.small_font(0.82))
        taken = self._draw_axes(painter, area)
        self._draw_trail(painter, area)
        self._draw_anchors(painter, area, taken)
        self._draw_newest(painter, area)

    def _point(self, area: QRectF, valence: float, arousal: float) -> QPointF:
        inner = area.adjusted(10, 10, -10, -10)
        x = inner.center().x() + max(-1.0, min(1.0, valence / EXTENT)) * inner.width() / 2
        y = inner.center().y() - max(-1.0, min(1.0, arousal / EXTENT)) * inner.height() / 2
        return QPointF(x, y)

    def _draw_axes(self, painter: QPainter, area: QRectF) -> list[QRectF]:
        """Name the four ends of the axes; return where the names lie."""
        metrics = QFontMetricsF(painter.font())
        height = metrics.height()
        ends = (
            (self.tr("unpleasant"), 0.0, 0.5),
            (self.tr("pleasant"), 1.0, 0.5),
            (self.tr("excited"), 0.5, 0.0),
            (self.tr("calm"), 0.5, 1.0),
        )
        painter.setPen(QColor(self.theme.muted))
        boxes = []
        for text, x, y in ends:
            width = metrics.horizontalAdvance(text) + 8
            left = area.left() + 4 + x * (area.width() - width - 8) + (width / 2 + 4) * (x == 0.5)
            top = area.top() + 2 + y * (area.height() - height - 4) + (height / 2 + 2) * (y == 0.5)
            box = QRectF(left, top, width, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            boxes.append(box)
        below = QRectF(area.left() + 4, area.bottom() + 2, area.width() - 8, 18)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, self._caption)
        return boxes

    def _draw_anchors(self, painter: QPainter, area: QRectF, taken: list[QRectF]) -> None:
        metrics = QFontMetricsF(painter.font())
        points = {name: self._point(area, *at) for name, at in AFFECT_COORDINATES.items()}
        taken += [QRectF(p.x() - 4, p.y() - 4, 8, 8) for p in points.values()]
        for label, point in points.items():
            painter.setOpacity(0.75)
            draw_chip(painter, QRectF(point.x() - 3, point.y() - 3, 6, 6), self.theme, label)
            painter.setOpacity(1.0)
            painter.setPen(QColor(self.theme.muted))
            width = metrics.horizontalAdvance(names.emotion(label)) + 2
            box = _place(point, width, metrics.height() - 2, area, taken)
            taken.append(box)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, names.emotion(label))

    def _draw_trail(self, painter: QPainter, area: QRectF) -> None:
        previous: tuple[int, QPointF] | None = None
        for entry in self._points:
            point = self._point(area, entry.valence, entry.arousal)
            if previous is not None and previous[0] == entry.turn:
                line = QColor(self.theme.muted)
                line.setAlphaF(0.1 + 0.45 * (1 - entry.age))
                painter.setPen(QPen(line, 1.2))
                painter.drawLine(previous[1], point)
            dot = self.theme.emotion_colour(entry.label)
            dot.setAlphaF(0.15 + 0.75 * (1 - entry.age))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(dot)
            painter.drawEllipse(point, 2.6, 2.6)
            previous = entry.turn, point

    def _draw_newest(self, painter: QPainter, area: QRectF) -> None:
        if not self._points:
            return
        newest = self._points[-1]
        painter.setOpacity(0.6 if self._faded else 1.0)
        painter.setPen(QPen(QColor(self.theme.text), 2))
        painter.setBrush(self.theme.emotion_colour(newest.label))
        painter.drawEllipse(self._point(area, newest.valence, newest.arousal), 8, 8)
        painter.setOpacity(1.0)


def _place(
    point: QPointF, width: float, height: float, area: QRectF, taken: Sequence[QRectF]
) -> QRectF:
    """Return where a word beside a point covers nothing else: right, left, below or above."""
    x, y = point.x(), point.y()
    candidates = (
        QRectF(x + 6, y - height / 2, width, height),
        QRectF(x - 6 - width, y - height / 2, width, height),
        QRectF(x - width / 2, y + 5, width, height),
        QRectF(x - width / 2, y - 5 - height, width, height),
        QRectF(x + 6, y + 3, width, height),
        QRectF(x - 6 - width, y + 3, width, height),
    )
    free = (
        box
        for box in candidates
        if area.contains(box) and not any(box.intersects(other) for other in taken)
    )
    return next(free, candidates[0])
