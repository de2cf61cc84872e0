"""From corrections to a personal adapter in use, by real clicks; learning itself is made up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from core.errors import CheckpointError
from core.personal import adapting
from core.personal.types import AdaptationReport
from core.pipeline.events import SessionState
from core.types import TurnStatus
from desktop import personal_words
from desktop.app import Application
from desktop.dialogs.personal import PersonalDialog
from desktop.dialogs.settings import SettingsDialog
from desktop.translations import Translations
from tests.desktop.conftest import WaitFor
from tests.desktop.personal_screen import (
    GAIN,
    PersonalAnalyzer,
    WatchedWork,
    click,
    dialog_of,
    said,
    turn_in,
    write_wav,
)
from tests.desktop.test_accessibility import controls, name_of
from tests.desktop.test_controller import FakeSessions
from tests.desktop.test_translations import HANGUL
from tests.fakes import conversation

TURNS = 12
SOUND = conversation(*(0.5 + 0.05 * i for i in range(TURNS)), pause=0.6)


@pytest.fixture
def work(tmp_path: Path) -> WatchedWork:
    return WatchedWork(tmp_path / "personal")


@pytest.fixture
def analyzers() -> list[PersonalAnalyzer]:
    return []


@pytest.fixture
def application(
    qt: QApplication,
    settings: QSettings,
    work: WatchedWork,
    analyzers: list[PersonalAnalyzer],
    tmp_path: Path,
    wait_for: WaitFor,
) -> Iterator[Application]:
    settings.setValue("app/sessions_folder", str(tmp_path / "sessions"))
    sessions = FakeSessions()
    sessions.recording_sound = SOUND

    def analyzer() -> PersonalAnalyzer:
        analyzers.append(PersonalAnalyzer())
        return analyzers[-1]

    sessions.analyzer = analyzer
    made = Application(qt, settings, sessions, tmp_path)
    made.controller.correcting.work = work
    made.window.resize(1440, 900)
    made.window.show()
    made.controller.personal.look()
    made.controller.open_recording(write_wav(tmp_path / "talk.wav", SOUND))
    wait_for(lambda: read(made))
    yield made
    work.gate.set()
    made.window.close()
    made.window.deleteLater()
    QTest.qWait(10)


def read(application: Application) -> bool:
    turns = application.state.turns.turns()
    final = [turn for turn in turns if turn.status is TurnStatus.FINAL]
    return application.state.session is SessionState.IDLE and len(final) == TURNS


def correct(application: Application, wait_for: WaitFor, rows: range) -> None:
    for row in rows:
        label = ("sad", "happy", "fear")[row % 3]
        application.controller.correcting.say(turn_in(application, row), label)
    wait_for(lambda: application.controller.correcting._queue.idle)
    wait_for(lambda: bool(application.controller.personal.kept.corrections))


def names_in_results(application: Application) -> set[str]:
    results = [turn.emotion for turn in application.state.turns.turns()]
    return {result.model.personal for result in results if result is not None}


def test_from_corrections_to_an_adapter_in_use(
    application: Application,
    work: WatchedWork,
    analyzers: list[PersonalAnalyzer],
    wait_for: WaitFor,
) -> None:
    correct(application, wait_for, range(TURNS))
    status = application.window.status.personal
    assert not status.isVisible()
    dialog = dialog_of(application)
    wait_for(lambda: dialog.learning.adapt.isEnabled())
    assert not dialog.use.switch.isEnabled()
    click(dialog.learning.adapt)
    wait_for(lambda: status.isVisible() and status.text() == "learning… 50 %")
    assert work.threads == ["emoscope-adapt"]
    assert dialog.learning.progress.isVisible()
    assert not dialog.learning.adapt.isVisible()
    work.gate.set()
    wait_for(lambda: dialog.use.switch.isEnabled())
    assert "With the voice of “me” it did better" in dialog.learning.readiness.text()
    assert "agreed with you in 50 % before, 75 % with it" in dialog.learning.readiness.text()
    assert "(difference +5 to +45 points)" in dialog.use.worth.text()
    assert not dialog.use.worth.isVisible()  # it was said just now
    assert application.window.banners.shown() == ("personal",)
    assert status.text() == "○ personal: off"
    click(dialog.use.switch)
    assert dialog.use.switch.isChecked()
    assert status.text() == "● personal: me"
    assert names_in_results(application) == {""}
    click(dialog.use.again)
    wait_for(lambda: len(analyzers) == 2 and read(application))
    assert names_in_results(application) == {"me"}
    assert len([label for label in said(application) if label]) == TURNS
    application.state.select(turn_in(application, 1))
    why = application.window.panels["why"]
    wait_for(lambda: any("learned of “me”" in w.text() for w in why.findChildren(QLabel)))
    dialog.close()


def test_one_click_in_the_status_line_switches_it_off_and_on(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    adapted(application, work, wait_for)
    status = application.window.status.personal
    action = application.window.actions_by_name["personal_on"]
    click(status)
    assert application.controller.settings.personal
    assert action.isChecked()
    assert "used for everybody who speaks" in status.toolTip()
    click(status)
    assert not application.controller.settings.personal
    assert not action.isChecked()
    action.trigger()
    assert application.controller.personal.is_on
    assert any("Personal" in about for about, _ in application.window.status.facts())


def adapted(application: Application, work: WatchedWork, wait_for: WaitFor) -> None:
    correct(application, wait_for, range(TURNS))
    work.gate.set()
    application.controller.personal.adapt()
    wait_for(lambda: application.controller.personal.adapter is not None)


def test_a_switch_reaches_the_session_that_runs(
    application: Application,
    work: WatchedWork,
    analyzers: list[PersonalAnalyzer],
    wait_for: WaitFor,
) -> None:
    adapted(application, work, wait_for)
    application.controller.start_live()
    wait_for(lambda: application.state.session is SessionState.RUNNING)
    application.controller.personal.switch(True)
    wait_for(lambda: ("me", ()) in analyzers[-1].used)
    wait_for(lambda: "me" in names_in_results(application))
    application.controller.personal.choose_speakers(("A",))
    assert analyzers[-1].used[-1] == ("me", ("A",))
    assert application.window.status.personal.text() == "● personal: me (A)"
    application.controller.personal.switch(False)
    assert analyzers[-1].used[-1] == ("", ("A",))
    application.controller.stop()
    wait_for(lambda: application.state.session is SessionState.IDLE)


def test_cancelling_keeps_everything_as_it_was(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    correct(application, wait_for, range(TURNS))
    dialog = dialog_of(application)
    wait_for(lambda: dialog.learning.adapt.isEnabled())
    click(dialog.learning.adapt)
    wait_for(lambda: dialog.learning.progress.value() == 500)
    click(dialog.learning.cancel)
    wait_for(lambda: dialog.learning.adapt.isVisible())
    assert dialog.learning.readiness.text() == "Cancelled. Nothing was changed."
    assert application.controller.personal.adapter is None
    assert not application.window.banners.shown()
    dialog.close()


def test_closing_the_window_ends_learning(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    correct(application, wait_for, range(TURNS))
    application.controller.personal.adapt()
    wait_for(lambda: bool(work.threads))
    application.window.close()
    assert not [t for t in threading.enumerate() if t.name == "emoscope-adapt"]


def test_an_error_while_learning_is_a_banner_and_the_next_try_works(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    correct(application, wait_for, range(TURNS))
    work.error = CheckpointError("The weights are torn.", "Copy them again.")
    work.gate.set()
    dialog = dialog_of(application)
    wait_for(lambda: dialog.learning.adapt.isEnabled())
    click(dialog.learning.adapt)
    wait_for(lambda: "error" in application.window.banners.shown())
    assert "The weights are torn. Copy them again." in application.window.banners.text("error")
    assert dialog.learning.adapt.isVisible()
    work.error = None
    click(dialog.learning.adapt)
    wait_for(lambda: application.controller.personal.adapter is not None)
    dialog.close()


def test_what_did_not_help_is_said_and_nothing_can_be_switched_on(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    correct(application, wait_for, range(TURNS))
    work.reason = "no_gain"
    work.gate.set()
    application.controller.personal.adapt()
    wait_for(lambda: "personal" in application.window.banners.shown())
    assert "not kept" in application.window.banners.text("personal")
    assert not application.window.status.personal.isVisible()
    application.controller.personal.toggle()
    assert not application.controller.settings.personal
    dialog = application.window.findChild(PersonalDialog)
    assert dialog is not None  # shows how to make one
    dialog.close()


def test_too_few_corrections_can_not_be_learned_from(
    application: Application, wait_for: WaitFor
) -> None:
    correct(application, wait_for, range(4))
    dialog = dialog_of(application)
    wait_for(lambda: dialog.kept.list.topLevelItemCount() == 4)
    assert not dialog.learning.adapt.isEnabled()
    assert dialog.learning.readiness.text().startswith("6 more are needed")
    dialog.close()


def test_turns_that_were_passed_count_as_right_unless_the_user_says_no(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    sure = [t for t in application.state.turns.turns() if t.emotion and not t.emotion.uncertain]
    assert len(sure) > 3
    application.controller.correcting.say(sure[-1], "fear")
    wait_for(lambda: application.controller.correcting._queue.idle)
    personal = application.controller.personal
    passed = personal.left_alone()
    assert [p.turn.index for p in passed] == [t.index for t in sure[:-1]]
    assert all(p.wanted.confirms and p.wanted.weight < 1 for p in passed)
    dialog = dialog_of(application)
    click(dialog.learning.left_alone)
    assert not personal.left_alone()
    click(dialog.learning.left_alone)
    work.gate.set()
    personal.adapt()
    wait_for(lambda: len(personal.kept.corrections) == len(sure))
    assert personal.kept.said == 1
    assert [label for label in said(application) if label] == ["fear"]  # they are not shown as said
    assert not personal.left_alone()
    dialog.close()


def test_what_is_kept_can_be_removed_one_by_one_and_altogether(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    adapted(application, work, wait_for)
    application.controller.personal.switch(True)
    dialog = dialog_of(application)
    wait_for(lambda: dialog.kept.list.topLevelItemCount() == TURNS)
    dialog.kept.list.topLevelItem(0).setSelected(True)
    click(dialog.kept.remove)
    wait_for(lambda: dialog.kept.list.topLevelItemCount() == TURNS - 1)
    assert said(application)[-1] is None
    click(dialog.kept.clear)
    assert dialog.kept.really.isVisible()
    click(dialog.kept.rather_not)
    assert not dialog.kept.really.isVisible()
    click(dialog.kept.clear)
    click(dialog.kept.really)
    wait_for(lambda: dialog.kept.list.topLevelItemCount() == 0)
    assert not list(work.folder.rglob("*.flac"))
    assert not application.controller.settings.personal
    assert not application.window.status.personal.isVisible()
    assert not any(said(application))
    dialog.close()


def test_each_speaker_of_a_session_can_be_chosen(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    adapted(application, work, wait_for)
    for row, speaker in enumerate(("A", "B")):
        turn = replace(turn_in(application, row), speaker=speaker, index=90 + row)
        application.state._take_speaker(turn)
    dialog = dialog_of(application)
    assert list(dialog.use.boxes) == ["A", "B"]
    dialog.use.switch.click()
    assert all(box.isChecked() for box in dialog.use.boxes.values())
    click(dialog.use.boxes["B"])
    assert application.controller.personal.speakers == ("A",)
    assert application.window.status.personal.text() == "● personal: me (A)"
    click(dialog.use.boxes["A"])
    assert not application.controller.personal.is_on  # for nobody: off
    dialog.close()


def test_another_person_has_corrections_of_their_own(
    application: Application, wait_for: WaitFor
) -> None:
    correcting = application.controller.correcting
    correcting.say(turn_in(application, 0), "sad")
    correcting.give(turn_in(application, 1), "수진")
    correcting.say(turn_in(application, 1), "fear")
    wait_for(lambda: correcting._queue.idle)
    wait_for(lambda: set(application.controller.personal.persons()) == {"me", "수진"})
    dialog = dialog_of(application)
    wait_for(lambda: dialog.person.count() == 2)
    dialog.person.setCurrentText("수진")
    dialog.person.textActivated.emit("수진")
    assert application.controller.settings.person == "수진"
    wait_for(lambda: dialog.kept.list.topLevelItemCount() == 1)
    dialog.close()


def test_the_choice_survives_a_settings_dialog_that_was_open_meanwhile(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    adapted(application, work, wait_for)
    application.controller.dialogs.open_settings()
    dialog = application.window.findChild(SettingsDialog)
    assert dialog is not None
    application.controller.personal.switch(True)
    dialog.accept()
    assert application.controller.settings.personal


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    adapted(application, work, wait_for)
    dialog = dialog_of(application)
    QTest.qWait(20)
    wanted = [w for w in controls(dialog) if w.isVisible() and w.isEnabled()]
    assert not [type(w).__name__ for w in wanted if not name_of(w)]
    assert name_of(dialog.kept.list)
    dialog.person.setFocus()
    seen: set[QWidget] = set()
    for _ in range(20):
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert {dialog.learning.adapt, dialog.use.switch, dialog.kept.list} <= seen
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_it_speaks_korean(
    qt: QApplication, application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    translations = Translations(qt)
    translations.use("ko")
    try:
        correct(application, wait_for, range(3))
        dialog = dialog_of(application)
        wait_for(lambda: dialog.kept.list.topLevelItemCount() == 3)
        texts = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]
        assert len(texts) > 6
        assert all(HANGUL.search(text) for text in texts)
        assert dialog.person.currentText() == "나"
        dialog.close()
    finally:
        translations.use("en")


@pytest.mark.parametrize(
    "reason",
    [
        adapting.KEPT,
        adapting.NO_GAIN,
        adapting.TOO_FEW,
        adapting.ONE_LABEL,
        adapting.ONLY_WRONG,
        adapting.CANCELLED,
    ],
)
def test_every_reason_is_a_sentence(qt: QApplication, reason: str) -> None:
    report = AdaptationReport(reason, GAIN, 6, 1.0, skipped=2)
    text = personal_words.outcome(report, "me")
    assert reason not in text.split()
    assert "{" not in text
    assert text.endswith(".")
    assert "2 corrections could not be used" in text


def test_the_least_number_is_that_of_the_core() -> None:
    assert personal_words.LEAST_CORRECTIONS == adapting.LEAST_CORRECTIONS


def test_what_did_not_count_alike_is_said(qt: QApplication) -> None:
    assert "count for less" not in personal_words.worth(GAIN)
    assert "count for less" in personal_words.worth(replace(GAIN, weighed=True))


def test_who_is_forgotten_while_their_voice_is_learned_stays_forgotten(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    correct(application, wait_for, range(10))
    personal = application.controller.personal
    personal.adapt()
    wait_for(lambda: bool(work.threads))
    personal.clear()
    wait_for(lambda: not personal.adapting and not personal.kept.corrections)
    wait_for(lambda: application.controller.correcting._queue.idle)
    assert personal.outcome is not None
    assert personal.outcome.report.reason == "cancelled"
    assert not list(work.folder.glob("*/*"))


def test_turns_that_were_passed_are_read_at_once_and_missing_sound_stops_nothing(
    application: Application,
    work: WatchedWork,
    wait_for: WaitFor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from core.audio.io import AudioDecoder

    correct(application, wait_for, range(TURNS - 1, TURNS))
    personal = application.controller.personal
    opened: list[Path] = []
    begin = AudioDecoder.__init__

    def counted(self: AudioDecoder, path: Path, *rest: object) -> None:
        if path.name == "talk.wav":
            opened.append(path)
        begin(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(AudioDecoder, "__init__", counted)
    work.gate.set()
    passed = len(personal.left_alone())
    assert passed > 3
    personal.adapt()
    wait_for(lambda: len(personal.kept.corrections) == 1 + passed)
    assert len(opened) == 1
    personal.remove(tuple(c for c in personal.kept.corrections if c.weight < 1))
    wait_for(lambda: len(personal.kept.corrections) == 1)
    (tmp_path / "talk.wav").unlink()
    personal.adapt()
    wait_for(lambda: personal.outcome is not None)
    assert personal.outcome is not None
    assert personal.outcome.report.reason == "kept"
