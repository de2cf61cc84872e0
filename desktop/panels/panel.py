"""What every panel shares: a card that knows the view state, its title and its language."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from core.types import Turn
from desktop.theme import Theme
from desktop.view_state import ViewState


class TimePlot(Protocol):
    """A plot over time: signals for what the pointer did, and a line where sound is played."""

    dragged: Any
    scaled: Any
    reset: Any
    clicked: Any

    def set_playhead(self, seconds: float | None) -> None:
        """Show where sound is played."""
        ...


class Panel(QFrame):
    """A dock's content. Subclasses build widgets, fill `retranslate` and listen to the state."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.state = state
        self._covered = False
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(8, 6, 8, 6)
        self.body.setSpacing(4)
        state.theme_changed.connect(self.set_theme)

    def share_time(self, plot: TimePlot) -> None:
        """Let a plot over time zoom, choose turns and follow the playhead with the others."""
        self.state.playhead_moved.connect(plot.set_playhead)
        plot.dragged.connect(self.state.time.zoom)
        plot.scaled.connect(self.state.time.scale)
        plot.reset.connect(self.state.time.show_all)
        plot.clicked.connect(self.state.click)

    def title(self) -> str:
        """Return the title of the dock in the language of the window."""
        raise NotImplementedError

    def retranslate(self) -> None:
        """Set every text again: the language changed."""

    def set_theme(self, theme: Theme) -> None:
        """Hand other colours to the plots."""

    def set_covered(self, covered: bool) -> None:
        """Take note that another tab lies in front, or no longer does.

        Qt keeps a covered dock "visible", outside its window: its controls must not get the focus.
        """
        self._covered = covered
        self.setEnabled(not covered)

    def take_focus(self) -> None:
        """Put the keyboard where it is of most use."""
        self.setFocus()

    @property
    def seen(self) -> bool:
        """True when it is worth drawing."""
        return self.isVisible() and not self._covered

    def frame(self) -> None:
        """Redraw what moves; called about 30 times a second while something does."""

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()


@runtime_checkable
class AsksForSound(Protocol):
    """A panel that lets the user hear a stretch of the session (signal of two floats, seconds)."""

    play_asked: Any


@runtime_checkable
class AsksForSettings(Protocol):
    """A panel that offers to change the settings (signal without arguments)."""

    settings_asked: Any


@runtime_checkable
class PlacesTurns(Protocol):
    """A panel that shows turns at places of their own."""

    def place_of(self, turn: Turn) -> QPoint | None:
        """Return where on the screen a turn ends; None out of sight."""
        ...


@runtime_checkable
class Searchable(Protocol):
    """A panel with a search field."""

    def open_search(self) -> None:
        """Show the field and put the cursor in it."""
        ...
