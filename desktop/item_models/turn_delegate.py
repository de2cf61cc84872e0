"""Paints a turn as one row: time, speaker, text, and at the right chip, word and probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QPainter,
    QPen,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from core.types import SAMPLE_RATE, Turn, TurnStatus
from desktop import names
from desktop.item_models.corrected import CorrectedTurns
from desktop.item_models.readings import changed_by_context
from desktop.item_models.replaced_words import Span
from desktop.item_models.turns import TurnRole, turn_text
from desktop.plots.person_mark import FIGURE, draw_person, draw_said
from desktop.plots.plot import draw_chips
from desktop.theme import LIGHT, UNSURE, Theme

MARK_WIDTH = 36
"""Pixels of an arrow, a spot in the colour of another emotion, and "?" where that is not sure."""

WIDE = 680
"""Pixels of width from which on its word stands there too; the tooltip has it in any case."""

_PADDING = 6
_GAP = 10
_MOST_FOR_EMOTIONS = 0.3
"""Share of the width of a row."""
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class _Columns:
    """Left edges and widths in pixels."""

    time: int
    speaker: int
    text: int
    text_width: int
    emotion: int
    context: int
    said: int
    end: int


class TurnDelegate(QStyledItemDelegate):
    """Text wraps; what is still tentative is lighter and italic; matches of a search are marked."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.needle = ""
        self.marks: dict[int, tuple[Span, ...]] = {}
        """By index of the turn, the words that just took the place of others."""
        self.speaker_width = 0
        self.emotion_width = 0
        """Pixels of the widest emotion with its number, as `measure_emotions` found."""
        self.in_context = False
        """Keep room at the right for an emotion that context changes."""
        self.corrected = CorrectedTurns(self)
        """What a person said; there is room for it as soon as there is anything."""
        self._word_width = 0

    def measure_emotions(self, labels: Sequence[str], font: QFont, exclusive: bool) -> bool:
        """Make room for the words of these classes; true when that changed.

        Where several can be given at once there is room for three, as far as the list is wide.
        """
        metrics = QFontMetrics(font)
        words = sorted(metrics.horizontalAdvance(names.emotion(label)) for label in labels)
        widest = words[-1] + metrics.horizontalAdvance("  0.00 ?") if words else 0
        if not exclusive:
            widest = max(widest, sum(words[-3:]) + metrics.horizontalAdvance(" +  +  ?"))
        changed = widest != self.emotion_width
        self.emotion_width = widest
        self._word_width = words[-1] + metrics.horizontalAdvance("?") if words else 0
        return changed

    def row_height(self, turn: Turn, font: QFont, width: int) -> int:
        """Return the height a turn needs at a width."""
        columns = self._columns(font, width)
        layout = self._layout(turn, font, columns.text_width)
        height = int(layout.boundingRect().height())
        return max(height, QFontMetrics(font).height()) + 2 * _PADDING

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return the size of a row."""
        turn = index.data(TurnRole)
        width = option.rect.width()
        font = option.font
        return QSize(width, self.row_height(turn, font, width))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint a row."""
        turn: Turn = index.data(TurnRole)
        rect: QRect = option.rect
        font: QFont = option.font
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, rect, state)
        columns = self._columns(font, rect.width())
        metrics = QFontMetrics(font)
        line = QRect(0, rect.top() + _PADDING, 0, metrics.height())
        painter.setPen(QColor(self.theme.muted))
        painter.setFont(font)
        time = names.clock(turn.start / SAMPLE_RATE)
        painter.drawText(line.adjusted(columns.time, 0, columns.speaker - _GAP, 0), 0x82, time)
        self._speaker(painter, line, columns, turn, font)
        self._text(painter, rect, columns, turn, font)
        self._emotion(painter, line, columns, turn, font)
        self._context(painter, line, columns, turn)
        self._said(painter, line, columns, turn)
        painter.restore()

    def _background(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        box = QRectF(rect).adjusted(1, 1, -1, -1)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(self.theme.accent), 1.5))
            painter.setBrush(QColor(self.theme.hover))
            painter.drawRoundedRect(box, 5, 5)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.sunken))
            painter.drawRoundedRect(box, 5, 5)

    def _speaker(
        self, painter: QPainter, line: QRect, columns: _Columns, turn: Turn, font: QFont
    ) -> None:
        if not turn.speaker:
            return
        bold = QFont(font)
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(self.theme.text))
        box = line.adjusted(columns.speaker, 0, columns.text - _GAP, 0)
        text = QFontMetrics(bold).elidedText(turn.speaker, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)

    def _text(
        self, painter: QPainter, rect: QRect, columns: _Columns, turn: Turn, font: QFont
    ) -> None:
        layout = self._layout(turn, font, columns.text_width)
        origin = QRectF(columns.text, rect.top() + _PADDING, 1, 1).topLeft()
        painter.setPen(QColor(self.theme.text))
        layout.draw(painter, origin)

    def _emotion(
        self,
        painter: QPainter,
        line: QRect,
        columns: _Columns,
        turn: Turn,
        font: QFont,
    ) -> None:
        if turn.emotion is None:
            painter.setFont(font)
            painter.setPen(QColor(self.theme.muted))
            mark = "–" if turn.status is TurnStatus.FINAL else "…"
            painter.drawText(line.adjusted(columns.emotion + 12, 0, columns.end - 8, 0), 0x80, mark)
            return
        result = turn.emotion
        partial = turn.status is TurnStatus.PARTIAL
        painter.setOpacity(UNSURE if partial or result.uncertain else 1.0)
        bar = QRectF(columns.emotion, line.top(), 6, line.height())
        if result.given:
            draw_chips(painter, bar, self.theme, result.given, 2)
        painter.setOpacity(1.0)
        shown = QFont(font)
        shown.setItalic(partial)
        painter.setFont(shown)
        quiet = partial or not result.given
        painter.setPen(QColor(self.theme.muted if quiet else self.theme.text))
        box = line.adjusted(columns.emotion + 13, 0, columns.context - 8, 0)
        number = " ?" if result.uncertain else "  "
        if len(result.given) == 1:
            number = names.probability(result.confidence) + number
        metrics = QFontMetrics(shown)
        room = box.width() - metrics.horizontalAdvance(number)
        words = metrics.elidedText(names.emotions(result), Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, number)

    def _context(self, painter: QPainter, line: QRect, columns: _Columns, turn: Turn) -> None:
        """Mark a turn that sounds different among the others; its own emotion stays."""
        label = changed_by_context(turn)
        room = columns.said - columns.context
        if label is None or not room or turn.context is None:
            return
        doubt = turn.context.uncertain
        left = columns.context - 3
        middle = line.top() + line.height() / 2
        painter.setPen(QPen(QColor(self.theme.muted), 1.3))
        tip = QPointF(left + 9, middle)
        painter.drawLine(QPointF(left, middle), tip)
        painter.drawPolyline([tip + QPointF(-3.5, -3.5), tip, tip + QPointF(-3.5, 3.5)])
        spot = QRectF(left + 13, middle - 5.5, 11, 11)
        painter.setOpacity(UNSURE if doubt else 1.0)
        draw_chips(painter, spot, self.theme, (label,), 3)
        painter.setOpacity(1.0)
        word = names.unsure(names.emotion(label) if room > MARK_WIDTH else "", doubt)
        gap = 5 if room > MARK_WIDTH else 2
        painter.setPen(QColor(self.theme.muted))
        box = QRectF(spot.right() + gap, line.top(), columns.said - spot.right(), line.height())
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, side, word)

    def _said(self, painter: QPainter, line: QRect, columns: _Columns, turn: Turn) -> None:
        """Mark what a person says of a turn; what the model said stays beside it."""
        said = self.corrected.of(turn)
        if said is None:
            return
        box = QRectF(columns.said, line.top(), columns.end - columns.said, line.height())
        top = box.center().y() - FIGURE / 2
        draw_person(painter, QRectF(box.left() + 2, top, FIGURE - 1, FIGURE), self.theme)
        spot = QRectF(box.left() + FIGURE + 6, top, FIGURE, FIGURE)
        draw_said(painter, spot, self.theme, said.label, said.confirms)
        if box.width() > MARK_WIDTH and not said.confirms:
            painter.setPen(QColor(self.theme.text))
            side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            word = QRectF(spot.right() + 5, box.top(), box.right() - spot.right(), box.height())
            painter.drawText(word, side, names.emotion(said.label))

    def _said_room(self, width: int) -> int:
        """Return the pixels for what a person says, with its word in a wide list."""
        if not len(self.corrected):
            return 0
        return MARK_WIDTH + (self._word_width + 5 if width >= WIDE else 0)

    def _context_room(self, width: int) -> int:
        """Return the pixels for an emotion that context changes, with its word in a wide list."""
        if not self.in_context:
            return 0
        return MARK_WIDTH + (self._word_width + 5 if width >= WIDE else 0)

    def _columns(self, font: QFont, width: int) -> _Columns:
        metrics = QFontMetrics(font)
        time = 8
        speaker = time + metrics.horizontalAdvance("0:00:00") + _GAP
        text = speaker + (self.speaker_width + _GAP if self.speaker_width else 0)
        one = metrics.horizontalAdvance("surprise  0.00 ?")
        wanted = max(one, min(self.emotion_width, round(_MOST_FOR_EMOTIONS * width)))
        said = width - self._said_room(width)
        context = said - self._context_room(width)
        emotion = max(text + 60, context - wanted - 34)
        return _Columns(
            time, speaker, text, max(40, emotion - text - 14), emotion, context, said, width
        )

    def _layout(self, turn: Turn, font: QFont, width: int) -> QTextLayout:
        stable, tentative, calm = self._parts(turn)
        text = f"{stable} {tentative}" if stable and tentative else stable + tentative
        layout = QTextLayout(text, font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        marks = self.marks.get(turn.index, ())
        layout.setFormats(self._formats(text, len(text) - len(tentative), calm, marks))
        layout.beginLayout()
        height = 0.0
        while True:
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(width)
            line.setPosition(QRectF(0, height, 1, 1).topLeft())
            height += line.height()
        layout.endLayout()
        return layout

    def _parts(self, turn: Turn) -> tuple[str, str, bool]:
        """Return stable text, tentative text, and whether it only stands in for a missing text."""
        partial = turn.status is TurnStatus.PARTIAL
        if not turn_text(turn):
            seconds = (turn.end - turn.start) / SAMPLE_RATE
            if partial:
                return "", self.tr("speaking…"), True
            if turn.status is TurnStatus.SPEECH:
                return "", self.tr("writing down…"), True
            return "", self.tr("{seconds} s of speech").format(seconds=f"{seconds:.1f}"), True
        assert turn.transcript is not None
        transcript = turn.transcript
        if partial or not transcript.is_final:
            return transcript.stable, transcript.tentative, False
        return transcript.text, "", False

    def _formats(
        self, text: str, solid: int, calm: bool, marks: Sequence[Span]
    ) -> list[QTextLayout.FormatRange]:
        formats = []
        for first, length in marks:
            new = QTextCharFormat()
            new.setBackground(QColor(self.theme.info))
            formats.append(_range(first, length, new))
        if solid < len(text):
            light = QTextCharFormat()
            light.setForeground(QColor(self.theme.muted))
            light.setFontItalic(not calm)
            formats.append(_range(solid, len(text) - solid, light))
        needle, start = self.needle.casefold(), 0
        while needle and (found := text.casefold().find(needle, start)) >= 0:
            mark = QTextCharFormat()
            mark.setBackground(QColor(self.theme.warning))
            formats.append(_range(found, len(needle), mark))
            start = found + len(needle)
        return formats


def _range(start: int, length: int, form: QTextCharFormat) -> QTextLayout.FormatRange:
    result = QTextLayout.FormatRange()
    result.start, result.length, result.format = start, length, form
    return result
