"""Page of the dialogue panel: whose emotion follows whose."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from core.types import Turn
from desktop.item_models.readings import Reading
from desktop.theme import Theme


class InfluencePage(QWidget):
    """A placeholder of the layout."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        column = QVBoxLayout(self)
        self._text = QLabel(self)
        column.addWidget(self._text)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme

    def show_turns(self, turns: Sequence[Turn], reading: Reading) -> None:
        """Show these turns."""
