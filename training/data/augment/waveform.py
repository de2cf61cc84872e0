"""Other voices, rooms, surroundings and levels: what may happen to sound before it is heard."""

from __future__ import annotations

import numpy as np
import soxr

from core.types import SAMPLE_RATE, FloatArray
from training.data.augment.config import (
    GainConfig,
    NoiseConfig,
    ReverbConfig,
    SpeedConfig,
    WaveformConfig,
)

_SPEED_STEP = 0.01
"""Speeds are rounded, so that the resampler's ratio is one of small numbers."""
_LOUDEST = 0.999


def alter_waveform(
    samples: FloatArray, config: WaveformConfig, generator: np.random.Generator
) -> FloatArray:
    """Return altered mono samples, float32; speed changes their number, nothing else does.

    Args:
        samples: (n,) at 16 kHz, not modified.
        generator: draws the same number of values whatever is applied.
    """
    altered = np.asarray(samples, dtype=np.float32)
    if config.speed is not None:
        altered = _speed(altered, config.speed, generator)
    if config.reverb is not None:
        altered = _reverb(altered, config.reverb, generator)
    if config.noise is not None:
        altered = _noise(altered, config.noise, generator)
    if config.gain is not None:
        altered = _gain(altered, config.gain, generator)
    return np.ascontiguousarray(altered, dtype=np.float32)


def at_speed(samples: FloatArray, speed: float) -> FloatArray:
    """Return samples played `speed` times as fast, hence n / speed of them."""
    return np.asarray(soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE), dtype=np.float32)


def with_noise(samples: FloatArray, noise: FloatArray, snr: float) -> FloatArray:
    """Return samples + noise, scaled so that their energies differ by `snr` dB.

    Silence stays silence: it has no level to be compared with.
    """
    signal, disturbance = _power(samples), _power(noise)
    if signal == 0 or disturbance == 0:
        return samples
    scale = np.sqrt(signal / disturbance) * 10 ** (-snr / 20)
    return np.asarray(samples + scale * noise, dtype=np.float32)


def coloured_noise(count: int, exponent: float, generator: np.random.Generator) -> FloatArray:
    """Return noise (n,) whose power falls with 1 / f^exponent, of unit variance."""
    white = np.fft.rfft(generator.standard_normal(count, dtype=np.float32))
    frequency = np.maximum(np.arange(len(white)), max(1.0, 20 * count / SAMPLE_RATE))
    noise = np.fft.irfft(white * frequency ** (-exponent / 2), count)
    return np.asarray(noise / (noise.std() + 1e-12), dtype=np.float32)


def impulse_response(seconds: float, wet: float, generator: np.random.Generator) -> FloatArray:
    """Return a synthetic room: the direct sound, then noise that falls by 60 dB in `seconds`.

    Args:
        wet: share of the energy that comes from the room.
    """
    count = max(2, round(seconds * SAMPLE_RATE))
    decay = 10 ** (-3.0 * np.arange(count) / count)  # 60 dB in amplitude is a factor of 1000
    tail = generator.standard_normal(count) * decay
    tail[: round(0.002 * SAMPLE_RATE)] = 0  # nothing returns before sound has reached a wall
    tail *= np.sqrt(wet / (np.sum(tail**2) + 1e-12))
    tail[0] = np.sqrt(1 - wet)
    return np.asarray(tail, dtype=np.float32)


def in_room(samples: FloatArray, response: FloatArray) -> FloatArray:
    """Return samples convolved with an impulse response, cut to their own length."""
    size = 1 << (len(samples) + len(response) - 2).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(samples)], dtype=np.float32)


def louder(samples: FloatArray, decibels: float) -> FloatArray:
    """Return samples with a gain, less of it where they would clip."""
    gain = 10 ** (decibels / 20)
    peak = float(np.abs(samples).max(initial=0.0))
    if gain > 1 and peak > 0:
        gain = max(1.0, min(gain, _LOUDEST / peak))
    return np.asarray(samples * np.float32(gain), dtype=np.float32)


def _speed(samples: FloatArray, config: SpeedConfig, generator: np.random.Generator) -> FloatArray:
    chosen, value = generator.random(), generator.uniform(config.slowest, config.fastest)
    speed = round(value / _SPEED_STEP) * _SPEED_STEP
    return at_speed(samples, speed) if chosen < config.chance and speed != 1 else samples


def _reverb(
    samples: FloatArray, config: ReverbConfig, generator: np.random.Generator
) -> FloatArray:
    chosen, seconds = generator.random(), generator.uniform(config.shortest, config.longest)
    wet, room = generator.uniform(0.1 * config.wet, config.wet), generator.spawn(1)[0]
    if chosen >= config.chance:
        return samples
    return in_room(samples, impulse_response(seconds, wet, room))


def _noise(samples: FloatArray, config: NoiseConfig, generator: np.random.Generator) -> FloatArray:
    chosen, snr = generator.random(), generator.uniform(config.lowest, config.highest)
    source = generator.spawn(1)[0]
    if chosen >= config.chance:
        return samples
    return with_noise(samples, coloured_noise(len(samples), config.exponent, source), snr)


def _gain(samples: FloatArray, config: GainConfig, generator: np.random.Generator) -> FloatArray:
    chosen, decibels = generator.random(), generator.uniform(config.lowest, config.highest)
    return louder(samples, decibels) if chosen < config.chance else samples


def _power(samples: FloatArray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
