"""A line of large words that become smaller, and at last shorter, rather than leave their place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_SIZES = (1.7, 1.4, 1.15)
"""Of the window's font, tried one after the other."""


class Headline(QLabel):
    """As high as its largest letters, whatever it says; a tooltip has what was cut off."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = QFont(self.font())
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumHeight(QFontMetrics(self.large_font()).height())
        self._fit()

    def large_font(self) -> QFont:
        """Return the largest of its fonts."""
        return self._font(_SIZES[0])

    def words(self) -> str:
        """Return what it says, uncut."""
        return self._words

    def set_words(self, words: str) -> None:
        """Say this."""
        if words != self._words:
            self._words = words
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the words to another width."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Let a screen reader have the whole words in another language too."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._fit()

    def _fit(self) -> None:
        fonts = [self._font(size) for size in _SIZES]
        room = max(1, self.width() - 2)
        fitting = (f for f in fonts if QFontMetrics(f).horizontalAdvance(self._words) <= room)
        font = next(fitting, fonts[-1])
        shown = QFontMetrics(font).elidedText(self._words, Qt.TextElideMode.ElideRight, room)
        self.setFont(font)
        self.setText(shown)
        self.setToolTip("" if shown == self._words else self._words)

    def _font(self, size: float) -> QFont:
        font = QFont(self._base)
        font.setPointSizeF(self._base.pointSizeF() * size)
        font.setBold(True)
        return font
