"""The whole way with the shipped model and the bundled conversation, nothing made up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.pipeline.events import SessionState
from core.resources import embedded_checkpoint
from core.types import EmotionResult
from desktop.app import Application
from desktop.personal_work import PersonalWork
from desktop.sessions import RealSessions
from tests.desktop.personal_screen import click, dialog_of, menu_of

MINUTES = 3.0
TURNS = 16


@pytest.fixture
def application(qt: QApplication, settings: QSettings, tmp_path: Path) -> Iterator[Application]:
    settings.setValue("app/sessions_folder", str(tmp_path / "sessions"))
    settings.setValue("app/context", "off")
    made = Application(qt, settings, RealSessions(), tmp_path)
    made.controller.correcting.work = PersonalWork(tmp_path / "personal")
    made.window.resize(1440, 900)
    made.window.show()
    made.controller.personal.look()
    made.controller.open_sample()
    wait(lambda: read(made))
    yield made
    made.window.close()
    made.window.deleteLater()
    QTest.qWait(10)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60 * MINUTES
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {MINUTES} minutes"
        QApplication.processEvents()
        time.sleep(0.02)  # QTest.qWait would not let other threads run


def read(application: Application) -> bool:
    ended = application.state.session is SessionState.IDLE
    return ended and len(results(application)) == TURNS


def results(application: Application) -> list[EmotionResult]:
    found = [turn.emotion for turn in application.state.turns.turns()]
    return [result for result in found if result is not None]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_model_that_takes_surprise_for_anger_learns_better(application: Application) -> None:
    """Of a person who says so of every angry turn, and that the others are right."""
    shipped = files_of(embedded_checkpoint())
    before = results(application)
    assert {result.model.personal for result in before} == {""}
    view = application.window.panels["transcript"].view  # type: ignore[attr-defined]
    application.controller.correcting._persons = {"Mina": "me", "Jun": "me"}
    for row, result in enumerate(before):
        application.state.select(application.state.turns.turn(row))
        QTest.keyClick(view, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        label = "surprise" if result.label == "angry" else result.label
        key = Qt.Key(Qt.Key.Key_1 + result.labels.index(label))
        QTest.keyClick(menu_of(application), key)
    personal = application.controller.personal
    wait(lambda: personal.kept.said == TURNS)
    dialog = dialog_of(application)
    wait(lambda: dialog.learning.adapt.isEnabled())
    click(dialog.learning.adapt)
    wait(lambda: personal.outcome is not None)
    assert personal.outcome is not None
    report = personal.outcome.report
    assert report.reason == "kept", report
    assert report.gain is not None
    assert report.gain.judged == TURNS
    assert report.gain.after > report.gain.before
    wait(lambda: dialog.use.switch.isEnabled())
    click(dialog.use.switch)
    click(dialog.use.again)
    wait(lambda: not read(application))
    wait(lambda: read(application))
    after = results(application)
    assert {result.model.personal for result in after} == {"me"}
    surprise = before[0].labels.index("surprise")
    angry = [pair for pair in zip(before, after, strict=True) if pair[0].label == "angry"]
    assert angry
    for was, now in angry:
        assert now.probabilities[surprise] > was.probabilities[surprise]
    assert files_of(embedded_checkpoint()) == shipped
    dialog.close()
