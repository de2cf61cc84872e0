"""One opened input stream and the ring its callback fills."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from core.audio import devices, portaudio
from core.audio.ring_buffer import RingBuffer
from core.errors import DeviceError
from core.types import FloatArray

RING_SECONDS = 8
BLOCK_SECONDS = 0.02
FALLBACK_RATES = (48_000, 44_100, 16_000)


class Capture:
    """An open input stream at the device's own rate; made by `open_capture`."""

    def __init__(self, device: devices.InputDevice, channels: int, rate: int) -> None:
        self.name = device.name
        self.rate = rate
        self.channels = channels
        self.ring = RingBuffer(channels, rate * RING_SECONDS)
        self.finished = False
        """True once PortAudio has ended the stream by itself: the device is gone."""
        self.opened_at = time.monotonic()
        self._stream: Any = None

    def begin(self, sounddevice: Any, index: int) -> None:
        """Open and start the stream. Raises sounddevice.PortAudioError."""
        self._stream = portaudio.open_stream(
            sounddevice.InputStream,
            device=index,
            samplerate=self.rate,
            channels=self.channels,
            blocksize=round(self.rate * BLOCK_SECONDS),
            dtype="float32",
            callback=self._callback,
            finished_callback=self._finished,
        )

    def close(self) -> None:
        """Close the stream; hangs as long as the device hangs. Raises DeviceError."""
        with portaudio.library():
            portaudio.close_stream(self._stream)

    def _callback(self, frames: FloatArray, _count: int, _time: Any, _status: Any) -> None:
        self.ring.write(frames)

    def _finished(self) -> None:
        self.finished = True


def open_capture(name: str | None, rate: int | None = None, refresh: bool = False) -> Capture:
    """Open the device called `name` (None: the default) at its own rate, or at `rate`.

    With `refresh` PortAudio looks for devices again first. May hang with the audio system: call
    it on a daemon thread. Raises DeviceError.
    """
    with portaudio.library() as sounddevice:
        try:
            if refresh:
                portaudio.reinitialise_inside(sounddevice)
            device = devices.find_device(devices.query(sounddevice), name)
            return _opened(sounddevice, device, rate)
        except sounddevice.PortAudioError as error:
            raise DeviceError(
                f"The microphone {name or 'of the system'} can't be opened ({error}).",
                "Check that it is connected and that no other program keeps it to itself.",
            ) from error


def _opened(sounddevice: Any, device: devices.InputDevice, rate: int | None) -> Capture:
    last: Exception | None = None
    for attempt in _formats(device, rate):
        capture = Capture(device, *attempt)
        try:
            capture.begin(sounddevice, device.index)
        except sounddevice.PortAudioError as error:
            last = error
        else:
            return capture
    assert last is not None
    raise last


def _formats(device: devices.InputDevice, rate: int | None) -> Iterator[tuple[int, int]]:
    """Yield (channels, rate) worth trying: two channels at the device's own rate come first."""
    rates = dict.fromkeys((device.rate, *FALLBACK_RATES) if rate is None else (rate,))
    channels = dict.fromkeys((min(2, device.channels), 1))
    for wanted_rate in rates:
        for wanted_channels in channels:
            yield wanted_channels, wanted_rate
