"""Augmentation of normalised speech features: other voices, channels, and missing pieces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.models.speech_features import ENERGY, PITCH
from core.types import FloatArray


@dataclass(frozen=True, slots=True)
class AugmentationConfig:
    """How much frames (in deviations) are changed in training.

    offset: deviation of random shifts of level, spectral tilt and pitch per clip.
    scale: deviation of the random factor per clip.
    time_masks, band_masks: pieces zeroed per clip (Park et al. 2019, SpecAugment, section 2).
    longest_time_mask: frames. widest_band_mask: mel bands. crop: frames kept of a longer clip.
    margin: most frames of silence kept around the speech.
    functional_noise: deviation of noise added to functionals.
    """

    offset: float = 0.2
    scale: float = 0.1
    time_masks: int = 2
    longest_time_mask: int = 20
    band_masks: int = 2
    widest_band_mask: int = 8
    crop: int = 192
    margin: int = 12
    functional_noise: float = 0.3


def random_span(
    span: tuple[int, int], length: int, config: AugmentationConfig, generator: np.random.Generator
) -> tuple[int, int]:
    """Return first and last frame of a crop of the speech `span` with random margins."""
    start = max(0, span[0] - int(generator.integers(config.margin + 1)))
    stop = min(length, span[1] + int(generator.integers(config.margin + 1)))
    if stop - start > config.crop:
        start += int(generator.integers(stop - start - config.crop + 1))
        stop = start + config.crop
    return start, stop


def augment_frames(
    frames: FloatArray, mel_bands: int, config: AugmentationConfig, generator: np.random.Generator
) -> FloatArray:
    """Return a changed copy of normalised frames (T, F)."""
    x = _shift(frames.copy(), mel_bands, config.offset, generator)
    x *= 1 + generator.normal(0, config.scale)
    length = len(x)
    for _ in range(config.time_masks):
        width = int(generator.integers(max(2, min(config.longest_time_mask, length // 6))))
        start = int(generator.integers(max(1, length - width)))
        x[start : start + width] = 0
    for _ in range(config.band_masks):
        width = int(generator.integers(config.widest_band_mask + 1))
        start = int(generator.integers(mel_bands - width))
        x[:, start : start + width] = 0
    return x


def _shift(x: FloatArray, bands: int, offset: float, generator: np.random.Generator) -> FloatArray:
    """Shift level, spectral tilt and bow, energy, and pitch where voiced."""
    position = np.linspace(-1, 1, bands)
    level, tilt, bow, energy, pitch = generator.normal(0, offset, 5)
    x[:, :bands] += level + tilt * position + bow / 2 * np.cos(2 * np.pi * position)
    x[:, bands + ENERGY] += energy
    x[:, bands + PITCH] += pitch * (x[:, bands + PITCH] != 0)
    return x
