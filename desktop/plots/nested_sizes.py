"""What each nested (Matryoshka) size of a model says of one turn: a column of shares a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLocale, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.plots.plot import Plot


@dataclass(frozen=True, slots=True)
class SizeColumn:
    """A size, the probabilities of all labels, and whether the label is not the whole model's."""

    size: int
    values: tuple[float, ...]
    differs: bool = False


class NestedSizes(Plot):
    """Columns from the smallest size to the whole; `chosen(position)` when one is clicked."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: tuple[str, ...] = ()
        self._columns: tuple[SizeColumn, ...] = ()
        self._position = 0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the slider below moves the same choice
        self.setMinimumHeight(40)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(300, 90)

    def set_columns(self, labels: Sequence[str], columns: Sequence[SizeColumn]) -> None:
        """Show these sizes; columns without values are empty."""
        if (tuple(labels), tuple(columns)) != (self._labels, self._columns):
            self._labels, self._columns = tuple(labels), tuple(columns)
            self.update()

    def set_position(self, position: int) -> None:
        """Frame the chosen column."""
        if position != self._position:
            self._position = position
            self.update()

    def centres(self) -> tuple[float, float]:
        """Return the middle of the first and of the last column in pixels: a slider's travel."""
        width = self.width() / max(1, len(self._columns))
        return width / 2, self.width() - width / 2

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the column under the pointer."""
        if self._columns:
            position = int(event.position().x() / self.width() * len(self._columns))
            self.chosen.emit(min(max(position, 0), len(self._columns) - 1))

    def draw(self, painter: QPainter) -> None:
        """Paint the columns and the numbers of their sizes."""
        if not self._columns:
            return
        painter.setFont(self.small_font(0.8))
        metrics = QFontMetricsF(painter.font())
        width = self.width() / len(self._columns)
        place = QRectF(self.rect()).adjusted(0, 8, 0, -metrics.height() - 1)
        step = self._label_step(metrics, width)
        for position, column in enumerate(self._columns):
            lane = QRectF(position * width, place.top(), width, place.height())
            gap = min(8.0, 0.16 * width)
            self._draw_column(painter, lane.adjusted(gap, 0, -gap, 0), position, column)
            if (len(self._columns) - 1 - position) % step == 0:
                painter.setPen(
                    QColor(self.theme.text if position == self._position else self.theme.muted)
                )
                below = QRectF(lane.center().x() - 40, place.bottom() + 1, 80, metrics.height())
                painter.drawText(below, Qt.AlignmentFlag.AlignCenter, _number(column.size))

    def _label_step(self, metrics: QFontMetricsF, width: float) -> int:
        widest = max(metrics.horizontalAdvance(_number(c.size)) for c in self._columns) + 4
        return max(1, -(-int(widest) // max(1, int(width))))

    def _draw_column(
        self, painter: QPainter, lane: QRectF, position: int, column: SizeColumn
    ) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.sunken))
        painter.drawRect(lane)
        bottom = lane.bottom()
        for label, value in zip(self._labels, column.values, strict=False):
            height = lane.height() * value
            part = QRectF(lane.left(), bottom - height, lane.width(), height)
            bottom -= height
            if height >= 0.5:
                outlined = self.theme.needs_outline(label) and height > 3
                painter.setPen(
                    QPen(QColor(self.theme.text), 0.8) if outlined else Qt.PenStyle.NoPen
                )
                painter.setBrush(self.theme.emotion_colour(label))
                painter.drawRect(part)
        if column.differs:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.text))
            painter.drawEllipse(QPointF(lane.center().x(), lane.top() - 4.5), 2.4, 2.4)
        if position == self._position:
            painter.setPen(QPen(QColor(self.theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(lane.adjusted(-2, -1, 2, 1), 2, 2)


def _number(size: int) -> str:
    return QLocale().toString(size)
