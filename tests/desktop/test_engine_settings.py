"""The engine's page of the settings, and that what is chosen there reaches a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.models.runtimes import base
from desktop import sessions
from desktop.dialogs.engine_settings import EngineSettings
from desktop.settings import PAUSES, AppSettings
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
    assert bare.runtime.currentText() == "openvino (not installed)"
    assert bare.applied(AppSettings()).runtime == "openvino"
    monkeypatch.setattr(base, "find_spec", lambda name: name)
    everything = EngineSettings(AppSettings())
    full = values(everything.runtime)
    assert {"onnxruntime", "openvino", "onnxruntime:int8", "openvino:bf16"} <= set(full)


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
    monkeypatch.setattr("core.pipeline.analyzer.load_analyzer", lambda *given: asked.append(given))
    chosen = AppSettings(checkpoint="/models/mine", processor="cpu", runtime="openvino")
    sessions.analyzer_maker(chosen)()
    assert asked == [(Path("/models/mine"), "cpu", "openvino")]


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
