"""Which stretch of time the plots show: the newest seconds while listening, or a part of a file."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

SHORTEST = 1.0
"""Seconds below which zooming in stops."""


class TimeView(QObject):
    """Shared by every plot over time; `changed` after a zoom or a change of mode.

    Following: a plot shows its own span up to `now`. Otherwise all show [first, last].
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.following = True
        self.now = 0.0
        self.total = 0.0
        self._first = 0.0
        self._last = 0.0

    def stretch(self, span: float) -> tuple[float, float]:
        """Return the first and last second to draw; `span` counts only while following."""
        if self.following:
            return self.now - span, self.now
        return self._first, max(self._last, self._first + SHORTEST)

    @property
    def zoomed(self) -> bool:
        """True when less than everything is shown."""
        return not self.following and (self._last - self._first) < self.total - 1e-6

    def follow(self) -> None:
        """Show the newest seconds from now on."""
        self.following = True
        self.changed.emit()

    def review(self, total: float) -> None:
        """Show a whole recording of `total` seconds; keeps a zoom when it only grew."""
        zoomed = self.zoomed
        was_following = self.following
        self.following = False
        self.total = total
        if was_following or not zoomed:
            self._first, self._last = 0.0, total
        self.changed.emit()

    def zoom(self, first: float, last: float) -> None:
        """Show a part; clipped to the recording."""
        if self.following:
            return
        first, last = min(first, last), max(first, last)
        length = min(max(last - first, SHORTEST), max(self.total, SHORTEST))
        middle = (first + last) / 2
        start = min(max(middle - length / 2, 0.0), max(self.total - length, 0.0))
        self._first, self._last = start, start + length
        self.changed.emit()

    def scale(self, factor: float, anchor: float) -> None:
        """Zoom by `factor` around the second `anchor`; below 1 zooms in."""
        first, last = self.stretch(0.0)
        self.zoom(anchor - (anchor - first) * factor, anchor + (last - anchor) * factor)

    def show_all(self) -> None:
        """Show the whole recording."""
        self.zoom(0.0, self.total)

    def reveal(self, first: float, last: float) -> None:
        """Move the shown part, without changing its length, until a turn lies in it."""
        if self.following or not self.zoomed:
            return
        length = self._last - self._first
        if first < self._first:
            self.zoom(first, first + length)
        elif last > self._last:
            self.zoom(last - length, last)
