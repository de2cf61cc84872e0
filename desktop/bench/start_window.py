"""Opens the program's window as `emoscope` does; prints "up" at the first picture, and ends.

Run as `python -m desktop.bench.start_window FOLDER`, with a folder for its settings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from desktop.app import Application
from desktop.bench.first_paint import FirstPaint
from desktop.sessions import RealSessions


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
