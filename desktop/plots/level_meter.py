"""Loudness of the microphone with a peak mark and a clip light, one bar a channel."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from desktop.plots.plot import Plot

QUIETEST = -60.0
"""dBFS at the left end."""

_FALL = 1.2
"""dB a drawn peak falls per update."""

_CLIP_UPDATES = 45
"""Updates the clip light stays lit: a second and a half."""


class LevelMeter(Plot):
    """Bars from -60 dBFS to full scale; silent when no level was given."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels: tuple[float, ...] = ()
        self._peaks: list[float] = []
        self._clip_left = 0
        self.setMinimumWidth(130)
        self.setFixedHeight(26)

    def sizeHint(self) -> QSize:
        """Return a width that fits a toolbar."""
        return QSize(170, 26)

    def set_levels(self, levels: Sequence[float], clipped: bool) -> None:
        """Show levels in dBFS, one a channel; empty switches the meter off."""
        levels = tuple(max(QUIETEST, min(0.0, level)) for level in levels)
        if len(levels) != len(self._peaks):
            self._peaks = [QUIETEST] * len(levels)
        self._peaks = [max(new, old - _FALL) for new, old in zip(levels, self._peaks, strict=True)]
        self._clip_left = _CLIP_UPDATES if clipped else max(0, self._clip_left - 1)
        if levels != self._levels or self._clip_left:
            self._levels = levels
            self.update()

    @property
    def clipping(self) -> bool:
        """True while the clip light is lit."""
        return self._clip_left > 0

    def summary(self) -> str:
        """Return the level as words."""
        if not self._levels:
            return self.tr("no sound")
        return self.tr("{level} dB").format(level=round(max(self._levels)))

    def draw(self, painter: QPainter) -> None:
        """Paint bars, peak marks, clip light and the number."""
        text_width, light = 52, 12
        bar = QRectF(self.rect()).adjusted(2, 6, -(text_width + light + 8), -6)
        count = max(1, len(self._levels))
        for channel in range(count):
            height = (bar.height() - 2 * (count - 1)) / count
            lane = QRectF(bar.left(), bar.top() + channel * (height + 2), bar.width(), height)
            self._draw_bar(painter, lane, channel)
        lamp = QRectF(bar.right() + 5, self.height() / 2 - 5, 10, 10)
        painter.setPen(QColor(self.theme.muted))
        painter.setBrush(QColor(self.theme.clip if self.clipping else self.theme.sunken))
        painter.drawEllipse(lamp)
        painter.setPen(QColor(self.theme.text if self._levels else self.theme.muted))
        painter.setFont(self.small_font(0.92))
        words = self.tr("clipped") if self.clipping else self.summary()
        painter.drawText(
            QRectF(lamp.right() + 4, 0, text_width + 4, self.height()),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            words,
        )

    def _draw_bar(self, painter: QPainter, lane: QRectF, channel: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.border))
        painter.drawRoundedRect(lane, 3, 3)
        if channel >= len(self._levels):
            return
        share = 1 - self._levels[channel] / QUIETEST
        filled = QRectF(lane.left(), lane.top(), lane.width() * share, lane.height())
        painter.setBrush(QColor(self.theme.clip if self.clipping else self.theme.wave))
        painter.drawRoundedRect(filled, 3, 3)
        peak = lane.left() + lane.width() * (1 - self._peaks[channel] / QUIETEST)
        painter.setBrush(QColor(self.theme.text))
        painter.drawRect(QRectF(min(peak, lane.right()) - 2, lane.top(), 2, lane.height()))
