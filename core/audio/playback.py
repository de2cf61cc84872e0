"""Plays a stretch of a recording on the default output, away from the caller's thread.

sounddevice is imported when something is played, so everything else works without PortAudio.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from core.audio import portaudio
from core.errors import DeviceError, EmoscopeError, MediaError
from core.types import FloatArray

log = logging.getLogger(__name__)

CHUNK_SECONDS = 0.05
"""How much is handed to the device at a time; a stop is noticed within it."""

_SEEK_MARGIN = 0.5
"""Seconds before the wanted start where decoding begins: a seek lands on a packet."""


@dataclass(frozen=True, slots=True)
class Playing:
    """Playback reached this position (s) of the recording."""

    position: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """Playback ended: at the end, because it was stopped, or with an error."""

    error: EmoscopeError | None = None


PlaybackEvent: TypeAlias = Playing | Stopped


class Output(Protocol):
    """An open output device."""

    @property
    def rate(self) -> int:
        """Frames a second."""
        ...

    def write(self, samples: FloatArray) -> None:
        """Play (n,) samples; returns when the device has taken them."""
        ...

    def close(self, abort: bool) -> None:
        """Let what was written finish, or drop it."""
        ...


class Player:
    """One stretch at a time; a new one replaces the old. Every method returns at once.

    Args:
        listener: called on the playback thread.
        open_output: makes the output device; called on the playback thread. Raises DeviceError.
    """

    def __init__(
        self,
        listener: Callable[[PlaybackEvent], None],
        open_output: Callable[[], Output] | None = None,
    ) -> None:
        self._listener = listener
        self._open_output = open_output or _DeviceOutput
        self._wanted = threading.Condition()
        self._request: _Request | None = None
        self._generation = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def play(self, path: str | os.PathLike[str], start: float, end: float) -> None:
        """Play [start, end] in seconds of a recording."""
        with self._wanted:
            if self._closed:
                return
            self._generation += 1
            self._request = _Request(Path(path), start, end, self._generation)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="emoscope-playback", daemon=True
                )
                self._thread.start()
            self._wanted.notify()

    def stop(self) -> None:
        """Stop what is playing."""
        with self._wanted:
            self._generation += 1
            self._request = None
            self._wanted.notify()

    def close(self, timeout: float = 2.0) -> None:
        """Stop and end the thread; a hung device is left behind after `timeout` seconds."""
        self.stop()
        with self._wanted:
            self._closed = True
            self._wanted.notify()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while (request := self._next()) is not None:
            error: EmoscopeError | None = None
            try:
                self._play(request)
            except EmoscopeError as failure:
                error = failure
            except Exception as failure:
                log.exception("playback failed")
                error = DeviceError(f"The sound can't be played: {failure}.")
            if request.generation == self._generation or error is not None:
                self._listener(Stopped(error))
            elif self._request is None:
                self._listener(Stopped())

    def _next(self) -> _Request | None:
        with self._wanted:
            self._wanted.wait_for(lambda: self._closed or self._request is not None)
            request, self._request = self._request, None
            return None if self._closed else request

    def _play(self, request: _Request) -> None:
        output = self._open_output()
        complete = False
        try:
            complete = self._write(request, output)
        finally:
            output.close(abort=not complete)

    def _write(self, request: _Request, output: Output) -> bool:
        """Return true when everything was played, false when something else is wanted."""
        size = max(1, round(CHUNK_SECONDS * output.rate))
        position = request.start
        for samples in read_span(request.path, request.start, request.end, output.rate):
            for first in range(0, len(samples), size):
                if request.generation != self._generation:
                    return False
                chunk = samples[first : first + size]
                output.write(chunk)
                position += len(chunk) / output.rate
                self._listener(Playing(min(position, request.end)))
        return True


@dataclass(frozen=True, slots=True)
class _Request:
    path: Path
    start: float
    end: float
    generation: int


def read_span(path: Path, start: float, end: float, rate: int) -> Iterator[FloatArray]:
    """Yield mono samples (n,) of [start, end] s at `rate`, decoded from about `start` on.

    Raises MediaError.
    """
    import av
    import av.error

    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            origin = (container.start_time or 0) / av.time_base
            if start > _SEEK_MARGIN:
                target = int((start - _SEEK_MARGIN + origin) * av.time_base)
                container.seek(target, backward=True, any_frame=False)
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            yield from _cut(container.decode(stream), resampler, origin, (start, end), rate)
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise MediaError(
            f"{path} can't be played.", "Check that it is still there and readable."
        ) from error


def _cut(
    frames: Iterator[Any], resampler: Any, origin: float, span: tuple[float, float], rate: int
) -> Iterator[FloatArray]:
    """Yield what lies in `span`; the first frame's time says where the decoding began."""
    position: float | None = None
    for frame in frames:
        if position is None:
            position = (frame.time or 0.0) - origin
        for converted in resampler.resample(frame):
            samples = np.ascontiguousarray(converted.to_ndarray()[0], dtype=np.float32)
            first = max(0, round((span[0] - position) * rate))
            last = max(0, round((span[1] - position) * rate))
            if len(piece := samples[first:last]):
                yield piece
            position += len(samples) / rate
        if position >= span[1]:
            return


class _DeviceOutput:
    """The default output through PortAudio, at its own rate; opened and closed one at a time."""

    def __init__(self) -> None:
        with portaudio.library() as sounddevice:
            try:
                default = sounddevice.query_devices(kind="output")
                self.rate = int(default["default_samplerate"])
                self._stream = portaudio.open_stream(
                    sounddevice.OutputStream,
                    samplerate=self.rate,
                    channels=1,
                    dtype="float32",
                    latency=0.1,
                )
            except (sounddevice.PortAudioError, ValueError) as error:
                raise DeviceError(
                    "Sound can't be played: there is no usable output device.",
                    "Connect loudspeakers or headphones and try again.",
                ) from error

    def write(self, samples: FloatArray) -> None:
        self._stream.write(samples.reshape(-1, 1))

    def close(self, abort: bool) -> None:
        if not abort:
            self._stream.stop()  # waits until what was written has been heard
        with portaudio.library():
            portaudio.close_stream(self._stream)
