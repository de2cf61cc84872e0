"""An attention map as a picture; which picture is decided by the map's kind alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLocale, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPen,
)
from PySide6.QtWidgets import QToolTip, QWidget

from core.types import AttentionKind, AttentionMap, Axis
from desktop import names
from desktop.plots.feature_pictures import draw_blocks, draw_profile, feature_name
from desktop.plots.plot import Plot
from desktop.plots.turn_arcs import draw_arcs
from desktop.theme import ink_on

_MOST_ROWS = 40


class AttentionPlot(Plot):
    """Draws one map. `pointed(start, end)` in seconds of the utterance when clicked."""

    pointed = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._map: AttentionMap | None = None
        self._grid = QRectF()
        self._empty_text = ""
        self.setMouseTracking(True)
        self.setMinimumHeight(54)

    def set_map(self, attention: AttentionMap | None) -> None:
        """Show a map; words go down and time goes right, whichever way round it came."""
        self._map = None if attention is None else _turned(attention)
        self._grid = QRectF()
        self.update()

    def set_empty_text(self, text: str) -> None:
        """Say this where there is no map."""
        self._empty_text = text
        self.update()

    def draw(self, painter: QPainter) -> None:
        """Paint the picture of the map's kind."""
        if self._map is not None and self._map.weights.size:
            _PICTURES[self._map.kind](self, painter, self._map)
            return
        painter.setPen(QColor(self.theme.muted))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(self.rect()).adjusted(8, 4, -8, -4), flags, self._empty_text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what is under the pointer."""
        cell = self._cell(event.position())
        if cell is None or self._map is None:
            QToolTip.hideText()
            return
        row, column = cell
        text = self._about(self._map, row, column)
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def _about(self, attention: AttentionMap, row: int, column: int) -> str:
        """Return the names and the weight of a cell as one line."""
        word, time = _name(attention.query_axis, row), _name(attention.key_axis, column)
        weight = float(attention.weights[row, column])
        if attention.kind is AttentionKind.FEATURE:
            word, time = feature_name(word), feature_name(time)
            if attention.weights.shape[0] == 1:
                even = weight * attention.weights.shape[1]
                times = QLocale().toString(even, "f", 2)
                return self.tr("{modality}: {times} × as much as if all were alike").format(
                    modality=time, times=times
                )
        return " · ".join(part for part in (word, time, names.percent(weight)) if part)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Offer the time under the pointer to be heard."""
        cell = self._cell(event.position())
        if cell is None or self._map is None:
            return
        for axis, position in ((self._map.query_axis, cell[0]), (self._map.key_axis, cell[1])):
            if position < len(axis.spans):
                self.pointed.emit(*axis.spans[position])
                return

    def draw_features(self, painter: QPainter, attention: AttentionMap) -> None:
        """Paint whole modalities as blocks, or a profile over the features of each."""
        rows, columns = attention.weights.shape
        named = len(attention.key_axis.labels) == columns
        if not named or (rows > 1 and len(attention.query_axis.labels) != rows):
            self.draw_grid(painter, attention)
            return
        painter.setFont(self.small_font())
        place = QRectF(self.rect())
        if rows == 1:
            self._grid = draw_profile(painter, place, attention, self.theme)
        else:
            shades = [QColor.fromRgb(shade) for shade in self._heat_table()]
            self._grid = draw_blocks(painter, place, attention, self.theme, shades)

    def draw_grid(self, painter: QPainter, attention: AttentionMap) -> None:
        """Paint weights as an image, names of rows at the left, names or times below."""
        rows = min(len(attention.query_axis.labels), _MOST_ROWS)
        painter.setFont(self.small_font())
        metrics = QFontMetricsF(painter.font())
        labels = attention.query_axis.labels[:rows] if attention.weights.shape[0] > 1 else ()
        left = max((metrics.horizontalAdvance(text) for text in labels), default=0.0)
        left = min(left, self.width() * 0.35) + 8
        area = QRectF(self.rect()).adjusted(left, 2, -4, -metrics.height() - 3)
        height = min(area.height(), 26.0 * max(1, attention.weights.shape[0]))
        area.setHeight(max(height, 10.0))
        self._grid = area
        levels = _levels(attention.weights)
        image = QImage(
            levels.data,
            levels.shape[1],
            levels.shape[0],
            levels.strides[0],
            QImage.Format.Format_Indexed8,
        )
        image.setColorTable(self._heat_table())
        painter.drawImage(area, image)
        painter.setPen(QPen(QColor(self.theme.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        self._draw_row_names(painter, area, labels)
        self._draw_column_names(painter, area, attention.key_axis)

    def draw_modality(self, painter: QPainter, attention: AttentionMap) -> None:
        """Paint one bar split by the keys."""
        weights = attention.weights.mean(axis=0)
        area = QRectF(self.rect()).adjusted(2, 6, -2, -6)
        area.setHeight(min(area.height(), 30))
        x = area.left()
        shades = (self.theme.wave, self.theme.hover, self.theme.sunken)
        for position, weight in enumerate(weights):
            width = area.width() * float(weight)
            rect = QRectF(x, area.top(), width, area.height())
            x += width
            shade = shades[position % len(shades)]
            painter.fillRect(rect, QColor(shade))
            words = feature_name(_name(attention.key_axis, position))
            share = f"{words} {names.percent(float(weight))}"
            if QFontMetricsF(painter.font()).horizontalAdvance(share) > rect.width() - 4:
                share = names.percent(float(weight))
            if QFontMetricsF(painter.font()).horizontalAdvance(share) <= rect.width():
                painter.setPen(QColor(ink_on(shade)))
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, share)

    def draw_arcs(self, painter: QPainter, attention: AttentionMap) -> None:
        """Paint turns on a line and an arc from the newest to each it looked at."""
        weights = attention.weights[-1].tolist()
        painter.setFont(self.small_font())
        metrics = QFontMetricsF(painter.font())
        area = QRectF(self.rect()).adjusted(22, 4, -22, -metrics.height() - 4)
        xs = np.linspace(area.left(), area.right(), len(weights)).tolist()
        xs = xs if len(weights) > 1 else [area.center().x()]
        half = (xs[-1] - xs[0]) / max(1, len(weights) - 1) / 2
        self._grid = area.adjusted(-half, 0, half, 0)
        ends = [(x, weight, None) for x, weight in zip(xs, weights, strict=True)]
        draw_arcs(painter, area, ends, xs[-1], self.theme)
        painter.setPen(QColor(self.theme.muted))
        free = QRectF(self.rect()).right()
        for position in range(len(weights) - 1, -1, -1):  # the newest is named in any case
            words = _name(attention.key_axis, position)
            width = metrics.horizontalAdvance(words)
            right = min(xs[position] + width / 2, QRectF(self.rect()).right())
            if right <= free and right - width >= 0:
                box = QRectF(right - width, area.bottom() + 2, width + 2, metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft, words)
                free = right - width - 8

    def draw_frames(self, painter: QPainter, attention: AttentionMap) -> None:
        """Paint how much each moment counted over time; dashed: if all counted alike."""
        weights = attention.weights.mean(axis=0)
        painter.setFont(self.small_font())
        area = QRectF(self.rect()).adjusted(8, 4, -4, -painter.fontMetrics().height() - 3)
        self._grid = area
        even = 1.0 / len(weights)
        top = max(float(weights.max()), 1.6 * even)
        path = QPainterPath(QPointF(area.left(), area.bottom()))
        for position, weight in enumerate(weights):
            x = area.left() + (position + 0.5) / len(weights) * area.width()
            path.lineTo(x, area.bottom() - float(weight) / top * area.height())
        path.lineTo(area.right(), area.bottom())
        fill = QColor(self.theme.wave)
        fill.setAlpha(110)
        painter.setPen(QPen(QColor(self.theme.wave), 1.5))
        painter.setBrush(fill)
        painter.drawPath(path)
        height = area.bottom() - even / top * area.height()
        painter.setPen(QPen(QColor(self.theme.muted), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), height), QPointF(area.right(), height))
        self._draw_column_names(painter, area, attention.key_axis)

    def _draw_row_names(self, painter: QPainter, area: QRectF, labels: tuple[str, ...]) -> None:
        painter.setPen(QColor(self.theme.text))
        metrics = painter.fontMetrics()
        height = area.height() / max(1, len(labels))
        step = max(1, int(np.ceil((metrics.height() - 4) / max(height, 1e-6))))
        for position in range(0, len(labels), step):
            box = QRectF(0, area.top() + position * height, area.left() - 5, height * step)
            text = metrics.elidedText(
                labels[position], Qt.TextElideMode.ElideRight, int(area.left() - 6)
            )
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_column_names(self, painter: QPainter, area: QRectF, axis: Axis) -> None:
        painter.setPen(QColor(self.theme.muted))
        box = QRectF(area.left(), area.bottom() + 2, area.width(), 18)
        if axis.spans:
            first, last = axis.spans[0][0], axis.spans[-1][1]
            for flag, moment in (
                (Qt.AlignmentFlag.AlignLeft, first),
                (Qt.AlignmentFlag.AlignHCenter, (first + last) / 2),
                (Qt.AlignmentFlag.AlignRight, last),
            ):
                painter.drawText(box, flag, self.tr("{time} s").format(time=f"{moment:.1f}"))
        elif axis.labels:
            width = area.width() / len(axis.labels)
            for position, label in enumerate(axis.labels):
                if painter.fontMetrics().horizontalAdvance(label) <= width:
                    cell = QRectF(area.left() + position * width, box.top(), width, 18)
                    painter.drawText(cell, Qt.AlignmentFlag.AlignHCenter, label)

    def _heat_table(self) -> list[int]:
        low, high = QColor(self.theme.sunken), QColor(self.theme.wave)
        peak = QColor("#FFF3C4" if self.theme.is_dark else "#12305E")
        return [_between(low, high, peak, i / 255).rgb() for i in range(256)]

    def _cell(self, position: QPointF) -> tuple[int, int] | None:
        if self._map is None or not self._grid.contains(position):
            return None
        rows, columns = self._map.weights.shape
        row = int((position.y() - self._grid.top()) / self._grid.height() * rows)
        column = int((position.x() - self._grid.left()) / self._grid.width() * columns)
        return min(row, rows - 1), min(column, columns - 1)


_PICTURES: Mapping[AttentionKind, Callable[[AttentionPlot, QPainter, AttentionMap], None]] = (
    MappingProxyType(
        {
            AttentionKind.TOKEN: AttentionPlot.draw_grid,
            AttentionKind.FEATURE: AttentionPlot.draw_features,
            AttentionKind.SPATIAL: AttentionPlot.draw_grid,
            AttentionKind.FRAME: AttentionPlot.draw_frames,
            AttentionKind.MODALITY: AttentionPlot.draw_modality,
            AttentionKind.TURN: AttentionPlot.draw_arcs,
        }
    )
)


def _turned(attention: AttentionMap) -> AttentionMap:
    """Return the map with words as rows and times as columns where it has both."""
    query, key = attention.query_axis, attention.key_axis
    if query.spans and not query.labels and key.labels:
        return AttentionMap(
            attention.name, attention.kind, np.ascontiguousarray(attention.weights.T), key, query
        )
    return attention


def _levels(weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Scale weights to 0..255 from zero; an even map stays half dark, whatever its size."""
    even = float(weights.sum()) / weights.size
    top = max(float(weights.max()), 3 * even, 1e-9)
    return np.ascontiguousarray((np.clip(weights / top, 0, 1) ** 0.7 * 255).astype(np.uint8))


def _name(axis: Axis, position: int) -> str:
    if position < len(axis.labels):
        return axis.labels[position]
    if position < len(axis.spans):
        return f"{axis.spans[position][0]:.1f}–{axis.spans[position][1]:.1f} s"
    return ""


def _between(low: QColor, high: QColor, peak: QColor, share: float) -> QColor:
    first, second, part = (
        (low, high, share / 0.7) if share < 0.7 else (high, peak, share / 0.3 - 7 / 3)
    )
    part = min(max(part, 0.0), 1.0)
    return QColor.fromRgbF(
        first.redF() + (second.redF() - first.redF()) * part,
        first.greenF() + (second.greenF() - first.greenF()) * part,
        first.blueF() + (second.blueF() - first.blueF()) * part,
    )
