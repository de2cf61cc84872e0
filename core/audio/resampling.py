"""Streaming conversion to 16 kHz."""

from __future__ import annotations

import numpy as np
import soxr

from core.types import SAMPLE_RATE, FloatArray


class Resampler:
    """Converts a stream from `rate` to 16 kHz; what comes out does not depend on the chunk sizes.

    The total after `finish` is the length of the input times 16,000 / `rate`, rounded: the filter's
    delay is compensated and its tail trimmed.

    Args:
        rate: of the input, in Hz.
        channels: rows of the input.
        live: use soxr's variable-rate engine. It holds 13 ms back, always; the other works in
            blocks and holds back up to 40 ms, 22 in the middle. Both pass speech up to 7.5 kHz
            alike; the engine for live sound shifts it by 0.1 ms.
    """

    def __init__(self, rate: int, channels: int, live: bool = False) -> None:
        self._rate = rate
        self._channels = channels
        self._received = 0
        self._returned = 0
        same = rate == SAMPLE_RATE
        self._stream = None if same else soxr.ResampleStream(rate, SAMPLE_RATE, channels, vr=live)

    def process(self, frames: FloatArray) -> FloatArray:
        """Return what can be computed after `frames`; both have shape (channels, n)."""
        return self._convert(frames, last=False)

    def finish(self) -> FloatArray:
        """Return the rest, shape (channels, n); the resampler can't be used afterwards."""
        tail = self._convert(np.zeros((self._channels, 0), np.float32), last=True)
        missing = round(self._received * SAMPLE_RATE / self._rate) - self._returned
        self._returned += missing
        if missing <= 0:
            return tail[:, : tail.shape[1] + missing]
        return np.pad(tail, ((0, 0), (0, missing)))

    def _convert(self, frames: FloatArray, last: bool) -> FloatArray:
        self._received += frames.shape[1]
        if self._stream is None:
            result = frames
        else:
            interleaved = np.ascontiguousarray(frames.T, dtype=np.float32)
            result = np.ascontiguousarray(self._stream.resample_chunk(interleaved, last=last).T)
        self._returned += result.shape[1]
        return result
