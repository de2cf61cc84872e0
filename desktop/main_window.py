"""The window: bar, banners, start page or docks, status line. Shows and asks; decides nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QLocale, QSize, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QIcon,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import actions, icons
from desktop.panels import PANELS
from desktop.panels.banner import BannerArea
from desktop.panels.capture import CapturePanel
from desktop.panels.panel import AsksForSound, Panel, Searchable
from desktop.panels.start import StartPage
from desktop.panels.status import StatusLine
from desktop.theme import Theme
from desktop.view_state import ViewState

FRAME_MS = 33
"""The one timer of the window: about 30 frames a second, and none when nothing moves."""

_IDLE_FRAMES = 12
FOLD_BELOW = 660
"""Pixels of height for the docks below which two of them share a place, as tabs."""

COMPACT_BELOW = 1240
"""Pixels of width below which the bar drops its labels."""


class MainWindow(QMainWindow):
    """Docks in a table (`PANELS`), menus from `actions`, one timer."""

    closing = Signal()
    file_dropped = Signal(str)
    recent_chosen = Signal(str)
    theme_chosen = Signal(str)
    interface_language_chosen = Signal(str)
    play_asked = Signal(float, float)

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self.state = state
        self.capture = CapturePanel(state)
        self.banners = BannerArea()
        self.start_page = StartPage()
        self.status = StatusLine(state)
        self.actions_by_name = actions.make_actions(self)
        self.panels: dict[str, Panel] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._workspace: QMainWindow | None = None
        self._stack = QStackedWidget()
        self._menus: dict[str, QMenu] = {}
        self._recent: tuple[str, ...] = ()
        self.frames_drawn = 0
        self._idle = 0
        self._frames = QTimer(self)
        self._frames.setInterval(FRAME_MS)
        self._frames.timeout.connect(self._frame)
        self._pristine = QByteArray()
        self._build()
        for signal in (
            state.turn_changed,
            state.sound_changed,
            state.selection_changed,
            state.state_changed,
            state.cleared,
            state.theme_changed,
            state.time.changed,
            state.playhead_moved,
        ):
            signal.connect(self._wake)
        state.theme_changed.connect(self._set_theme)
        self.retranslate()

    # -- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.setObjectName("main")
        self.setWindowTitle("Emoscope")
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 600)
        self.resize(1440, 900)
        bar = self.addToolBar("capture")
        bar.setObjectName("capture")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.toggleViewAction().setEnabled(False)
        bar.addWidget(self.capture)
        self._bar = bar
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banners)
        column.addWidget(self._stack, 1)
        self._stack.addWidget(self.start_page)
        self.setCentralWidget(centre)
        self.setStatusBar(self.status)
        for name in ("file", "session", "view", "help"):
            self._menus[name] = self.menuBar().addMenu("")
        for name in ("recent", "theme", "language", "panels"):
            self._menus[name] = QMenu(self)
        self._fill_menus()

    def build_workspace(self) -> None:
        """Make the docks; done after the window is up, since they take longer than the rest."""
        if self._workspace is not None:
            return
        workspace = QMainWindow()
        workspace.setWindowFlags(Qt.WindowType.Widget)
        workspace.setObjectName("workspace")
        workspace.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        workspace.setDockNestingEnabled(True)
        workspace.setContentsMargins(6, 2, 6, 4)
        workspace.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self._workspace = workspace
        sides: dict[bool, list[QDockWidget]] = {True: [], False: []}
        for entry in PANELS:
            panel = entry.load()(self.state)
            dock = QDockWidget()
            dock.setObjectName(f"dock_{entry.name}")
            dock.setWidget(panel)
            dock.setFeatures(
                QDockWidget.DockWidgetFeature.DockWidgetMovable
                | QDockWidget.DockWidgetFeature.DockWidgetClosable
                | QDockWidget.DockWidgetFeature.DockWidgetFloatable
            )
            self.panels[entry.name] = panel
            self.docks[entry.name] = dock
            sides[entry.left].append(dock)
        self._arrange(workspace, sides[True], sides[False])
        for panel in self.panels.values():
            if isinstance(panel, AsksForSound):
                panel.play_asked.connect(self.play_asked)
        for name in ("play", "previous", "next", "newest", "whole"):
            # Not in the whole window: there, Space presses the focused button.
            action = self.actions_by_name[name]
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self.removeAction(action)
            workspace.addAction(action)
        self._stack.addWidget(workspace)
        self._pristine = workspace.saveState()
        self._fill_panels_menu()
        self.retranslate()

    def _arrange(
        self, workspace: QMainWindow, left: list[QDockWidget], right: list[QDockWidget]
    ) -> None:
        """Put two columns into one dock area: only within an area do the widths obey."""
        workspace.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, left[0])
        workspace.splitDockWidget(left[0], right[0], Qt.Orientation.Horizontal)
        for column in (left, right):
            for above, below in pairwise(column):
                workspace.splitDockWidget(above, below, Qt.Orientation.Vertical)

    def _fold(self) -> None:
        """Where the window is too low for three docks at the right, two of them share tabs."""
        assert self._workspace is not None
        affect, why = self.docks["affect"], self.docks["why"]
        folded = affect in self._workspace.tabifiedDockWidgets(why)
        low = self._stack.height() < FOLD_BELOW
        if low and not folded:
            self._workspace.tabifyDockWidget(affect, why)
            why.raise_()
        elif folded and not low:
            self._workspace.splitDockWidget(affect, why, Qt.Orientation.Vertical)

    def _size_docks(self) -> None:
        assert self._workspace is not None
        self._fold()
        first = {True: "", False: ""}
        for left in (True, False):
            entries = [entry for entry in PANELS if entry.left is left]
            first[left] = entries[0].name
            self._workspace.resizeDocks(
                [self.docks[entry.name] for entry in entries],
                [entry.share * 10 for entry in entries],
                Qt.Orientation.Vertical,
            )
        self._workspace.resizeDocks(
            [self.docks[first[True]], self.docks[first[False]]],
            [630, 370],
            Qt.Orientation.Horizontal,
        )

    def _fill_menus(self) -> None:
        for name, entry in actions.ACTIONS.items():
            if entry.menu:
                menu = self._menus[entry.menu]
                if entry.separated:
                    menu.addSeparator()
                menu.addAction(self.actions_by_name[name])
        before = self.actions_by_name["sample"]
        self._menus["file"].insertMenu(before, self._menus["recent"])
        for name in ("panels", "theme", "language"):
            self._menus["view"].addMenu(self._menus[name])

    def _fill_panels_menu(self) -> None:
        menu = self._menus["panels"]
        menu.clear()
        for dock in self.docks.values():
            menu.addAction(dock.toggleViewAction())

    # -- what is shown ------------------------------------------------------------------------

    def show_workspace(self) -> None:
        """Show the docks instead of the start page."""
        self.build_workspace()
        assert self._workspace is not None
        if self._stack.currentWidget() is not self._workspace:
            self._stack.setCurrentWidget(self._workspace)
            self._workspace.setFocus()
            QTimer.singleShot(0, self._settle)
        self._wake()

    def show_start(self) -> None:
        """Show the start page instead of the docks."""
        self._stack.setCurrentWidget(self.start_page)

    def set_subject(self, name: str) -> None:
        """Name the recording or microphone in the title."""
        self.setWindowTitle(f"{name} – Emoscope" if name else "Emoscope")

    def open_search(self) -> None:
        """Show the search field of the transcript."""
        self.show_workspace()
        panel = self.panels["transcript"]
        self.docks["transcript"].show()
        if isinstance(panel, Searchable):
            panel.open_search()

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def language(self) -> str:
        """Return the language of the window, "ko" or "en"."""
        return "ko" if QLocale().language() == QLocale.Language.Korean else "en"

    @property
    def at_start(self) -> bool:
        """True while the start page is shown."""
        return self._stack.currentWidget() is self.start_page

    def set_recent(self, paths: tuple[str, ...]) -> None:
        """Offer these files in the menu."""
        self._recent = paths
        menu = self._menus["recent"]
        menu.clear()
        for path in paths:
            entry = menu.addAction(Path(path).name)
            entry.setToolTip(path)
            entry.setData(path)
            entry.triggered.connect(lambda _=False, chosen=path: self.recent_chosen.emit(chosen))
        menu.setEnabled(bool(paths))

    def set_choices(self, theme: str, language: str) -> None:
        """Mark the chosen theme and language in the menus."""
        for name, chosen in (("theme", theme), ("language", language)):
            for entry in self._menus[name].actions():
                entry.setChecked(entry.data() == chosen)
        self._theme_name, self._language_name = theme, language

    def retranslate(self) -> None:
        """Set every text again."""
        actions.retranslate(self.actions_by_name)
        for name, text in (
            ("file", self.tr("&File")),
            ("session", self.tr("&Session")),
            ("view", self.tr("&View")),
            ("help", self.tr("&Help")),
            ("recent", self.tr("Recent recordings")),
            ("theme", self.tr("Colours")),
            ("language", self.tr("Language of the window")),
            ("panels", self.tr("Panels")),
        ):
            self._menus[name].setTitle(text)
        self._bar.setWindowTitle(self.tr("Recording"))
        themes = (
            ("system", self.tr("As the system")),
            ("light", self.tr("Light")),
            ("dark", self.tr("Dark")),
        )
        self._fill_choices("theme", themes, self.theme_chosen)
        languages = (("system", self.tr("As the system")), ("ko", "한국어"), ("en", "English"))
        self._fill_choices("language", languages, self.interface_language_chosen)
        for name, dock in self.docks.items():
            dock.setWindowTitle(self.panels[name].title())
        self.set_choices(
            getattr(self, "_theme_name", "system"), getattr(self, "_language_name", "system")
        )

    def _fill_choices(
        self, menu: str, entries: tuple[tuple[str, str], ...], chosen: SignalInstance
    ) -> None:
        self._menus[menu].clear()
        for value, text in entries:
            entry = QAction(text, self._menus[menu])
            entry.setCheckable(True)
            entry.setData(value)
            entry.triggered.connect(lambda _=False, v=value: chosen.emit(v))
            self._menus[menu].addAction(entry)

    def _set_theme(self, theme: Theme) -> None:
        self.start_page.set_theme(theme)
        self.setWindowIcon(QIcon(icons.pixmap("application", theme.text, 64)))

    # -- layout -------------------------------------------------------------------------------

    def layout_state(self) -> QByteArray:
        """Return where the docks are."""
        return self._workspace.saveState() if self._workspace is not None else QByteArray()

    def restore_layout(self, stored: QByteArray) -> None:
        """Put the docks where they were."""
        self._stored = stored
        if self._workspace is not None and not stored.isEmpty():
            self._workspace.restoreState(stored)

    def reset_layout(self) -> None:
        """Put the docks where they came from."""
        self._stored = QByteArray()
        if self._workspace is not None:
            for dock in self.docks.values():
                dock.setFloating(False)
                dock.show()
            self._workspace.restoreState(self._pristine)
            self._size_docks()

    def _settle(self) -> None:
        """Size the docks once the workspace has its real size."""
        stored: QByteArray = getattr(self, "_stored", QByteArray())
        if self._workspace is None:
            return
        if stored.isEmpty() or not self._workspace.restoreState(stored):
            self._size_docks()

    # -- frames and events --------------------------------------------------------------------

    def _wake(self, *_: object) -> None:
        self._idle = 0
        if not self._frames.isActive() and not self.at_start:
            self._frames.start()

    def _frame(self) -> None:
        self._idle += 1
        if self._idle > _IDLE_FRAMES or self.at_start:
            self._frames.stop()
        self.frames_drawn += 1
        if not self.isMinimized():
            for panel in self.panels.values():
                panel.frame()

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(1440, 900)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Drop the labels of the bar in a narrow window."""
        super().resizeEvent(event)
        self.capture.set_compact(event.size().width() < COMPACT_BELOW)
        self._mark_all()

    def _mark_all(self) -> None:
        if not self.at_start:
            self.state.time.changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped file."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.file_dropped.emit(url.toLocalFile())
                return

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let the controller finish the session first."""
        self.closing.emit()
        super().closeEvent(event)
