from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.pipeline.events import AudioHeard, SessionState, TurnUpdated
from desktop.app import set_font, style
from desktop.bench.feed import SyntheticFeed
from desktop.main_window import MainWindow
from desktop.theme import LIGHT
from desktop.view_state import ViewState

WaitFor = Callable[[Callable[[], bool]], None]


@pytest.fixture(scope="session")
def qt() -> QApplication:
    """The one application of the test process."""
    running = QApplication.instance()
    application = running if isinstance(running, QApplication) else QApplication(["emoscope"])
    set_font(application)
    style(application, LIGHT)
    return application


@pytest.fixture
def wait_for(qt: QApplication) -> WaitFor:
    """Run the event loop until something is true, for ten seconds at most."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10.0
        while not condition():
            assert time.monotonic() < deadline, "did not happen within ten seconds"
            QApplication.processEvents()
            time.sleep(0.005)  # QTest.qWait would not let other threads run

    return wait


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    """Settings in a file of this test."""
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def window(qt: QApplication) -> Iterator[MainWindow]:
    """The window with its docks, nothing heard yet."""
    state = ViewState()
    made = MainWindow(state)
    state.set_theme(LIGHT)
    made.resize(1440, 900)
    made.show()
    made.show_workspace()
    QTest.qWait(20)
    yield made
    made.close()
    made.deleteLater()
    qt.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qt.processEvents()


def converse(state: ViewState, seconds: float, live: bool = True) -> None:
    """Feed a made-up conversation of this length into a view state."""
    state.begin(live)
    state.enter(SessionState.RUNNING)
    feed = SyntheticFeed()
    while feed.seconds < seconds:
        for event in feed.step():
            if isinstance(event, AudioHeard):
                state.hear((event,))
            elif isinstance(event, TurnUpdated):
                state.update_turn(event)
