"""Arcs from one turn to those it drew on: the stronger the attention, the thicker and darker."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from desktop import names
from desktop.plots.plot import draw_chip
from desktop.theme import Theme

DOT = 3.5
"""Radius of the dot in which an arc ends, in pixels."""

_NAMED = 0.12
"""Share of the attention from which on an arc says its number."""

_THICKEST = 6.0


def draw_arcs(
    painter: QPainter,
    place: QRectF,
    ends: Sequence[tuple[float, float, str | None]],
    target: float,
    theme: Theme,
) -> None:
    """Paint arcs above the lower edge of a place.

    Args:
        ends: for each turn its column of pixels, its share of the attention and its emotion.
        target: column of the turn that looks; an end there stands for the turn itself.
    """
    strongest = max((weight for _, weight, _ in ends), default=0.0)
    base = place.bottom() - DOT - 1
    for x, weight, _ in sorted(ends, key=lambda end: end[1]):
        if abs(x - target) < 0.5:
            continue
        path = QPainterPath(QPointF(x, base))
        reach = min(1.0, abs(target - x) / max(place.width(), 1.0))
        height = (base - place.top()) * (0.45 + 0.85 * reach)
        path.cubicTo(x, base - height, target, base - height, target, base)
        colour = QColor(theme.accent)
        colour.setAlphaF(0.2 + 0.75 * weight / max(strongest, 1e-9))
        width = 0.8 + _THICKEST * weight
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
    for x, _, label in ends:
        _draw_dot(painter, QPointF(x, base), label, theme)
    _draw_numbers(painter, place, base, ends, theme)


def _draw_dot(painter: QPainter, centre: QPointF, label: str | None, theme: Theme) -> None:
    box = QRectF(centre.x() - DOT, centre.y() - DOT, 2 * DOT, 2 * DOT)
    if label is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.muted))
        painter.drawEllipse(box)
    else:
        draw_chip(painter, box, theme, label, DOT)


def _draw_numbers(
    painter: QPainter,
    place: QRectF,
    base: float,
    ends: Sequence[tuple[float, float, str | None]],
    theme: Theme,
) -> None:
    """Write the largest shares above their dots, where they do not run into each other."""
    metrics = QFontMetricsF(painter.font())
    if base - place.top() < 2 * metrics.height():
        return
    painter.setPen(QColor(theme.text))
    taken: list[QRectF] = []
    for x, weight, _ in sorted(ends, key=lambda end: -end[1]):
        if weight < _NAMED or not place.left() <= x <= place.right():
            continue
        words = names.percent(weight)
        width = metrics.horizontalAdvance(words) + 4
        box = QRectF(x - width / 2, base - DOT - metrics.height() - 1, width, metrics.height())
        box.moveLeft(min(max(box.left(), place.left()), place.right() - width))
        if any(box.intersects(other) for other in taken):
            continue
        taken.append(box)
        veil = QColor(theme.card)
        veil.setAlpha(215)
        painter.fillRect(box, veil)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
