"""Tells a voice on its own channel from the other channel's voice leaking into it.

Where each of two people has a microphone, each microphone also hears the other one, softly. A voice
activity detector can't know: soft speech is speech. But a leak is much softer than what it leaks
from at the same moment, and, but for the room, a copy of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import WINDOW, FloatArray

_KEPT = 4 * WINDOW
_LOUDEST_SILENCE = 1e-10
"""Mean square below which a channel holds nothing that could leak."""


@dataclass(frozen=True, slots=True)
class CrosstalkSettings:
    """What is a leak.

    softer: dB below the other channel from which on a copy of it is a leak.
    likeness: least normalised cross-correlation of a copy.
    much_softer: dB below the other channel at which anything is taken for a leak.
    longest_delay: samples between the two microphones, at most (16 ms are 5 m).
    """

    softer: float = 8.0
    likeness: float = 0.35
    much_softer: float = 18.0
    longest_delay: int = 256

    def __post_init__(self) -> None:
        if not 0 < self.softer <= self.much_softer or not 0 < self.likeness <= 1:
            raise ValueError(
                "softer must be positive and not above much_softer, likeness in (0, 1]"
            )


class CrosstalkGate:
    """Hears the blocks of a two-channel source and says which channel holds a voice of its own."""

    def __init__(self, settings: CrosstalkSettings | None = None) -> None:
        self._settings = settings or CrosstalkSettings()
        self._recent = np.zeros((2, _KEPT), np.float32)

    def reset(self) -> None:
        """Forget what was heard: samples were lost, or a source begins."""
        self._recent[:] = 0

    def own(self, samples: FloatArray) -> tuple[bool, bool]:
        """Return for each channel of the next block (2, n) whether its sound is its own."""
        self._recent = np.concatenate([self._recent, samples], axis=1)[:, -_KEPT:]
        power = np.mean(np.square(self._recent[:, -2 * WINDOW :], dtype=np.float64), axis=1)
        softer = int(np.argmin(power))
        leaks = self._leaks(softer, power)
        return (not (leaks and softer == 0), not (leaks and softer == 1))

    def _leaks(self, softer: int, power: NDArray[np.float64]) -> bool:
        settings = self._settings
        louder = float(power[1 - softer])
        if louder < _LOUDEST_SILENCE:
            return False
        below = 10 * np.log10(louder / max(float(power[softer]), 1e-20))
        if below < settings.softer:
            return False
        if below >= settings.much_softer:
            return True
        left, right = self._recent
        return likeness(left, right, settings.longest_delay) >= settings.likeness


def likeness(left: FloatArray, right: FloatArray, longest_delay: int) -> float:
    """Return the largest normalised cross-correlation (n,) x (n,) over delays either way."""
    size = 2 * left.size
    product = np.fft.rfft(left, size) * np.conj(np.fft.rfft(right, size))
    correlation = np.abs(np.fft.irfft(product, size))
    near = max(correlation[: longest_delay + 1].max(), correlation[-longest_delay:].max())
    energy = float(np.linalg.norm(left.astype(np.float64)) * np.linalg.norm(right))
    return float(near / energy) if energy > 0 else 0.0
