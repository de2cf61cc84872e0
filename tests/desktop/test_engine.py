"""What computes the results, how late they are and what gives way: as the window says it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolTip

from core.pipeline.effort import LADDER
from core.pipeline.events import EffortChanged, SessionState, TurnUpdated
from core.types import Modality, ModelInfo, RuntimeInfo, TurnStatus
from desktop import engine_words, messages
from desktop.item_models.delay import HOLD, LATE, Delay
from desktop.main_window import MainWindow
from desktop.panels.engine import EnginePage
from desktop.translations import Translations
from tests.desktop.conftest import converse
from tests.desktop.test_item_models import turn
from tests.fakes import FAKE_MODEL

SPEECH = RuntimeInfo(Modality.SPEECH, "openvino", "fp32", "measured", "", 2.23, 9e-6)
TEXT = RuntimeInfo(Modality.TEXT, "packed", "fp32", "measured", "", 2.3, 4e-6)
LOSSY = RuntimeInfo(Modality.SPEECH, "openvino", "bf16", "chosen", "", 4.1, 4e-2, lossy=True)


def model(*runtimes: RuntimeInfo, device: str = "cpu", reason: str = "no_driver") -> ModelInfo:
    return replace(FAKE_MODEL, runtimes=runtimes, device=device, device_reason=reason)


@pytest.fixture
def korean(qt: QApplication) -> Iterator[None]:
    translations = Translations(qt)
    translations.use("ko")
    yield
    translations.use("en")


class TestWords:
    @pytest.mark.parametrize(
        ("info", "said"),
        [
            (model(), "CPU"),
            (model(SPEECH), "CPU, OpenVINO"),
            (model(SPEECH, TEXT), "CPU, OpenVINO + oneDNN"),
            (model(LOSSY), "CPU, OpenVINO (approximate)"),
            (model(replace(SPEECH, name="torch")), "CPU"),
            (model(device="cuda:0"), "GPU"),
            (model(replace(SPEECH, name="brand_new")), "CPU, brand_new"),
        ],
    )
    def test_the_status_line_needs_few_words(self, info: ModelInfo, said: str) -> None:
        assert engine_words.short(info) == said

    def test_a_runtime_is_named_with_its_numbers_speed_and_check(self) -> None:
        said = engine_words.runtime(SPEECH)
        assert said.startswith(
            "OpenVINO (a library of Intel) with 32-bit numbers: the same results."
        )
        assert "2.2 times as fast as PyTorch, measured on this computer" in said
        assert "0.000009" in said

    def test_what_is_lossy_is_said_to_be_approximate_and_why_it_was_taken(self) -> None:
        said = engine_words.runtime(LOSSY)
        assert "approximate" in said
        assert "16-bit numbers (bf16)" in said
        assert said.endswith("As chosen in the settings.")
        assert "approximate" not in engine_words.runtime(SPEECH)

    def test_a_fallback_says_in_the_place_of_what(self) -> None:
        fallen = RuntimeInfo(Modality.TEXT, "torch", reason="fallback", detail="no onnx here.")
        assert "no onnx here." in engine_words.runtime(fallen)
        assert "times as fast" not in engine_words.runtime(fallen)

    def test_a_fallback_after_the_gpu_failed_says_so_in_words(self) -> None:
        fallen = RuntimeInfo(Modality.TEXT, "packed", reason="fallback", detail="out_of_memory")
        assert "the memory of the GPU was full." in engine_words.runtime(fallen)
        assert "out_of_memory" not in engine_words.runtime(fallen)

    def test_a_difference_that_is_no_number_breaks_nothing(self) -> None:
        for odd in (float("inf"), float("nan")):
            said = engine_words.runtime(replace(LOSSY, difference=odd))
            assert "largest difference" not in said

    def test_an_unknown_reason_and_precision_are_shown_and_break_nothing(self) -> None:
        odd = RuntimeInfo(Modality.SPEECH, "odd", "fp4", "whim", "because of the moon")
        said = engine_words.runtime(odd)
        assert "odd" in said
        assert "fp4" in said
        assert "because of the moon" in said
        assert engine_words.where(model(reason="new_code")) == "CPU: new_code."

    @pytest.mark.parametrize("code", sorted(messages.REASONS))
    def test_every_reason_of_a_device_is_a_korean_sentence_too(
        self, code: str, korean: None
    ) -> None:
        assert messages.device_reason(code) != messages.REASONS[code]

    def test_each_step_down_is_said_and_adds_to_what_is_left_out(self) -> None:
        levels = range(1, len(LADDER))
        lines = [engine_words.effort(level, len(LADDER)) for level in levels]
        assert lines[0] == "keeping up: fewer live updates (1 of 4)"
        assert len(set(lines)) == len(lines)
        steps = [set(engine_words.effort_steps(level)) for level in levels]
        assert all(before < after for before, after in itertools.pairwise(steps))
        assert not engine_words.effort_steps(0)

    def test_a_level_beyond_the_ladder_is_the_last_one(self) -> None:
        last = len(LADDER) - 1
        assert engine_words.effort_steps(last + 3) == engine_words.effort_steps(last)


class TestDelay:
    def test_the_longest_of_the_last_seconds_is_held(self) -> None:
        delay = Delay()
        for at, lag in ((1.0, 0.2), (1.3, 0.6), (1.6, 0.1)):
            delay.take(turn(0, 0, at, TurnStatus.FINAL), lag, at)
        assert delay.seconds(2.0) == 0.6
        assert delay.seconds(1.3 + HOLD + 0.1) == 0.1

    def test_it_grows_while_a_result_is_awaited(self) -> None:
        delay = Delay()
        delay.take(turn(0, 0, 2.0, TurnStatus.SPEECH), 0.3, 2.3)
        assert delay.seconds(4.0) == pytest.approx(2.0)
        assert delay.late
        delay.take(turn(0, 0, 2.0), 2.5, 4.5)
        assert delay.seconds(4.5) == 2.5
        assert delay.seconds(4.5 + HOLD + 0.1) == 2.5  # the last one known, and no alarm
        assert not delay.late

    def test_an_alarm_does_not_flicker_about_its_limit(self) -> None:
        delay = Delay()
        delay.take(turn(0, 0, 1.0, TurnStatus.FINAL), LATE + 0.1, 1.0)
        assert delay.seconds(1.0)
        assert delay.late
        delay.take(turn(1, 4, 5.0, TurnStatus.FINAL), LATE - 0.1, 5.0)
        assert delay.seconds(5.0)
        assert delay.late
        delay.take(turn(2, 8, 9.0, TurnStatus.FINAL), 0.3, 9.0)
        assert delay.seconds(9.0)
        assert not delay.late

    def test_a_better_text_of_an_old_turn_is_no_delay(self) -> None:
        delay = Delay()
        delay.take(turn(0, 0, 1.0), 0.2, 1.2)
        delay.take(turn(0, 0, 1.0), None, 9.0)
        assert delay.seconds(9.0) == 0.2

    def test_nothing_is_said_before_the_first_result(self) -> None:
        assert Delay().seconds(5.0) is None

    def test_a_turn_that_waits_unseen_counts_too(self) -> None:
        delay = Delay()
        delay.take(turn(0, 0, 1.0), 0.2, 1.2)
        assert delay.seconds(1.4, awaited=3.1) == 3.1
        assert delay.late
        assert delay.seconds(1.5, awaited=0.0) == 0.2
        assert not delay.late


class TestStatusLine:
    def test_the_delay_is_shown_live_and_has_a_name(self, window: MainWindow) -> None:
        converse(window.state, 5.0)
        label = window.status.delay
        window.status.take_turn(TurnUpdated(turn(99, 4.0, 5.0, emotion=None), 0.24))
        assert label.isVisible()
        assert label.text() == "0.2 s behind"
        assert label.accessibleName() == "Delay of the results: 0.2 s behind"
        assert not label.property("late")
        window.state.enter(SessionState.IDLE)
        assert not label.isVisible()

    def test_a_delay_that_matters_is_marked_and_the_mark_goes(self, window: MainWindow) -> None:
        converse(window.state, 5.0)
        status = window.status
        status.take_turn(TurnUpdated(turn(99, 1.0, 2.0), 3.2))
        status.delay.refresh()
        assert status.delay.property("late") is True
        later = [turn(100 + n, 20.0 + n, 21.0 + n) for n in range(2)]
        window.state.time.now = 22.0
        for entry in later:
            status.take_turn(TurnUpdated(entry, 0.1))
        status.delay.refresh()
        assert status.delay.property("late") is False

    def test_a_recording_from_a_file_has_no_delay(self, window: MainWindow) -> None:
        converse(window.state, 5.0, live=False)
        window.status.take_turn(TurnUpdated(turn(99, 4.0, 5.0), None))
        assert not window.status.delay.isVisible()

    def test_what_is_left_out_is_said_quietly_and_taken_back(self, window: MainWindow) -> None:
        converse(window.state, 5.0)
        status = window.status
        assert not status.effort.isVisible()
        status.take_effort(EffortChanged(1, 5, 1.4))
        assert status.effort.isVisible()
        assert status.effort.text() == "keeping up: fewer live updates (1 of 4)"
        assert "never give way" in status.effort.toolTip()
        assert not window.banners.shown()
        status.take_effort(EffortChanged(0, 5, 0.1))
        assert not status.effort.isVisible()

    def test_a_new_session_begins_with_everything(self, window: MainWindow) -> None:
        converse(window.state, 5.0)
        window.status.take_effort(EffortChanged(3, 5, 1.4))
        window.status.begin()
        converse(window.state, 1.0)
        assert not window.status.effort.isVisible()

    def test_a_click_opens_all_there_is_to_say_and_escape_closes_it(
        self, window: MainWindow, qt: QApplication
    ) -> None:
        window.status.set_model(model(SPEECH, LOSSY))
        button = window.status.engine
        assert button.text() == "CPU, OpenVINO (approximate)"
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
        page = window.findChild(EnginePage)
        assert page is not None
        assert page.isVisible()
        said = "\n".join(label.text() for label in page.findChildren(QLabel))
        for part in ("no driver that works", "2.2 times as fast", "approximate results"):
            assert part in said
        assert button.toolTip() in page.accessibleDescription()
        QTest.qWait(20)
        for label in page.findChildren(QLabel):
            assert label.height() >= label.heightForWidth(label.width()), label.text()
        QTest.keyClick(page, Qt.Key.Key_Escape)
        assert not page.isVisible()

    def test_the_tooltip_tells_what_holds_when_it_is_asked_for(
        self, window: MainWindow, qt: QApplication
    ) -> None:
        converse(window.state, 5.0)
        status = window.status
        status.set_model(model())
        status.take_turn(TurnUpdated(turn(99, 4.0, 5.0, emotion=None), 0.24))
        qt.sendEvent(status.engine, QHelpEvent(QEvent.Type.ToolTip, QPoint(2, 2), QPoint(2, 2)))
        assert "0.2 s behind" in status.engine.toolTip()
        QToolTip.hideText()

    def test_the_model_of_the_last_session_is_not_said_to_be_that_of_the_next(
        self, window: MainWindow
    ) -> None:
        status = window.status
        status.set_model(model(SPEECH))
        status.begin()
        assert status.engine.text() == "no model loaded yet"
        assert "fake" not in status.engine.toolTip()
        assert not status._model.isVisible()

    def test_the_page_leads_to_the_settings(self, window: MainWindow) -> None:
        asked: list[bool] = []
        window.status.settings_wanted.connect(lambda: asked.append(True))
        page = window.status.engine.open_page()
        button = page.findChild(QPushButton)
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert asked == [True]
        assert not page.isVisible()

    def test_loading_says_what_takes_so_long(self, window: MainWindow) -> None:
        state, status = window.state, window.status
        state.begin(live=True)
        state.enter(SessionState.LOADING)
        assert status.engine.text() == "loading the model…"
        state.prepare()
        assert status.engine.text().startswith("preparing the model for this computer, once…")
        labels = window.panels["transcript"].findChildren(QLabel)
        assert any("prepared for this computer" in label.text() for label in labels)
        status.set_model(model(SPEECH))
        state.enter(SessionState.RUNNING)
        assert status.engine.text() == "CPU, OpenVINO"
        state.prepare()
        assert not state.preparing

    @pytest.mark.parametrize("language", ["en", "ko"])
    def test_all_of_it_fits_into_a_narrow_window(
        self, window: MainWindow, qt: QApplication, language: str, request: pytest.FixtureRequest
    ) -> None:
        if language == "ko":
            request.getfixturevalue("korean")
        window.resize(1024, 700)
        QTest.qWait(20)
        converse(window.state, 5.0)
        status = window.status
        status.set_model(model(SPEECH, LOSSY))
        status.set_transcriber("Whisper large-v3-turbo")
        status.take_effort(EffortChanged(4, 5, 1.4))
        status.set_saved()
        QTest.qWait(20)
        assert window.width() == 1024
        for label in status.findChildren(QLabel):
            if label.isVisible() and label.text():
                assert label.width() >= label.sizeHint().width(), label.text()
                assert label.geometry().right() <= status.width(), label.text()

    def test_everything_is_said_in_korean(self, window: MainWindow, korean: None) -> None:
        converse(window.state, 5.0)
        status = window.status
        status.set_model(model(SPEECH, LOSSY))
        status.take_effort(EffortChanged(4, 5, 1.4))
        said = " ".join([status.effort.text(), status.effort.toolTip(), status.engine.toolTip()])
        for name in ("OpenVINO", "Intel", "PyTorch", "CPU", "GPU", "bf", "fake", "Whisper"):
            said = said.replace(name, "")
        assert not [letter for letter in said if "a" <= letter.lower() <= "z"]
