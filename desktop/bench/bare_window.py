"""The least a PySide6 and pyqtgraph program can do: an empty plot; prints "up" and ends."""

from __future__ import annotations

import sys

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow


class FirstPaint(QObject):
    """Says "up" once the plot has been painted."""

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


def main() -> None:
    """Open the window, wait for the first picture."""
    application = QApplication(["bare"])
    window = QMainWindow()
    plot = pg.PlotWidget()
    window.setCentralWidget(plot)
    window.resize(1440, 900)
    watch = FirstPaint()
    plot.viewport().installEventFilter(watch)
    window.show()
    application.exec()
    window.close()


if __name__ == "__main__":
    main()
