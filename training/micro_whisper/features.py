"""Log-mel windows as faster-whisper computes them, kept as power so that sounds can be mixed.

Mixing is done on mel power (powers of independent sounds add), which costs a few additions per
frame where mixing waveforms would cost a Fourier transform each.
"""

from __future__ import annotations

import functools

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor

from core.types import SAMPLE_RATE, FloatArray

FRAME_RATE = 100
"""Mel frames a second."""
POSITION_RATE = 50
"""Encoder positions a second: the second convolution has stride 2."""
MELS = 80
FULL_WINDOW = 3000
"""Frames of the window that faster-whisper pads everything to (30 s)."""


@functools.cache
def _extractor() -> FeatureExtractor:
    return FeatureExtractor(feature_size=MELS, sampling_rate=SAMPLE_RATE)


def mel_power(samples: FloatArray) -> FloatArray:
    """Return mel power, shape (80, n / 160), of samples at 16 kHz."""
    extractor = _extractor()
    window = np.hanning(extractor.n_fft + 1)[:-1].astype(np.float32)
    spectrum = extractor.stft(
        samples, extractor.n_fft, extractor.hop_length, window=window, return_complex=True
    )
    power = extractor.mel_filters @ (np.abs(spectrum[..., :-1]) ** 2)
    return power.astype(np.float32)


def log_mel(power: FloatArray, frames: int) -> FloatArray:
    """Return the log-mel of mel power (80, n), zero-padded or cut to shape (80, frames)."""
    log_power = np.log10(np.maximum(power, 1e-10))
    log_power = np.maximum(log_power, log_power.max() - 8.0)
    window = np.zeros((MELS, frames), np.float32)
    kept = min(frames, power.shape[1])
    window[:, :kept] = (log_power[:, :kept] + 4.0) / 4.0
    return window
