"""Rows of stacked bars: what each modality alone would say, and how much each counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.plots.plot import Plot
from desktop.theme import UNSURE, Theme


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: share of the width, fill, whether it needs an outline, text in it.

    `slot` is the share of the width that belongs to it, filled or not; 0: just what it fills.
    """

    share: float
    colour: str
    outlined: bool = False
    text: str = ""
    slot: float = 0.0


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A name, the parts of its bar, and a word at the right."""

    name: str
    parts: tuple[Part, ...]
    word: str = ""
    strong: bool = False
    faded: bool = False
    """What the bar says is not sure."""


def emotion_parts(
    labels: Sequence[str], values: Sequence[float], theme: Theme, exclusive: bool = True
) -> tuple[Part, ...]:
    """Return parts that fill a bar, or slots where emotions stand for themselves."""
    slot = 0.0 if exclusive else 1.0 / len(values)
    return tuple(
        Part(
            value * (slot or 1.0),
            theme.emotion_colour(label).name(),
            theme.needs_outline(label),
            slot=slot,
        )
        for label, value in zip(labels, values, strict=True)
    )


class ShareBars(Plot):
    """One bar a row, names at the left and words at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ShareRow, ...] = ()

    def set_rows(self, rows: Sequence[ShareRow]) -> None:
        """Show these rows; the height follows their number."""
        if tuple(rows) == self._rows:
            return
        changed = len(rows) != len(self._rows)
        self._rows = tuple(rows)
        if changed:
            self.setFixedHeight(self.sizeHint().height())
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the rows."""
        return QSize(200, max(1, len(self._rows)) * self._row_height())

    def draw(self, painter: QPainter) -> None:
        """Paint the rows."""
        metrics = QFontMetricsF(self.font())
        left = max((metrics.horizontalAdvance(row.name) for row in self._rows), default=0) + 10
        right = max((metrics.horizontalAdvance(row.word) for row in self._rows), default=0) + 14
        right = min(right, self.width() * 0.4)
        height = self._row_height()
        vertical = Qt.AlignmentFlag.AlignVCenter
        for position, row in enumerate(self._rows):
            box = QRectF(2, position * height, self.width() - 4, height)
            font = self.font()
            font.setBold(row.strong)
            painter.setFont(font)
            painter.setPen(QColor(self.theme.text))
            painter.drawText(
                QRectF(box.left(), box.top(), left, height),
                Qt.AlignmentFlag.AlignLeft | vertical,
                row.name,
            )
            painter.drawText(
                QRectF(box.right() - right, box.top(), right, height),
                Qt.AlignmentFlag.AlignRight | vertical,
                QFontMetricsF(font).elidedText(row.word, Qt.TextElideMode.ElideRight, right - 8),
            )
            lane = QRectF(box.left() + left, box.top() + 4, box.width() - left - right, height - 8)
            self._draw_parts(painter, lane, row.parts, UNSURE if row.faded else 1.0)

    def _draw_parts(
        self, painter: QPainter, lane: QRectF, parts: Sequence[Part], opacity: float
    ) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.sunken))
        painter.drawRoundedRect(lane, 3, 3)
        painter.setOpacity(opacity)
        x = lane.left()
        for part in parts:
            width = lane.width() * part.share
            rect = QRectF(x, lane.top(), max(0.0, width - 1), lane.height())
            x += lane.width() * part.slot if part.slot else width
            if part.slot and x < lane.right() - 2:
                painter.setPen(QPen(QColor(self.theme.border), 1))
                painter.drawLine(QLineF(x - 0.5, lane.top(), x - 0.5, lane.bottom()))
            if rect.width() < 0.5:
                continue
            painter.setPen(QPen(QColor(self.theme.text), 1) if part.outlined else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(part.colour))
            painter.drawRoundedRect(rect, 2, 2)
            if part.text and width > painter.fontMetrics().horizontalAdvance(part.text) + 6:
                painter.setPen(QColor(self.theme.text))
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, part.text)
        painter.setOpacity(1.0)

    def _row_height(self) -> int:
        return max(22, self.fontMetrics().height() + 6)
