"""Short recordings written where a test wants them."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np

from core.types import SAMPLE_RATE, FloatArray


def voice(seconds: float, seed: int = 0) -> FloatArray:
    """A harmonic sound with a wandering pitch; every seed gives another one."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = generator.uniform(90, 250) * (
        1 + 0.1 * np.sin(2 * np.pi * generator.uniform(1, 4) * time)
    )
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 8))
    return (0.1 * sound + generator.normal(0, 0.003, len(time))).astype(np.float32)


def write_wav(path: Path, *channels: FloatArray, rate: int = SAMPLE_RATE) -> Path:
    """Write 16-bit PCM; values are clipped to [-1, 1]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.stack(channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def write_float_wav(path: Path, samples: FloatArray) -> Path:
    """Write 32-bit float, which can hold what is no number."""
    data = samples.astype("<f4").tobytes()
    layout = struct.pack("<HHIIHH", 3, 1, SAMPLE_RATE, 4 * SAMPLE_RATE, 4, 32)
    chunks = (
        b"fmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(data)) + data
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path
