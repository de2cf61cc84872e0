from __future__ import annotations

import sys
import threading

import pytest

from core.audio import portaudio
from core.audio.devices import InputDevice, find_device, list_input_devices
from core.errors import DeviceError
from tests.pulse import VirtualMicrophone


def device(index: int, name: str, api: str = "ALSA", default: bool = False) -> InputDevice:
    return InputDevice(index, name, api, 48_000, 2, default)


DEVICES = (
    device(0, "USB Audio", "MME"),
    device(1, "USB Audio", "WASAPI", default=True),
    device(2, "Webcam microphone"),
    device(3, "Line in"),
    device(4, "Line in 2"),
)


@pytest.mark.parametrize(
    ("name", "index"),
    [(None, 1), ("USB Audio", 1), ("webcam", 2), ("Line in", 3), ("in 2", 4)],
)
def test_a_device_is_found_by_name_or_by_a_part_that_only_it_has(
    name: str | None, index: int
) -> None:
    assert find_device(DEVICES, name).index == index


@pytest.mark.parametrize(
    ("name", "problem"), [("line", "fits several"), ("Bluetooth", "is not connected")]
)
def test_a_name_that_does_not_lead_to_one_device_names_the_choices(name: str, problem: str) -> None:
    with pytest.raises(DeviceError, match=problem) as caught:
        find_device(DEVICES, name)
    assert "Line in" in caught.value.remedy


def test_without_any_device_there_is_a_remedy() -> None:
    with pytest.raises(DeviceError, match="No microphone") as caught:
        find_device((), None)
    assert caught.value.remedy


def test_a_missing_library_gives_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(name: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(portaudio.importlib, "import_module", fail)
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        list_input_devices()


def test_an_audio_system_that_hangs_is_left_behind() -> None:
    release = threading.Event()
    with pytest.raises(DeviceError, match="does not answer"):
        portaudio.bounded(release.wait, timeout=0.05)
    release.set()


@pytest.mark.microphone
def test_devices_are_listed_and_listed_again(virtual_microphone: VirtualMicrophone) -> None:
    with virtual_microphone.used_here():
        devices = list_input_devices(refresh=True)
        names = [found.name for found in devices]
        assert "pulse" in names
        assert sum(found.is_default for found in devices) == 1
        assert all(found.rate > 0 and found.channels > 0 for found in devices)
        virtual_microphone.kill()
        assert list_input_devices() == devices  # PortAudio keeps its old list ...
        after = list_input_devices(refresh=True)  # ... until it is asked to look again
        assert after != devices
        virtual_microphone.start()
        assert [found.name for found in list_input_devices(refresh=True)] == names
