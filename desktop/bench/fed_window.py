"""A window fed with a made-up conversation; a line with seconds on stdin measures that long.

Run as `python -m desktop.bench.fed_window SECONDS`: so much conversation is fed first, as fast as
it goes. Prints "ready", then for every measurement the share of one core (%) and frames a second.
"""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from core.pipeline.events import SessionState
from core.types import SAMPLE_RATE, WINDOW
from desktop.app import set_font, style
from desktop.bench.feed import SyntheticFeed
from desktop.bridge import EventBridge
from desktop.main_window import MainWindow
from desktop.theme import LIGHT
from desktop.view_state import ViewState

_BATCH = 32


class FedWindow:
    """The window without a session: a feed in its place."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        set_font(application)
        style(application, LIGHT)
        self.state = ViewState()
        self.window = MainWindow(self.state)
        self.state.set_theme(LIGHT)
        self.bridge = EventBridge()
        self.bridge.audio_heard.connect(self.state.hear)
        self.bridge.turn_updated.connect(self._take)
        self.feed = SyntheticFeed()
        self.window.resize(1440, 900)
        self.window.show()
        self.window.show_workspace()
        self.state.begin(live=True)
        self.state.enter(SessionState.RUNNING)
        self._timer = QTimer()
        self._timer.setInterval(4)
        self._timer.timeout.connect(self._feed_due)
        self._origin = (0.0, 0.0)

    def fill(self, seconds: float) -> None:
        """Feed so much conversation, drawing as often as the events are delivered."""
        while self.feed.seconds < seconds:
            for _ in range(_BATCH):
                for event in self.feed.step():
                    self.bridge.publish(event)
            self._application.processEvents()

    def run(self, seconds: float) -> tuple[float, float]:
        """Feed in real time; return the share of one core (%) and frames a second."""
        self._origin = (time.monotonic(), self.feed.seconds)
        self._timer.start()
        self._spin(1.0)
        frames, processor, wall = self._frames(), time.process_time(), time.monotonic()
        self._spin(seconds)
        wall = time.monotonic() - wall
        share = 100 * (time.process_time() - processor) / wall
        self._timer.stop()
        return share, (self._frames() - frames) / wall

    def _take(self, event: object) -> None:
        self.state.update_turn(event)  # type: ignore[arg-type]

    def _feed_due(self) -> None:
        began, fed = self._origin
        due = fed + time.monotonic() - began
        while self.feed.seconds + WINDOW / SAMPLE_RATE <= due:
            for event in self.feed.step():
                self.bridge.publish(event)

    def _frames(self) -> int:
        return self.window.frames_drawn

    def _spin(self, seconds: float) -> None:
        QTimer.singleShot(round(seconds * 1000), self._application.quit)
        self._application.exec()


def main(seconds: float) -> None:
    """Fill a window and measure it on request until stdin ends."""
    window = FedWindow(QApplication(["emoscope"]))
    window.fill(seconds)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        share, frames = window.run(float(line))
        sys.stdout.write(f"{share:.3f} {frames:.2f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]))
