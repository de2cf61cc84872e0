"""Turns as blocks in the lanes of their speakers, and arcs to those that one turn drew on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from desktop import names
from desktop.item_models.dialogue import Arc, Block
from desktop.plots.plot import draw_chip
from desktop.plots.timeline_plot import AXIS_HEIGHT, TimelinePlot
from desktop.plots.turn_arcs import draw_arcs
from desktop.theme import UNSURE, ink_on

MOST_LANES = 6
"""Speakers with a lane of their own; the rest share the last one."""

_LANE = (15.0, 30.0)
_LANE_ALONE = (15.0, 40.0)
"""Least and most height of a lane in pixels, with and without arcs above."""

_MARK = 5.0
"""Height of the triangle that marks a shift."""

_ARROW = "→"
_PALE = 0.4
"""Opacity of what the dialogue model has yet to judge."""
_MARKED = 6.0
"""Pixels of width below which a block is only a line of its colour, without outline or mark."""


class DialogueLanes(TimelinePlot):
    """A lane a speaker, a block a turn; above them the attention of the shown turn.

    A triangle stands where the emotion of a speaker shifts; a strip below a block shows what the
    turn looks like with later turns in view. `picked(index)` is a block that was clicked, `hovered`
    the index of the one under the pointer, or None.
    """

    picked = Signal(int)
    hovered = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lanes: tuple[str, ...] = ()
        self._blocks: tuple[Block, ...] = ()
        self._arcs: tuple[Arc, ...] = ()
        self._shown: int | None = None
        self._with_arcs = True
        self._note = ""
        self._names_width = 0.0
        self._under: int | None = None
        self.setMinimumSize(QSize(200, 70))
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        """Return a comfortable size for two speakers."""
        return QSize(520, 170)

    def set_stretch(self, first: float, last: float, relative: bool) -> None:
        """Move the time axis; with `relative` it counts seconds before the right edge."""
        if (first, last, relative) != (self.first, self.last, self.relative):
            self.first, self.last, self.relative = first, last, relative
            self.update()

    def set_dialogue(
        self, lanes: Sequence[str], blocks: Sequence[Block], shown: int | None, arcs: Sequence[Arc]
    ) -> None:
        """Show turns in view, and what the turn of index `shown` drew on."""
        self._blocks = tuple(blocks)
        if tuple(lanes[:MOST_LANES]) != self._lanes:
            self._lanes = tuple(lanes[:MOST_LANES])
            self._fit_names()
        self._shown, self._arcs = shown, tuple(arcs)
        self.update()

    def leave_room(self, arcs: bool) -> None:
        """Keep the upper part for arcs, or use all of it for lanes."""
        if arcs != self._with_arcs:
            self._with_arcs = arcs
            self.update()

    def set_note(self, text: str) -> None:
        """Say this in the place of the arcs."""
        if text != self._note:
            self._note = text
            self.update()

    def block_at(self, position: QPointF) -> Block | None:
        """Return the block drawn at a position."""
        for block in reversed(self._blocks):
            if self._rect(block).adjusted(-1, -_MARK, 1, 2).contains(position):
                return block
        return None

    def place_of(self, index: int) -> QRectF | None:
        """Return where the block of a turn is drawn."""
        return next((self._rect(b) for b in self._blocks if b.index == index), None)

    # -- geometry -----------------------------------------------------------------------------

    def area(self) -> QRectF:
        """Return where time is drawn."""
        left = min(max(self._names_width, 20.0) + 14, 0.25 * self.width())
        return QRectF(self.rect()).adjusted(left, 4, -8, -AXIS_HEIGHT)

    def _fit_names(self) -> None:
        metrics = QFontMetricsF(self.small_font())
        widths = (metrics.horizontalAdvance(name) for name in self._lanes)
        self._names_width = max(widths, default=0.0)

    def changeEvent(self, event: QEvent) -> None:
        """Measure the names again when the font changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_names()

    def _lane_height(self, area: QRectF) -> float:
        (low, high), share = (_LANE, 0.55) if self._with_arcs else (_LANE_ALONE, 0.95)
        return min(max(share * area.height() / max(1, len(self._lanes)), low), high)

    def _lanes_top(self, area: QRectF) -> float:
        return area.bottom() - self._lane_height(area) * max(1, len(self._lanes))

    def _rect(self, block: Block) -> QRectF:
        area = self.area()
        height = self._lane_height(area)
        lane = min(block.lane, max(0, len(self._lanes) - 1))
        left, right = self.x_of(block.first), self.x_of(block.last)
        top = self._lanes_top(area) + lane * height
        return QRectF(left, top + _MARK, max(right - left, 2.0), height - _MARK - 2)

    # -- pointer ------------------------------------------------------------------------------

    def click_at(self, position: QPointF) -> None:
        """Tell the turn under the pointer, or only the moment where there is none."""
        block = self.block_at(position)
        if block is None:
            super().click_at(position)
        else:
            self.picked.emit(block.index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the rubber band, and tell what lies under the pointer."""
        super().mouseMoveEvent(event)
        block = self.block_at(event.position())
        under = None if block is None else block.index
        if under != self._under:
            self._under = under
            self.hovered.emit(under, event.globalPosition().toPoint())

    # -- painting -----------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        """Paint lanes, blocks, arcs and axis."""
        area = self.area()
        painter.setFont(self.small_font())
        self._draw_lanes(painter, area)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -4, 2, 2))
        painter.setFont(self.small_font())
        rects = [self._rect(block) for block in self._blocks]
        free = self._free_until(rects, area.right())
        for block, rect, until in zip(self._blocks, rects, free, strict=True):
            if rect.width() >= _MARKED or block.selected or block.index == self._shown:
                self._draw_block(painter, rect, block, until)
            else:
                self._draw_line(painter, rect, block)
        self._draw_attention(painter, area)
        self.draw_band_and_playhead(painter)
        painter.restore()
        self.draw_time(painter)

    def _draw_lanes(self, painter: QPainter, area: QRectF) -> None:
        height, top = self._lane_height(area), self._lanes_top(area)
        metrics = QFontMetricsF(painter.font())
        for position, name in enumerate(self._lanes):
            middle = top + (position + 0.5) * height + (_MARK - 2) / 2
            painter.setPen(QPen(QColor(self.theme.border), 1))
            painter.drawLine(QPointF(area.left(), middle), QPointF(area.right(), middle))
            painter.setPen(QColor(self.theme.text))
            box = QRectF(2, middle - height / 2, area.left() - 8, height)
            words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words
            )

    def _free_until(self, rects: Sequence[QRectF], edge: float) -> list[float]:
        """Return for each block the column up to which its lane is free behind it."""
        until: dict[float, float] = {}
        free: list[float] = []
        for rect in reversed(rects):
            free.append(until.get(rect.top(), edge))
            until[rect.top()] = rect.left()
        return free[::-1]

    def _draw_line(self, painter: QPainter, rect: QRectF, block: Block) -> None:
        """Paint a turn that is only some pixels wide, as most of a long dialogue seen whole."""
        said = QColor(self.theme.border)
        if block.label is not None:
            said = self.theme.emotion_colour(block.label)
            said.setAlphaF(_opacity(block))
        painter.fillRect(rect, said)
        if block.later is not None:
            strip = QRectF(rect.left(), rect.bottom() - 5, rect.width(), 5)
            painter.fillRect(strip.adjusted(0, -1, 0, 0), QColor(self.theme.card))
            later = self.theme.emotion_colour(block.later)
            later.setAlphaF(UNSURE if block.later_uncertain else 1.0)
            painter.fillRect(strip, later)

    def _draw_block(self, painter: QPainter, rect: QRectF, block: Block, until: float) -> None:
        body = QRectF(rect)
        if block.later is not None:
            body.setBottom(rect.bottom() - max(4.0, 0.28 * rect.height()))
        self._draw_body(painter, body, block)
        if block.later is not None:
            strip = QRectF(rect)
            strip.setTop(body.bottom() + 1)
            painter.setOpacity(UNSURE if block.later_uncertain else 1.0)
            draw_chip(painter, strip.adjusted(0.5, 0, -0.5, -0.5), self.theme, block.later, 1.5)
            painter.setOpacity(1.0)
        self._draw_word(painter, body, block, until)
        if block.shifted_from is not None:
            self._draw_shift(painter, rect)
        if block.selected or block.index == self._shown:
            line = Qt.PenStyle.SolidLine if block.selected else Qt.PenStyle.DotLine
            painter.setPen(QPen(QColor(self.theme.accent), 2.0, line))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(-1.5, -1.5, 1.5, 1.5), 4, 4)

    def _draw_body(self, painter: QPainter, body: QRectF, block: Block) -> None:
        """Fill a block; one that is not sure is faded, one that waits for its context is paler."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.card))
        painter.drawRoundedRect(body, 3, 3)
        if block.label is None:
            painter.setBrush(QColor(self.theme.border))
            painter.drawRoundedRect(body, 3, 3)
            return
        painter.setOpacity(_opacity(block))
        draw_chip(painter, body.adjusted(0.5, 0.5, -0.5, -0.5), self.theme, block.label, 3)
        painter.setOpacity(1.0)

    def _draw_word(self, painter: QPainter, body: QRectF, block: Block, until: float) -> None:
        """Write the emotion into its block, or behind it where the lane is free up to `until`.

        With what was seen later where there is room for both.
        """
        metrics = QFontMetricsF(painter.font())
        if block.label is None or metrics.ascent() > body.height() + 2:
            return
        words = [names.unsure(names.emotion(block.label), block.uncertain)]
        if block.later is not None:
            later = names.unsure(names.emotion(block.later), block.later_uncertain)
            words.insert(0, f"{words[0]} {_ARROW} {later}")
        colour = self.theme.emotion_colour(block.label)
        ground = _over(colour, QColor(self.theme.card), _opacity(block))
        seen = body.intersected(self.area())
        inside = seen.adjusted(2, 0, -2, 0), Qt.AlignmentFlag.AlignHCenter, ink_on(ground)
        space = QRectF(seen.right() + 3, body.top(), until - seen.right() - 8, body.height())
        behind = space, Qt.AlignmentFlag.AlignLeft, self.theme.text
        for word, (place, side, ink) in itertools.product(words, (inside, behind)):
            if metrics.horizontalAdvance(word) <= place.width():
                painter.setPen(QColor(ink))
                box = place.adjusted(0, -3, 0, 3)
                painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, word)
                return

    def _draw_shift(self, painter: QPainter, rect: QRectF) -> None:
        """Paint a triangle that points at the beginning of a block."""
        x, y = rect.left() + 4, rect.top() + 1.5
        painter.setPen(QPen(QColor(self.theme.card), 1))
        painter.setBrush(QColor(self.theme.text))
        corners = [QPointF(x - 4, y - _MARK - 1), QPointF(x + 4, y - _MARK - 1), QPointF(x, y + 1)]
        painter.drawPolygon(QPolygonF(corners))

    def _draw_attention(self, painter: QPainter, area: QRectF) -> None:
        place = QRectF(area.left(), area.top(), area.width(), self._lanes_top(area) - area.top())
        if place.height() < 14:
            return
        painter.setFont(self.small_font(0.82))
        target = next((arc for arc in self._arcs if arc.index == self._shown), None)
        if target is None or len(self._arcs) < 2:
            self._draw_note(painter, place)
            return
        ends = [(self.x_of(arc.at), arc.weight, arc.label) for arc in self._arcs]
        draw_arcs(painter, place, ends, self.x_of(target.at), self.theme)

    def _draw_note(self, painter: QPainter, place: QRectF) -> None:
        painter.setPen(QColor(self.theme.muted))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(place.adjusted(4, 0, -4, 0), flags, self._note)


def _opacity(block: Block) -> float:
    if not block.judged:
        return _PALE
    return UNSURE if block.uncertain else 1.0


def _over(colour: QColor, ground: QColor, opacity: float) -> str:
    """Return what a colour looks like on a ground it covers in part."""
    shares = ((colour, opacity), (ground, 1.0 - opacity))
    red = sum(share * part.redF() for part, share in shares)
    green = sum(share * part.greenF() for part, share in shares)
    blue = sum(share * part.blueF() for part, share in shares)
    return QColor.fromRgbF(red, green, blue).name()
