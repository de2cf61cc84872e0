"""Tells a voice on its own channel from the other channel's voice leaking into it.

Where each of two people has a microphone, each microphone also hears the other one, softly. A voice
activity detector can't know: soft speech is speech. But a leak is much softer than what it leaks
from at the same moment, and, but for the room, a copy of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.types import WINDOW, FloatArray

_KEPT = 4 * WINDOW
_HELD = 16 * _KEPT
"""Room behind what is kept, so that it seldom has to move."""
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
        self._heard = np.zeros((2, _HELD), np.float32)
        self._end = _KEPT

    def reset(self) -> None:
        """Forget what was heard: samples were lost, or a source begins."""
        self._heard[:] = 0

    def own(self, samples: FloatArray) -> tuple[bool, bool]:
        """Return for each channel of the next block (2, n) whether its sound is its own."""
        self._keep(samples)
        # plain numbers: of two values, numpy's wrappers cost more than what they compute
        newest = np.square(self._heard[:, self._end - 2 * WINDOW : self._end], dtype=np.float64)
        left, right = (np.add.reduce(newest, axis=1) / (2 * WINDOW)).tolist()
        if not self._leaks(min(left, right), max(left, right)):
            return True, True
        return right < left, left <= right

    def _keep(self, samples: FloatArray) -> None:
        """Append a block to the newest `_KEPT` samples, which move to the front now and then."""
        samples = samples[:, -_KEPT:]
        size = samples.shape[1]
        if self._end + size > _HELD:
            self._heard[:, :_KEPT] = self._heard[:, self._end - _KEPT : self._end].copy()
            self._end = _KEPT
        self._heard[:, self._end : self._end + size] = samples
        self._end += size

    def _leaks(self, softer: float, louder: float) -> bool:
        """Judge by the mean squares of the softer and the louder channel."""
        settings = self._settings
        if louder < _LOUDEST_SILENCE:
            return False
        below = 10 * np.log10(louder / max(softer, 1e-20))
        if below < settings.softer:
            return False
        if below >= settings.much_softer:
            return True
        left, right = self._heard[:, self._end - _KEPT : self._end]
        return likeness(left, right, settings.longest_delay) >= settings.likeness


def likeness(left: FloatArray, right: FloatArray, longest_delay: int) -> float:
    """Return the largest normalised cross-correlation (n,) x (n,) over delays either way."""
    size = 2 * left.size
    product = np.fft.rfft(left, size) * np.conj(np.fft.rfft(right, size))
    correlation = np.abs(np.fft.irfft(product, size))
    near = max(correlation[: longest_delay + 1].max(), correlation[-longest_delay:].max())
    energy = float(np.linalg.norm(left.astype(np.float64)) * np.linalg.norm(right))
    return float(near / energy) if energy > 0 else 0.0
