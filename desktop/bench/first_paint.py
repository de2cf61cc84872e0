"""Tells when a window is up: it says so once a widget has been painted, and ends the program."""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication


class FirstPaint(QObject):
    """An event filter that says "up" once the watched widget has been painted."""

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
