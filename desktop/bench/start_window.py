"""Opens the program's window as `emoscope` does; prints "up" at the first picture, and ends.

Run as `python -m desktop.bench.start_window FOLDER`, with a folder for its settings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from desktop.app import Application
from desktop.sessions import RealSessions


class FirstPaint(QObject):
    """Says "up" once the start page has been painted."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let every event pass."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self._up)
        return super().eventFilter(watched, event)

    def _up(self) -> None:
        sys.stdout.write("up\n")
        sys.stdout.flush()
        QApplication.quit()


def main(folder: Path) -> None:
    """Open the window, wait for the first picture."""
    qt = QApplication(["emoscope"])
    settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("app/sessions_folder", str(folder / "sessions"))
    application = Application(qt, settings, RealSessions(), folder)
    watch = FirstPaint()
    application.window.start_page.installEventFilter(watch)
    application.show()
    qt.exec()
    application.controller.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
