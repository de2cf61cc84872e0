"""Topic `files`: an hour of dialogue through `emoscope analyze`, by the embedded model.

Each run is a process of its own, as a user starts it; a short recording beside the long one tells
what is start-up and what the length adds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from core.bench.material import load_dialogue, spans
from core.bench.memory import MEGABYTE
from core.bench.options import Options
from core.bench.report import Measurement, Report
from core.dialogue.wav import to_pcm, wav_header
from core.errors import EmoscopeError
from core.types import SAMPLE_RATE, FloatArray

HOUR, QUICK_HOUR = 3600.0, 180.0
SHORT, QUICK_SHORT = 120.0, 60.0
SPEED, GROWTH = 40.0, 300.0
_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the command: seconds of sound, and by the clock; most memory at a time (MB)."""

    duration: float
    seconds: float
    megabytes: float


def measure(options: Options) -> Report:
    """Analyse a short and a long two-speaker recording."""
    short, long = (QUICK_SHORT, QUICK_HOUR) if options.quick else (SHORT, HOUR)
    with tempfile.TemporaryDirectory(prefix="emoscope-files-") as name:
        folder = Path(name)
        first = analyze(write_dialogue(folder / "short.wav", short), folder)
        second = analyze(write_dialogue(folder / "long.wav", long), folder)
    return report(first, second)


def report(short: Run, long: Run) -> Report:
    """Return the figures of both runs."""
    speed = long.duration / long.seconds
    added = (long.duration - short.duration) / max(long.seconds - short.seconds, 1e-9)
    minutes = f"{long.duration / 60:.0f} minutes"
    span = f"{minutes} against {short.duration / 60:.0f}"
    growth = long.megabytes - short.megabytes
    rows = (
        Measurement(f"{minutes}, two speakers: times real time", speed, "x", SPEED, at_least=True,
                    note=f"{long.seconds:.0f} s, start-up included"),
        Measurement("times real time, start-up left out", added, "x", note=span),
        Measurement("memory, at most", long.megabytes, "MB", note="all processes together"),
        Measurement("memory growth with the length", growth, "MB", GROWTH, note=span),
    )  # fmt: skip
    figures = {"times_real_time": round(speed, 1), "memory_growth_mb": round(growth, 1)}
    return Report("files", rows, ("emoscope analyze --whisper none --channels both",), figures)


def analyze(recording: Path, folder: Path) -> Run:
    """Run the command on a recording and watch its memory. Raises EmoscopeError when it fails."""
    command = [sys.executable, "-m", "core.cli", "analyze", str(recording)]
    command += ["--out", str(folder / recording.stem), "--formats", "jsonl"]
    command += ["--whisper", "none", "--channels", "both", "--no-transcript"]
    log = folder / f"{recording.stem}.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = psutil.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=_project())
        most = 0.0
        while process.poll() is None:
            most = max(most, _memory(process))
            time.sleep(_LOOK)
    if process.returncode:
        said = log.read_text(encoding="utf-8", errors="replace")[-500:]
        raise EmoscopeError(f"emoscope analyze failed: {said}", "Run it by hand to see why.")
    seconds = time.monotonic() - began
    frames = (recording.stat().st_size - len(wav_header(2, 0))) // 4
    return Run(frames / SAMPLE_RATE, seconds, most)


def _memory(process: psutil.Process) -> float:
    """Return the resident memory of a process and all below it, in MB."""
    total = 0.0
    try:
        for one in (process, *process.children(recursive=True)):
            total += float(one.memory_info().rss) / MEGABYTE
    except psutil.NoSuchProcess:
        return total
    return total


def write_dialogue(path: Path, seconds: float) -> Path:
    """Write the bundled dialogue again and again, each speaker on a channel, to a WAV file."""
    once = to_pcm(two_channels())
    wanted = round(seconds * SAMPLE_RATE) * 4
    with path.open("wb") as file:
        file.write(wav_header(2, wanted))
        while wanted > 0:
            wanted -= file.write(once[:wanted])
    return path


def two_channels() -> FloatArray:
    """Return the bundled dialogue with its speakers on channels of their own, shape (2, n)."""
    audio, lines = load_dialogue()
    speakers = sorted({line.speaker or "" for line in lines})
    channels = np.zeros((2, len(audio)), np.float32)
    for line, (start, end) in zip(lines, spans(lines), strict=True):
        channel = speakers.index(line.speaker or "") % 2
        channels[channel, start:end] = audio[start:end]
    return channels


def _project() -> Path:
    return Path(__file__).resolve().parents[2]
