"""The window: bar, banners, start page or docks, status line. Shows and asks; decides nothing."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QLocale, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QResizeEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from desktop import actions, icons
from desktop.menus import Menus
from desktop.panels.banner import BannerArea
from desktop.panels.capture import CapturePanel
from desktop.panels.panel import Panel
from desktop.panels.start import StartPage
from desktop.panels.status import StatusLine
from desktop.theme import Theme
from desktop.view_state import ViewState
from desktop.workspace import Workspace

FRAME_MS = 33
"""The one timer of the window: about 30 frames a second, and none when nothing moves."""

_IDLE_FRAMES = 12
COMPACT_BELOW = 1240
"""Pixels of width below which bar and status line drop what can be spared."""


class MainWindow(QMainWindow):
    """What is around the docks, and the one timer that lets them redraw."""

    closing = Signal()
    file_dropped = Signal(str)
    play_asked = Signal(float, float)
    settings_asked = Signal()

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self.state = state
        self.capture = CapturePanel(state)
        self.banners = BannerArea()
        self.start_page = StartPage()
        self.status = StatusLine(state)
        self.actions_by_name = actions.make_actions(self)
        self.menus = Menus(self.actions_by_name)
        self._workspace: Workspace | None = None
        self._stack = QStackedWidget()
        self._stored = QByteArray()
        self.frames_drawn = 0
        self._idle = 0
        self._frames = QTimer(self)
        self._frames.setInterval(FRAME_MS)
        self._frames.timeout.connect(self._frame)
        self._build()
        self._wake_on_changes()
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
        self.setMenuBar(self.menus)

    def _wake_on_changes(self) -> None:
        state = self.state
        for signal in (
            state.turn_changed,
            state.turn_revised,
            state.sound_changed,
            state.selection_changed,
            state.state_changed,
            state.cleared,
            state.theme_changed,
            state.context_changed,
            state.reading_changed,
            state.time.changed,
            state.playhead_moved,
        ):
            signal.connect(self._wake)

    def build_workspace(self) -> None:
        """Make the docks; done after the window is up, since they take longer than the rest."""
        if self._workspace is None:
            self._workspace = self._make_workspace()
            self.retranslate()

    def _make_workspace(self) -> Workspace:
        workspace = Workspace(self.state)
        workspace.play_asked.connect(self.play_asked)
        workspace.settings_asked.connect(self.settings_asked)
        workspace.uncovered.connect(self._wake)
        workspace.adopt(self.actions_by_name, self)
        self._stack.addWidget(workspace)
        workspace.remember_pristine()
        workspace.restore(self._stored)
        self.menus.set_docks(workspace.docks.values())
        return workspace

    @property
    def panels(self) -> dict[str, Panel]:
        """The panels by name; none before the workspace is built."""
        return self._workspace.panels if self._workspace is not None else {}

    @property
    def docks(self) -> dict[str, QDockWidget]:
        """The docks by the names of their panels; none before the workspace is built."""
        return self._workspace.docks if self._workspace is not None else {}

    # -- what is shown ------------------------------------------------------------------------

    def show_workspace(self) -> None:
        """Show the docks instead of the start page."""
        self.build_workspace()
        assert self._workspace is not None
        if self._stack.currentWidget() is not self._workspace:
            self._stack.setCurrentWidget(self._workspace)
            self._workspace.setFocus()
            QTimer.singleShot(0, self._workspace.settle)
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
        assert self._workspace is not None
        self._workspace.open_search()

    def show_panel(self, name: str) -> None:
        """Bring a panel to the front."""
        self.show_workspace()
        assert self._workspace is not None
        self._workspace.show_panel(name)

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

    def retranslate(self) -> None:
        """Set every text again."""
        actions.retranslate(self.actions_by_name)
        self.menus.retranslate()
        self._bar.setWindowTitle(self.tr("Recording"))
        if self._workspace is not None:
            self._workspace.retranslate()

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
        if self._workspace is not None:
            self._workspace.restore(stored)

    def reset_layout(self) -> None:
        """Put the docks where they came from."""
        self._stored = QByteArray()
        if self._workspace is not None:
            self._workspace.reset()

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
        if self._workspace is not None and not self.isMinimized():
            self._workspace.frame()

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(1440, 900)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Drop what can be spared in a narrow window."""
        super().resizeEvent(event)
        self.capture.set_compact(event.size().width() < COMPACT_BELOW)
        self.status.set_compact(event.size().width() < COMPACT_BELOW)
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
