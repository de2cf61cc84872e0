"""The sound: envelope with speech shaded, a spectrogram below it while listening.

Both are rasterised with numpy into an 8-bit image with a lookup table and drawn in one call; the
envelope is anti-aliased by the share of a pixel it covers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from desktop import names
from desktop.plots.plot import Plot
from desktop.theme import Theme

LEFT_MARGIN = 62
"""Pixels left of every plot over time, so that their time axes line up."""

RIGHT_MARGIN = 10
_AXIS_HEIGHT = 18
_LEVELS = 63
"""Steps of coverage in one half of the lookup table; the other half is the same over speech."""

_GAMMA = 0.6
"""Exponent of the vertical scale: quiet speech stays visible."""


class WaveformPlot(Plot):
    """Arrays in pixels' columns; the time axis is given with them.

    Signals: `clicked(seconds)`, `dragged(first, last)`, `scaled(factor, anchor)`, `reset()`.
    """

    clicked = Signal(float)
    dragged = Signal(float, float)
    scaled = Signal(float, float)
    reset = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._first, self._last = 0.0, 1.0
        self._wave: QImage | None = None
        self._spectrogram: QImage | None = None
        self._wave_bytes: NDArray[np.uint8] | None = None
        self._spectrogram_bytes: NDArray[np.uint8] | None = None
        self._spectrogram_share = 0.0
        self._tables: tuple[list[int], list[int]] = ([], [])
        self._selection: tuple[float, float] | None = None
        self._playhead: float | None = None
        self._pressed: float | None = None
        self._drag: float | None = None
        self._hint = ""
        self._relative = True
        self.setMinimumHeight(64)
        self.set_theme(self.theme)

    def set_theme(self, theme: Theme) -> None:
        """Build the lookup tables of a theme."""
        super().set_theme(theme)
        calm = _blend(theme.card, theme.wave, 0.0)
        speech = _blend(theme.card, theme.accent, 0.13)
        table = [_blend(calm, theme.wave, i / _LEVELS).rgb() for i in range(_LEVELS + 1)]
        table += [_blend(speech, theme.wave, i / _LEVELS).rgb() for i in range(_LEVELS + 1)]
        self._tables = (table, _spectrogram_table(theme))

    def columns(self) -> int:
        """Return how many device pixels the picture is wide."""
        return max(1, round(self._area().width() * self.devicePixelRatioF()))

    def set_sound(
        self,
        first: float,
        last: float,
        envelope: NDArray[np.float32],
        speech: NDArray[np.uint8],
        relative: bool,
    ) -> None:
        """Show an envelope (columns, 2) and speech (columns,) of the stretch [first, last] s.

        With `relative` the axis counts seconds before the right edge.
        """
        self._first, self._last, self._relative = first, last, relative
        height = max(2, round(self._wave_rect().height() * self.devicePixelRatioF()))
        self._wave_bytes = rasterise(envelope, speech, height)
        self._wave = _image(self._wave_bytes, self._tables[0])
        self.update()

    def set_spectrogram(self, levels: NDArray[np.uint8] | None, share: float) -> None:
        """Show a spectrogram (bands, columns) ending at the right edge; None hides the strip.

        `share` is the share of the width that it covers.
        """
        self._spectrogram_bytes = levels
        self._spectrogram = None if levels is None else _image(levels, self._tables[1])
        self._spectrogram_share = share
        self.update()

    def set_selection(self, span: tuple[float, float] | None) -> None:
        """Frame the selected turn."""
        self._selection = span
        self.update()

    def set_playhead(self, seconds: float | None) -> None:
        """Show where playback is."""
        self._playhead = seconds
        self.update()

    def set_hint(self, text: str) -> None:
        """Show a word over a calm picture, such as "listening"."""
        if text != self._hint:
            self._hint = text
            self.update()

    def draw(self, painter: QPainter) -> None:
        """Paint spectrogram, envelope, marks and axis."""
        wave = self._wave_rect()
        painter.fillRect(wave, QColor(self.theme.card))
        if self._wave is not None:
            painter.drawImage(wave, self._wave)
        if self._spectrogram is not None:
            strip = self._strip_rect()
            painter.fillRect(strip, QColor.fromRgb(self._tables[1][0]))
            width = strip.width() * self._spectrogram_share
            target = QRectF(strip.right() - width, strip.top(), width, strip.height())
            painter.setClipRect(strip)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, self._spectrogram)
            painter.setClipping(False)
        self._draw_axis(painter)
        self._draw_marks(painter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start a click or a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the rubber band."""
        if self._pressed is not None and abs(event.position().x() - self._pressed) > 4:
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
            self.clicked.emit(self._seconds(pressed))
        else:
            self.dragged.emit(self._seconds(pressed), self._seconds(dragged))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show everything again."""
        self.reset.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer."""
        steps = event.angleDelta().y() / 120
        if steps:
            self.scaled.emit(0.8**steps, self._seconds(event.position().x()))

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT_MARGIN, 4, -RIGHT_MARGIN, -_AXIS_HEIGHT)

    def _wave_rect(self) -> QRectF:
        area = self._area()
        if self._spectrogram is not None:
            area.setHeight(area.height() * 0.58)
        return area

    def _strip_rect(self) -> QRectF:
        area = self._area()
        return area.adjusted(0, area.height() * 0.58 + 2, 0, 0)

    def _seconds(self, x: float) -> float:
        area = self._area()
        share = (x - area.left()) / max(area.width(), 1)
        return self._first + min(max(share, 0.0), 1.0) * (self._last - self._first)

    def _x(self, seconds: float) -> float:
        area = self._area()
        span = max(self._last - self._first, 1e-9)
        return area.left() + (seconds - self._first) / span * area.width()

    def _draw_axis(self, painter: QPainter) -> None:
        painter.setFont(self.small_font(0.82))
        painter.setPen(QColor(self.theme.muted))
        area, wave = self._area(), self._wave_rect()
        for seconds, text in time_ticks(self._first, self._last, area.width(), self._relative):
            x = self._x(seconds)
            painter.drawText(
                QRectF(x - 40, area.bottom() + 2, 80, _AXIS_HEIGHT - 2),
                Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop,
                text,
            )
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        box = QRectF(0, wave.top(), LEFT_MARGIN - 6, wave.height())
        painter.drawText(box, right, self.tr("sound"))
        if self._spectrogram is not None:
            strip = self._strip_rect()
            painter.drawText(
                QRectF(0, strip.top(), LEFT_MARGIN - 6, strip.height()), right, self.tr("spectrum")
            )

    def _draw_marks(self, painter: QPainter) -> None:
        area = self._area()
        painter.setClipRect(area)
        if self._hint:
            self._draw_hint(painter, area)
        if self._selection is not None:
            left, right = self._x(self._selection[0]), self._x(self._selection[1])
            painter.setPen(QPen(QColor(self.theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            frame = QRectF(left, area.top() + 1, max(right - left, 3), area.height() - 2)
            painter.drawRoundedRect(frame, 3, 3)
        if self._pressed is not None and self._drag is not None:
            fill = QColor(self.theme.accent)
            fill.setAlpha(60)
            left, right = sorted((self._pressed, self._drag))
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), fill)
        if self._playhead is not None:
            x = self._x(self._playhead)
            painter.setPen(QPen(QColor(self.theme.record), 2))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setClipping(False)

    def _draw_hint(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(self.small_font(0.9))
        width = painter.fontMetrics().horizontalAdvance(self._hint) + 16
        pill = QRectF(area.left() + 6, area.top() + 5, width, painter.fontMetrics().height() + 2)
        fill = QColor(self.theme.card)
        fill.setAlpha(225)
        painter.setPen(QPen(QColor(self.theme.border), 1))
        painter.setBrush(fill)
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setPen(QColor(self.theme.text))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, self._hint)


def rasterise(
    envelope: NDArray[np.float32], speech: NDArray[np.uint8], height: int
) -> NDArray[np.uint8]:
    """Return the picture (height, columns): coverage, plus an offset where speech was heard."""
    scaled = np.sign(envelope) * np.abs(envelope) ** _GAMMA
    middle, half = height // 2 + 0.5, (height - 1) / 2
    top = (middle - scaled[:, 1] * half)[None, :]
    bottom = (middle - scaled[:, 0] * half)[None, :]
    top, bottom = np.minimum(top, middle - 0.5), np.maximum(bottom, middle + 0.5)
    rows = np.arange(height, dtype=np.float32)[:, None]
    covered = np.minimum(rows + 1, bottom) - np.maximum(rows, top)
    levels = (np.clip(covered, 0, 1) * _LEVELS).astype(np.uint8)
    offset = np.where(speech > 127, np.uint8(_LEVELS + 1), np.uint8(0))
    return np.ascontiguousarray(levels + offset[None, :])


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


def _image(levels: NDArray[np.uint8], table: list[int]) -> QImage:
    """Wrap an array (height, width); the caller keeps the array alive."""
    height, width = levels.shape
    image = QImage(levels.data, width, height, levels.strides[0], QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    return image


def _blend(first: str | QColor, second: str | QColor, share: float) -> QColor:
    a, b = QColor(first), QColor(second)
    mix = [
        round(x + (y - x) * share)
        for x, y in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)  # type: ignore[index]
    ]
    return QColor(*mix)


def _spectrogram_table(theme: Theme) -> list[int]:
    """Return 256 colours from the background over the wave colour to a bright end."""
    bright = "#FFF3C4" if theme.is_dark else "#12305E"
    half = [_blend(theme.sunken, theme.wave, i / 150) for i in range(150)]
    return [c.rgb() for c in half + [_blend(theme.wave, bright, i / 105) for i in range(106)]]
