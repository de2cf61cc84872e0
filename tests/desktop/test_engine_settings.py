"""The engine's page of the settings, and that what is chosen there reaches a session."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from core.models.runtimes import base
from core.pipeline.events import Event, Notice
from core.types import Message
from desktop import sessions
from desktop.app import style
from desktop.dialogs.engine_settings import EngineSettings
from desktop.dialogs.settings import SettingsDialog
from desktop.settings import PAUSES, AppSettings, SettingsStore, runtime_text
from desktop.theme import LIGHT
from desktop.translations import Translations
from tests.desktop.test_accessibility import controls, name_of


def values(box: Any) -> list[object]:
    return [box.itemData(place) for place in range(box.count())]


@pytest.fixture
def page(qt: QApplication) -> EngineSettings:
    return EngineSettings(AppSettings())


def test_untouched_it_changes_nothing(page: EngineSettings) -> None:
    assert page.applied(AppSettings()) == AppSettings()


def test_choices_are_made_by_keys_and_taken_over(page: EngineSettings) -> None:
    page.show()
    for box, presses in ((page.processor, 1), (page.text, 1), (page.pause, 2), (page.runtime, 1)):
        for _ in range(presses):
            QTest.keyClick(box, Qt.Key.Key_Down)
    assert page.applied(AppSettings(theme="dark")) == AppSettings(
        theme="dark", processor="cpu", runtime="lossy", better_text=False, pause="long"
    )


def test_only_runtimes_that_are_installed_are_offered(
    qt: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    bare = EngineSettings(AppSettings(runtime="openvino"))
    offered = values(bare.runtime)
    assert offered[:4] == ["auto", "lossy", "torch", "packed"]
    assert "onnxruntime" not in offered
    assert bare.runtime.currentText() == "OpenVINO (a library of Intel), not installed"
    assert bare.applied(AppSettings()).runtime == "openvino"
    monkeypatch.setattr(base, "find_spec", lambda name: name)
    everything = EngineSettings(AppSettings())
    full = values(everything.runtime)
    assert {"onnxruntime", "openvino", "onnxruntime:int8", "openvino:bf16"} <= set(full)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("openvino:fp32", "openvino"), ("OpenVINO", "openvino"), ("packed:bf16", "packed:bf16")],
)
def test_a_runtime_that_was_written_in_another_way_is_the_same_choice(
    qt: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, kept: str
) -> None:
    monkeypatch.setattr(base, "find_spec", lambda name: name)
    file = tmp_path / "emoscope.ini"
    file.write_text(f"[app]\nruntime={written}\n", encoding="utf-8")
    store = SettingsStore(QSettings(str(file), QSettings.Format.IniFormat))
    assert store.load().runtime == kept
    page = EngineSettings(store.load())
    assert page.runtime.currentData() == kept
    assert "not installed" not in page.runtime.currentText()


def test_every_way_to_compute_that_is_there_is_offered_in_words(page: EngineSettings) -> None:
    assert values(page.runtime)[2:] == [runtime_text(mode) for mode in base.available()]
    for place in range(page.runtime.count()):
        assert not re.search(r"_|:|NoneType", page.runtime.itemText(place))
    text = page.runtime.itemText(page.runtime.findData("packed:bf16"))
    assert text == "oneDNN with 16-bit numbers (bf16), approximate"


def test_what_is_lossy_is_called_approximate(page: EngineSettings) -> None:
    for place in range(page.runtime.count()):
        value = str(page.runtime.itemData(place))
        text = page.runtime.itemText(place)
        assert ("approximate" in text) is (":" in value or value == "lossy"), text


def test_each_choice_has_a_name_and_a_sentence(page: EngineSettings) -> None:
    boxes = list(controls(page))
    assert len(boxes) == 4
    for box in boxes:
        assert name_of(box)
        assert box.accessibleDescription().endswith(".")


@pytest.mark.parametrize(("name", "seconds"), sorted(PAUSES.items()))
def test_the_pause_and_the_second_look_reach_the_session(name: str, seconds: float) -> None:
    chosen = AppSettings(pause=name, better_text=name == "long", language="ko")
    settings = sessions.session_settings(chosen, live=True)
    assert settings.hangover == seconds
    assert settings.better_text is (name == "long")
    assert (settings.live, settings.language) == (True, "ko")


def test_processor_and_runtime_reach_the_analyzer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def load(*given: object, exporting: Callable[[], None]) -> None:
        asked.append(given)
        exporting()

    monkeypatch.setattr("core.pipeline.analyzer.load_analyzer", load)
    told: list[Event] = []
    chosen = AppSettings(checkpoint="/models/mine", processor="cpu", runtime="openvino")
    sessions.analyzer_maker(chosen, told.append)()
    assert asked == [(Path("/models/mine"), "cpu", "openvino")]
    assert told == [Notice(Message(sessions.PREPARING))]


@pytest.mark.parametrize(
    ("chosen", "live", "quick"),
    [
        (AppSettings(), True, True),
        (AppSettings(), False, False),
        (AppSettings(better_text=False), True, False),
    ],
)
def test_a_first_text_is_quick_only_where_a_better_one_follows(
    chosen: AppSettings, live: bool, quick: bool
) -> None:
    assert sessions.whisper_settings(chosen, "base", live).quick_finals is quick


def test_processor_language_and_leave_to_approximate_reach_the_recognition() -> None:
    plain = sessions.whisper_settings(AppSettings(), "base", live=True)
    assert (plain.device, plain.language, plain.encoder_window) == ("auto", None, "full")
    chosen = AppSettings(processor="cpu", language="ko", runtime="lossy")
    other = sessions.whisper_settings(chosen, "base", live=True)
    assert (other.device, other.language, other.encoder_window) == ("cpu", "ko", "auto")


@pytest.mark.parametrize("live", [True, False])
def test_the_recognition_that_is_looked_for_is_the_chosen_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, live: bool
) -> None:
    asked: list[Any] = []

    def look(settings: Any) -> Any:
        asked.append(settings)
        raise LookupError

    monkeypatch.setattr("core.asr.fallback.find_transcriber", look)
    chosen = AppSettings(whisper=str(tmp_path))
    with pytest.raises(LookupError):
        sessions.make_transcriber(chosen, live)
    assert asked == [sessions.whisper_settings(chosen, str(tmp_path), live)]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_sentence_is_cropped_in_the_smallest_dialog(qt: QApplication, language: str) -> None:
    style(qt, LIGHT)
    translations = Translations(qt)
    translations.use(language)
    dialog = SettingsDialog(AppSettings())
    dialog.show_page("engine")
    dialog.show()
    QTest.qWait(10)
    dialog.resize(1, 1)
    QTest.qWait(10)
    sentences = dialog.engine.findChildren(QLabel)
    assert len(sentences) >= 9
    for label in sentences:
        assert label.height() >= label.heightForWidth(label.width()), label.text()
        assert label.geometry().right() <= dialog.engine.width(), label.text()
    dialog.close()
    translations.use("en")
