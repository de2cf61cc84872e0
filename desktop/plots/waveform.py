"""The sound: envelope with speech shaded, a spectrogram below it while listening.

Both are rasterised with numpy into an 8-bit image with a lookup table and drawn in one call; the
envelope is anti-aliased by the share of a pixel it covers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.plots.timeline_plot import AXIS_HEIGHT, TimelinePlot
from desktop.theme import Theme

LEFT_MARGIN = 62
"""Pixels left of every plot over time, so that their time axes line up."""

RIGHT_MARGIN = 10
_LEVELS = 63
"""Steps of coverage in one half of the lookup table; the other half is the same over speech."""

_GAMMA = 0.6
"""Exponent of the vertical scale: quiet speech stays visible."""


class WaveformPlot(TimelinePlot):
    """Arrays in pixels' columns; the time axis is given with them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wave: QImage | None = None
        self._spectrogram: QImage | None = None
        self._wave_bytes: NDArray[np.uint8] | None = None
        self._spectrogram_bytes: NDArray[np.uint8] | None = None
        self._spectrogram_share = 0.0
        self._tables: tuple[list[int], list[int]] = ([], [])
        self._selection: tuple[float, float] | None = None
        self._hint = ""
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
        return max(1, round(self.area().width() * self.devicePixelRatioF()))

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
        self.first, self.last, self.relative = first, last, relative
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

    def area(self) -> QRectF:
        """Return where the envelope and the spectrogram are drawn."""
        return QRectF(self.rect()).adjusted(LEFT_MARGIN, 4, -RIGHT_MARGIN, -AXIS_HEIGHT)

    def _wave_rect(self) -> QRectF:
        area = self.area()
        if self._spectrogram is not None:
            area.setHeight(area.height() * 0.58)
        return area

    def _strip_rect(self) -> QRectF:
        area = self.area()
        return area.adjusted(0, area.height() * 0.58 + 2, 0, 0)

    def _draw_axis(self, painter: QPainter) -> None:
        self.draw_time(painter)
        wave = self._wave_rect()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        box = QRectF(0, wave.top(), LEFT_MARGIN - 6, wave.height())
        painter.drawText(box, right, self.tr("sound"))
        if self._spectrogram is not None:
            strip = self._strip_rect()
            painter.drawText(
                QRectF(0, strip.top(), LEFT_MARGIN - 6, strip.height()), right, self.tr("spectrum")
            )

    def _draw_marks(self, painter: QPainter) -> None:
        area = self.area()
        painter.setClipRect(area)
        if self._hint:
            self._draw_hint(painter, area)
        if self._selection is not None:
            left, right = self.x_of(self._selection[0]), self.x_of(self._selection[1])
            painter.setPen(QPen(QColor(self.theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            frame = QRectF(left, area.top() + 1, max(right - left, 3), area.height() - 2)
            painter.drawRoundedRect(frame, 3, 3)
        self.draw_band_and_playhead(painter)
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
