"""Sounds with known properties for the segmenter's tests."""

from __future__ import annotations

import numpy as np

from core.audio.segmenter import Segmenter, SegmenterSettings
from core.audio.sources import ArraySource
from core.pipeline.protocols import AudioSource, EndOfSource
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, FloatArray, Utterance


class ScriptedVad:
    """Takes loud windows for speech, so that a test says by the samples when somebody speaks."""

    def __init__(self, limit: float = 0.05) -> None:
        self._limit = limit

    def probability(self, window: FloatArray) -> float:
        return 0.95 if float(np.abs(window).max()) > self._limit else 0.02

    def reset(self) -> None:
        pass


def quiet(seconds: float) -> FloatArray:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def voice(seconds: float, seed: int = 0, amplitude: float = 0.3) -> FloatArray:
    """Return a voice-like buzz whose pitch and colour wander as no instrument's do."""
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    knots = rng.uniform(90, 220, max(2, round(seconds * 8)) + 1)
    pitch = np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    colours = rng.uniform(0.2, 1.0, (len(knots), 12))
    sound = np.zeros(count)
    for number in range(12):
        strength = np.interp(
            np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), colours[:, number]
        )
        sound += strength * np.sin((number + 1) * phase) / (number + 1)
    return (amplitude * sound / np.abs(sound).max()).astype(np.float32)


def cut(samples: FloatArray, segmenter: Segmenter) -> list[Utterance]:
    """Return everything the segmenter says about samples of shape (n,) or (channels, n)."""
    source = ArraySource(samples)
    source.start()
    found: list[Utterance] = []
    while (block := next_block(source)) is not None:
        found.extend(segmenter.push(block))
    return [*found, *segmenter.flush(source.total_samples)]


def next_block(source: AudioSource) -> AudioBlock | None:
    try:
        return source.read(1.0)
    except EndOfSource:
        return None


def scripted(settings: SegmenterSettings | None = None) -> Segmenter:
    return Segmenter(settings or SegmenterSettings(), ScriptedVad())


def windows(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / WINDOW)
