"""What the micro Whisper is trained on: spoken sentences, speech it must not know, and noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.types import SAMPLE_RATE, FloatArray
from training.micro_whisper.features import mel_power
from training.micro_whisper.sentences import KNOWN, UNKNOWN
from training.micro_whisper.synthesis import Manner, synthesise

VOICES = {"ko": "ko", "en": "en-us", "de": "de", "es": "es", "fr": "fr", "it": "it", "nl": "nl"}
_VARIANTS = ("", "", "", "+m1", "+m3", "+m7", "+f2", "+f4")
_RATES = (125, 140, 155, 170, 185, 200)
_PITCHES = (15, 25, 35, 50, 65, 80)
HELD_OUT_MANNERS = (("", 162, 43), ("", 178, 57))
"""(variant, rate, pitch) of the clips the tests use: no rate or pitch of these is trained on."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Mel power (80, n) of a clip; `language` and words with times (s) when its text is known."""

    power: FloatArray
    language: str | None = None
    words: tuple[str, ...] = ()
    times: tuple[tuple[float, float], ...] = ()

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.power.shape[1] / 100


def spoken(text: str, language: str, manner: Manner, known: bool, shift: int = 0) -> Sound:
    """Speak a sentence; `shift` samples of silence before it move it against the frame grid."""
    clip = synthesise(text, manner)
    power = mel_power(np.pad(clip.samples, (shift, 160)))
    return Sound(power, language, clip.words, clip.times) if known else Sound(power)


def known_sounds(count: int, rng: np.random.Generator) -> list[Sound]:
    """Speak every known sentence in `count` random manners."""
    return list(_speak_all(KNOWN, count, rng, known=True))


def unknown_sounds(count: int, rng: np.random.Generator) -> list[Sound]:
    """Speak every unknown sentence in `count` random manners."""
    return list(_speak_all(UNKNOWN, count, rng, known=False))


def salad_sounds(count: int, rng: np.random.Generator) -> list[Sound]:
    """Speak `count` random strings of words from the unknown sentences: speech without end."""
    words = {code: " ".join(texts).split() for code, texts in UNKNOWN.items()}
    sounds = []
    for _ in range(count):
        language = str(rng.choice(list(words)))
        text = " ".join(rng.choice(words[language], int(rng.integers(2, 8))))
        sounds.append(spoken(text, language, _random_manner(language, rng), known=False))
    return sounds


def _random_manner(language: str, rng: np.random.Generator) -> Manner:
    voice = VOICES[language] + str(rng.choice(_VARIANTS))
    return Manner(voice, int(rng.choice(_RATES)), int(rng.choice(_PITCHES)))


def _speak_all(
    sentences: Mapping[str, Sequence[str]], count: int, rng: np.random.Generator, known: bool
) -> Iterator[Sound]:
    for language, texts in sentences.items():
        for text in texts:
            for _ in range(count):
                manner = _random_manner(language, rng)
                yield spoken(text, language, manner, known, shift=int(rng.integers(160)))


def noise_sounds(count: int, rng: np.random.Generator) -> list[Sound]:
    """Return `count` clips of 8 s: coloured noise, music-like chords, clicks, steady tones."""
    kinds = (coloured_noise, chords, clicks, tones)
    seconds = 8.0
    clips = (kinds[i % len(kinds)](seconds, rng) for i in range(count))
    return [Sound(mel_power(clip)) for clip in clips]


def coloured_noise(seconds: float, rng: np.random.Generator) -> FloatArray:
    """Return noise whose power falls with frequency to a random exponent from 0 to 2."""
    count = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 50.0)
    spectrum *= frequency ** (-rng.uniform(0.0, 2.0) / 2)
    return _scaled(np.fft.irfft(spectrum, count), rng)


def chords(seconds: float, rng: np.random.Generator) -> FloatArray:
    """Return chords of harmonic tones that change two to four times a second."""
    count = int(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    step = np.floor(time * rng.uniform(2.0, 4.0)).astype(int)
    wave = np.zeros(count)
    for _ in range(3):
        pitch = 110.0 * 2 ** (rng.integers(0, 36, step.max() + 1) / 12)
        phase = 2 * np.pi * np.cumsum(pitch[step]) / SAMPLE_RATE
        wave += sum(np.sin(k * phase) / k for k in range(1, 6))
    return _scaled(wave, rng)


def clicks(seconds: float, rng: np.random.Generator) -> FloatArray:
    """Return keyboard-like clicks over a mains hum."""
    count = int(seconds * SAMPLE_RATE)
    wave = 0.1 * np.sin(2 * np.pi * 50 * np.arange(count) / SAMPLE_RATE)
    decay = np.exp(-np.arange(400) / 60)
    for start in rng.integers(0, count - 400, int(seconds * 4)):
        wave[start : start + 400] += rng.standard_normal(400) * decay
    return _scaled(wave, rng)


def tones(seconds: float, rng: np.random.Generator) -> FloatArray:
    """Return one to four steady tones, as fans, engines and organs make them."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitches = 100.0 * 2 ** rng.uniform(0, 4.5, int(rng.integers(1, 5)))
    wave = sum((np.sin(2 * np.pi * pitch * time) for pitch in pitches), np.zeros_like(time))
    return _scaled(wave, rng)


def _scaled(wave: np.ndarray, rng: np.random.Generator) -> FloatArray:
    level = 10 ** rng.uniform(-3.0, -0.5)
    return (wave / np.abs(wave).max() * level).astype(np.float32)
