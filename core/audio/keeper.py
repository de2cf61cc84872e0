"""Keeps an input device open: opens it, opens it again when it was lost, and closes it."""

from __future__ import annotations

import threading

from core.audio import portaudio
from core.audio.capture import Capture, open_capture
from core.errors import DeviceError

RETRY_SECONDS = 1.0
STOP_SECONDS = 0.4
"""How long `stop` waits for the stream to close before it leaves it to its daemon thread."""


class DeviceKeeper:
    """One daemon thread that makes every PortAudio call for one device.

    A device that hangs holds up this thread and no other.

    Args:
        name: as `devices.find_device` takes it; None for the system's default.
        rate: sample rate to open the device at, instead of its own.
    """

    def __init__(self, name: str | None, rate: int | None) -> None:
        self._name = name
        self._rate = rate
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._opened = threading.Event()
        self._failure: Exception | None = None
        self._current: Capture | None = None
        self._thread = threading.Thread(target=self._keep, name="microphone", daemon=True)

    @property
    def current(self) -> Capture | None:
        """The open stream; None while there is none."""
        return self._current

    def start(self) -> Capture:
        """Open the device. Raises DeviceError, also when the audio system does not answer."""
        self._thread.start()
        answered = self._opened.wait(portaudio.ANSWER_SECONDS)
        if self._failure is not None:
            self._thread.join(STOP_SECONDS)
            raise self._failure
        if not answered or self._current is None:
            self._stopped.set()
            portaudio.leave_open_at_exit()
            raise portaudio.not_answering()
        return self._current

    def give_up(self) -> None:
        """Say that the open stream is dead: close it and look for the device until it is back."""
        self._current = None
        self._wake.set()

    def stop(self) -> None:
        """Close the device; returns in a moment even when it hangs."""
        self._stopped.set()
        self._wake.set()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            portaudio.leave_open_at_exit()

    def _keep(self) -> None:
        try:
            capture: Capture | None = open_capture(self._name, self._rate)
        except Exception as error:  # raised again by `start`, on its own thread
            self._failure = error
            self._opened.set()
            return
        while capture is not None:
            self._hold(capture)
            capture = self._reopened()

    def _hold(self, capture: Capture) -> None:
        """Offer a stream until it is given up or the end has come, then close it."""
        self._wake.clear()
        self._current = capture
        self._opened.set()
        if not self._stopped.is_set():
            self._wake.wait()
        self._current = None
        try:
            capture.close()
        except DeviceError:
            portaudio.leave_open_at_exit()

    def _reopened(self) -> Capture | None:
        """Try to open the device about every second; None at the end."""
        while not self._stopped.is_set():
            try:
                return open_capture(self._name, self._rate, refresh=True)
            except DeviceError:
                self._stopped.wait(RETRY_SECONDS)
        return None
