"""The docks: made from the table of panels, arranged, sized, stored and put back."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget

from desktop.panels import PANELS, PanelEntry
from desktop.panels.panel import AsksForSettings, AsksForSound, Panel, Searchable
from desktop.view_state import ViewState

FOLD_BELOW = 660
"""Pixels of height for the docks below which two of them share a place, as tabs."""

ACTIONS = ("play", "previous", "next", "newest", "whole")
"""Actions whose keys work among the docks only: in the bar, Space presses the focused button."""


class Workspace(QMainWindow):
    """A window inside the window, for its dock areas; one dock a panel (`PANELS`)."""

    play_asked = Signal(float, float)
    settings_asked = Signal()
    uncovered = Signal()
    """A panel came to the front of its tabs, and may show what is long past."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self.panels: dict[str, Panel] = {}
        self.docks: dict[str, QDockWidget] = {}
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setObjectName("workspace")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setDockNestingEnabled(True)
        self.setContentsMargins(6, 2, 6, 4)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self._make_docks(state)
        self._arrange()
        self._pristine = QByteArray()
        self._stored = QByteArray()

    def remember_pristine(self) -> None:
        """Take the present arrangement, once inside its window, for the one to go back to."""
        self._pristine = self.saveState()

    def adopt(self, actions: dict[str, QAction], window: QMainWindow) -> None:
        """Take over the actions whose keys would be in the way in the whole window."""
        for name in ACTIONS:
            action = actions[name]
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            window.removeAction(action)
            self.addAction(action)

    def show_panel(self, name: str) -> None:
        """Bring a panel to the front, wherever it is."""
        self.docks[name].show()
        self.docks[name].raise_()
        self.panels[name].take_focus()

    def frame(self) -> None:
        """Let every panel redraw what moves."""
        for panel in self.panels.values():
            panel.frame()

    def open_search(self) -> None:
        """Show the search field of the transcript."""
        panel = self.panels["transcript"]
        self.docks["transcript"].show()
        if isinstance(panel, Searchable):
            panel.open_search()

    def retranslate(self) -> None:
        """Set the titles of the docks again."""
        for name, dock in self.docks.items():
            dock.setWindowTitle(self.panels[name].title())

    # -- arrangement --------------------------------------------------------------------------

    def restore(self, stored: QByteArray) -> None:
        """Put the docks where they were, now and when the window has its real size."""
        self._stored = stored
        if not stored.isEmpty():
            self._take(stored)

    def reset(self) -> None:
        """Put the docks where they came from."""
        self._stored = QByteArray()
        for dock in self.docks.values():
            dock.setFloating(False)
            dock.show()
        self.restoreState(self._pristine)
        self._size_docks()

    def settle(self) -> None:
        """Size the docks once the workspace has its real size."""
        if self._stored.isEmpty() or not self._take(self._stored):
            self._size_docks()

    def _take(self, stored: QByteArray) -> bool:
        """Arrange the docks as stored; one that is newer than the layout goes behind another."""
        taken = self.restoreState(stored)
        for entry in PANELS:
            name = self.docks[entry.name].objectName().encode("utf-16-be")
            if taken and entry.behind and name not in stored.data():
                self._put_behind(entry)
        return taken

    def _put_behind(self, entry: PanelEntry) -> None:
        front = self.docks[entry.behind]
        self.tabifyDockWidget(front, self.docks[entry.name])
        front.raise_()

    def _make_docks(self, state: ViewState) -> None:
        for entry in PANELS:
            panel = entry.load()(state)
            if isinstance(panel, AsksForSound):
                panel.play_asked.connect(self.play_asked)
            if isinstance(panel, AsksForSettings):
                panel.settings_asked.connect(self.settings_asked)
            dock = QDockWidget()
            dock.setObjectName(f"dock_{entry.name}")
            dock.setWidget(panel)
            dock.visibilityChanged.connect(partial(self._cover, panel))
            dock.setFeatures(
                QDockWidget.DockWidgetFeature.DockWidgetMovable
                | QDockWidget.DockWidgetFeature.DockWidgetClosable
                | QDockWidget.DockWidgetFeature.DockWidgetFloatable
            )
            self.panels[entry.name] = panel
            self.docks[entry.name] = dock

    def _cover(self, panel: Panel, is_seen: bool) -> None:
        panel.set_covered(not is_seen)
        if is_seen:
            self.uncovered.emit()

    def _column(self, left: bool) -> list[QDockWidget]:
        return [self.docks[entry.name] for entry in _standing(left)]

    def _arrange(self) -> None:
        """Put two columns into one dock area: only within an area do the widths obey."""
        left, right = self._column(True), self._column(False)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, left[0])
        self.splitDockWidget(left[0], right[0], Qt.Orientation.Horizontal)
        for column in (left, right):
            for above, below in pairwise(column):
                self.splitDockWidget(above, below, Qt.Orientation.Vertical)
        for entry in PANELS:
            if entry.behind:
                self._put_behind(entry)

    def _fold(self) -> None:
        """Where the window is too low for three docks at the right, two of them share tabs."""
        affect, why = self.docks["affect"], self.docks["why"]
        folded = affect in self.tabifiedDockWidgets(why)
        low = self.height() < FOLD_BELOW
        if low and not folded:
            self.tabifyDockWidget(affect, why)
            why.raise_()
        elif folded and not low:
            self.splitDockWidget(affect, why, Qt.Orientation.Vertical)

    def _size_docks(self) -> None:
        self._fold()
        columns = self._column(True), self._column(False)
        for left, column in zip((True, False), columns, strict=True):
            shares = [entry.share * 10 for entry in _standing(left)]
            self.resizeDocks(column, shares, Qt.Orientation.Vertical)
        tops = [column[0] for column in columns]
        self.resizeDocks(tops, [630, 370], Qt.Orientation.Horizontal)


def _standing(left: bool) -> list[PanelEntry]:
    """Return the panels of a side that have a place of their own."""
    return [entry for entry in PANELS if entry.left is left and not entry.behind]
