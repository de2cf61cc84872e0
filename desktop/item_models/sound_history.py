"""What was heard, thinned for drawing: envelope, speech and a short spectrogram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.pipeline.events import AudioHeard
from core.types import SAMPLE_RATE, WINDOW

BIN = 128
"""Samples in one bin of the envelope (8 ms): 0.9 MB an hour in 8 bits."""

BANDS = 48
SPECTROGRAM_WINDOWS = 640
"""Columns of the spectrogram kept: 20.5 s."""

FLOOR_DB, CEILING_DB = -75.0, -15.0

_BINS_PER_WINDOW = WINDOW // BIN
_FIRST_WINDOWS = 4096


class SoundHistory:
    """Grows with the session; every array is amortised, nothing is copied per frame.

    Envelope: (bins, 2) int8 minimum and maximum of the mean of the channels, 127 at full scale.
    Speech: (windows,) uint8, 255 for certain speech. Spectrogram: a ring (BANDS, columns) uint8.
    """

    def __init__(self) -> None:
        self._envelope = np.zeros((_FIRST_WINDOWS * _BINS_PER_WINDOW, 2), np.int8)
        self._speech = np.zeros(_FIRST_WINDOWS, np.uint8)
        self._spectrogram = np.zeros((BANDS, SPECTROGRAM_WINDOWS), np.uint8)
        self._taper = np.hanning(WINDOW).astype(np.float32)
        self._edges = _band_edges()
        self.windows = 0
        """Windows heard, gaps included."""

    @property
    def seconds(self) -> float:
        """End of what was heard."""
        return self.windows * WINDOW / SAMPLE_RATE

    def clear(self) -> None:
        """Forget everything and give memory back."""
        self.__init__()  # type: ignore[misc]

    def append(self, heard: Sequence[AudioHeard], spectrogram: bool = True) -> None:
        """Add blocks in order; a gap in time stays a gap in the picture."""
        blocks = [event for event in heard if event.block.samples.shape[1] == WINDOW]
        if not blocks:
            return
        rows = np.asarray([event.block.start // WINDOW for event in blocks])
        mono = np.stack([event.block.samples.mean(axis=0) for event in blocks])
        speech = np.asarray([max(event.speech, default=0.0) for event in blocks])
        self._reserve(int(rows.max()) + 1)
        self._speech[rows] = np.clip(speech * 255, 0, 255).astype(np.uint8)
        bins = np.clip(mono * 127, -127, 127).reshape(len(blocks), _BINS_PER_WINDOW, BIN)
        extremes = np.stack([np.round(bins.min(axis=2)), np.round(bins.max(axis=2))], axis=2)
        target = rows[:, None] * _BINS_PER_WINDOW + np.arange(_BINS_PER_WINDOW)
        self._envelope[target] = extremes.astype(np.int8)
        if spectrogram:
            self._add_spectra(rows[-SPECTROGRAM_WINDOWS:], mono[-SPECTROGRAM_WINDOWS:])
        self.windows = max(self.windows, int(rows.max()) + 1)

    def envelope(self, first: float, last: float, columns: int) -> NDArray[np.float32]:
        """Return minimum and maximum, (columns, 2) in [-1, 1], of a stretch in seconds.

        Columns lie on a grid fixed in time, so that a scrolling picture does not shimmer.
        """
        result = np.zeros((columns, 2), np.float32)
        heard = self.windows * _BINS_PER_WINDOW
        width = max((last - first) * SAMPLE_RATE / BIN / columns, 1e-6)
        origin = round(first * SAMPLE_RATE / BIN / width)
        edges = np.floor((origin + np.arange(columns + 1)) * width + 1e-6).astype(np.int64)
        inside = (edges[:-1] >= 0) & (edges[:-1] < heard)
        starts = edges[:-1][inside]
        if len(starts):
            stop = min(max(int(edges[int(np.flatnonzero(inside)[-1]) + 1]), starts[-1] + 1), heard)
            part = self._envelope[:stop]
            result[inside, 0] = np.minimum.reduceat(part[:, 0], starts)
            result[inside, 1] = np.maximum.reduceat(part[:, 1], starts)
        result /= 127.0
        return result

    def speech(self, first: float, last: float, columns: int) -> NDArray[np.uint8]:
        """Return the speech probability, (columns,) uint8, of a stretch in seconds."""
        times = first + (np.arange(columns) + 0.5) * (last - first) / columns
        rows = np.floor(times * SAMPLE_RATE / WINDOW).astype(np.int64)
        valid = (rows >= 0) & (rows < self.windows)
        result = np.zeros(columns, np.uint8)
        result[valid] = self._speech[rows[valid]]
        return result

    def spectrogram(self, last: float) -> NDArray[np.uint8]:
        """Return the newest columns, (BANDS, SPECTROGRAM_WINDOWS) uint8, high bands on top.

        The right edge is the window at `last` seconds; what was not heard is zero.
        """
        end = round(last * SAMPLE_RATE / WINDOW)
        rolled = np.roll(self._spectrogram, -(end % SPECTROGRAM_WINDOWS), axis=1)
        missing = end - self.windows
        if missing > 0:
            rolled[:, -min(missing, SPECTROGRAM_WINDOWS) :] = 0
        return np.ascontiguousarray(rolled)

    def is_speech(self) -> bool:
        """True when the newest window was taken for speech."""
        return self.windows > 0 and int(self._speech[self.windows - 1]) > 127

    def _add_spectra(self, rows: NDArray[np.int64], mono: NDArray[np.float32]) -> None:
        first = max(0, self.windows)
        gap = np.arange(first, int(rows.min()))[-SPECTROGRAM_WINDOWS:]
        self._spectrogram[:, gap % SPECTROGRAM_WINDOWS] = 0
        power = np.abs(np.fft.rfft(mono * self._taper, axis=1)) ** 2
        sums = np.add.reduceat(power, self._edges[:-1], axis=1) / np.diff(self._edges)
        decibels = 10 * np.log10(sums / (WINDOW / 4) ** 2 + 1e-12)
        scaled = (decibels - FLOOR_DB) / (CEILING_DB - FLOOR_DB) * 255
        columns = np.clip(scaled, 0, 255).astype(np.uint8)
        self._spectrogram[:, rows % SPECTROGRAM_WINDOWS] = columns.T[::-1]

    def _reserve(self, windows: int) -> None:
        if windows <= len(self._speech):
            return
        size = max(windows, len(self._speech) * 2)
        self._speech = np.concatenate([self._speech, np.zeros(size - len(self._speech), np.uint8)])
        grown = np.zeros((size * _BINS_PER_WINDOW, 2), np.int8)
        grown[: len(self._envelope)] = self._envelope
        self._envelope = grown


def _band_edges() -> NDArray[np.int64]:
    """Return BANDS + 1 increasing bins of the spectrum, even below 1 kHz and wider above."""
    low = np.log1p(60 / 700)
    high = np.log1p(7600 / 700)
    hertz = 700 * np.expm1(np.linspace(low, high, BANDS + 1))
    edges = np.round(hertz / (SAMPLE_RATE / WINDOW)).astype(np.int64)
    for position in range(1, len(edges)):
        edges[position] = max(edges[position], edges[position - 1] + 1)
    return edges
