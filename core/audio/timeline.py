"""Sample time that follows the clock although devices come and go."""

from __future__ import annotations

import numpy as np

from core.audio.resampling import Resampler
from core.audio.sources import Blocks
from core.types import SAMPLE_RATE, AudioBlock, FloatArray


class Timeline:
    """Turns what devices deliver, and the gaps between, into one stream of blocks at 16 kHz.

    Sample 0 is the first one ever received; from then on sample n belongs to n / 16,000 s later
    on the clock. Times are seconds of the monotonic clock.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._blocks = Blocks(channels)
        self._resampler: Resampler | None = None
        self._rate = SAMPLE_RATE
        self._is_new = True
        self.origin: float | None = None
        """When sample 0 was heard; None before."""
        self.filled = 0
        """Samples of silence put in for gaps."""

    @property
    def end(self) -> int:
        """Sample index behind everything received or filled in."""
        return self._blocks.position + self._blocks.pending

    def attach(self, rate: int) -> None:
        """What follows comes from a newly opened device with this sample rate."""
        self._rate = rate
        self._resampler = Resampler(rate, self.channels, live=True)
        self._is_new = True

    def detach(self) -> None:
        """The device is lost: let out what the resampler still holds."""
        if self._resampler is not None:
            self._blocks.push(self._resampler.finish())
            self._resampler = None

    def feed(self, frames: FloatArray, now: float) -> None:
        """Append what was just received, shape (channels, n) at the device's rate."""
        assert self._resampler is not None
        if self._is_new:
            self._is_new = False
            begin = now - frames.shape[1] / self._rate
            if self.origin is None:
                self.origin = begin
            self.fill_until(begin)
        self._blocks.push(self._resampler.process(frames))

    def skip(self, frames: int) -> None:
        """Put silence for `frames` that the device dropped, at its own rate."""
        assert self._resampler is not None
        silence = np.zeros((self.channels, frames), np.float32)
        self._blocks.push(self._resampler.process(silence))
        self.filled += round(frames * SAMPLE_RATE / self._rate)

    def fill_until(self, time: float) -> None:
        """Put silence up to a time on the clock, if it has not been reached."""
        if self.origin is None:
            return
        missing = round((time - self.origin) * SAMPLE_RATE) - self.end
        if missing > 0:
            self._blocks.push(np.zeros((self.channels, missing), np.float32))
            self.filled += missing

    def lag(self, now: float) -> float:
        """Return how many seconds the newest sample lies behind the clock."""
        return 0.0 if self.origin is None else now - self.origin - self.end / SAMPLE_RATE

    def pop(self) -> AudioBlock | None:
        """Return the next block of 512 samples, or None."""
        return self._blocks.pop()
