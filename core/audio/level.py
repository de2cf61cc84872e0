"""How loud a piece of audio is."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from core.types import FloatArray

SILENCE_DBFS = -120.0
"""What digital silence is reported as."""

CLIP = 0.999
"""Magnitude from which a sample counts as clipped."""


def dbfs(amplitude: float) -> float:
    """Return an amplitude in [0, 1] in dB relative to full scale, at least -120."""
    return max(SILENCE_DBFS, 20.0 * float(np.log10(max(amplitude, 1e-12))))


@dataclass(frozen=True, slots=True)
class Level:
    """Level of one channel: RMS and peak in dBFS, share of clipped samples in [0, 1]."""

    rms_dbfs: float
    peak_dbfs: float
    clipping: float


def measure_level(samples: FloatArray) -> Level:
    """Return the level of `samples`, shape (n,). RMS is relative to a full-scale square wave."""
    if samples.size == 0:
        return Level(SILENCE_DBFS, SILENCE_DBFS, 0.0)
    # called for every block of every channel, where the wrappers of numpy cost more than the sums
    power = float(np.add.reduce(np.square(samples, dtype=np.float64))) / samples.size
    peak = float(max(np.maximum.reduce(samples), -np.minimum.reduce(samples)))
    clipped = 0 if peak < CLIP else np.count_nonzero(np.abs(samples) >= CLIP)
    return Level(dbfs(math.sqrt(power)), dbfs(peak), float(clipped / samples.size))


class NoiseFloor:
    """Running estimate of the background level: a low percentile of recent block levels.

    Minimum statistics in the sense of Martin (2001), Noise power spectral density estimation based
    on optimal smoothing and minimum statistics, IEEE TSAP 9(5), on whole blocks.
    """

    def __init__(self, memory: int = 300, percentile: float = 15.0) -> None:
        self._levels: deque[float] = deque(maxlen=memory)
        self._percentile = percentile

    def update(self, rms_dbfs: float) -> None:
        """Add the level of the next block (dBFS)."""
        self._levels.append(rms_dbfs)

    @property
    def dbfs(self) -> float:
        """The estimate in dBFS; -120 before anything was heard."""
        if not self._levels:
            return SILENCE_DBFS
        return float(np.percentile(np.fromiter(self._levels, float), self._percentile))
