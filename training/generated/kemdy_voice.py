"""A synthetic voice whose pitch, loudness, speed and timbre say what it feels.

A buzz with the harmonics of the pitch (a band-limited impulse train) and some breath go through the
formants of one vowel after the other. It is no speech: nobody says anything, but the vowels may be
those of a text, which recognition can learn then. What emotions do to a voice follows Scherer
(2003), Vocal communication of emotion, Speech Communication 40, table 3.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.types import SAMPLE_RATE, FloatArray

_WINDOW = 512
_HOP = _WINDOW // 2
_FORMANTS = np.array(
    # the first three of /a e i o u/ of a grown man, in Hz
    [(750, 1250, 2500), (480, 1850, 2550), (290, 2250, 2950), (460, 850, 2450), (320, 800, 2300)],
    dtype=np.float64,
)
_BANDWIDTHS = np.array([90.0, 120.0, 180.0])
_GAINS = np.array([1.0, 0.6, 0.3])
_LATIN = {letter: number for number, letter in enumerate("aeiou")} | {"y": 2}
_HANGUL = {chr(0x1161 + n): int(vowel) for n, vowel in enumerate("010131313011343124422")}
"""Of the 21 vowels, the one of ours that is nearest; an eo is taken for an o, an eu for a u."""
_VOWELS = _LATIN | _HANGUL

PAUSE = -1
"""Between two words of `sounds_of`."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is said.

    Attributes:
        pitch: relative to the speaker's; pitch_range: its standard deviation, relative.
        slope: of the pitch from begin to end, relative. tremor: share of a 6 Hz trembling.
        rate: vowels per second; gain: dB; tilt: fall of the spectrum, dB per octave.
        breath: share of noise.
    """

    pitch: float
    pitch_range: float
    slope: float
    tremor: float
    rate: float
    gain: float
    tilt: float
    breath: float

    def toward(self, other: Manner, share: float) -> Manner:
        """Return a manner `share` of the way (0: this, 1: the other, more: beyond)."""
        ours, theirs = self._values(), other._values()
        return Manner(*(a + share * (b - a) for a, b in zip(ours, theirs, strict=True)))

    def unprepared(self) -> Manner:
        """Return the same as someone says it who talks freely: softer, and less evenly."""
        return replace(
            self, breath=self.breath + 0.12, tilt=self.tilt - 3.0, tremor=self.tremor + 0.02
        )

    def _values(self) -> tuple[float, ...]:
        return (self.pitch, self.pitch_range, self.slope, self.tremor,
                self.rate, self.gain, self.tilt, self.breath)  # fmt: skip


MANNERS = {
    "neutral": Manner(1.00, 0.08, -0.10, 0.00, 4.8, 0.0, -9.0, 0.03),
    "happy": Manner(1.28, 0.20, 0.00, 0.00, 5.4, 3.0, -7.0, 0.03),
    "angry": Manner(1.18, 0.16, -0.15, 0.00, 6.0, 7.0, -4.0, 0.02),
    "surprise": Manner(1.45, 0.22, 0.35, 0.00, 5.0, 4.0, -6.5, 0.04),
    "sad": Manner(0.86, 0.04, -0.20, 0.01, 3.4, -5.0, -12.0, 0.08),
    "fear": Manner(1.35, 0.10, 0.10, 0.05, 6.2, -2.0, -9.5, 0.16),
    "disgust": Manner(0.88, 0.12, -0.30, 0.00, 3.9, 1.0, -5.5, 0.10),
}
"""By class of `core.labels.EMOTIONS`."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker: pitch (Hz), size of the vocal tract (formants relative to a man's), timbre (dB per
    octave more than the manner's), loudness (dB) and speed, relative."""

    pitch: float
    formants: float
    tilt: float
    gain: float
    rate: float

    @classmethod
    def of(cls, gender: str, generator: np.random.Generator) -> Voice:
        """Return a random voice of a woman ("F") or a man."""
        low, high, size = (180.0, 235.0, 1.16) if gender == "F" else (95.0, 140.0, 1.0)
        return cls(
            pitch=float(generator.uniform(low, high)),
            formants=size * float(generator.uniform(0.95, 1.05)),
            tilt=float(generator.normal(0, 0.8)),
            gain=float(generator.normal(0, 1.5)),
            rate=float(generator.uniform(0.9, 1.1)),
        )


def sounds_of(text: str) -> tuple[int, ...]:
    """Return the vowels of an English or Korean text as it is written, `PAUSE` between words.

    Words of the same vowels sound alike.
    """
    letters = unicodedata.normalize("NFD", text.casefold())
    words = [[_VOWELS[x] for x in word if x in _VOWELS] for word in letters.split()]
    said = [sound for vowels in words if vowels for sound in (*vowels, PAUSE)]
    return tuple(said[:-1])


def speak(
    voice: Voice,
    manner: Manner,
    seconds: float,
    generator: np.random.Generator,
    sounds: Sequence[int] = (),
) -> FloatArray:
    """Return mono samples (n,) at 16 kHz, between -1 and 1, of `seconds`.

    Args:
        sounds: what is said (see `sounds_of`), dealt over the time; empty: chance vowels, as many
            as manner and voice have in that time.
    """
    count = round(seconds * SAMPLE_RATE)
    vowels = len(sounds) or max(2, round(seconds * manner.rate * voice.rate))
    places = np.arange(count) / count * vowels
    pitch = _pitch(voice, manner, places, vowels, seconds, generator)
    source = _buzz(pitch)
    source += manner.breath * generator.standard_normal(count, dtype=np.float32) * 3
    targets = _targets(sounds, vowels, generator)
    shaped = _through_formants(source, voice, manner, vowels, targets)
    loud = 10 ** ((manner.gain + voice.gain) / 20) * 0.06
    envelope = _syllables(places, vowels, generator)
    if sounds:
        pauses = np.array(sounds)[_number(places, vowels)] == PAUSE
        envelope = np.where(pauses, 0.0, envelope).astype(np.float32)
    noise = 0.0008 * generator.standard_normal(count, dtype=np.float32)  # of the room
    level = np.sqrt(np.mean(shaped**2)) + 1e-9
    return np.clip(loud / level * shaped * envelope + noise, -0.99, 0.99).astype(np.float32)


def _pitch(
    voice: Voice,
    manner: Manner,
    places: NDArray[np.float64],
    vowels: int,
    seconds: float,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    targets = 1 + manner.pitch_range * generator.standard_normal(vowels + 1)
    contour = np.interp(places, np.arange(vowels + 1), targets)
    contour *= 1 + manner.slope * (places / vowels - 0.5)
    contour *= 1 + manner.tremor * np.sin(2 * np.pi * 6 * seconds * places / vowels)
    return np.clip(voice.pitch * manner.pitch * contour, 60, 600)


def _buzz(pitch: NDArray[np.float64]) -> FloatArray:
    """Return all harmonics below half the sample rate: the sum of cos(k x) in closed form."""
    half = np.pi * np.cumsum(pitch) / SAMPLE_RATE
    harmonics = np.floor(0.45 * SAMPLE_RATE / pitch.max())
    below = np.sin(half)
    near = np.abs(below) < 1e-4  # the limit of the quotient, where x is a multiple of 2 pi
    below[near] = 1.0
    total = np.where(near, 2 * harmonics + 1, np.sin((2 * harmonics + 1) * half) / below)
    return (total / (2 * harmonics)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Targets:
    """Where the voice comes by which formants: places (k,), counted in vowels, and (k, 3) Hz."""

    at: NDArray[np.float64]
    formants: NDArray[np.float64]


def _targets(sounds: Sequence[int], vowels: int, generator: np.random.Generator) -> _Targets:
    """Return chance vowels at the edges of syllables; given sounds, where each is loudest."""
    if not sounds:
        chosen = generator.integers(len(_FORMANTS), size=vowels + 1)
        return _Targets(np.arange(vowels + 1.0), _FORMANTS[chosen])
    said = [(place + 0.5, sound) for place, sound in enumerate(sounds) if sound != PAUSE]
    return _Targets(np.array([at for at, _ in said]), _FORMANTS[[sound for _, sound in said]])


def _through_formants(
    source: FloatArray,
    voice: Voice,
    manner: Manner,
    vowels: int,
    targets: _Targets,
) -> FloatArray:
    """Filter short overlapping frames, each by the formants of where it is between two vowels."""
    frames = len(source) // _HOP + 1
    padded = np.zeros((frames + 1) * _HOP, np.float32)
    padded[_HOP : _HOP + len(source)] = source
    window = np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW).astype(np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * window
    places = np.linspace(0, vowels, len(cut))
    tracks = [np.interp(places, targets.at, formant) for formant in targets.formants.T]
    formants = np.stack(tracks, axis=1) * voice.formants
    spectrum = np.fft.rfft(cut, axis=1) * _response(formants, manner.tilt + voice.tilt)
    filtered = (np.fft.irfft(spectrum, _WINDOW, axis=1) * window).astype(np.float32)
    result = np.zeros(len(padded), np.float32)
    result[: len(cut) * _HOP] += filtered[:, :_HOP].reshape(-1)
    result[_HOP : (len(cut) + 1) * _HOP] += filtered[:, _HOP:].reshape(-1)
    return result[_HOP : _HOP + len(source)]


def _response(formants: NDArray[np.float64], tilt: float) -> NDArray[np.float64]:
    """Return the gain of every frame and frequency (T, F): three resonances and a falling tilt."""
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
    distance = (frequencies - formants[:, :, None]) / _BANDWIDTHS[:, None]
    resonances = (_GAINS[:, None] / (1 + distance**2)).sum(axis=1) + 0.02
    octaves = np.log2(np.maximum(frequencies, 100) / 100)
    return np.asarray(resonances * 10 ** (tilt * octaves / 20))


def _syllables(
    places: NDArray[np.float64], vowels: int, generator: np.random.Generator
) -> FloatArray:
    """Return a rise and fall for every vowel, each of another loudness."""
    stress = generator.uniform(0.6, 1.0, size=vowels)
    within = places % 1.0
    return (stress[_number(places, vowels)] * (0.15 + 0.85 * np.sin(np.pi * within) ** 2)).astype(
        np.float32
    )


def _number(places: NDArray[np.float64], vowels: int) -> NDArray[np.int64]:
    """Return which vowel each place is in."""
    return np.minimum(places.astype(np.int64), vowels - 1)
