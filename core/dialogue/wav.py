"""A WAV file that grows while it is recorded and survives the end of its writer at any moment."""

from __future__ import annotations

import os
import struct
import threading
from io import FileIO
from pathlib import Path

import numpy as np

from core.types import SAMPLE_RATE, FloatArray

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
SAMPLE_BYTES = 2
LARGEST = 2**32 - 1 - HEADER.size
"""Bytes of sound a WAV header can state; half a frame less never matters."""


def wav_header(channels: int, data_bytes: int) -> bytes:
    """Return the 44 bytes before 16-bit PCM at 16 kHz."""
    frame = channels * SAMPLE_BYTES
    return HEADER.pack(
        b"RIFF",
        HEADER.size - 8 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        SAMPLE_RATE,
        SAMPLE_RATE * frame,
        frame,
        8 * SAMPLE_BYTES,
        b"data",
        data_bytes,
    )


def to_pcm(samples: FloatArray) -> bytes:
    """Return float32 (channels, n) as interleaved 16-bit PCM; what exceeds [-1, 1] is clipped."""
    scaled = np.rint(np.nan_to_num(np.clip(samples, -1.0, 1.0)) * 32767.0)
    return scaled.T.astype("<i2").tobytes()


class GrowingWav:
    """Sound in parts of at most `largest` bytes: `audio.wav`, `audio-2.wav` and so on.

    `append` only remembers; `flush` writes, so that the disk never holds up who records. Both may
    be called from different threads. A write that fails may be tried again: nothing written is
    lost, and what was never written becomes silence at its place.
    """

    def __init__(self, folder: Path, channels: int, largest: int = LARGEST) -> None:
        self._folder = folder
        self._channels = channels
        self._frame = channels * SAMPLE_BYTES
        self._largest = largest - largest % self._frame
        self._lock = threading.Lock()
        self._pending: list[tuple[int, bytes]] = []
        self._part = 1
        self._part_start = 0
        self._written = 0
        self._file = self._open(1)

    @property
    def written(self) -> int:
        """Samples that are on disk, in all parts."""
        return self._part_start + self._written

    @property
    def pending_samples(self) -> int:
        """Samples that wait to be written."""
        with self._lock:
            return sum(len(data) for _, data in self._pending) // self._frame

    def append(self, start: int, samples: FloatArray) -> None:
        """Remember a block, shape (channels, n), that begins at sample `start`."""
        with self._lock:
            self._pending.append((start, to_pcm(samples)))

    def forget_pending(self) -> None:
        """Let go of what could not be written; it becomes silence."""
        with self._lock:
            self._pending.clear()

    def flush(self) -> None:
        """Write what waits and bring the header up to date. Raises OSError."""
        with self._lock:
            waiting, self._pending = self._pending, []
        while waiting:
            try:
                self._write(*waiting[0])
            except OSError:
                with self._lock:
                    self._pending = waiting + self._pending
                raise
            waiting.pop(0)
        self._patch_header()

    def sync(self) -> None:
        """Wait until the disk has it. Raises OSError."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write what waits and close. Raises OSError, and is closed all the same."""
        try:
            self.flush()
            self.sync()
        finally:
            self._file.close()

    def _open(self, part: int) -> FileIO:
        name = "audio.wav" if part == 1 else f"audio-{part}.wav"
        file = FileIO(self._folder / name, "w+")
        file.write(wav_header(self._channels, 0))
        return file

    def _write(self, start: int, data: bytes) -> None:
        """Write one block at its place: what is missing before it becomes silence."""
        skip = self.written - start
        if skip > 0:
            data = data[skip * self._frame :]
            start = self.written
        if not data:
            return
        self._advance(start - self.written)
        while data:
            if self._written * self._frame >= self._largest:
                self._next_part()
            piece = data[: self._largest - self._written * self._frame]
            self._write_here(piece)
            data = data[len(piece) :]

    def _advance(self, gap: int) -> None:
        """Leave out `gap` samples; a hole in a file reads as zeros."""
        while gap > 0:
            room = self._largest // self._frame - self._written
            if room <= 0:
                self._next_part()
                continue
            step = min(gap, room)
            self._written += step
            self._file.truncate(HEADER.size + self._written * self._frame)
            gap -= step

    def _write_here(self, data: bytes) -> None:
        # By position, so that an attempt after a failed one begins where it should.
        self._file.seek(HEADER.size + self._written * self._frame)
        done = 0
        try:
            while done < len(data):
                done += self._file.write(data[done:])
        finally:
            self._written += done // self._frame

    def _next_part(self) -> None:
        self._patch_header()
        following = self._open(self._part + 1)
        self._file.close()
        self._file = following
        self._part += 1
        self._part_start += self._written
        self._written = 0

    def _patch_header(self) -> None:
        self._file.seek(0)
        self._file.write(wav_header(self._channels, self._written * self._frame))


def wav_parts(folder: Path) -> tuple[Path, ...]:
    """Return the parts of a recorded sound, in order."""
    first = folder / "audio.wav"
    parts = [first] if first.is_file() else []
    number = 2
    while parts and (part := folder / f"audio-{number}.wav").is_file():
        parts.append(part)
        number += 1
    return tuple(parts)


def repair_wav(path: Path, channels: int) -> int:
    """Make the header agree with what is there and return the samples. Raises OSError.

    A file cut within its header or within a frame becomes whole again.
    """
    frame = channels * SAMPLE_BYTES
    size = path.stat().st_size
    samples = max(0, size - HEADER.size) // frame
    header = wav_header(channels, samples * frame)
    with path.open("r+b") as file:
        if file.read(HEADER.size) != header or size != HEADER.size + samples * frame:
            file.truncate(HEADER.size + samples * frame)
            file.seek(0)
            file.write(header)
            file.flush()
            os.fsync(file.fileno())
    return samples


def channels_of(path: Path) -> int:
    """Return the channels a header states; 1 when there is none to read."""
    with path.open("rb") as file:
        header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return 1
    return max(1, int(HEADER.unpack(header)[6]))
