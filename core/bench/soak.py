"""Topic `soak`: two hours of a live session on a fast clock, journal included.

Memory must not grow and no frame may be lost; then, in real time, frames received from a
(virtual) microphone are compared with the clock.
"""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.audio.io import read_audio
from core.audio.microphone import MicrophoneSource
from core.audio.sources import ArraySource
from core.bench.accelerated import AcceleratedSource
from core.bench.memory import resident_megabytes, slope
from core.bench.report import Measurement, Report
from core.bench.subject import make_analyzer, make_journal
from core.bench.virtual_microphone import virtual_microphone
from core.errors import DeviceError
from core.pipeline.events import AudioHeard, Event, SessionState, TurnUpdated
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, TurnStatus

HOURS, QUICK_HOURS = 2.0, 0.2
SPEED = 30.0
WARM_UP_SHARE = 0.2
SLOPE_TARGET = 5.0
CLOCK_TOLERANCE = 0.001
SAMPLES = 60
LISTENING, QUICK_LISTENING = 120.0, 15.0
"""Seconds of real time."""


@dataclass
class Watch:
    """Counts what a session tells; called from its threads."""

    samples: int = 0
    finals: int = 0
    partials: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        """Count one event."""
        with self.lock:
            if isinstance(event, AudioHeard):
                self.samples += event.block.samples.shape[1]
            elif isinstance(event, TurnUpdated):
                final = event.turn.status is TurnStatus.FINAL
                self.finals += final
                self.partials += not final


def measure(quick: bool) -> Report:
    """Run the accelerated session, then listen to a microphone in real time if there can be one."""
    measurements, notes = soak(QUICK_HOURS if quick else HOURS, SPEED)
    try:
        with virtual_microphone():
            ratio = listen(QUICK_LISTENING if quick else LISTENING)
    except DeviceError as error:
        return Report("soak", measurements, (*notes, f"No microphone: {error}"))
    return Report("soak", (*measurements, *_clock("clock, microphone", ratio)), notes)


def soak(hours: float, speed: float) -> tuple[tuple[Measurement, ...], tuple[str, ...]]:
    """Run a live session of `hours` at `speed` times real time; return figures and notes."""
    dialogue = read_audio(sample_dialogue())
    repeats = max(1, round(hours * 3600 * SAMPLE_RATE / dialogue.shape[1]))
    source = AcceleratedSource(ArraySource(dialogue, repeats=repeats), speed)
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="emoscope-soak-") as folder:
        settings = SessionSettings(live=True)
        session = Session(source, settings, make_analyzer, None, watch, make_journal(Path(folder)))
        session.start()
        wait_until_running(session)
        began, first = time.monotonic(), watch.samples
        points = _sample_memory(session, repeats * dialogue.shape[1])
        ratio = (watch.samples - first) / ((time.monotonic() - began) * speed * SAMPLE_RATE)
        session.join()
    if session.error is not None:
        raise session.error
    note = (
        f"{watch.samples / SAMPLE_RATE / 3600:.2f} h at {speed:.0f} times real time: "
        f"{watch.finals} turns, {watch.partials} partial results; "
        f"memory {points[0][1]:.0f} MB at the start, "
        f"{points[-1][1]:.0f} MB at the end."
    )
    return (_growth(points), *_clock("accelerated clock", ratio)), (note,)


def listen(seconds: float) -> float:
    """Return the frames a live session receives from the microphone, per frame of the clock.

    The slope of received frames over time, by least squares, so that the jitter of blocks
    averages out; the first second, in which buffers fill, is left out.
    """
    heard: list[tuple[float, int]] = []

    def note(event: Event) -> None:
        if isinstance(event, AudioHeard):
            end = event.block.start + event.block.samples.shape[1]
            heard.append((time.monotonic(), end))

    session = Session(MicrophoneSource(), SessionSettings(live=True), make_analyzer, None, note)
    session.start()
    wait_until_running(session)
    time.sleep(seconds)
    session.stop()
    session.join()
    if session.error is not None:
        raise session.error
    settled = np.array([(at, end) for at, end in heard if at > heard[0][0] + 1.0])
    times = settled[:, 0] - settled[0, 0]
    return float(np.polyfit(times, settled[:, 1], 1)[0]) / SAMPLE_RATE


def wait_until_running(session: Session, timeout: float = 60.0) -> None:
    """Wait until the models are loaded. Raises what made the session fail."""
    deadline = time.monotonic() + timeout
    while session.state is SessionState.LOADING and time.monotonic() < deadline:
        time.sleep(0.01)
    if session.error is not None:
        raise session.error


def _sample_memory(session: Session, total: int) -> list[tuple[float, float]]:
    """Return (hours heard, MB) about `SAMPLES` times until everything was heard."""
    points: list[tuple[float, float]] = []
    step = total / SAMPLES
    while session.state is SessionState.RUNNING and session.position < total:
        if session.position >= len(points) * step:
            points.append((session.position / SAMPLE_RATE / 3600, resident_megabytes()))
        time.sleep(0.005)
    return points


def _growth(points: list[tuple[float, float]]) -> Measurement:
    settled = points[round(WARM_UP_SHARE * len(points)) :]
    growth = slope([hour for hour, _ in settled], [megabytes for _, megabytes in settled])
    note = f"resident memory after the first {WARM_UP_SHARE:.0%}"
    return Measurement("memory slope", growth, "MB/h", SLOPE_TARGET, note=note)


def _clock(name: str, ratio: float) -> tuple[Measurement, Measurement]:
    return (
        Measurement(f"frames / {name}", ratio, "", note="1 is right"),
        Measurement(f"distance from 1 ({name})", abs(ratio - 1), "", CLOCK_TOLERANCE),
    )
