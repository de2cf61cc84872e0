"""Tiny recordings and tables for corpora that a test writes itself."""

from __future__ import annotations

import csv
import wave
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np


def write_wav(
    path: Path, seconds: float = 0.3, channels: int = 1, silent: bool = False, seed: int = 0
) -> Path:
    """Write a tone (or nothing but zeros) at 16 kHz and return its path.

    Of two channels one is louder for two seconds, then the other: the left one first, or the right
    one where `seed` is odd.
    """
    time = np.arange(int(seconds * 16000)) / 16000
    tone = 0.0 * time if silent else 8000 * np.sin(2 * np.pi * 220 * time)
    sound = np.stack([tone] * channels, axis=1)
    if channels == 2:
        on_the_left = (time.astype(int) // 2 + seed) % 2 == 0
        sound[on_the_left, 1] *= 0.1
        sound[~on_the_left, 0] *= 0.1
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(sound.astype("<i2").tobytes())
    return path


def write_table(
    path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    """Write rows as CSV, the first being the header, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def write_mp4(path: Path, seconds: float = 0.3) -> Path:
    """Write a tone as AAC in MP4 and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(seconds * 16000), dtype=np.float32) / 16000
    samples = 0.2 * np.sin(2 * np.pi * 220 * time)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = 16000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


def manifest(folder: Path, *rows: list[object], header: list[str] | None = None) -> Path:
    """Write `manifest.csv` with these rows under `header`, or under path and labels."""
    return write_table(folder / "manifest.csv", [header or ["path", "labels"], *rows])
