"""Words that took the place of others are marked for a moment, so that no text changes unseen."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.item_models.replaced_words import Span

MARKED_SECONDS = 2.5
"""How long they are marked."""


class FreshWords(QObject):
    """By turn, where its fresh words are (`spans`, filled in place); old marks go by themselves."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.spans: dict[int, tuple[Span, ...]] = {}
        self._since: dict[int, float] = {}
        self._clock = QTimer(self)
        self._clock.setInterval(250)
        self._clock.timeout.connect(self._fade)

    @property
    def waiting(self) -> bool:
        """True while there is a mark to be taken away."""
        return self._clock.isActive()

    def add(self, index: int, spans: Sequence[Span]) -> None:
        """Mark these words of a turn from now on."""
        self.spans[index] = tuple(spans)
        self._since[index] = time.monotonic()
        self._clock.start()
        self.changed.emit()

    def forget(self, index: int) -> None:
        """Take the mark of a turn away."""
        self._since.pop(index, None)
        if self.spans.pop(index, None) is not None:
            self.changed.emit()
        if not self._since:
            self._clock.stop()

    def clear(self) -> None:
        """Take every mark away."""
        for index in tuple(self.spans):
            self.forget(index)

    def _fade(self) -> None:
        now = time.monotonic()
        for index, since in tuple(self._since.items()):
            if now - since >= MARKED_SECONDS:
                self.forget(index)
