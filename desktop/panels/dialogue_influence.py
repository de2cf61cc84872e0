"""Page of the dialogue panel: whose emotions follow whose, and after how many turns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from core.types import Turn
from desktop import names
from desktop.item_models.readings import Reading
from desktop.plots.influence_table import InfluenceCell, InfluenceRow, InfluenceTable
from desktop.theme import Theme
from desktop.view_state import ViewState

if TYPE_CHECKING:
    from core.dialogue.influence import Influence, LaggedInfluence

log = logging.getLogger(__name__)

MOST_TURNS = 500
"""The newest turns that are compared: what was felt an hour ago says little about now."""

_MOST_ROWS = 8
_TELLING = 0.05
"""p-value below which a cell is emphasised."""


class InfluencePage(QWidget):
    """Asks for influences beside the window, one question at a time, and shows them in a table."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._asked: object = None
        self._wanted: tuple[object, Sequence[Turn], Reading] | None = None
        self._busy = False
        self._failed = False
        self._found: tuple[Influence, ...] = ()
        self._table = InfluenceTable()
        self._empty = QLabel(self)
        self._meaning = QLabel(self)
        self._area = QScrollArea(self)
        self._build()
        self.set_theme(state.theme)
        self.retranslate()

    def _build(self) -> None:
        self._area.setWidget(self._table)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setObjectName("influence")
        self._area.setStyleSheet("#influence, #influence > QWidget { background: transparent; }")
        self._area.viewport().setAutoFillBackground(False)
        self._table.setAutoFillBackground(False)
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._meaning.setObjectName("caption")
        self._meaning.setWordWrap(True)
        font = self.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.9))
        self._meaning.setFont(font)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._area, 1)
        column.addWidget(self._meaning)
        column.addWidget(self._empty, 1)

    def retranslate(self) -> None:
        """Set every text again."""
        self._table.setAccessibleName(self.tr("Whose emotions follow whose"))
        meaning = self.tr(
            "Bar: how likely a turn has the emotion of the other's 1, 2 or 3 turns back. Line: by "
            "chance. Bold: hardly by chance. It shows order in time, no cause."
        )
        self._meaning.setText(meaning)
        self._table.setToolTip(meaning)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._table.set_theme(theme)

    def show_turns(self, version: object, turns: Sequence[Turn], reading: Reading) -> None:
        """Show the influences in a dialogue; `version` changes whenever the turns do."""
        key = (version, reading)
        if key == self._asked:
            return
        self._wanted = (key, turns, reading)
        self._ask()

    def _ask(self) -> None:
        if self._busy or self._wanted is None:
            return
        self._asked, turns, reading = self._wanted
        self._wanted = None
        self._busy = True
        chosen = tuple(turns[-MOST_TURNS:])

        def work() -> tuple[Influence, ...]:
            from core.dialogue import influence

            return influence.influences(chosen, influence.Reading(reading.value))

        self._state.run_apart("influence", work, self._take, self._fail)

    def _take(self, found: tuple[Influence, ...]) -> None:
        self._answer(found, failed=False)

    def _fail(self, error: Exception) -> None:
        log.warning("who follows whom can't be computed", exc_info=error)
        self._answer((), failed=True)

    def _answer(self, found: tuple[Influence, ...], failed: bool) -> None:
        self._busy = False
        self._found, self._failed = found, failed
        self._show()
        self._ask()

    def _show(self) -> None:
        told = [entry for entry in self._found if entry.strongest is not None]
        self._area.setVisible(bool(told))
        self._meaning.setVisible(bool(told) and self.height() > 130)
        self._empty.setVisible(not told)
        if not told:
            self._empty.setText(self._why_nothing())
            return
        told.sort(key=lambda entry: -max(lag.pairs for lag in entry.lags))
        rows = [self._row(entry) for entry in told[:_MOST_ROWS]]
        heads = [self._head(lag.lag) for lag in told[0].lags]
        self._table.set_rows(heads, rows)
        self._table.describe("; ".join(self._in_words(entry) for entry in told[:_MOST_ROWS]))

    def _why_nothing(self) -> str:
        from core.dialogue.influence import LEAST_PAIRS

        if self._failed:
            return self.tr(
                "Computing who follows whom failed. It is tried again with the next turn."
            )
        if not self._found:
            return self.tr("Who follows whom can be said where at least two speakers are known.")
        most = max(lag.pairs for entry in self._found for lag in entry.lags)
        return self.tr(
            "Too few turns yet: one speaker must have answered another {needed} times; so far it "
            "was {most}."
        ).format(needed=LEAST_PAIRS, most=most)

    def _head(self, lag: int) -> str:
        return self.tr("{lag} back").format(lag=lag)

    def _row(self, entry: Influence) -> InfluenceRow:
        name = self.tr("{follower} after {leader}").format(
            follower=entry.follower, leader=entry.leader
        )
        return InfluenceRow(name, tuple(self._cell(lag) for lag in entry.lags))

    def _cell(self, lag: LaggedInfluence) -> InfluenceCell:
        if lag.similarity is None or lag.p_value is None:
            few = self.tr("too few ({pairs})").format(pairs=lag.pairs)
            return InfluenceCell(None, None, few, "–")
        above = lag.p_value < _TELLING
        words = self.tr("{share}, p {p}").format(
            share=names.percent(lag.similarity), p=QLocale().toString(lag.p_value, "f", 3)
        )
        brief = names.percent(lag.similarity)
        return InfluenceCell(lag.similarity, lag.chance, words, brief, strong=above)

    def _in_words(self, entry: Influence) -> str:
        row = self._row(entry)
        cells = zip(entry.lags, row.cells, strict=True)
        told = ", ".join(f"{self._head(lag.lag)} {cell.words}" for lag, cell in cells)
        return f"{row.name}: {told}"

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
