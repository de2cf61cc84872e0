"""Other voices made of frames: a vocal tract of another length, and another pitch.

Jaitly & Hinton (2013), Vocal tract length perturbation (VTLP) improves speech recognition, ICML
workshop, section 3; here each warp of a speaker is a voice of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.models.speech_features import PITCH, SpeechFeatureConfig
from core.types import FloatArray


@dataclass(frozen=True, slots=True)
class Warp:
    """formants: factor of all resonances, above one for a shorter vocal tract. pitch: octaves."""

    formants: float = 1.0
    pitch: float = 0.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.formants <= 2 or not -1 <= self.pitch <= 1:
            raise ValueError("formants must lie between 0.5 and 2, pitch between -1 and 1 octave")


class Warper:
    """Applies one warp to frames of speech as `VoiceFrontEnd` gives them."""

    def __init__(self, warp: Warp, config: SpeechFeatureConfig) -> None:
        self._warp = warp
        self._bands = config.mel_bands
        self._mixing = _mixing(warp.formants, config)

    def __call__(self, frames: FloatArray) -> FloatArray:
        """Return warped frames (n, F); pitch stays zero where unvoiced."""
        x = frames.copy()
        x[:, : self._bands] = frames[:, : self._bands] @ self._mixing
        pitch = frames[:, self._bands + PITCH]
        x[:, self._bands + PITCH] = np.where(pitch != 0, pitch + self._warp.pitch, 0)
        return x


def _mixing(formants: float, config: SpeechFeatureConfig) -> FloatArray:
    """Return (bands, bands): each new band between the two old ones that its resonances were in."""

    def to_mel(frequency: FloatArray) -> FloatArray:
        return np.asarray(2595 * np.log10(1 + frequency / 700), np.float32)

    low, high = to_mel(np.array([config.mel_low, config.mel_high], np.float32))
    centres = np.linspace(low, high, config.mel_bands + 2)[1:-1]
    frequencies = 700 * (10 ** (centres / 2595) - 1)
    wanted = to_mel((frequencies / formants).astype(np.float32))
    place = np.clip((wanted - centres[0]) / (centres[1] - centres[0]), 0, config.mel_bands - 1)
    below = np.minimum(place.astype(int), config.mel_bands - 2)
    mixing = np.zeros((config.mel_bands, config.mel_bands), np.float32)
    columns = np.arange(config.mel_bands)
    mixing[below, columns] = 1 - (place - below)
    mixing[below + 1, columns] = place - below
    return mixing
