"""Tells speech from the tones and noises that a voice activity detector takes for it.

A voice never holds its pitch: cycle lengths differ by half a percent and more from one to the next
(jitter, see Titze 1994, Principles of Voice Production, ch. 11) and its spectrum moves with the
articulators. Hum, beeps and instruments keep pitch or spectrum from one window to the next far more
exactly. Where the detector is fooled by noise, it is unsure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.types import SAMPLE_RATE, WINDOW, FloatArray

FRAME = 2 * WINDOW
"""Samples of one analysis frame; frames advance by `WINDOW`."""

_HANN = np.hanning(FRAME)

MIN_LAG = SAMPLE_RATE // 500
MAX_LAG = SAMPLE_RATE // 50
"""Cycle lengths that are searched for a pitch: 500 to 50 Hz, in samples."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What it takes to be speech.

    confident: probability from which a window is taken for speech and judged.
    mean_probability: least mean probability of these windows.
    short_windows, short_mean_probability: fewer windows must convince more.
    lively_windows, lively_probability: the detector is unsure of shouts and screams, so these many
        windows need a lower mean where pitch and spectrum move as only a voice makes them.
    lively_steady, lively_constancy: how far they must move for that; limits as below.
    steady_octaves: a pitch that moves by less than this between windows is held.
    max_steady: largest share of windows that hold their pitch.
    max_constancy: largest median cosine between the spectra of consecutive windows.
    """

    confident: float = 0.3
    mean_probability: float = 0.70
    short_windows: int = 16
    short_mean_probability: float = 0.75
    lively_windows: int = 12
    lively_probability: float = 0.4
    lively_steady: float = 0.05
    lively_constancy: float = 0.8
    steady_octaves: float = 0.002
    max_steady: float = 0.3
    max_constancy: float = 0.93


@dataclass(frozen=True, slots=True)
class Evidence:
    """A possible utterance: probability of each window, samples of shape (windows * 512,)."""

    probabilities: NDArray[np.float32]
    samples: FloatArray


class SpeechGate:
    """Judges possible utterances.

    Args:
        settings: the limits.
        min_speech: seconds of confident windows below which nothing is speech.
    """

    def __init__(self, settings: GateSettings, min_speech: float) -> None:
        self._settings = settings
        self._min_windows = max(3, round(min_speech * SAMPLE_RATE / WINDOW))
        # what no pitch and no spectrum can make up for, so that these need not be computed
        self._least = min(
            settings.mean_probability, settings.short_mean_probability, settings.lively_probability
        )

    def accepts(self, evidence: Evidence) -> bool:
        """Return whether the evidence, as far as it goes, is speech."""
        settings = self._settings
        probabilities = evidence.probabilities
        confident = np.flatnonzero(probabilities >= settings.confident)
        if confident.size < self._min_windows:
            return False
        mean = float(probabilities[confident].mean())
        if mean < self._least:
            return False
        frames = _frames(evidence.samples)
        pairs = confident[confident > 0] - 1
        steady = float(np.mean(pitch_movement(frames)[pairs] < settings.steady_octaves))
        constancy = float(np.median(spectral_constancy(frames)[pairs]))
        if steady > settings.max_steady or constancy > settings.max_constancy:
            return False
        return mean >= self._needed(confident.size, steady, constancy)

    def _needed(self, windows: int, steady: float, constancy: float) -> float:
        """Return the mean probability that is asked of so many windows."""
        settings = self._settings
        lively = steady <= settings.lively_steady and constancy <= settings.lively_constancy
        if lively and windows >= settings.lively_windows:
            return settings.lively_probability
        short = windows < settings.short_windows
        return settings.short_mean_probability if short else settings.mean_probability


def _frames(samples: FloatArray) -> FloatArray:
    """Return overlapping frames under a Hann window, shape (windows, 1024), one per window."""
    padded = np.pad(samples, (WINDOW // 2, FRAME))
    count = samples.size // WINDOW
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::WINDOW][:count]
    return (frames * _HANN).astype(np.float32)


def spectral_constancy(frames: FloatArray) -> FloatArray:
    """Return the cosine between consecutive magnitude spectra, (n, 1024) -> (n - 1,)."""
    spectra = np.abs(np.fft.rfft(frames))
    spectra /= np.linalg.norm(spectra, axis=1, keepdims=True) + 1e-12
    return np.einsum("ij,ij->i", spectra[1:], spectra[:-1]).astype(np.float32)


def pitch_movement(frames: FloatArray) -> FloatArray:
    """Return how far the pitch moves between consecutive frames in octaves, (n, 1024) -> (n - 1,).

    Pitch is the highest peak of the autocorrelation divided by that of the window (Boersma 1993,
    Accurate short-term analysis of the fundamental frequency), refined by a parabola.
    """
    correlation = _autocorrelation(frames)
    correlation /= _of_window()
    rows = np.arange(len(frames))
    peak = correlation[:, MIN_LAG:MAX_LAG].argmax(axis=1) + MIN_LAG
    before, at, after = (correlation[rows, peak + step] for step in (-1, 0, 1))
    curvature = np.minimum(before - 2 * at + after, -1e-9)
    offset = np.clip((before - after) / (2 * curvature), -1, 1)
    return np.abs(np.diff(np.log2(peak + offset))).astype(np.float32)


def _autocorrelation(frames: FloatArray) -> NDArray[np.float64]:
    power = np.abs(np.fft.rfft(frames, 2 * FRAME)) ** 2
    correlation = np.fft.irfft(power)[:, : MAX_LAG + 1]
    return np.asarray(correlation / (correlation[:, :1] + 1e-12), np.float64)


@lru_cache(maxsize=1)
def _of_window() -> NDArray[np.float64]:
    return _autocorrelation(_HANN.astype(np.float32)[None])
