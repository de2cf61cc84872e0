"""Going through the turns of a session, and hearing them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from core.errors import EmoscopeError
from core.types import SAMPLE_RATE, Turn
from desktop.playback import PlaybackBridge
from desktop.view_state import ViewState


class Listening(QObject):
    """Selects turns and plays stretches of the sound.

    `sound` returns the file to play from, `recording` whether a microphone would hear it,
    `failed` shows an error.
    """

    def __init__(
        self,
        parent: QObject,
        state: ViewState,
        sound: Callable[[], Path | None],
        recording: Callable[[], bool],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._sound = sound
        self._recording = recording
        self._failed = failed
        self.player = PlaybackBridge(self)
        self.player.moved.connect(state.set_playhead)
        self.player.stopped.connect(self._playback_stopped)
        state.play_asked.connect(self._play_turn)

    def step(self, direction: int) -> None:
        """Select the turn before or after; from nothing, the newest."""
        state = self._state
        count = state.turns.rowCount()
        if not count:
            return
        row = None if state.selected is None else state.turns.row_of(state.selected.index)
        target = count - 1 if row is None else min(max(row + direction, 0), count - 1)
        state.select(state.turns.turn(target))

    def toggle_play(self) -> None:
        """Hear the selected turn, or stop hearing it."""
        if self.player.playing:
            self.player.stop()
            return
        turn = self._state.shown_turn()
        if turn is not None:
            if self._state.selected is None:
                self._state.select(turn)
            self._play_turn(turn)

    def _play_turn(self, turn: Turn) -> None:
        self.play_span(turn.start / SAMPLE_RATE, turn.end / SAMPLE_RATE)

    def play_span(self, first: float, last: float) -> None:
        """Hear a stretch of the session; not while the microphone would hear it too."""
        if self._recording():
            return
        path = self._sound()
        if path is not None:
            self.player.play(path, first, last)

    def _playback_stopped(self, error: EmoscopeError | None) -> None:
        self._state.set_playhead(None)
        if error is not None:
            self._failed(error)
