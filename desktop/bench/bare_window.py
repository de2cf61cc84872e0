"""The least a PySide6 and pyqtgraph program can do: an empty plot; prints "up" and ends."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QMainWindow

from desktop.bench.first_paint import FirstPaint


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
