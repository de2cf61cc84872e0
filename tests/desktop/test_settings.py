from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from core.audio.segmenter import SegmenterSettings
from desktop.settings import PAUSES, RECENT_FILES, AppSettings, SettingsStore


def reopened(settings: QSettings) -> SettingsStore:
    settings.sync()
    return SettingsStore(QSettings(settings.fileName(), QSettings.Format.IniFormat))


def test_what_was_chosen_is_there_at_the_next_start(settings: QSettings) -> None:
    chosen = AppSettings(
        interface_language="ko",
        theme="dark",
        device="USB Audio, 둘",
        channels="both",
        language="en",
        checkpoint="/models/mine",
        whisper="turbo",
        context="/models/dialogue",
        speakers="voice",
        processor="cpu",
        runtime="openvino:bf16",
        better_text=False,
        pause="long",
        recent=("/a b/하나.wav", "/c.mp3"),
    )
    SettingsStore(settings).save(chosen)
    assert reopened(settings).load() == chosen


def test_one_recent_file_and_none_survive(settings: QSettings) -> None:
    for recent in (("/only.wav",), ()):
        SettingsStore(settings).save(AppSettings(recent=recent))
        assert reopened(settings).load().recent == recent


def test_a_first_start_has_the_defaults(settings: QSettings) -> None:
    assert SettingsStore(settings).load() == AppSettings()


def test_damaged_entries_fall_back_to_their_defaults(settings: QSettings) -> None:
    settings.setValue("app/theme", "plaid")
    settings.setValue("app/language", "")
    settings.setValue("app/channels", "7")
    settings.setValue("app/speakers", "guess")
    settings.setValue("app/processor", "tpu")
    settings.setValue("app/runtime", "abacus:fp3")
    settings.setValue("app/better_text", "perhaps")
    settings.setValue("app/pause", "endless")
    settings.setValue("layout/docks", "no bytes")
    store = SettingsStore(settings)
    assert store.load() == AppSettings()
    assert store.layout("docks") is None


def test_recent_files_are_newest_first_without_repeats_and_bounded() -> None:
    settings = AppSettings()
    for number in range(RECENT_FILES + 3):
        settings = settings.with_recent(Path(f"/r/{number}.wav"))
    settings = settings.with_recent(Path("/r/5.wav"))
    assert settings.recent[0] == "/r/5.wav"
    assert len(settings.recent) == RECENT_FILES == len(set(settings.recent))
    assert settings.last_folder == "/r"
    assert replace(settings, theme="dark").recent == settings.recent


def test_a_layout_is_remembered_and_can_be_forgotten(settings: QSettings) -> None:
    SettingsStore(settings).save_layout("docks", QByteArray(b"\x00\x01docks"))
    store = reopened(settings)
    assert store.layout("docks") == QByteArray(b"\x00\x01docks")
    store.forget_layout()
    assert store.layout("docks") is None


def test_settings_of_an_older_version_get_the_defaults_of_what_is_new(settings: QSettings) -> None:
    settings.setValue("app/theme", "dark")
    settings.setValue("app/device", "USB Audio")
    loaded = reopened(settings).load()
    assert loaded == AppSettings(theme="dark", device="USB Audio")
    assert (loaded.processor, loaded.runtime, loaded.better_text) == ("auto", "auto", True)


def test_the_usual_pause_is_the_one_a_segmenter_has_anyway() -> None:
    assert PAUSES[AppSettings().pause] == SegmenterSettings().hangover
