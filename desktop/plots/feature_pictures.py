"""Attention among features: whole modalities as blocks, or a profile over all dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from core.types import AttentionMap, Modality
from desktop import names
from desktop.theme import Theme, ink_on

_HEADROOM = 1.08


def feature_name(label: str) -> str:
    """Return the word for the modality a feature belongs to."""
    return names.modality(Modality(label)) if label in tuple(Modality) else label


def draw_blocks(
    painter: QPainter,
    place: QRectF,
    attention: AttentionMap,
    theme: Theme,
    shades: Sequence[QColor],
) -> QRectF:
    """Paint who looks (rows) at whom (columns), with shares; return where the blocks lie.

    Args:
        attention: (n, n), rows summing to one, named by modality.
        shades: colours from nothing to everything.
    """
    metrics = QFontMetricsF(painter.font())
    rows = [_looks(label) for label in attention.query_axis.labels]
    columns = [feature_name(label) for label in attention.key_axis.labels]
    left = max(metrics.horizontalAdvance(words) for words in rows) + 10
    area = place.adjusted(left, metrics.height() + 3, -4, -4)
    area.setHeight(min(area.height(), 44.0 * len(rows)))
    height, width = area.height() / len(rows), area.width() / len(columns)
    centre = Qt.AlignmentFlag.AlignCenter
    for row, words in enumerate(rows):
        line = QRectF(place.left(), area.top() + row * height, left - 6, height)
        painter.setPen(QColor(theme.text))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        for column, share in enumerate(attention.weights[row].tolist()):
            cell = QRectF(area.left() + column * width, line.top(), width, height)
            shade = shades[round(share * (len(shades) - 1))]
            painter.fillRect(cell.adjusted(1, 1, -1, -1), shade)
            painter.setPen(QColor(ink_on(shade.name())))
            painter.drawText(cell, centre, names.percent(share))
    painter.setPen(QColor(theme.muted))
    for column, words in enumerate(columns):
        head = QRectF(area.left() + column * width, place.top(), width, metrics.height() + 2)
        painter.drawText(head, centre, words)
    return area


def _looks(label: str) -> str:
    return QCoreApplication.translate("FeaturePictures", "{modality} looks at").format(
        modality=feature_name(label)
    )


def draw_profile(painter: QPainter, place: QRectF, attention: AttentionMap, theme: Theme) -> QRectF:
    """Paint a bar per group of features, the modalities apart; return where the bars lie.

    The dashed line is where every bar would end if all features were looked at alike.

    Args:
        attention: (1, n) with n at most 256, each column named by its modality.
    """
    weights = attention.weights[0].tolist()
    labels = attention.key_axis.labels
    metrics = QFontMetricsF(painter.font())
    area = place.adjusted(4, 4, -4, -metrics.height() - 3)
    even = 1.0 / len(weights)
    top = max(max(weights), 1.6 * even) * _HEADROOM
    colours = {Modality.SPEECH.value: theme.wave, Modality.TEXT.value: theme.muted}
    edges = [round(area.left() + i * area.width() / len(weights)) for i in range(len(weights) + 1)]
    for label, weight, (x, end) in zip(labels, weights, itertools.pairwise(edges), strict=True):
        height = area.height() * weight / top
        bar = QRectF(x, area.bottom() - height, max(1, end - x), height)
        painter.fillRect(bar, QColor(colours.get(label, theme.wave)))
    level = area.bottom() - even / top * area.height()
    painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(area.left(), level), QPointF(area.right(), level))
    _name_halves(painter, area, labels, theme)
    return area


def _name_halves(painter: QPainter, area: QRectF, labels: Sequence[str], theme: Theme) -> None:
    """Name the stretches of equal labels below, and divide them by a line."""
    x = area.left()
    for label, group in itertools.groupby(labels):
        width = area.width() * len(tuple(group)) / len(labels)
        painter.setPen(QColor(theme.muted))
        below = QRectF(x, area.bottom() + 2, width, 18)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, feature_name(label))
        x += width
        if x < area.right() - 1:
            painter.setPen(QPen(QColor(theme.text), 1.5))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
