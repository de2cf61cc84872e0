"""Banners for what the user should know: notices of the core, errors, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from core.pipeline.events import Notice, Severity
from core.types import EMPTY_MAPPING
from desktop import messages
from desktop.main_window import MainWindow
from desktop.panels.banner import BannerButton

log = logging.getLogger(__name__)


class Trouble(QObject):
    """Shows notices and errors; what a button of theirs asks for is a signal."""

    whisper_wanted = Signal()
    devices_wanted = Signal()
    settings_wanted = Signal()
    smaller_wanted = Signal(str)
    """A recognition model that takes less time, by its name."""

    def __init__(self, window: MainWindow, log_folder: Path) -> None:
        super().__init__(window)
        self._window = window
        self._log_folder = log_folder

    def open_log_folder(self) -> None:
        """Show the folder of the log file."""
        open_path(self._log_folder)

    def show_notice(self, notice: Notice) -> None:
        """Show or withdraw a banner."""
        message = notice.message
        if not notice.active:
            self._window.banners.withdraw(message.code)
            return
        if notice.severity is Severity.INFO and not messages.is_known(message):
            return
        self._window.banners.show_banner(
            message.code,
            notice.severity,
            lambda: messages.sentence(message),
            self._buttons(messages.action(message), message.values),
        )

    def show_error(self, error: BaseException) -> None:
        """Show what went wrong as a sentence with a remedy, and where the log is."""
        log.error("shown to the user: %s", error, exc_info=error)
        self._window.banners.show_banner(
            "error",
            Severity.ERROR,
            lambda: messages.error_sentence(error),
            self._buttons("log"),
        )

    def _buttons(
        self, action: str, values: Mapping[str, str] = EMPTY_MAPPING
    ) -> tuple[BannerButton, ...]:
        smaller = values.get("smaller", "")
        offers: dict[str, tuple[Callable[[], str], Callable[[], object]]] = {
            "smaller": (
                lambda: self.tr("Use Whisper {name} next time").format(name=smaller),
                lambda: self.smaller_wanted.emit(smaller),
            ),
            "whisper": (lambda: self.tr("Get one…"), self.whisper_wanted.emit),
            "devices": (lambda: self.tr("Look again"), self.devices_wanted.emit),
            "settings": (lambda: self.tr("Settings…"), self.settings_wanted.emit),
            "log": (lambda: self.tr("Open the log"), self.open_log_folder),
        }
        if action not in offers:
            return ()
        text, run = offers[action]
        return (BannerButton(text, run),)


def open_path(path: Path) -> None:
    """Show a file or folder in the program the system has for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
