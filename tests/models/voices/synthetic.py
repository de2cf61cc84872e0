"""Synthetic voices: pulses at a pitch through the resonances of a vocal tract of some length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from core.types import SAMPLE_RATE, FloatArray, Utterance

_VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (660, 1720, 2410),
)
"""First three formants (Hz) of a, i, u, e, ae: Peterson & Barney (1952), table II, men."""
_BANDWIDTHS = (80.0, 100.0, 140.0)


@dataclass(frozen=True)
class Speaker:
    """pitch (Hz), and how much higher than a man's the resonances are."""

    pitch: float
    formants: float


MAN, CHILD = Speaker(85, 0.9), Speaker(300, 1.3)


def speak(speaker: Speaker, seconds: float, seed: int) -> FloatArray:
    """Return vowels in random order, melody and loudness; mono, 16 kHz."""
    rng = np.random.default_rng(seed)
    pieces, left = [], round(seconds * SAMPLE_RATE)
    while left > 0:
        count = min(left, round(rng.uniform(0.12, 0.25) * SAMPLE_RATE))
        pieces.append(_vowel(speaker, _VOWELS[rng.integers(len(_VOWELS))], count, rng))
        left -= count
    sound = np.concatenate(pieces)
    sound *= rng.uniform(0.1, 0.4) / np.abs(sound).max()
    return (sound + rng.normal(0, 3e-4, sound.size)).astype(np.float32)


def _vowel(
    speaker: Speaker, formants: tuple[int, int, int], count: int, rng: np.random.Generator
) -> FloatArray:
    pitch = speaker.pitch * 2 ** (rng.normal(0, 0.12) + np.linspace(0, rng.normal(0, 0.15), count))
    phase = np.cumsum(pitch * (1 + rng.normal(0, 0.01, count))) / SAMPLE_RATE
    pulses = np.diff(np.floor(phase), prepend=0.0) + rng.normal(0, 0.01, count)
    sound = lfilter([1], [1, -0.95], pulses)
    for frequency, bandwidth in zip(formants, _BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
        angle = 2 * np.pi * frequency * speaker.formants / SAMPLE_RATE
        sound = lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], sound)
    sound = np.asarray(sound * np.hanning(count) ** 0.3, np.float32)
    return sound / np.abs(sound).max()


def utterance(samples: FloatArray, index: int = 0) -> Utterance:
    """Return a complete utterance without a speaker."""
    return Utterance(index, 0, samples.size, samples)
