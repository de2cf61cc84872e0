"""What painted plots over time share: a stretch of seconds, gestures of the mouse, a playhead."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from desktop import names
from desktop.plots.plot import Plot

AXIS_HEIGHT = 18


class TimelinePlot(Plot):
    """Subclasses say where time is drawn (`area`) and paint it.

    Signals: `clicked(seconds)`, `dragged(first, last)`, `scaled(factor, anchor)`, `reset()`.
    """

    clicked = Signal(float)
    dragged = Signal(float, float)
    scaled = Signal(float, float)
    reset = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first, self.last = 0.0, 1.0
        self.relative = True
        """The axis counts seconds before its right edge."""
        self._playhead: float | None = None
        self._pressed: QPointF | None = None
        self._drag: float | None = None

    def area(self) -> QRectF:
        """Return where time is drawn."""
        raise NotImplementedError

    def set_playhead(self, seconds: float | None) -> None:
        """Show where sound is played."""
        self._playhead = seconds
        self.update()

    def click_at(self, position: QPointF) -> None:
        """Take a click; a plot that knows what lies there may tell more than the moment."""
        self.clicked.emit(self.seconds_at(position.x()))

    def seconds_at(self, x: float) -> float:
        """Return the moment drawn at a column of pixels."""
        area = self.area()
        share = (x - area.left()) / max(area.width(), 1)
        return self.first + min(max(share, 0.0), 1.0) * (self.last - self.first)

    def x_of(self, seconds: float) -> float:
        """Return the column of pixels at which a moment is drawn."""
        area = self.area()
        span = max(self.last - self.first, 1e-9)
        return area.left() + (seconds - self.first) / span * area.width()

    # -- gestures -----------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start a click or a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the rubber band."""
        if self._pressed is not None and abs(event.position().x() - self._pressed.x()) > 4:
            self._drag = event.position().x()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell a click from a drag."""
        if self._pressed is None:
            return
        pressed, dragged = self._pressed, self._drag
        self._pressed = self._drag = None
        self.update()
        if dragged is None:
            self.click_at(pressed)
        else:
            self.dragged.emit(self.seconds_at(pressed.x()), self.seconds_at(dragged))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show everything again."""
        self.reset.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer."""
        steps = event.angleDelta().y() / 120
        if steps:
            self.scaled.emit(0.8**steps, self.seconds_at(event.position().x()))

    # -- painting -----------------------------------------------------------------------------

    def draw_time(self, painter: QPainter) -> None:
        """Paint the axis below the area."""
        painter.setFont(self.small_font(0.82))
        painter.setPen(QColor(self.theme.muted))
        area = self.area()
        for seconds, text in time_ticks(self.first, self.last, area.width(), self.relative):
            x = self.x_of(seconds)
            painter.drawText(
                QRectF(x - 40, area.bottom() + 2, 80, AXIS_HEIGHT - 2),
                Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop,
                text,
            )

    def draw_band_and_playhead(self, painter: QPainter) -> None:
        """Paint what is being dragged over, and where sound is played."""
        area = self.area()
        if self._pressed is not None and self._drag is not None:
            fill = QColor(self.theme.accent)
            fill.setAlpha(60)
            left, right = sorted((self._pressed.x(), self._drag))
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), fill)
        if self._playhead is not None:
            x = self.x_of(self._playhead)
            painter.setPen(QPen(QColor(self.theme.record), 2))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))


def time_ticks(first: float, last: float, width: float, relative: bool) -> list[tuple[float, str]]:
    """Return (second, text) of round positions, one in about 90 pixels."""
    span = max(last - first, 1e-6)
    wanted = span / max(width / 90, 1)
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
    step = next((s for s in steps if s >= wanted), steps[-1])
    if relative:
        count = int(span // step)
        text = QCoreApplication.translate("Axis", "−{seconds} s")
        return [(last - i * step, text.format(seconds=i * step)) for i in range(1, count + 1)]
    start = int(np.ceil(max(first, 0.0) / step)) * step
    return [(float(t), names.clock(t)) for t in range(start, int(last) + 1, step)]
