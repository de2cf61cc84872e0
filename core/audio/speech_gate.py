"""Tells speech from the noises and tones that a voice activity detector takes for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import SAMPLE_RATE, WINDOW, FloatArray


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What it takes to be speech.

    confident: probability from which a window is clear speech.
    mean_probability: least mean probability of the windows that carry the speech.
    """

    confident: float = 0.5
    mean_probability: float = 0.6


@dataclass(frozen=True, slots=True)
class Evidence:
    """A possible utterance: per window of 512 samples its probability and mean square.

    `samples` has shape (windows * 512,).
    """

    probabilities: NDArray[np.float32]
    power: NDArray[np.float32]
    samples: FloatArray


class SpeechGate:
    """Judges possible utterances of one channel."""

    def __init__(self, settings: GateSettings, min_speech: float) -> None:
        self._settings = settings
        self._min_windows = max(1, round(min_speech * SAMPLE_RATE / WINDOW))

    def reset(self) -> None:
        """Forget the background."""

    def background(self, samples: FloatArray, probability: float) -> None:
        """Learn from a window in which nobody speaks."""

    def accepts(self, evidence: Evidence) -> bool:
        """Return whether the evidence, as far as it goes, is speech."""
        speech = evidence.probabilities[evidence.probabilities >= self._settings.confident]
        if speech.size < self._min_windows:
            return False
        return float(speech.mean()) >= self._settings.mean_probability
