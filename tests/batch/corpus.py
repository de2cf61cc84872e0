"""Recordings for batches: quick to make, quick to analyse, and each different."""

from __future__ import annotations

import json
import re
import wave
from pathlib import Path

import numpy as np

from core.batch.values import Task
from core.dialogue.wav import to_pcm
from core.types import SAMPLE_RATE, FloatArray
from tests.checkpoints import voice


def write_wav(path: Path, samples: FloatArray) -> Path:
    """Write samples, (n,) or (channels, n), at 16 kHz."""
    rows = np.atleast_2d(samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(rows.shape[0])
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_pcm(rows))
    return path


def write_talk(path: Path, seed: int, seconds: float = 3.0) -> Path:
    """Write a recording with a transcript beside it, of two speakers who take turns."""
    write_wav(path, voice(seconds, 120.0 + 15 * seed, seed))
    half = seconds / 2
    cues = (
        f"1\n{stamp(0.1)} --> {stamp(half)}\n[A] hello number {seed}\n",
        f"2\n{stamp(half)} --> {stamp(seconds - 0.1)}\n[B] what a day\n",
    )
    path.with_suffix(".srt").write_text("\n".join(cues), encoding="utf-8")
    return path


def stamp(seconds: float) -> str:
    """Return a time as SubRip writes it."""
    return f"00:{int(seconds) // 60:02d}:{seconds % 60:06.3f}".replace(".", ",")


def write_talks(folder: Path, count: int, seconds: float = 3.0) -> list[Path]:
    """Write so many, one in three of them in a folder below."""
    return [
        write_talk(
            folder / ("below" if number % 3 == 2 else "") / f"talk{number}.wav", number, seconds
        )
        for number in range(count)
    ]


def task(number: int, seconds: float | None = 1.0, folder: Path = Path("out")) -> Task:
    """Return a task of a recording that need not exist."""
    name = f"talk{number}"
    return Task(number, Path(f"{name}.wav"), (folder / f"{name}.jsonl",), f"{name}.wav", seconds)


def comparable(folder: Path) -> dict[str, object]:
    """Return all results by name, without what tells when and how fast they were made."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name.startswith("."):
            continue
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(folder).as_posix()
        found[name] = _rows(text) if path.suffix == ".jsonl" else _page(text)
    return found


def _rows(text: str) -> list[object]:
    return [_timeless(json.loads(line)) for line in text.splitlines()]


def _timeless(value: object) -> object:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k != "compute_seconds"}
    return [_timeless(v) for v in value] if isinstance(value, list) else value


def _page(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "WHEN", text)
