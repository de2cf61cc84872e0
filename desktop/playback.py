"""Playback for the window: core's player, its events as Qt signals."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from core.audio.playback import PlaybackEvent, Player, Playing, Stopped


class PlaybackBridge(QObject):
    """`moved(seconds)` while something plays, `stopped(error or None)` at its end."""

    moved = Signal(object)
    stopped = Signal(object)
    _happened = Signal(object)

    def __init__(self, parent: QObject | None = None, player: Player | None = None) -> None:
        super().__init__(parent)
        self.playing = False
        self._happened.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._player = player or Player(self._happened.emit)

    def play(self, path: Path, first: float, last: float) -> None:
        """Play a stretch of a file, in place of what is playing."""
        self.playing = True
        self._player.play(path, first, last)

    def stop(self) -> None:
        """Stop what is playing."""
        if self.playing:
            self._player.stop()

    def close(self) -> None:
        """End the player's thread."""
        self._player.close()

    def _deliver(self, event: PlaybackEvent) -> None:
        if isinstance(event, Playing):
            if self.playing:
                self.moved.emit(event.position)
        elif isinstance(event, Stopped):
            self.playing = False
            self.stopped.emit(event.error)
