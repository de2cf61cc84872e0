"""Dock: the probability of every emotion over time."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from core.types import SAMPLE_RATE
from desktop.item_models.turns import describe
from desktop.panels.scrolling import ScrollingPanel, ScrollingPlot
from desktop.plots.emotion_curves import Band, EmotionCurves
from desktop.theme import Theme
from desktop.view_state import ViewState


class CurvesPanel(ScrollingPanel):
    """Rolling curves while listening, the whole recording otherwise."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.body.setContentsMargins(2, 2, 2, 2)
        self.plot = EmotionCurves(self)
        self.plot.setObjectName("curves")
        self.plot.setMinimumHeight(90)
        self.body.addWidget(self.plot)
        for signal in (state.turn_changed, state.cleared, state.time.changed):
            signal.connect(self._mark)
        state.selection_changed.connect(self._mark)
        state.sound_changed.connect(self._move)
        self.share_time(self.plot)
        self.set_theme(state.theme)
        self.retranslate()

    @property
    def timeline(self) -> ScrollingPlot:
        """What follows the time that the window shows."""
        return self.plot

    def title(self) -> str:
        """Return the title of the dock."""
        return self.tr("Emotion over time")

    def retranslate(self) -> None:
        """Set every text again."""
        self.plot.setAccessibleName(self.tr("Probability of each emotion over time"))
        self._mark()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self.plot.set_theme(theme)
        self._mark()

    def _redraw(self, first: float, last: float) -> None:
        state = self.state
        self.plot.set_labels(state.timeline.labels)
        self.plot.set_lanes([name or self.tr("voice") for name in state.speakers()])
        lanes = state.lanes()
        selected = None if state.selected is None else state.selected.index
        bands = []
        for turn in state.turns.turns_between(first - 5, last):
            emotion = turn.emotion
            bands.append(
                Band(
                    turn.start / SAMPLE_RATE,
                    turn.end / SAMPLE_RATE,
                    lanes[turn.speaker or ""],
                    None if emotion is None else emotion.given,
                    uncertain=emotion is not None and emotion.uncertain,
                    selected=turn.index == selected,
                )
            )
        self.plot.set_data(state.timeline.curves(first - 5, last), bands)
        self.plot.describe(self.summary())

    def summary(self) -> str:
        """Return the newest turns in words."""
        count = self.state.turns.rowCount()
        newest = [self.state.turns.turn(row) for row in range(max(0, count - 3), count)]
        return "; ".join(describe(turn) for turn in newest if turn is not None)
