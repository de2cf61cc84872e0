"""What the user says about turns: asked for by real clicks and keys, shown, kept, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QMenu

from core.personal.corrections import CorrectionStore
from core.pipeline.events import SessionState
from core.types import TurnStatus
from desktop.app import Application
from desktop.panels.correction_row import CorrectionRow
from desktop.panels.transcript import TranscriptPanel
from desktop.turn_sound import SessionSound, read_turn, read_turns
from tests.desktop.conftest import WaitFor
from tests.desktop.personal_screen import (
    WatchedWork,
    click,
    click_entry,
    menu_of,
    said,
    turn_in,
    write_wav,
)
from tests.desktop.test_controller import FakeSessions
from tests.fakes import conversation

SOUND = conversation(1.0, 2.0, 1.5)


@pytest.fixture
def work(tmp_path: Path) -> WatchedWork:
    return WatchedWork(tmp_path / "personal")


@pytest.fixture
def application(
    qt: QApplication, settings: QSettings, work: WatchedWork, tmp_path: Path, wait_for: WaitFor
) -> Iterator[Application]:
    settings.setValue("app/sessions_folder", str(tmp_path / "sessions"))
    sessions = FakeSessions()
    sessions.recording_sound = SOUND
    made = Application(qt, settings, sessions, tmp_path)
    made.controller.correcting.work = work
    made.window.resize(1440, 900)
    made.window.show()
    made.controller.open_recording(write_wav(tmp_path / "talk.wav", SOUND))
    wait_for(lambda: made.state.session is SessionState.IDLE and made.state.turns.rowCount() == 3)
    wait_for(lambda: turn_in(made, 2).status is TurnStatus.FINAL)
    QTest.qWait(30)
    yield made
    made.window.close()
    made.window.deleteLater()
    QTest.qWait(10)


def transcript(application: Application) -> TranscriptPanel:
    panel = application.window.panels["transcript"]
    assert isinstance(panel, TranscriptPanel)
    return panel


def row(application: Application) -> CorrectionRow:
    found = application.window.panels["why"].findChild(CorrectionRow)
    assert found is not None
    return found


def quiet(application: Application) -> bool:
    return application.controller.correcting._queue.idle


def test_a_turn_is_corrected_by_a_click_and_the_models_word_stays(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    application.state.select(turn_in(application, 1))
    emotion = turn_in(application, 1).emotion
    assert emotion is not None
    assert row(application).isVisible()
    click(row(application).change)
    menu = menu_of(application)
    click_entry(menu, menu.labels["sad"])
    assert said(application) == [None, "sad", None]
    wait_for(lambda: quiet(application))
    assert turn_in(application, 1).emotion == emotion
    (kept,) = CorrectionStore(work.folder).all("me")
    assert (kept.label, kept.said) == ("sad", "" if emotion.uncertain else emotion.label)
    assert kept.digest == emotion.model.digest
    assert row(application)._words.text() == "You say: sad (me)"


def test_the_clip_is_just_what_the_session_heard(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    turn = turn_in(application, 0)
    application.controller.correcting.say(turn, "fear")
    wait_for(lambda: quiet(application))
    store = CorrectionStore(work.folder)
    clip = store.clip(store.all("me")[0].id)
    heard = SOUND[turn.start : turn.end]
    assert clip.shape == heard.shape
    assert float(np.abs(clip - heard).max()) < 2 / 32768


def test_the_channel_of_the_speaker_is_read(application: Application, tmp_path: Path) -> None:
    from core.dialogue.wav import to_pcm, wav_header

    both = np.stack([SOUND, 0.5 * SOUND])
    pcm = to_pcm(both)
    path = tmp_path / "two.wav"
    path.write_bytes(wav_header(2, len(pcm)) + pcm)
    turn = replace(turn_in(application, 0), channel=1)
    found = read_turn(SessionSound(path), turn)
    assert float(np.abs(found - both[1, turn.start : turn.end]).max()) < 1 / 32768


def test_keys_alone_suffice(application: Application, wait_for: WaitFor) -> None:
    application.state.select(turn_in(application, 2))
    view = transcript(application).view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    menu = menu_of(application)
    QTest.keyClick(menu, Qt.Key.Key_3)
    labels = turn_in(application, 2).emotion
    assert labels is not None
    assert said(application) == [None, None, labels.labels[2]]
    wait_for(lambda: quiet(application))


def test_the_right_button_asks_about_the_turn_below_it(
    application: Application, wait_for: WaitFor
) -> None:
    view = transcript(application).view
    place = view.visualRect(application.state.turns.index(2, 0)).center()
    view.customContextMenuRequested.emit(place)
    menu = menu_of(application)
    assert application.state.selected is turn_in(application, 2)
    assert menu.confirm is not None
    click_entry(menu, menu.confirm)
    correction = application.state.corrected.of(turn_in(application, 2))
    assert correction is not None
    assert correction.confirms
    wait_for(lambda: quiet(application))
    assert row(application)._words.text().startswith("You say: right")


def test_what_was_said_is_taken_back(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    turn = turn_in(application, 0)
    application.controller.correcting.say(turn, "fear")
    wait_for(lambda: quiet(application))
    application.state.correction_asked.emit(turn, QPoint(10, 10))
    menu = menu_of(application)
    assert menu.labels["fear"].font().bold()
    assert menu.undo is not None
    click_entry(menu, menu.undo)
    assert said(application) == [None] * 3
    wait_for(lambda: quiet(application))
    assert not CorrectionStore(work.folder).all("me")
    assert not list(work.folder.glob("*/clips/*.flac"))


def test_the_last_word_counts_however_fast_it_came(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    for label in ("fear", "sad", "happy", "disgust"):
        application.controller.correcting.say(turn_in(application, 0), label)
    assert said(application) == ["disgust", None, None]
    wait_for(lambda: quiet(application))
    assert [c.label for c in CorrectionStore(work.folder).all("me")] == ["disgust"]
    assert said(application) == ["disgust", None, None]


def test_what_was_said_just_before_the_window_closes_is_kept(
    application: Application, work: WatchedWork
) -> None:
    for row in range(3):
        application.controller.correcting.say(turn_in(application, row), "fear")
    application.window.close()
    assert len(CorrectionStore(work.folder).all("me")) == 3


def test_a_recording_that_is_opened_again_shows_what_was_said(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    application.controller.correcting.say(turn_in(application, 1), "sad")
    wait_for(lambda: quiet(application))
    application.controller.open_recording(tmp_path / "talk.wav")
    assert len(application.state.corrected) == 0
    wait_for(lambda: application.state.turns.rowCount() == 3 and quiet(application))
    wait_for(lambda: turn_in(application, 2).status is TurnStatus.FINAL)
    assert said(application) == [None, "sad", None]


def test_whose_voice_it_is_can_be_said(
    application: Application, work: WatchedWork, wait_for: WaitFor
) -> None:
    turn = turn_in(application, 0)
    application.controller.correcting.say(turn, "fear")
    application.state.correction_asked.emit(turn, QPoint(10, 10))
    persons = menu_of(application).findChild(QMenu)
    assert persons is not None
    persons.actions()[-1].trigger()
    dialog = application.window.findChild(QInputDialog)
    assert dialog is not None
    dialog.setTextValue("수진")
    dialog.accept()
    wait_for(lambda: quiet(application))
    store = CorrectionStore(work.folder)
    assert store.persons() == ("수진",)
    assert application.controller.correcting.person_of(turn.speaker) == "수진"
    application.controller.correcting.say(turn_in(application, 1), "sad")
    wait_for(lambda: quiet(application))
    assert len(store.all("수진")) == 2


def test_of_two_speakers_only_the_first_is_taken_for_the_user(application: Application) -> None:
    correcting = application.controller.correcting
    assert correcting.person_of("A") == "me"
    correcting._set_person("A", "me")
    assert correcting.person_of("B") == "B"
    assert correcting.speakers_of("me") == ("A",)


def test_a_correction_that_cant_be_kept_is_said_and_not_shown(
    application: Application, wait_for: WaitFor, tmp_path: Path
) -> None:
    (tmp_path / "talk.wav").unlink()
    application.controller.correcting.say(turn_in(application, 0), "fear")
    wait_for(lambda: "error" in application.window.banners.shown())
    assert "talk.wav" in application.window.banners.text("error")
    assert said(application) == [None] * 3


def test_a_turn_without_sound_can_not_be_corrected(application: Application) -> None:
    turn = turn_in(application, 0)
    assert application.state.correctable(turn)
    application.controller._sound = lambda: None
    assert not application.state.correctable(turn)
    application.state.select(turn)
    assert not row(application).isVisible()


def test_the_transcript_marks_what_a_person_said(
    application: Application, wait_for: WaitFor
) -> None:
    view = transcript(application).view
    index = application.state.turns.index(0, 0)
    before = view.viewport().grab(view.visualRect(index)).toImage()
    application.controller.correcting.say(turn_in(application, 0), "fear")
    wait_for(lambda: quiet(application))
    after = view.viewport().grab(view.visualRect(index)).toImage()
    fear = application.state.theme.emotion_colour("fear").rgb()
    assert _pixels(after, fear) > 40
    assert _pixels(before, fear) == 0
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "you say: fear" in spoken


def _pixels(image: QImage, colour: int) -> int:
    return sum(
        image.pixel(x, y) == colour for x in range(image.width()) for y in range(image.height())
    )


def test_many_turns_are_read_as_one_by_one(application: Application, tmp_path: Path) -> None:
    sound = SessionSound(tmp_path / "talk.wav")
    turns = [turn for turn in application.state.turns.turns() if turn.end > turn.start]
    beyond = replace(turns[-1], start=SOUND.size - 8000, end=SOUND.size + 8000)
    within = replace(turns[0], start=turns[0].start - 500, end=turns[1].end)
    wanted = [*reversed(turns), within, beyond]
    found = list(read_turns(sound, wanted))
    assert {id(turn) for turn, _ in found} == {id(turn) for turn in wanted} - {id(beyond)}
    for turn, samples in found:
        assert np.array_equal(samples, read_turn(sound, turn))
        assert samples.size == turn.end - turn.start


def test_a_name_is_kept_as_the_store_has_it_and_a_bad_one_changes_nothing(
    application: Application,
) -> None:
    correcting, turn = application.controller.correcting, turn_in(application, 0)
    before = correcting.person_of(turn.speaker)
    correcting.give(turn, "x" * 99)
    assert correcting.person_of(turn.speaker) == before
    assert application.window.banners.isVisible()
    correcting.give(turn, " Mina   Kim")
    assert correcting.person_of(turn.speaker) == "Mina Kim"
    assert correcting.speakers_of("Mina Kim")
