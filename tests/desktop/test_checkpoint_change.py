"""A model chosen while a session runs: used at once where it can be, else from the next one on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.errors import CheckpointError
from core.pipeline.events import SessionState
from core.types import EmotionResult, ModelInfo, Transcript, Utterance
from desktop.app import Application
from desktop.checkpoint_change import LATER
from tests.desktop.conftest import WaitFor
from tests.desktop.test_controller import FakeSessions, finals, state_is
from tests.fakes import FAKE_MODEL, FakeAnalyzer


class SwitchableAnalyzer(FakeAnalyzer):
    """Is named as the folder it was switched to; becomes only what is called an adapter."""

    folder = ""

    @property
    def model(self) -> ModelInfo:
        return replace(FAKE_MODEL, name=self.folder) if self.folder else FAKE_MODEL

    def use_checkpoint(self, path: Path | str) -> None:
        """Take another name."""
        if "adapter" not in Path(path).name:
            raise CheckpointError(f"{path} goes with another one.", "Open it anew.")
        self.folder = Path(path).name

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        """Judge as the fake does."""
        result = super().final(utterance, transcript)
        return None if result is None else replace(result, model=self.model)


@pytest.fixture
def application(qt: QApplication, settings: QSettings, tmp_path: Path) -> Iterator[Application]:
    settings.setValue("app/sessions_folder", str(tmp_path / "sessions"))
    sessions = FakeSessions()
    sessions.analyzer = SwitchableAnalyzer
    made = Application(qt, settings, sessions, tmp_path)
    made.window.show()
    yield made
    made.window.close()
    made.window.deleteLater()
    QTest.qWait(10)


def shown(application: Application) -> list[str]:
    return list(application.window.banners._banners)


def test_an_adapter_of_the_same_base_is_used_in_the_session_that_runs(
    application: Application, wait_for: WaitFor
) -> None:
    application.controller.start_live()
    wait_for(state_is(application, SessionState.RUNNING))
    application.controller.change(checkpoint="/models/adapter one")
    wait_for(lambda: "adapter one" in application.window.status._model.text())
    wait_for(lambda: finals(application) == 2)
    assert application.state.turns.turns()[-1].emotion.model.name == "adapter one"
    assert application.state.session is SessionState.RUNNING
    assert shown(application) == []


def test_another_model_is_said_to_come_with_the_next_session(
    application: Application, wait_for: WaitFor
) -> None:
    application.controller.start_live()
    wait_for(state_is(application, SessionState.RUNNING))
    application.controller.change(checkpoint="/models/strange")
    wait_for(lambda: LATER in shown(application))
    assert application.state.session is SessionState.RUNNING
    application.controller.change(checkpoint="/models/adapter two")
    wait_for(lambda: LATER not in shown(application))


def test_between_sessions_nothing_is_said(application: Application, wait_for: WaitFor) -> None:
    application.controller.change(checkpoint="/models/strange")
    QTest.qWait(50)
    assert shown(application) == []
