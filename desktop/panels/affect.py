"""Dock: arousal and valence with the way of the last minute."""

from __future__ import annotations

from bisect import insort
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from core.types import SAMPLE_RATE, Turn
from desktop import names
from desktop.panels.panel import Panel
from desktop.plots.affect_plane import AffectPlane, TrailPoint
from desktop.theme import Theme
from desktop.view_state import ViewState

TRAIL_SECONDS = 60.0
_MOST_POINTS = 120


class AffectPanel(Panel):
    """Where the voice is on the plane; says when the position is derived from the bars."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.body.setContentsMargins(4, 4, 4, 4)
        self._plane = AffectPlane(self)
        self.body.addWidget(self._plane, 1)
        self._trail: list[tuple[float, TrailPoint]] = []
        state.turn_changed.connect(self._add)
        state.cleared.connect(self._clear)
        state.selection_changed.connect(self._refresh)
        self.set_theme(state.theme)
        self.retranslate()

    def title(self) -> str:
        """Return the title of the dock."""
        return self.tr("Arousal and valence")

    def retranslate(self) -> None:
        """Set every text again."""
        self._plane.setAccessibleName(self.tr("Plane of valence and arousal"))
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._plane.set_theme(theme)

    def _clear(self) -> None:
        self._trail.clear()
        self._refresh()

    def _add(self, turn: Turn) -> None:
        emotion = turn.emotion
        if emotion is None or emotion.arousal is None or emotion.valence is None:
            self._refresh()
            return
        moment = turn.end / SAMPLE_RATE
        point = _point(turn, emotion.valence, emotion.arousal)
        self._trail = [p for p in self._trail if (p[0], p[1].turn) != (moment, turn.index)]
        insort(self._trail, (moment, point), key=lambda entry: entry[0])
        newest = self._trail[-1][0]
        self._trail = [p for p in self._trail if newest - p[0] <= TRAIL_SECONDS][-_MOST_POINTS:]
        if self.state.selected is None or self.state.selected.index == turn.index:
            self._refresh()

    def _refresh(self, *_: object) -> None:
        turn = self.state.shown_turn()
        emotion = None if turn is None else turn.emotion
        if turn is None or emotion is None or emotion.arousal is None or emotion.valence is None:
            self._plane.set_points(())
            self._plane.set_caption("" if emotion is None else self._no_position())
            return
        now = turn.end / SAMPLE_RATE
        trail = self._trail
        if self.state.selected is not None:
            trail = [entry for entry in trail if entry[1].turn == turn.index]
            point = _point(turn, emotion.valence, emotion.arousal)
            trail = [*trail, (now, point)]
        points = [
            replace(point, age=min(1.0, max(0.0, (now - moment) / TRAIL_SECONDS)))
            for moment, point in trail
        ]
        self._plane.set_points(points, faded=emotion.uncertain)
        self._plane.describe(
            self.tr("valence {valence}, arousal {arousal}").format(
                valence=names.probability(emotion.valence),
                arousal=names.probability(emotion.arousal),
            )
        )
        self._plane.set_caption(
            self.tr("derived from the probabilities")
            if emotion.affect_derived
            else self.tr("measured by the model")
        )

    def _no_position(self) -> str:
        """Say why there is no point: a class of the user's own has no known place."""
        return self.tr("no position: not measured, and not every emotion has a place here")


def _point(turn: Turn, valence: float, arousal: float) -> TrailPoint:
    given = turn.emotion.given if turn.emotion is not None else ()
    return TrailPoint(0.0, valence, arousal, given[0] if given else "", turn.index)
