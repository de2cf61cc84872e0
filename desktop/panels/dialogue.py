"""Dock: the turns among each other: who felt what when, what a turn drew on, what context did."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from core.types import Turn, TurnStatus
from desktop import messages, names
from desktop.item_models.dialogue import Arc, NestedTally, arcs_of, blocks_between, turn_name
from desktop.item_models.readings import Reading, label_of, unsure
from desktop.item_models.turns import describe
from desktop.panels.choice_box import ChoiceBox
from desktop.panels.dialogue_influence import InfluencePage
from desktop.panels.dialogue_sizes import SizesPage
from desktop.panels.dialogue_turn import TurnPage
from desktop.panels.own_keys import ArrowTabs
from desktop.panels.scrolling import ScrollingPanel, ScrollingPlot
from desktop.plots.dialogue_lanes import MOST_LANES, DialogueLanes
from desktop.source_text import QT_TRANSLATE_NOOP
from desktop.theme import Theme
from desktop.view_state import ViewState

_LOOK_BACK = 40
"""Turns from the newest among which one with context is looked for."""

_NARROW = 560
"""Pixels of width below which the pages go under the lanes."""

_LOW = 215
"""Pixels of height below which the explanation is only a tooltip."""

_READINGS: Mapping[Reading, str] = MappingProxyType(
    {
        Reading.CONTEXT: QT_TRANSLATE_NOOP("DialoguePanel", "With context"),
        Reading.ALONE: QT_TRANSLATE_NOOP("DialoguePanel", "Without context"),
        Reading.HINDSIGHT: QT_TRANSLATE_NOOP("DialoguePanel", "With later turns too"),
    }
)
_PAGES = ("turn", "influence", "sizes")


class DialoguePanel(ScrollingPanel):
    """Lanes with arcs at the left; at the right one turn, the speakers, or the model's sizes."""

    settings_asked = Signal()

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.lanes = DialogueLanes(self)
        self.reading = ChoiceBox(self)
        self.tabs = ArrowTabs(self)
        self.tally = NestedTally()
        self.turn_page = TurnPage(state.theme, self)
        self.influence_page = InfluencePage(state, self)
        self.sizes_page = SizesPage(state.theme, self.tally, self)
        self._pages = QStackedWidget(self)
        self._head = QLabel(self)
        self._legend = QLabel(self)
        self._split = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._version = 0
        self._read = False
        """A turn of this session was read in context: one that was read back may be too."""
        self._build()
        self._connect()
        self.set_theme(state.theme)
        self.retranslate()

    @property
    def timeline(self) -> ScrollingPlot:
        """What follows the time that the window shows."""
        return self.lanes

    def title(self) -> str:
        """Return the title of the dock."""
        return self.tr("Dialogue")

    def retranslate(self) -> None:
        """Set every text again."""
        self.lanes.setAccessibleName(self.tr("Turns by speaker, and what the shown turn drew on"))
        self.reading.setAccessibleName(self.tr("With or without context"))
        for position, reading in enumerate(_READINGS):
            self.reading.setItemText(position, self.tr(_READINGS[reading]))
        self.tabs.setAccessibleName(self.tr("What is shown beside the turns"))
        titles = (self.tr("This turn"), self.tr("Influence"), self.tr("Sizes"))
        tips = ("", self.tr("Who follows whom"), self.tr("Nested sizes of the dialogue model"))
        for position, title in enumerate(titles):
            self.tabs.setTabText(position, title)
            self.tabs.setTabToolTip(position, tips[position])
        self._show_legend()
        self._mark()

    def _show_legend(self) -> None:
        """Say what the marks mean, those that there are."""
        parts = []
        if not self._is_without():
            parts.append(
                self.tr("Arcs: what the dialogue model drew on for this turn, not a proof of why.")
            )
        if any(self.state.speakers()):  # whose emotion could shift otherwise?
            parts.append(self.tr("▼ a speaker's emotion shifts."))
        if not self._is_without():
            parts.append(self.tr("Strip below a turn: seen later."))
        legend = " ".join(parts)
        self._legend.setText(legend)
        self._legend.setVisible(bool(legend) and self.height() >= _LOW)
        self.lanes.setToolTip("" if self.height() >= _LOW else legend)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        for part in (self.lanes, self.turn_page, self.influence_page, self.sizes_page):
            part.set_theme(theme)
        self._mark()

    def take_focus(self) -> None:
        """Put the keyboard on the tabs, whose arrows turn to another page."""
        self.tabs.setFocus()

    # -- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.reading.addItems(list(_READINGS.values()))
        for _ in _PAGES:
            self.tabs.addTab("")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        for page in (self.turn_page, self.influence_page, self.sizes_page):
            self._pages.addWidget(page)
        self._head.setObjectName("muted")
        self._head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._legend.setObjectName("caption")
        self._legend.setWordWrap(True)
        font = self.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.9))
        self._legend.setFont(font)
        left, right = QWidget(self), QWidget(self)
        beside, column = QHBoxLayout(), QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        beside.setSpacing(8)
        self._head.setMinimumHeight(self.reading.sizeHint().height())
        beside.addWidget(self.reading)
        beside.addWidget(self._head, 1)
        column.addLayout(beside)
        column.addWidget(self.lanes, 1)
        column.addWidget(self._legend)
        aside = QVBoxLayout(right)
        aside.setContentsMargins(0, 0, 0, 0)
        aside.setSpacing(4)
        aside.addWidget(self.tabs)
        aside.addWidget(self._pages, 1)
        self._split.setSpacing(12)
        self._split.addWidget(left, 58)
        self._split.addWidget(right, 42)
        self.body.addLayout(self._split)

    def _connect(self) -> None:
        state = self.state
        for signal in (
            state.cleared,
            state.time.changed,
            state.selection_changed,
            state.context_changed,
            state.reading_changed,
        ):
            signal.connect(self._mark)
        state.turn_changed.connect(self._count)
        state.turn_revised.connect(self._count)
        state.cleared.connect(self._forget)
        state.sound_changed.connect(self._move)
        self.share_time(self.lanes)
        self.lanes.picked.connect(self._pick)
        self.lanes.hovered.connect(self._hover)
        self.reading.activated.connect(lambda row: state.read_as(tuple(_READINGS)[row]))
        self.tabs.currentChanged.connect(self._turn_over)
        self.turn_page.settings_asked.connect(self.settings_asked)

    # -- what is shown ------------------------------------------------------------------------

    def shown(self) -> Turn | None:
        """Return the selected turn, or the newest one that the dialogue model has read."""
        state = self.state
        if state.selected is not None:
            return state.selected
        count = state.turns.rowCount()
        for row in range(count - 1, max(-1, count - 1 - _LOOK_BACK), -1):
            turn = state.turns.turn(row)
            if turn is not None and turn.context is not None:
                return turn
        return state.evidence_turn()

    def _redraw(self, first: float, last: float) -> None:
        state = self.state
        turn = self.shown()
        speakers = state.speakers()
        selected = None if state.selected is None else state.selected.index
        known = not self._is_without()
        blocks = blocks_between(
            state.turns, first, last, state.lanes(), state.reading, selected, known
        )
        arcs = self._arcs(turn)
        self.lanes.set_note(self._why_no_arcs(turn))
        self.lanes.set_dialogue(
            self._lane_names(speakers), blocks, None if turn is None else turn.index, arcs
        )
        self.lanes.describe(self._in_words(turn, arcs))
        self._head.setText("" if turn is None else self._headline(turn))
        self.reading.setCurrentIndex(list(_READINGS).index(state.reading))
        self.reading.setVisible(known)
        self.reading.setToolTip(self._about_model())
        self.lanes.leave_room(known)
        self._show_legend()
        self._show_pages(turn)

    def _about_model(self) -> str:
        info = self.state.context
        if info is None:
            return ""
        text = self.tr("{model} {version}, looks at {window} turns")
        return text.format(model=info.model.name, version=info.model.version, window=info.window)

    def _lane_names(self, speakers: tuple[str, ...]) -> list[str]:
        lanes = [name or self.tr("voice") for name in speakers[:MOST_LANES]]
        if len(speakers) > MOST_LANES:
            lanes[-1] = self.tr("others")
        return lanes

    def _show_pages(self, turn: Turn | None) -> None:
        state = self.state
        info = state.context
        sizes = info is not None and len(info.sizes) > 1
        self.tabs.setTabVisible(_PAGES.index("sizes"), sizes)
        if turn is None or turn.context is None:
            self.turn_page.show_nothing(
                self._why_nothing(turn), offer=self._is_without() and turn is not None
            )
        else:
            self.turn_page.show_turn(turn, state.reading, info)
        page = self._pages.currentWidget()
        if page is self.influence_page:
            self.influence_page.show_turns(self._version, state.turns.turns(), state.reading)
        elif page is self.sizes_page:
            self.sizes_page.set_info(info)
            self.sizes_page.show_turn(turn)

    def _arcs(self, turn: Turn | None) -> list[Arc]:
        """Return what the shown reading of a turn drew on: nothing but itself without context."""
        reading = self.state.reading
        if turn is None or turn.context is None or reading is Reading.ALONE:
            return []
        later = turn.hindsight if reading is Reading.HINDSIGHT else None
        return arcs_of(later or turn.context, self.state.turns, reading)

    def _is_without(self) -> bool:
        """True when no turn was read in context, and none is about to be."""
        state = self.state
        return state.context is None and not state.expects_context and not self._read

    def _why_no_arcs(self, turn: Turn | None) -> str:
        if turn is None:
            return ""
        if turn.context is None:
            return "" if self._is_without() else self.tr("This turn has not been read in context.")
        if self.state.reading is Reading.ALONE:
            return self.tr("Without context a turn draws on no other.")
        return self.tr("No earlier turn to draw on yet.")

    def _why_nothing(self, turn: Turn | None) -> str:
        state = self.state
        if state.no_context is not None:
            return messages.sentence(state.no_context)
        if self._is_without() and state.turns.rowCount():
            return self.tr(
                "There is no dialogue model: every turn is judged on its own. With one, a turn is "
                "read among those before it."
            )
        if turn is None:
            return self.tr("The turns of the conversation appear here as they are judged.")
        return self.tr("The dialogue model says nothing of this turn.")

    def _headline(self, turn: Turn) -> str:
        reading = self.state.reading
        label = label_of(turn, reading)
        word = names.unsure(names.emotion(label), unsure(turn, reading)) if label else ""
        parts = [turn_name(turn), word]
        return " · ".join(part for part in parts if part)

    def _in_words(self, turn: Turn | None, arcs: list[Arc]) -> str:
        if turn is None:
            return self._why_nothing(None)
        parts = [describe(turn)]
        strongest = sorted((a for a in arcs if a.index != turn.index), key=lambda a: -a.weight)
        for arc in strongest[:3]:
            other = self.state.turns.find_turn(arc.index)
            if other is not None:
                parts.append(f"{turn_name(other)} {names.percent(arc.weight)}")
        return "; ".join(parts)

    # -- what the user does -------------------------------------------------------------------

    def _pick(self, index: int) -> None:
        turn = self.state.turns.find_turn(index)
        if turn is not None:
            self.state.select(turn)
            self.state.play_asked.emit(turn)

    def _hover(self, index: int | None, position: QPoint) -> None:
        turn = None if index is None else self.state.turns.find_turn(index)
        if turn is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(position, describe(turn), self.lanes)

    def _turn_over(self, position: int) -> None:
        self._pages.setCurrentIndex(position)
        self._show_pages(self.shown())

    def _count(self, turn: Turn) -> None:
        self.tally.update(turn)
        self._read = self._read or turn.context is not None
        self._version += turn.status is not TurnStatus.PARTIAL
        self._dirty = True

    def _forget(self) -> None:
        self.tally.clear()
        self._version += 1
        self._read = False
        self._mark()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the pages beside the lanes, or under them where it is narrow."""
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW
        directions = QBoxLayout.Direction
        self._split.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)
        self._mark()
