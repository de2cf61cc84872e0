"""Writes generated voices as WAV files."""

from __future__ import annotations

import wave
from pathlib import Path

from core.types import SAMPLE_RATE, FloatArray


def write_wave(path: Path, samples: FloatArray) -> None:
    """Write 16 bit PCM at 16 kHz.

    Args:
        samples: between -1 and 1, (n,), or (channels, n).
    """
    channels = 1 if samples.ndim == 1 else len(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((samples.T * 32767).astype("<i2").tobytes())
