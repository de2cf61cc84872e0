"""Sounds that are not speech: fans, hum, clicks, alarms and music-like tones. Seeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.types import SAMPLE_RATE, FloatArray

Sound = NDArray[np.float64]
SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


def _time(seconds: float) -> Sound:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _harmonics(pitch: Sound, strengths: Sound) -> Sound:
    """Return a tone of wandering pitch (Hz per sample) with overtones below 7 kHz."""
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    sound = np.zeros(pitch.size)
    for number, strength in enumerate(strengths, start=1):
        if number * pitch.max() < 7_000:
            sound += strength * np.sin(number * phase)
    return sound


def white(seconds: float, rng: np.random.Generator) -> Sound:
    return rng.standard_normal(round(seconds * SAMPLE_RATE))


def pink(seconds: float, rng: np.random.Generator) -> Sound:
    spectrum = np.fft.rfft(white(seconds, rng))
    shaped = spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1))
    return np.fft.irfft(shaped, round(seconds * SAMPLE_RATE))


def fan(seconds: float, rng: np.random.Generator) -> Sound:
    """Air and the blades' hum, both swelling with the turning."""
    time, blades = _time(seconds), rng.uniform(60, 180)
    air = pink(seconds, rng)
    hum = _harmonics(np.full(time.size, blades), 1 / np.arange(1, 8))
    return air / air.std() * (1 + 0.2 * np.sin(2 * np.pi * 7 * time)) + 0.4 * hum


def hum(seconds: float, rng: np.random.Generator) -> Sound:
    mains = rng.choice([50.0, 60.0, 100.0, 120.0])
    return _harmonics(np.full(round(seconds * SAMPLE_RATE), mains), rng.uniform(0.1, 1, 12))


def throb(seconds: float, rng: np.random.Generator) -> Sound:
    """A voice-like pitch that swells at the rate of syllables."""
    time, pitch = _time(seconds), rng.uniform(80, 250)
    tone = _harmonics(np.full(time.size, pitch), np.arange(1, 16) ** -rng.uniform(0.4, 1.4))
    return tone * (0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(2, 6) * time))


def melody(seconds: float, rng: np.random.Generator) -> Sound:
    time, note = _time(seconds), 1 / rng.uniform(2, 6)
    steps = rng.choice(SCALE, size=int(seconds / note) + 2)
    place = (time / note).astype(int)
    pitch = rng.uniform(80, 500) * 2 ** (steps[place] / 12)
    fade = np.exp(-(time % note) * rng.uniform(0, 6)) * np.minimum(1, (time % note) / 0.02)
    return _harmonics(pitch, np.arange(1, 14) ** -rng.uniform(0.5, 1.5)) * fade


def chords(seconds: float, rng: np.random.Generator) -> Sound:
    parts = [melody(seconds, np.random.default_rng(int(rng.integers(1 << 30)))) for _ in range(3)]
    return np.sum(parts, axis=0)


def vibrato(seconds: float, rng: np.random.Generator) -> Sound:
    time = _time(seconds)
    sway = rng.uniform(0.2, 0.7) / 12 * np.sin(2 * np.pi * rng.uniform(4, 7) * time)
    pitch = rng.uniform(120, 500) * 2**sway
    return _harmonics(pitch, np.arange(1, 14) ** -rng.uniform(0.5, 1.5))


def siren(seconds: float, rng: np.random.Generator) -> Sound:
    pitch = 700 + 300 * np.sin(2 * np.pi * rng.uniform(0.2, 0.5) * _time(seconds))
    return _harmonics(pitch, np.array([1.0, 0.3]))


def drums(seconds: float, rng: np.random.Generator) -> Sound:
    sound = np.zeros(round(seconds * SAMPLE_RATE))
    decay = np.exp(-np.arange(3_200) / 700)
    for number, begin in enumerate(range(0, sound.size - 3_200, 4_000)):
        beat = np.sin(2 * np.pi * 60 * np.arange(3_200) / SAMPLE_RATE)
        sound[begin : begin + 3_200] += decay * (rng.standard_normal(3_200) if number % 2 else beat)
    return sound


def clicks(seconds: float, rng: np.random.Generator) -> Sound:
    sound = np.zeros(round(seconds * SAMPLE_RATE))
    for begin in rng.integers(0, sound.size - 800, int(seconds * 4)):
        sound[begin : begin + 800] += rng.standard_normal(800) * np.exp(-np.arange(800) / 100)
    return sound


NOISES: Mapping[str, Callable[[float, np.random.Generator], Sound]] = {
    "white": white,
    "pink": pink,
    "fan": fan,
    "hum": hum,
    "throb": throb,
    "melody": melody,
    "chords": chords,
    "vibrato": vibrato,
    "siren": siren,
    "drums": drums,
    "clicks": clicks,
}


def make_noise(name: str, seconds: float, seed: int = 0, peak: float = 0.5) -> FloatArray:
    """Return a sound of this name, shape (n,), over a faint hiss as every room has."""
    rng = np.random.default_rng([seed, sum(name.encode())])
    sound = NOISES[name](seconds, rng)
    sound = peak * sound / np.abs(sound).max() + 1e-4 * white(seconds, rng)
    return sound.astype(np.float32)


def everything(seconds: float, seed: int = 0) -> FloatArray:
    """Return all noises one after the other, louder and softer, with silence between."""
    rng = np.random.default_rng(seed)
    names = list(NOISES)
    share = seconds / (len(names) + 1)
    parts = [
        make_noise(name, share, seed, float(rng.choice([0.8, 0.3, 0.1, 0.03]))) for name in names
    ]
    return np.concatenate([np.zeros(round(share * SAMPLE_RATE), np.float32), *parts])
