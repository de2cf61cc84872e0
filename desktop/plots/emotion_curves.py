"""Probability curves, one a class, over utterances as tinted bands and speakers as lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop import names
from desktop.item_models.emotion_timeline import Curves
from desktop.plots.timeline_plot import time_ticks
from desktop.plots.waveform import LEFT_MARGIN, RIGHT_MARGIN
from desktop.theme import LIGHT, Theme

LANE = 0.13
"""Height of a speaker's lane on the axis of probabilities."""

_LANE_TOP = -0.06


@dataclass(frozen=True, slots=True)
class Band:
    """An utterance: seconds, lane, shown classes (None while unknown), and marks."""

    first: float
    last: float
    lane: int
    labels: tuple[str, ...] | None
    uncertain: bool = False
    selected: bool = False


class EmotionCurves(pg.PlotWidget):
    """Fixed axes, curves connected by an index array, no finite check, one view of its own.

    Signals: `clicked(seconds)`, `dragged(first, last)`, `scaled(factor, anchor)`, `reset()`.
    """

    clicked = Signal(float)
    dragged = Signal(float, float)
    scaled = Signal(float, float)
    reset = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self._box = _DragBox()
        super().__init__(parent, viewBox=self._box)
        self._box.watch(self)
        self.theme = LIGHT
        self._labels: tuple[str, ...] = ()
        self._curves: list[pg.PlotCurveItem] = []
        self._bands = _Bands()
        self._playhead = pg.InfiniteLine(angle=90, movable=False)
        self._playhead.setVisible(False)
        self._lanes: tuple[str, ...] = ()
        self._range = (0.0, 1.0)
        self._ticks: object = None
        self._prepare()

    def _prepare(self) -> None:
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setContentsMargins(0, 4, RIGHT_MARGIN, 0)
        item.getAxis("left").setWidth(LEFT_MARGIN)
        item.getAxis("bottom").setHeight(20)
        item.getAxis("left").setStyle(tickLength=0)
        item.getAxis("bottom").setStyle(tickLength=0)
        self.setAntialiasing(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFrameShape(self.Shape.NoFrame)
        self._box.disableAutoRange()
        self._box.setMouseEnabled(x=False, y=False)
        self._box.setDefaultPadding(0)
        self._box.addItem(self._bands)
        self._box.addItem(self._playhead)
        self._bands.setZValue(-10)
        self.set_lanes(())
        self.set_theme(self.theme)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self.theme = theme
        self.setBackground(theme.card)
        for name in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(name)
            axis.setPen(QPen(QColor(theme.border), 0))
            axis.setTextPen(QColor(theme.muted))
        self._playhead.setPen(pg.mkPen(theme.record, width=2))
        self._bands.theme = theme
        self._style_curves()

    def set_labels(self, labels: Sequence[str]) -> None:
        """Show one curve a class."""
        if tuple(labels) == self._labels:
            return
        for curve in self._curves:
            self._box.removeItem(curve)
        self._labels = tuple(labels)
        self._curves = [pg.PlotCurveItem(skipFiniteCheck=True) for _ in labels]
        for curve in self._curves:
            self._box.addItem(curve)
        self._style_curves()

    def set_lanes(self, speakers: Sequence[str]) -> None:
        """Name the lanes below the curves, one a speaker."""
        self._lanes = tuple(speakers)
        count = max(1, len(self._lanes))
        self._box.setYRange(_LANE_TOP - count * LANE - 0.02, 1.04, padding=0)
        ticks = [(0.0, "0"), (0.5, "½"), (1.0, "1")]
        ticks += [(lane_centre(i), name) for i, name in enumerate(self._lanes)]
        self.getPlotItem().getAxis("left").setTicks([ticks])

    def set_stretch(self, first: float, last: float, relative: bool) -> None:
        """Move the time axis; with `relative` it counts seconds before the right edge."""
        self._range = (first, last)
        self._box.setXRange(first, last, padding=0)
        ticks = time_ticks(first, last, self._box.width(), relative)
        if ticks != self._ticks:
            self._ticks = ticks
            self.getPlotItem().getAxis("bottom").setTicks([ticks])

    def set_data(self, curves: Curves, bands: Sequence[Band]) -> None:
        """Show curves of shape (n, classes) and the utterances below them."""
        strength = curves.values.max(axis=0) if len(curves.times) else None
        for position, curve in enumerate(self._curves):
            curve.setData(curves.times, curves.values[:, position], connect=curves.connect)
            if strength is not None:
                curve.setZValue(float(strength[position]))
        self._bands.set_bands(bands, self._range)

    def set_playhead(self, seconds: float | None) -> None:
        """Show where playback is."""
        self._playhead.setVisible(seconds is not None)
        if seconds is not None:
            self._playhead.setPos(seconds)

    def describe(self, summary: str) -> None:
        """Set what a screen reader says about the picture."""
        if summary != self.accessibleDescription():
            self.setAccessibleDescription(summary)

    def _style_curves(self) -> None:
        scale = self.devicePixelRatioF()  # pyqtgraph's pens are as wide as pixels of the device
        for label, curve in zip(self._labels, self._curves, strict=True):
            curve.setPen(pg.mkPen(self.theme.emotion_colour(label), width=1.8 * scale))
            outlined = self.theme.needs_outline(label)
            shadow = QColor(self.theme.text)
            shadow.setAlpha(150)
            curve.setShadowPen(pg.mkPen(shadow, width=3.0 * scale) if outlined else None)


def lane_centre(lane: int) -> float:
    """Return where the middle of a lane lies on the axis of probabilities."""
    return _LANE_TOP - (lane + 0.5) * LANE


class _Bands(pg.GraphicsObject):
    """Utterances: a faint tint behind the curves and a solid block in the speaker's lane."""

    def __init__(self) -> None:
        super().__init__()
        self.theme = LIGHT
        self._bands: tuple[Band, ...] = ()
        self._bounds = QRectF(0, -1, 1, 3)

    def set_bands(self, bands: Sequence[Band], stretch: tuple[float, float]) -> None:
        """Replace the utterances; those outside `stretch` are not passed."""
        self.prepareGeometryChange()
        self._bands = tuple(bands)
        first = min([stretch[0], *(band.first for band in bands)])
        last = max([stretch[1], *(band.last for band in bands)])
        self._bounds = QRectF(first - 60, -2, last - first + 120, 4)
        self.update()

    def boundingRect(self) -> QRectF:
        """Return everything that may be painted, in axis units."""
        return self._bounds

    def dataBounds(self, *_: Any, **__: Any) -> None:
        """Take no part in automatic ranges."""
        return

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint tints and blocks."""
        for band in self._bands:
            self._paint_tint(painter, band)
            self._paint_block(painter, band)
        self._paint_words(painter)

    def _paint_tint(self, painter: QPainter, band: Band) -> None:
        colour = self.theme.emotion_colour(band.labels[0]) if band.labels else None
        tint = QColor(colour or QColor(self.theme.muted))
        tint.setAlpha(70 if band.selected else 26)
        painter.fillRect(QRectF(band.first, 0, band.last - band.first, 1), QBrush(tint))

    def _paint_block(self, painter: QPainter, band: Band) -> None:
        """Paint the utterance into its speaker's lane, divided among its emotions."""
        labels = band.labels or (None,)
        top = _LANE_TOP - (band.lane + 1) * LANE + 0.02
        height = (LANE - 0.04) / len(labels)
        edge = QPen(QColor(self.theme.muted), 1.0)
        edge.setCosmetic(True)
        # The axis of probabilities points up, the first emotion is on top.
        for position, label in enumerate(reversed(labels)):
            solid = self.theme.emotion_colour(label) if label else QColor(self.theme.border)
            solid.setAlpha(110 if band.uncertain else 255)
            outlined = label is not None and self.theme.needs_outline(label)
            painter.setPen(edge if outlined else Qt.PenStyle.NoPen)
            painter.setBrush(solid)
            block = QRectF(band.first, top + position * height, band.last - band.first, height)
            painter.drawRect(block)
        if band.selected:
            frame = QPen(QColor(self.theme.accent), 2.0)
            frame.setCosmetic(True)
            painter.setPen(frame)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(band.first, top, band.last - band.first, LANE - 0.04))

    def _paint_words(self, painter: QPainter) -> None:
        """Name the emotion at the top of every band that is wide enough: never colour alone."""
        to_pixels = painter.transform()
        painter.save()
        painter.resetTransform()
        font = painter.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.82))
        painter.setFont(font)
        painter.setPen(QColor(self.theme.text))
        metrics = painter.fontMetrics()
        for band in self._bands:
            if not band.labels:
                continue
            left = to_pixels.map(QPointF(band.first, 1.0))
            right = to_pixels.map(QPointF(band.last, 1.0))
            word = " + ".join(names.emotion(label) for label in band.labels)
            word += "?" if band.uncertain else ""
            if metrics.horizontalAdvance(word) + 4 <= right.x() - left.x():
                box = QRectF(left.x(), left.y() + 1, right.x() - left.x(), metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)
        painter.restore()


class _DragBox(pg.ViewBox):
    """A view that reports clicks, drags and the wheel instead of moving itself."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self._owner: EmotionCurves | None = None
        self._rubber: pg.LinearRegionItem | None = None

    def watch(self, owner: EmotionCurves) -> None:
        """Report to this plot."""
        self._owner = owner

    def mouseClickEvent(self, ev: Any) -> None:
        """Report a click, or a double click as "show everything"."""
        if self._owner is None or ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        if ev.double():
            self._owner.reset.emit()
        else:
            self._owner.clicked.emit(self._seconds(ev.scenePos()))

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        """Draw a rubber band and report it when released."""
        if self._owner is None or ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        first = self._seconds(ev.buttonDownScenePos())
        last = self._seconds(ev.scenePos())
        if self._rubber is None:
            self._rubber = pg.LinearRegionItem(movable=False)
            self.addItem(self._rubber)
        self._rubber.setRegion(sorted((first, last)))
        if ev.isFinish():
            self.removeItem(self._rubber)
            self._rubber = None
            self._owner.dragged.emit(first, last)

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        """Report a zoom around the pointer."""
        ev.accept()
        if self._owner is not None:
            anchor = self._seconds(ev.scenePos())
            self._owner.scaled.emit(0.8 ** (ev.delta() / 120), anchor)

    def _seconds(self, position: QPointF) -> float:
        return float(self.mapSceneToView(position).x())
