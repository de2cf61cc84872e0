from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QSettings

from core.audio.devices import InputDevice
from core.cli import main
from core.commands import devices
from core.errors import DeviceError

USB = InputDevice(3, "USB Audio", "ALSA", 48_000, 1, is_default=False)
BUILT_IN = InputDevice(1, "마이크 [내장]", "ALSA", 44_100, 2, is_default=True)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[InputDevice]]:
    found = [BUILT_IN, USB]
    monkeypatch.setattr(devices, "list_input_devices", lambda: tuple(found))
    monkeypatch.setenv("COLUMNS", "120")
    yield found
    devices.window_settings_path().unlink(missing_ok=True)


def remember(name: str) -> None:
    """Let the window's own storage remember a device."""
    ini, user = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(ini, user, str(devices.window_settings_path().parents[1]))
    settings = QSettings(ini, user, "emoscope", "emoscope")
    settings.setValue("app/device", name)
    settings.sync()


@pytest.mark.usefixtures("connected")
def test_devices_are_listed_and_the_default_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "default" in next(line for line in lines if "마이크 [내장]" in line)
    usb = next(line for line in lines if "USB Audio" in line)
    assert "48 kHz" in usb
    assert "default" not in usb


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("name", ["USB Audio", "마이크 [내장]"])
def test_the_device_the_window_remembers_is_marked(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(name)
    assert main(["devices", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows if row["is_remembered"]] == [name]


@pytest.mark.usefixtures("connected")
def test_a_remembered_device_that_is_gone_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    remember("Headset")
    assert main(["devices"]) == 0
    assert '"Headset"' in capsys.readouterr().out


def test_no_device_at_all_is_a_sentence(
    connected: list[InputDevice], capsys: pytest.CaptureFixture[str]
) -> None:
    connected.clear()
    assert main(["devices"]) == 2
    assert "No microphone was found." in capsys.readouterr().err


def test_an_audio_system_that_fails_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> tuple[InputDevice, ...]:
        raise DeviceError("The audio system does not answer.", "Restart it.")

    monkeypatch.setattr(devices, "list_input_devices", fail)
    assert main(["devices"]) == 2
    assert "does not answer" in capsys.readouterr().err
