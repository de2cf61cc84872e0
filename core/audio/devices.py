"""Input devices: what there is, and which one a name means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.audio import portaudio
from core.errors import DeviceError


@dataclass(frozen=True, slots=True)
class InputDevice:
    """An input device. `rate` is its own sample rate in Hz; `index` is valid until re-listing."""

    index: int
    name: str
    host_api: str
    rate: int
    channels: int
    is_default: bool


def list_input_devices(refresh: bool = False) -> tuple[InputDevice, ...]:
    """Return the input devices; with `refresh` newly connected ones too, unless one is recording.

    Raises DeviceError when PortAudio is missing or the audio system does not answer.
    """

    def work() -> tuple[InputDevice, ...]:
        with portaudio.library() as sounddevice:
            if refresh:
                portaudio.reinitialise_inside(sounddevice)
            return query(sounddevice)

    return portaudio.bounded(work)


def query(sounddevice: Any) -> tuple[InputDevice, ...]:
    """Return the input devices as PortAudio lists them; inside `portaudio.library` only."""
    apis = sounddevice.query_hostapis()
    default = sounddevice.default.device[0]
    found = []
    for index, device in enumerate(sounddevice.query_devices()):
        if device["max_input_channels"] > 0:
            found.append(
                InputDevice(
                    index=index,
                    name=device["name"],
                    host_api=apis[device["hostapi"]]["name"],
                    rate=int(device["default_samplerate"]),
                    channels=device["max_input_channels"],
                    is_default=index == default,
                )
            )
    return tuple(found)


def find_device(devices: Sequence[InputDevice], name: str | None) -> InputDevice:
    """Return the device called `name`, or the only one whose name contains it; None: the default.

    Of devices with the same name (one per host API) the default or else the first is taken.
    Raises DeviceError, naming what there is.
    """
    if not devices:
        raise DeviceError(
            "No microphone was found.",
            "Connect one, or allow this program to use it, then list the devices again.",
        )
    if name is None:
        return _preferred(devices)
    exact = [device for device in devices if device.name == name]
    if exact:
        return _preferred(exact)
    partial = [device for device in devices if name.casefold() in device.name.casefold()]
    if len({device.name for device in partial}) == 1:
        return _preferred(partial)
    there_are = ", ".join(dict.fromkeys(device.name for device in partial or devices))
    problem = "fits several microphones" if partial else "is not connected"
    raise DeviceError(f'"{name}" {problem}.', f"Choose one of: {there_are}.")


def _preferred(devices: Sequence[InputDevice]) -> InputDevice:
    return next((device for device in devices if device.is_default), devices[0])
