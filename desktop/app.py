"""Puts the window together: application, style, translators, exception hook, controller.

Nothing here imports torch or an audio library; models load on the session's own threads.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSettings, QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from desktop import theme as themes
from desktop.bridge import EventBridge
from desktop.controller import Controller
from desktop.main_window import MainWindow
from desktop.sessions import RealSessions, SessionFactory
from desktop.settings import AppSettings, SettingsStore
from desktop.style_sheet import style_sheet
from desktop.theme import Theme
from desktop.translations import Translations
from desktop.view_state import ViewState

log = logging.getLogger(__name__)

FONT_FAMILIES = (
    "Pretendard",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "NanumGothic",
    "Segoe UI",
    "DejaVu Sans",
)
"""Families that draw Hangul and Latin alike, the first one that is installed wins."""


def style(application: QApplication, theme: Theme) -> None:
    """Give the application a theme: Qt's Fusion style, a palette, a style sheet."""
    if application.style().objectName().lower() != "fusion":
        application.setStyle("Fusion")
    application.setPalette(themes.make_palette(theme))
    application.setStyleSheet(style_sheet(theme))


def set_font(application: QApplication) -> None:
    """Choose a font that renders Hangul."""
    font = QFont(application.font())
    font.setFamilies(list(FONT_FAMILIES))
    if font.pointSizeF() < 9.5:
        font.setPointSizeF(9.5)
    application.setFont(font)


def log_folder() -> Path:
    """Return where the log file is kept."""
    from platformdirs import user_log_path

    return user_log_path("emoscope", appauthor=False)


def start_log(folder: Path) -> None:
    """Write warnings and errors to a small rotating file."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / "emoscope.log", maxBytes=500_000, backupCount=2, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)


class Application:
    """Everything the window consists of, wired; `show` and then Qt's event loop."""

    def __init__(
        self,
        qt: QApplication,
        settings: QSettings,
        factory: SessionFactory,
        folder: Path,
    ) -> None:
        self.qt = qt
        self.store = SettingsStore(settings)
        self.translations = Translations(qt)
        chosen = self.store.load()
        set_font(qt)
        self.translations.use(chosen.interface_language)
        self.bridge = EventBridge()
        self.state = ViewState()
        style(qt, themes.choose(chosen.theme))
        self.window = MainWindow(self.state)
        self.state.set_theme(themes.choose(chosen.theme))
        self.controller = Controller(
            self.window, self.state, self.bridge, self.store, factory, self.apply, folder
        )
        self._restore()

    def apply(self, settings: AppSettings) -> None:
        """Change theme and language while running."""
        theme = themes.choose(settings.theme)
        style(self.qt, theme)
        self.state.set_theme(theme)
        self.translations.use(settings.interface_language)

    def show(self) -> None:
        """Show the window, then do what need not be done before."""
        self.window.show()
        QTimer.singleShot(0, self._after_first_paint)

    def _after_first_paint(self) -> None:
        QTimer.singleShot(30, self.window.build_workspace)
        QTimer.singleShot(60, lambda: self.controller.list_devices(refresh=False))
        QTimer.singleShot(90, self.controller.lost_sessions.look)
        QTimer.singleShot(120, self.controller.recognition.look)
        QTimer.singleShot(150, self.controller.personal.look)

    def _restore(self) -> None:
        geometry = self.store.layout("window")
        if geometry is not None:
            self.window.restoreGeometry(geometry)
        docks = self.store.layout("docks")
        if docks is not None:
            self.window.restore_layout(docks)


def install_exception_hook(application: Application) -> None:
    """Log what nobody caught, on any thread, and show it as a banner."""

    def report(error: BaseException) -> None:
        log.error("not caught", exc_info=error)
        application.bridge.run(
            "report", lambda: error, application.controller.trouble.show_error, report_failed
        )

    def report_failed(problem: Exception) -> None:
        log.error("the banner for an error failed", exc_info=problem)

    def on_main(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            application.qt.quit()
        else:
            sys.__excepthook__(kind, error, trace)
            report(error)

    def on_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            report(arguments.exc_value)

    sys.excepthook = on_main
    threading.excepthook = on_thread


def close_on_signals(application: Application) -> Callable[[], None]:
    """Let Ctrl+C and a polite kill close the window, as its own button does; returns an undo.

    Python runs its handlers only when it runs at all: a socket wakes Qt's loop for that.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read, application.window)

    def drain() -> None:
        with contextlib.suppress(BlockingIOError):
            reader.recv(16)

    notifier.activated.connect(drain)

    def close_soon(*_: object) -> None:
        # Python may run this in the middle of a paint event.
        QTimer.singleShot(0, application.window.close)

    handlers = {
        number: signal.signal(number, close_soon) for number in (signal.SIGINT, signal.SIGTERM)
    }

    def undo() -> None:
        notifier.setEnabled(False)
        signal.set_wakeup_fd(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()

    return undo


def run(argv: Sequence[str], open_path: Path | None = None) -> int:
    """Open the window and return the exit status of the event loop."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus)
    qt = QApplication(["emoscope", *argv])
    qt.setApplicationName("emoscope")
    qt.setApplicationDisplayName("Emoscope")
    folder = log_folder()
    start_log(folder)
    settings = QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "emoscope", "emoscope"
    )
    application = Application(qt, settings, RealSessions(), folder)
    install_exception_hook(application)
    undo = close_on_signals(application)
    application.show()
    if open_path is not None:
        QTimer.singleShot(150, lambda: application.controller.open_recording(open_path))
    status = qt.exec()
    undo()
    return status
