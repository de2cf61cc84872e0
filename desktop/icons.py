"""Line icons drawn in the colours of the theme, crisp at any scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPainterPath, QPen, QPixmap

_GRID = 24.0


def icon(name: str, colour: str) -> QIcon:
    """Return an icon for a button."""
    return QIcon(pixmap(name, colour, 20))


def pixmap(name: str, colour: str, size: int) -> QPixmap:
    """Return a picture of `size` logical pixels at the scale of the screen."""
    ratio = max(2.0, QGuiApplication.primaryScreen().devicePixelRatio())
    result = QPixmap(round(size * ratio), round(size * ratio))
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / _GRID, size / _GRID)
    pen = QPen(QColor(colour), 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    _DRAWINGS[name](painter)
    painter.end()
    return result


def _microphone(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(9, 3, 6, 11), 3, 3)
    painter.drawArc(QRectF(5.5, 5, 13, 12.5), 180 * 16, 180 * 16)
    painter.drawLine(QPointF(12, 17.5), QPointF(12, 21))
    painter.drawLine(QPointF(8.5, 21), QPointF(15.5, 21))


def _folder(painter: QPainter) -> None:
    path = QPainterPath(QPointF(3, 18.5))
    for x, y in ((3, 5.5), (9, 5.5), (11, 8), (21, 8), (21, 18.5)):
        path.lineTo(x, y)
    path.closeSubpath()
    painter.drawPath(path)


def _conversation(painter: QPainter) -> None:
    for x, y, tail in ((3, 4, 6.5), (9, 11, 17.5)):
        path = QPainterPath()
        path.addRoundedRect(QRectF(x, y, 12, 7.5), 2.5, 2.5)
        painter.drawPath(path)
        painter.drawLine(QPointF(tail, y + 7.5), QPointF(tail + (0.2 if x > 5 else -0.2), y + 9.6))


def _record(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(12, 12), 6, 6)


def _stop(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    painter.drawRoundedRect(QRectF(6.5, 6.5, 11, 11), 1.5, 1.5)


def _play(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    path = QPainterPath(QPointF(8, 5.5))
    path.lineTo(18, 12)
    path.lineTo(8, 18.5)
    path.closeSubpath()
    painter.drawPath(path)


def _settings(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(12, 12), 3, 3)
    painter.drawEllipse(QPointF(12, 12), 6.4, 6.4)
    for tooth in range(8):
        angle = math.radians(45 * tooth)
        x, y = math.cos(angle), math.sin(angle)
        painter.drawLine(QPointF(12 + 6.4 * x, 12 + 6.4 * y), QPointF(12 + 9 * x, 12 + 9 * y))


def _application(painter: QPainter) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#1F5FBF"))
    painter.drawRoundedRect(QRectF(0.5, 0.5, 23, 23), 5.5, 5.5)
    bars: tuple[tuple[float, int, str], ...] = (
        (4.2, 5, "#FFFFFF"),
        (7.8, 10, "#F0E442"),
        (11.4, 15, "#E69F00"),
    )
    bars += ((15.0, 11, "#56A5E0"), (18.6, 6, "#FFFFFF"))
    for x, height, colour in bars:
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(x - 1.1, 12 - height / 2, 2.3, height), 1.1, 1.1)


_DRAWINGS: Mapping[str, Callable[[QPainter], None]] = MappingProxyType(
    {
        "microphone": _microphone,
        "folder": _folder,
        "conversation": _conversation,
        "record": _record,
        "stop": _stop,
        "play": _play,
        "settings": _settings,
        "application": _application,
    }
)
