"""What panels over time share: the newest minute scrolls, what is in it is drawn when needed."""

from __future__ import annotations

import time
from typing import Protocol

from PySide6.QtWidgets import QWidget

from desktop.panels.panel import Panel
from desktop.view_state import ViewState

LIVE_SECONDS = 60.0
"""How much is shown while listening."""

SCROLL_RATE = 12.0
"""Most redraws a second: a minute on a wide screen moves by about one pixel in that time."""


class ScrollingPlot(Protocol):
    """A plot that shows a stretch of time."""

    def set_stretch(self, first: float, last: float, relative: bool) -> None:
        """Move the time axis; with `relative` it counts seconds before the right edge."""
        ...


class ScrollingPanel(Panel):
    """Subclasses say what scrolls (`timeline`) and fill `_redraw`; `_mark` asks for it."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._dirty = self._moved = True
        self._drawn = 0.0

    @property
    def timeline(self) -> ScrollingPlot:
        """What follows the time that the window shows."""
        raise NotImplementedError

    def frame(self) -> None:
        """Scroll, and redraw when something came."""
        if not (self._dirty or self._moved) or not self.seen:
            return
        now = time.monotonic()
        if now - self._drawn < 1.0 / SCROLL_RATE:
            return
        self._drawn = now
        first, last = self.state.time.stretch(LIVE_SECONDS)
        self.timeline.set_stretch(first, last, relative=self.state.time.following)
        if self._dirty:
            self._dirty = False
            self._redraw(first, last)
        self._moved = False

    def _redraw(self, first: float, last: float) -> None:
        """Draw what lies between two times (s)."""
        raise NotImplementedError

    def _mark(self, *_: object) -> None:
        self._dirty = True

    def _move(self) -> None:
        self._moved = True
