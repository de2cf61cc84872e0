from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialogButtonBox, QPushButton

from core.errors import CheckpointError, DeviceError, MediaError
from core.pipeline.events import (
    EffortChanged,
    Event,
    ModelReady,
    Notice,
    SessionState,
    Severity,
)
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import SAMPLE_RATE, FloatArray, Message, Modality, RuntimeInfo, TurnStatus
from desktop.app import Application
from desktop.dialogs.settings import SettingsDialog
from desktop.dialogs.whisper import WhisperDialog
from desktop.item_models.readings import Reading
from desktop.panels.dialogue import DialoguePanel
from desktop.sessions import PREPARING, Prepared
from desktop.settings import AppSettings
from desktop.workspace import Workspace
from tests.desktop.conftest import WaitFor
from tests.fakes import (
    FAKE_MODEL,
    FakeAnalyzer,
    FakeContext,
    FakeTranscriber,
    LoudnessCutter,
    ScriptedSource,
    conversation,
    silence,
)


class FakeSessions:
    """Real sessions of fake parts: a scripted microphone, a scripted recording."""

    def __init__(self) -> None:
        self.microphone: FloatArray = np.concatenate([conversation(1.5, 1.0), silence(60.0)])
        self.recording_sound: FloatArray = conversation(1.0, 2.0, 1.5)
        self.analyzer: Callable[[], FakeAnalyzer] = FakeAnalyzer
        self.error: Exception | None = None
        self.asked: list[tuple[str, AppSettings]] = []
        self.threads: list[str] = []
        self.context: FakeContext | None = None
        self.installed: tuple[str, ...] = ("base",)

    def microphones(self, refresh: bool) -> tuple[str, ...]:
        return ("Desk", "Headset")

    def recognition(self, settings: AppSettings) -> str | None:
        return None if settings.whisper == "off" else "fake-whisper"

    def has_recognition(self, model: str) -> bool:
        return model in self.installed

    def live(self, settings: AppSettings, listener: Callable[[Event], None]) -> Prepared:
        self.asked.append(("live", settings))
        source = ScriptedSource(self.microphone, realtime=True, rate=4.0)
        return self._prepared(source, True, listener, lambda: None)

    def recording(
        self, path: Path, settings: AppSettings, listener: Callable[[Event], None]
    ) -> Prepared:
        self.asked.append((path.name, settings))
        if not path.exists():
            raise MediaError(f"{path} does not exist.", "Choose another file.")
        source = ScriptedSource(self.recording_sound)
        return self._prepared(source, False, listener, lambda: path)

    def _prepared(
        self,
        source: ScriptedSource,
        live: bool,
        listener: Callable[[Event], None],
        sound: Callable[[], Path | None],
    ) -> Prepared:
        self.threads.append(threading.current_thread().name)
        if self.error is not None:
            raise self.error
        session = Session(
            source,
            SessionSettings(live=live),
            self.analyzer(),
            FakeTranscriber(),
            listener,
            cutter=LoudnessCutter,
            context=self.context,
        )
        known = self.context is not None
        name = source.description
        return Prepared(session, live, name, "fake-whisper", sound, context=known)


@pytest.fixture
def sessions() -> FakeSessions:
    return FakeSessions()


@pytest.fixture
def application(
    qt: QApplication, settings: QSettings, sessions: FakeSessions, tmp_path: Path
) -> Iterator[Application]:
    settings.setValue("app/sessions_folder", str(tmp_path / "sessions"))
    made = Application(qt, settings, sessions, tmp_path)
    made.window.show()
    yield made
    made.window.close()
    made.window.deleteLater()
    QTest.qWait(10)


def state_is(application: Application, state: SessionState) -> Callable[[], bool]:
    return lambda: application.state.session is state


def finals(application: Application) -> int:
    turns = application.state.turns.turns()
    return sum(turn.status is TurnStatus.FINAL for turn in turns)


def test_recording_shows_turns_and_stopping_keeps_them(
    application: Application, sessions: FakeSessions, wait_for: WaitFor
) -> None:
    assert application.window.at_start
    QTest.mouseClick(application.window.capture.record, Qt.MouseButton.LeftButton)
    wait_for(lambda: finals(application) == 2)
    assert not application.window.at_start
    assert sessions.threads == ["emoscope-prepare"]
    assert application.window.capture.record.text() == "Stop"
    application.controller.toggle_record()
    wait_for(state_is(application, SessionState.IDLE))
    assert finals(application) == 2
    assert not application.state.time.following
    assert application.state.turns.turns()[0].transcript is not None
    assert application.window.capture.record.text() == "Record"


def test_a_recording_is_read_to_its_end_and_remembered(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.open_recording(path)
    wait_for(lambda: finals(application) == 3)
    wait_for(state_is(application, SessionState.IDLE))
    assert application.controller.settings.recent == (str(path.resolve()),)
    assert application.state.time.total >= 7.0
    assert application.state.sound.seconds == pytest.approx(application.state.time.total, abs=0.2)


def test_opening_a_file_while_recording_finishes_the_recording_first(
    application: Application, sessions: FakeSessions, wait_for: WaitFor, tmp_path: Path
) -> None:
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.start_live()
    wait_for(lambda: finals(application) >= 1)
    application.controller.open_recording(path)
    wait_for(lambda: not application.state.live and finals(application) == 3)
    assert [name for name, _ in sessions.asked] == ["live", "talk.wav"]


def test_an_error_before_the_start_is_a_banner_and_the_next_try_works(
    application: Application, sessions: FakeSessions, wait_for: WaitFor
) -> None:
    sessions.error = DeviceError("There is no microphone.", "Plug one in.")
    application.controller.start_live()
    wait_for(lambda: "error" in application.window.banners.shown())
    assert application.window.banners.text("error") == "There is no microphone. Plug one in."
    assert application.state.session is SessionState.FAILED
    sessions.error = None
    application.controller.start_live()
    wait_for(lambda: finals(application) >= 1)
    assert "error" not in application.window.banners.shown()


def test_a_model_that_does_not_load_is_said(
    application: Application, sessions: FakeSessions, wait_for: WaitFor
) -> None:
    sessions.analyzer = lambda: FakeAnalyzer(fail_to_load=RuntimeError("the weights are torn"))
    application.controller.start_live()
    wait_for(lambda: "error" in application.window.banners.shown())
    assert "the weights are torn" in application.window.banners.text("error")


def test_a_file_that_is_not_there_is_said(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    application.controller.open_recording(tmp_path / "gone.wav")
    wait_for(lambda: "error" in application.window.banners.shown())
    assert "gone.wav" in application.window.banners.text("error")


def test_a_lost_device_is_a_banner_until_it_is_back(application: Application) -> None:
    message = Message("device_lost", {"name": "USB Audio"})
    application.bridge.publish(Notice(message, Severity.WARNING))
    application.bridge.deliver()
    assert "USB Audio" in application.window.banners.text("device_lost")
    application.bridge.publish(Notice(message, Severity.INFO, active=False))
    application.bridge.deliver()
    assert application.window.banners.shown() == ()


def test_banners_are_bounded_and_the_worst_stay(application: Application) -> None:
    codes = ("no_speech", "transcript_overlaps", "media_short", "falling_behind")
    application.controller.trouble.show_notice(Notice(Message("journal_failed"), Severity.ERROR))
    for code in codes:
        application.controller.trouble.show_notice(Notice(Message(code), Severity.WARNING))
    assert len(application.window.banners.shown()) == 3
    assert "journal_failed" in application.window.banners.shown()
    assert "falling_behind" in application.window.banners.shown()


def click_banner(application: Application, text: str) -> None:
    buttons = application.window.banners.findChildren(QPushButton)
    button = next(b for b in buttons if b.text() == text and b.isVisible())
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


SMALLER = Notice(
    Message("smaller_whisper", {"model": "Whisper small", "smaller": "base"}), Severity.WARNING
)


def test_a_smaller_recognition_model_is_taken_by_a_click(
    application: Application, wait_for: WaitFor
) -> None:
    application.bridge.publish(SMALLER)
    wait_for(lambda: "smaller_whisper" in application.window.banners.shown())
    assert "Whisper base would keep up" in application.window.banners.text("smaller_whisper")
    click_banner(application, "Use Whisper base next time")
    wait_for(lambda: application.controller.settings.whisper == "base")
    assert application.window.banners.shown() == ("smaller_chosen",)


def test_a_smaller_recognition_model_that_is_not_here_is_offered_for_download(
    application: Application, sessions: FakeSessions, wait_for: WaitFor
) -> None:
    sessions.installed = ()
    application.bridge.publish(SMALLER)
    wait_for(lambda: "smaller_whisper" in application.window.banners.shown())
    click_banner(application, "Use Whisper base next time")
    wait_for(lambda: application.window.findChild(WhisperDialog) is not None)
    dialog = application.window.findChild(WhisperDialog)
    assert dialog is not None
    assert dialog.findChild(QComboBox).currentData() == "base"
    assert application.controller.settings.whisper == ""
    dialog.close()


def test_a_model_that_is_prepared_for_this_computer_is_said_while_it_is_loaded(
    application: Application, wait_for: WaitFor
) -> None:
    status, state = application.window.status, application.state
    state.begin(live=True)
    state.enter(SessionState.LOADING)
    application.bridge.publish(Notice(Message(PREPARING)))
    wait_for(lambda: status.engine.text().startswith("preparing the model"))
    assert not application.window.banners.shown()
    state.enter(SessionState.RUNNING)
    assert not state.preparing


def test_a_model_that_moves_to_another_processor_is_said_in_words(
    application: Application, wait_for: WaitFor
) -> None:
    moved = Message("device_changed", {"device": "cpu", "reason": "out_of_memory"})
    application.bridge.publish(Notice(moved, Severity.WARNING))
    wait_for(lambda: "device_changed" in application.window.banners.shown())
    text = application.window.banners.text("device_changed")
    assert text.startswith("The model now runs on the CPU: the memory of the GPU was full.")


def test_what_computes_and_what_gives_way_reach_the_status_line(
    application: Application, wait_for: WaitFor
) -> None:
    status = application.window.status
    application.controller.start_live()
    wait_for(lambda: finals(application) >= 1)
    assert status.engine.text() == "CPU"
    runtime = RuntimeInfo(Modality.SPEECH, "openvino", speedup=2.2)
    application.bridge.publish(ModelReady(replace(FAKE_MODEL, runtimes=(runtime,))))
    application.bridge.publish(EffortChanged(2, 5, 1.5))
    wait_for(lambda: status.engine.text() == "CPU, OpenVINO")
    wait_for(lambda: status.effort.isVisible())
    assert status.delay.isVisible()
    assert status.delay.text().endswith("s behind")
    application.controller.toggle_record()
    wait_for(state_is(application, SessionState.IDLE))
    assert not status.effort.isVisible()
    assert not status.delay.isVisible()


def test_the_engine_page_of_the_settings_is_a_click_away_from_the_status_line(
    application: Application, wait_for: WaitFor
) -> None:
    page = application.window.status.engine.open_page()
    QTest.mouseClick(page.findChild(QPushButton), Qt.MouseButton.LeftButton)
    wait_for(lambda: application.window.findChild(SettingsDialog) is not None)
    dialog = application.window.findChild(SettingsDialog)
    assert dialog is not None
    assert dialog.pages.currentWidget() is dialog.engine
    dialog.engine.processor.setCurrentIndex(dialog.engine.processor.findData("cpu"))
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    QTest.mouseClick(ok, Qt.MouseButton.LeftButton)
    assert application.controller.settings.processor == "cpu"


def test_the_arrows_step_through_the_turns_and_every_panel_follows(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.open_recording(path)
    wait_for(state_is(application, SessionState.IDLE))
    application.controller.listening.step(-1)
    application.controller.listening.step(-1)
    selected = application.state.selected
    assert selected is not None
    assert selected.index == application.state.turns.turns()[1].index
    for _ in range(5):
        application.controller.listening.step(-1)
    assert application.state.selected == application.state.turns.turns()[0]
    QTest.keyClick(application.window.findChild(Workspace, "workspace"), Qt.Key.Key_Right)
    assert application.state.selected == application.state.turns.turns()[1]


def test_choices_reach_the_next_session_and_are_kept(
    application: Application, sessions: FakeSessions, settings: QSettings, wait_for: WaitFor
) -> None:
    application.controller.change(language="ko", channels="both", device="Desk")
    application.controller.start_live()
    wait_for(lambda: len(sessions.asked) == 1)
    chosen = sessions.asked[0][1]
    assert (chosen.language, chosen.channels, chosen.device) == ("ko", "both", "Desk")
    assert application.store.load() == chosen
    assert application.window.capture.device.currentData() == "Desk"


def test_turns_come_in_context_and_with_hindsight_at_the_end(
    application: Application, sessions: FakeSessions, wait_for: WaitFor, tmp_path: Path
) -> None:
    sessions.context = FakeContext()
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.open_recording(path)
    wait_for(lambda: finals(application) == 3)
    wait_for(state_is(application, SessionState.IDLE))
    state = application.state
    assert state.context is not None
    assert [size.size for size in state.context.sizes] == [96, 24, 6]
    assert not state.expects_context
    assert all(turn.context and turn.hindsight for turn in state.turns.turns())
    application.window.show_panel("dialogue")
    panel = application.window.panels["dialogue"]
    assert isinstance(panel, DialoguePanel)
    wait_for(lambda: len(panel.lanes._blocks) == 3)
    assert panel.tally.turns == 3
    panel.tabs.setCurrentIndex(1)
    wait_for(lambda: "two speakers" in panel.influence_page._empty.text())


def test_a_dialogue_model_that_does_not_load_is_said_and_the_rest_goes_on(
    application: Application, sessions: FakeSessions, wait_for: WaitFor, tmp_path: Path
) -> None:
    sessions.context = FakeContext(fail_to_load=CheckpointError("It is damaged."))
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.open_recording(path)
    wait_for(lambda: finals(application) == 3)
    wait_for(state_is(application, SessionState.IDLE))
    assert application.state.no_context is not None
    assert application.state.no_context.code == "context_unavailable"
    assert "It is damaged." in application.window.banners.text("context_unavailable")


def test_menus_choose_the_dialogue_model_and_who_tells_speakers_apart(
    application: Application,
    sessions: FakeSessions,
    wait_for: WaitFor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    menus = application.window.menus
    monkeypatch.setattr("desktop.menus.knows_voices", lambda: True)
    menus.retranslate()

    def entry(menu: str, data: str) -> QAction:
        return next(e for e in menus._menus[menu].actions() if e.data() == data)

    assert entry("context", "").isChecked()
    assert entry("speakers", "source").isChecked()
    entry("context", "off").trigger()
    entry("speakers", "voice").trigger()
    assert application.controller.settings.context == "off"
    assert application.controller.settings.speakers == "voice"
    assert entry("context", "off").isChecked()
    assert not entry("context", "").isChecked()
    application.controller.change(context=str(tmp_path / "mine"))
    assert entry("context", str(tmp_path / "mine")).isChecked()
    assert entry("context", str(tmp_path / "mine")).text() == "mine"
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.open_recording(path)
    wait_for(lambda: finals(application) == 3)
    assert sessions.asked[-1][1].context == str(tmp_path / "mine")
    assert sessions.asked[-1][1].speakers == "voice"


def test_the_dialogue_is_called_and_switched_by_keys(
    application: Application, sessions: FakeSessions, wait_for: WaitFor, tmp_path: Path
) -> None:
    sessions.context = FakeContext()
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.open_recording(path)
    wait_for(lambda: finals(application) == 3)
    window = application.window
    window.activateWindow()
    assert not window.panels["dialogue"].seen
    QTest.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    wait_for(lambda: window.panels["dialogue"].seen)
    QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert application.state.reading is Reading.ALONE


def test_microphones_are_offered_and_a_missing_one_stays_chosen(
    application: Application, wait_for: WaitFor
) -> None:
    device = application.window.capture.device
    application.controller.change(device="Gone")
    application.controller.list_devices()
    wait_for(lambda: device.findData("Headset") > 0)
    assert device.currentData() == "Gone"
    assert device.itemText(0) == "System default"


def test_the_status_line_says_whether_text_is_written(
    application: Application, wait_for: WaitFor
) -> None:
    status = application.window.status
    application.controller.change(whisper="turbo")
    wait_for(lambda: status.text_source() == "text by fake-whisper")
    application.controller.change(whisper="off")
    wait_for(lambda: status.text_source() == "speech only: recognition is off")
    status.set_transcriber(None)
    assert status.text_source() == "speech only: no Whisper model"


def test_a_late_look_for_models_does_not_contradict_the_session(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.change(whisper="off")
    application.controller.open_recording(path)
    application.controller.recognition.look()
    wait_for(state_is(application, SessionState.IDLE))
    application.bridge.join(5)
    QTest.qWait(50)
    assert application.window.status.text_source() == "text by fake-whisper"


def test_a_click_on_a_turn_selects_it_and_plays_it(
    application: Application,
    wait_for: WaitFor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "talk.wav"
    path.touch()
    played: list[tuple[Path, float, float]] = []
    player = application.controller.listening.player._player
    monkeypatch.setattr(player, "play", lambda *span: played.append(span))
    application.controller.open_recording(path)
    wait_for(state_is(application, SessionState.IDLE))
    application.state.click(4.0)
    assert application.state.selected == application.state.turns.turn(1)
    assert played == [(path, pytest.approx(3.0, abs=0.2), pytest.approx(5.0, abs=0.4))]


def test_nothing_is_played_into_a_recording(
    application: Application, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[object] = []
    player = application.controller.listening.player._player
    monkeypatch.setattr(player, "play", lambda *span: played.append(span))
    application.controller.start_live()
    wait_for(lambda: finals(application) >= 1)
    application.controller.listening.toggle_play()
    assert not played


def test_a_theme_is_changed_while_the_window_is_open(application: Application) -> None:
    application.window.build_workspace()
    application.controller.change(theme="dark")
    assert application.state.theme.is_dark
    application.controller.change(theme="light")
    assert not application.state.theme.is_dark


def test_turns_are_exported_in_a_format_of_the_users_choice(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    path = tmp_path / "talk.wav"
    path.touch()
    application.controller.open_recording(path)
    wait_for(state_is(application, SessionState.IDLE))
    target = tmp_path / "out.jsonl"
    application.controller.exporting.export(target, "jsonl")
    wait_for(lambda: "exported" in application.window.banners.shown())
    lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 3
    assert lines[0]["text"] == "utterance 0"


def test_closing_while_recording_ends_every_thread(
    application: Application, wait_for: WaitFor
) -> None:
    application.controller.start_live()
    wait_for(lambda: finals(application) >= 1)
    application.window.close()
    wait_for(lambda: not [t for t in threading.enumerate() if "emoscope" in t.name])


def test_dropping_a_file_opens_it(
    application: Application, sessions: FakeSessions, wait_for: WaitFor, tmp_path: Path
) -> None:
    path = tmp_path / "dropped.wav"
    path.touch()
    application.window.file_dropped.emit(str(path))
    wait_for(lambda: finals(application) == 3)
    assert sessions.asked[0][0] == "dropped.wav"


def test_an_interrupted_session_is_offered_and_opened(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    lose_a_session(tmp_path / "sessions")
    application.controller.lost_sessions.look()
    wait_for(lambda: "lost_session" in application.window.banners.shown())
    lost = next((tmp_path / "sessions").iterdir())
    application.controller.lost_sessions.recover(lost)
    wait_for(lambda: application.state.turns.rowCount() == 1)
    assert application.state.time.total == pytest.approx(4.0, abs=0.1)
    assert application.state.sound.seconds == pytest.approx(4.0, abs=0.1)
    assert "lost_session" not in application.window.banners.shown()


def lose_a_session(root: Path) -> None:
    """Write a session with the real journal and leave it without its closing mark."""
    from core.dialogue.journal import Journal
    from core.types import WINDOW, AudioBlock, Transcript, Turn

    journal = Journal(root)
    journal.begin(1, {"source": "test"}, lambda event: None)
    for number in range(4 * SAMPLE_RATE // WINDOW):
        block = np.full((1, WINDOW), 0.1, np.float32)
        journal.write_audio(AudioBlock(block, number * WINDOW))
    text = Transcript("hello there")
    journal.write_turn(Turn(0, 8_000, 40_000, "A", TurnStatus.FINAL, text))
    journal.close()
    assert journal.folder is not None
    (journal.folder / "closed").unlink()


@pytest.mark.parametrize("judged", [0, 1])
def test_no_clock_runs_on_after_the_window_was_closed(
    application: Application, wait_for: WaitFor, judged: int
) -> None:
    """Closed while a session is being built, and while one runs."""
    application.controller.start_live()
    wait_for(lambda: finals(application) >= judged)
    owners = (application.window, application.state, application.bridge)
    clocks = [clock for owner in owners for clock in owner.findChildren(QTimer)]
    assert any(clock.isActive() for clock in clocks)
    application.window.close()
    wait_for(lambda: not any(clock.isActive() for clock in clocks))
