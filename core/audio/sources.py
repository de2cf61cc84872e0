"""Sources of audio that are not a microphone: recordings, and arrays for tests and benchmarks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.audio.channels import ChannelMode
from core.audio.io import AudioDecoder
from core.pipeline.protocols import EndOfSource
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, FloatArray, Message


class Blocks:
    """Cuts a stream of chunks of any length into blocks of exactly `WINDOW` samples."""

    def __init__(self, channels: int, start: int = 0) -> None:
        self._pending = np.zeros((channels, 0), np.float32)
        self.position = start
        """Sample index of the next block."""

    @property
    def pending(self) -> int:
        """Samples that wait for the rest of their block."""
        return self._pending.shape[1]

    def push(self, chunk: FloatArray) -> None:
        """Append a chunk, shape (channels, n)."""
        self._pending = np.concatenate([self._pending, chunk], axis=1)

    def pop(self) -> AudioBlock | None:
        """Return the next whole block, or None."""
        if self.pending < WINDOW:
            return None
        block = AudioBlock(self._pending[:, :WINDOW], self.position)
        self._pending = self._pending[:, WINDOW:]
        self.position += WINDOW
        return block

    def pop_padded(self) -> AudioBlock | None:
        """Return what is left, zero-padded to a whole block, or None."""
        if not self.pending:
            return None
        missing = WINDOW - self.pending
        self.push(np.zeros((self._pending.shape[0], missing), np.float32))
        return self.pop()


class _Pace:
    """Holds a source back to the speed at which it would be heard."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._began = time.monotonic()

    def wait(self, position: int, timeout: float) -> bool:
        """Wait until `position` (samples) has been heard; false when that takes too long."""
        remaining = self._began + position / SAMPLE_RATE - time.monotonic()
        self._stopped.wait(min(max(remaining, 0.0), timeout))
        return remaining <= timeout


class ChunkSource:
    """What recordings and arrays share: chunks in, blocks out, at full speed or in real time."""

    def __init__(self, realtime: bool) -> None:
        self._realtime = realtime
        self._stopped = threading.Event()
        self._pace: _Pace | None = None
        self._chunks: Iterator[FloatArray] = iter(())
        self._blocks = Blocks(1)

    def _begin(self, chunks: Iterator[FloatArray], channels: int) -> None:
        self._stopped.clear()
        self._chunks = chunks
        self._blocks = Blocks(channels)
        self._pace = _Pace(self._stopped) if self._realtime else None

    def read(self, timeout: float) -> AudioBlock | None:
        """Return the next block, the last one zero-padded. Raises EndOfSource, MediaError."""
        if self._stopped.is_set():
            raise EndOfSource
        if self._pace and not self._pace.wait(self._blocks.position + WINDOW, timeout):
            return None
        while self._blocks.pending < WINDOW:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._blocks.push(chunk)
        block = self._blocks.pop() or self._blocks.pop_padded()
        if block is None:
            raise EndOfSource
        return block

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call."""
        return ()

    def stop(self) -> None:
        """Stop delivering: the next `read` raises EndOfSource."""
        self._stopped.set()


class FileSource(ChunkSource):
    """A recording, decoded while it is read.

    Args:
        path: anything PyAV opens.
        channels: what to take from it; `BOTH` gives two speakers when it has two channels.
        realtime: deliver at the speed of the clock instead of as fast as possible.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        channels: ChannelMode | str = ChannelMode.MONO,
        realtime: bool = False,
    ) -> None:
        super().__init__(realtime)
        self._path = Path(path)
        self._mode = ChannelMode(channels)
        self._decoder: AudioDecoder | None = None
        self._exhausted = False
        self._reported = False

    @property
    def description(self) -> str:
        """Name of the file."""
        return self._path.name

    @property
    def channels(self) -> int:
        """Rows of every block; certain after `start`."""
        return self._decoder.channels if self._decoder else self._mode.outputs(2)

    @property
    def total_samples(self) -> int | None:
        """Length at 16 kHz as the header states it, exact once everything was read."""
        if self._decoder is None:
            return None
        if self._exhausted:
            return self._decoder.decoded
        duration = self._decoder.info.duration
        return None if duration is None else round(duration * SAMPLE_RATE)

    def start(self) -> None:
        """Open the recording from its beginning. Raises MediaError."""
        self._decoder = AudioDecoder(self._path, self._mode)
        self._exhausted = self._reported = False
        self._begin(self._decode(self._decoder), self._decoder.channels)

    def take_messages(self) -> tuple[Message, ...]:
        """Return, once and after the end, that the recording was shorter than its header states."""
        if self._decoder is None or self._reported or not self._exhausted:
            return ()
        self._reported = True
        return self._decoder.messages

    def _decode(self, decoder: AudioDecoder) -> Iterator[FloatArray]:
        yield from decoder
        self._exhausted = True


class ArraySource(ChunkSource):
    """Samples in memory, shape (n,) or (channels, n) at 16 kHz, repeated `repeats` times.

    For tests and accelerated benchmarks: hours are delivered from seconds.
    """

    def __init__(
        self,
        samples: FloatArray,
        realtime: bool = False,
        repeats: int = 1,
        description: str = "array",
    ) -> None:
        super().__init__(realtime)
        self._samples = np.atleast_2d(np.asarray(samples, np.float32))
        self._repeats = repeats
        self.description = description
        self.channels = self._samples.shape[0]
        self.total_samples: int | None = self._samples.shape[1] * repeats

    def start(self) -> None:
        """Begin at the first sample."""
        self._begin(self._pieces(), self.channels)

    def _pieces(self, length: int = SAMPLE_RATE) -> Iterator[FloatArray]:
        for _ in range(self._repeats):
            for begin in range(0, self._samples.shape[1], length):
                yield self._samples[:, begin : begin + length]
