"""Probabilities as bars, always in the same order, so that nothing jumps."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop import names
from desktop.plots.plot import Plot, draw_chip

_LOWEST_ROW = 15


class EmotionBars(Plot):
    """One row a class: word, bar, number; words of the shown emotions are bold, unsure bars pale.

    Where classes stand for themselves a tick on each bar shows from where on it is given.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: tuple[str, ...] = ()
        self._values: tuple[float, ...] = ()
        self._shown: tuple[str, ...] = ()
        self._thresholds: tuple[float, ...] = ()
        self._faded = False
        self.setMinimumHeight(7 * _LOWEST_ROW)

    def sizeHint(self) -> QSize:
        """Return a comfortable size for seven rows."""
        return QSize(280, 7 * 24)

    def set_probabilities(
        self,
        labels: Sequence[str],
        values: Sequence[float],
        shown: Sequence[str],
        faded: bool,
        thresholds: Sequence[float] = (),
    ) -> None:
        """Show one probability a class; `values` empty shows calm, empty bars."""
        state = (tuple(labels), tuple(values), tuple(shown), faded, tuple(thresholds))
        if state != (self._labels, self._values, self._shown, self._faded, self._thresholds):
            if len(labels) != len(self._labels):
                self.setMinimumHeight(max(7, len(labels)) * _LOWEST_ROW)
            self._labels, self._values, self._shown, self._faded, self._thresholds = state
            self.update()

    def summary(self) -> str:
        """Return the classes from most to least probable."""
        pairs = sorted(zip(self._values, self._labels, strict=False), reverse=True)
        return ", ".join(f"{names.emotion(label)} {names.probability(p)}" for p, label in pairs)

    def draw(self, painter: QPainter) -> None:
        """Paint the rows."""
        if not self._labels:
            return
        row = min(self.height() / len(self._labels), 34.0)
        font = self._font_for(row)
        words = [names.emotion(label) for label in self._labels]
        bold = QFont(font)
        bold.setBold(True)
        metrics = QFontMetricsF(bold)
        widest = max(metrics.horizontalAdvance(word) for word in words)
        word_width = min(widest + 10, self.width() * 0.45)
        number_width = metrics.horizontalAdvance("0.00") + 8
        top = (self.height() - row * len(self._labels)) / 2
        painter.setFont(font)
        for position, label in enumerate(self._labels):
            box = QRectF(4, top + position * row, self.width() - 8, row)
            self._draw_row(painter, box, label, words[position], word_width, number_width)

    def _font_for(self, row: float) -> QFont:
        """Return a font that is no higher than a row: many classes share the room of seven."""
        height = QFontMetricsF(self.font()).height()
        return self.font() if height <= row + 2 else self.small_font(max(0.8, (row + 2) / height))

    def _draw_row(
        self,
        painter: QPainter,
        box: QRectF,
        label: str,
        word: str,
        word_width: float,
        number_width: float,
    ) -> None:
        position = self._labels.index(label)
        value = self._values[position] if position < len(self._values) else 0.0
        font = QFont(painter.font())
        font.setBold(label in self._shown)
        painter.setFont(font)
        painter.setPen(QColor(self.theme.text))
        elided = QFontMetricsF(font).elidedText(word, Qt.TextElideMode.ElideRight, word_width - 4)
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(
            QRectF(box.left(), box.top(), word_width, box.height()),
            Qt.AlignmentFlag.AlignLeft | vertical,
            elided,
        )
        width = box.width() - word_width - number_width
        height = min(box.height() - 6, 15.0)
        lane = QRectF(box.left() + word_width, box.center().y() - height / 2, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.sunken))
        painter.drawRoundedRect(lane, 4, 4)
        if self._values:
            pale = self._faded or (bool(self._thresholds) and label not in self._shown)
            painter.setOpacity(0.45 if pale else 1.0)
            filled = QRectF(lane.left(), lane.top(), max(3.0, width * value), lane.height())
            draw_chip(painter, filled.adjusted(0.5, 0.5, -0.5, -0.5), self.theme, label, 3.5)
            painter.setOpacity(1.0)
            self._draw_threshold(painter, lane, position)
            painter.setPen(QColor(self.theme.text))
            painter.drawText(
                QRectF(lane.right(), box.top(), number_width, box.height()),
                Qt.AlignmentFlag.AlignRight | vertical,
                names.probability(value),
            )

    def _draw_threshold(self, painter: QPainter, lane: QRectF, position: int) -> None:
        """Mark from where on a class that stands for itself is given."""
        if position >= len(self._thresholds):
            return
        x = lane.left() + lane.width() * self._thresholds[position]
        line = QLineF(x, lane.top() - 2, x, lane.bottom() + 2)
        painter.setPen(QPen(QColor(self.theme.card), 3.5))
        painter.drawLine(line)
        painter.setPen(QPen(QColor(self.theme.text), 1.5))
        painter.drawLine(line)
