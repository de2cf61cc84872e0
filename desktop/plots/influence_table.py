"""How alike a speaker's emotions are to those another had shortly before, beside chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.plots.plot import Plot

_ROW = 34
_HEAD = 16


@dataclass(frozen=True, slots=True)
class InfluenceCell:
    """A share in [0, 1], what chance would give (both None: too few turns), and words below.

    `brief` is said where there is no room for `words`.
    """

    value: float | None
    chance: float | None
    words: str
    brief: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class InfluenceRow:
    """Who follows whom, and one cell a lag."""

    name: str
    cells: tuple[InfluenceCell, ...]


class InfluenceTable(Plot):
    """A row for each pair of speakers, a column for each lag; bars, and a tick at chance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heads: tuple[str, ...] = ()
        self._rows: tuple[InfluenceRow, ...] = ()
        self._top = 1.0
        """The share at which a bar is full: the same in every cell."""

    def set_rows(self, heads: Sequence[str], rows: Sequence[InfluenceRow]) -> None:
        """Show these rows below these names of columns; the height follows their number."""
        if (tuple(heads), tuple(rows)) == (self._heads, self._rows):
            return
        self._heads, self._rows = tuple(heads), tuple(rows)
        cells = [cell for row in rows for cell in row.cells]
        self._top = max((1.15 * v for c in cells for v in (c.value, c.chance) if v), default=1.0)
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the rows."""
        return QSize(280, _HEAD + _ROW * max(1, len(self._rows)))

    def draw(self, painter: QPainter) -> None:
        """Paint the table."""
        if not self._rows:
            return
        painter.setFont(self.small_font())
        metrics = QFontMetricsF(painter.font())
        widest = max(metrics.horizontalAdvance(row.name) for row in self._rows)
        left = min(widest + 10, 0.38 * self.width())
        width = (self.width() - left) / max(1, len(self._heads))
        painter.setPen(QColor(self.theme.muted))
        for position, head in enumerate(self._heads):
            box = QRectF(left + position * width, 0, width - 6, _HEAD)
            words = metrics.elidedText(head, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        for number, row in enumerate(self._rows):
            top = _HEAD + number * _ROW
            painter.setPen(QColor(self.theme.text))
            box = QRectF(0, top, left - 6, _ROW)
            words = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
            for position, cell in enumerate(row.cells):
                place = QRectF(left + position * width, top + 3, width - 6, _ROW - 6)
                self._draw_cell(painter, place, cell)

    def _draw_cell(self, painter: QPainter, place: QRectF, cell: InfluenceCell) -> None:
        font = QFont(self.small_font(0.82))
        font.setBold(cell.strong)
        bar = QRectF(place.left(), place.top() + 1, place.width(), 9)
        if cell.value is not None and cell.chance is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.sunken))
            painter.drawRoundedRect(bar, 2, 2)
            filled = QRectF(
                bar.left(), bar.top(), max(2.0, bar.width() * cell.value / self._top), bar.height()
            )
            painter.setBrush(QColor(self.theme.accent if cell.strong else self.theme.wave))
            painter.setOpacity(1.0 if cell.strong else 0.6)
            painter.drawRoundedRect(filled, 2, 2)
            painter.setOpacity(1.0)
            x = bar.left() + bar.width() * cell.chance / self._top
            tick = QLineF(x, bar.top() - 2, x, bar.bottom() + 2)
            for colour, thickness in ((self.theme.card, 3.5), (self.theme.text, 1.5)):
                painter.setPen(QPen(QColor(colour), thickness))
                painter.drawLine(tick)
        painter.save()
        painter.setFont(font)
        told = cell.value is not None
        painter.setPen(QColor(self.theme.text if told else self.theme.muted))
        below = QRectF(place.left(), bar.bottom() + 2, place.width(), place.bottom() - bar.bottom())
        fits = QFontMetricsF(font).horizontalAdvance(cell.words) <= below.width()
        words = cell.words if fits else cell.brief
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, words)
        painter.restore()
