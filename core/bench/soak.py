"""Topic `soak`: two hours of a live session on a fast clock, journal included.

Memory must not grow, and every frame must be heard and written; then, in real time, frames
received from a (virtual) microphone are compared with the clock.
"""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.audio.io import probe, read_audio
from core.audio.microphone import MicrophoneSource
from core.audio.sources import ArraySource
from core.bench.accelerated import AcceleratedSource
from core.bench.memory import resident_megabytes, slope
from core.bench.report import Measurement, Report
from core.bench.subject import make_analyzer, make_context, make_journal
from core.bench.virtual_microphone import virtual_microphone
from core.errors import DeviceError
from core.pipeline.events import AudioHeard, Event, SessionState, TurnUpdated
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, TurnStatus

HOURS, QUICK_HOURS = 2.0, 0.2
SPEED = 30.0
LONGEST_BACKLOG = 20.0
"""Seconds of audio from the newest result to the source: more would be no live session."""
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
    newest: int = 0
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
                self.newest = max(self.newest, event.turn.end)

    def keeps_up(self, position: int) -> bool:
        """Return whether results are as close behind the source as in a session in real time."""
        return position - self.newest < LONGEST_BACKLOG * SAMPLE_RATE


def measure(quick: bool) -> Report:
    """Run the accelerated session, then listen to a microphone in real time if there can be one."""
    measurements, notes = soak(QUICK_HOURS if quick else HOURS, SPEED)
    try:
        with virtual_microphone():
            ratio = listen(QUICK_LISTENING if quick else LISTENING)
    except DeviceError as error:
        return Report("soak", measurements, (*notes, f"No microphone: {error}"))
    clock = _frames("received from the microphone / clock", ratio)
    return Report("soak", (*measurements, *clock), notes)


def soak(hours: float, speed: float) -> tuple[tuple[Measurement, ...], tuple[str, ...]]:
    """Run a live session of `hours` at `speed` times real time; return figures and notes."""
    dialogue = read_audio(sample_dialogue())
    repeats = max(1, round(hours * 3600 * SAMPLE_RATE / dialogue.shape[1]))
    total = repeats * dialogue.shape[1]
    watch = Watch()
    source = AcceleratedSource(ArraySource(dialogue, repeats=repeats), speed, watch.keeps_up)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="emoscope-soak-") as folder:
        journal = make_journal(Path(folder))
        settings = SessionSettings(live=True)
        session = Session(
            source, settings, make_analyzer, None, watch, journal, context=make_context
        )
        session.start()
        points = _sample_memory(session, total)
        session.join()
        if session.error is not None:
            raise session.error
        written = _written(Path(folder))
    heard = watch.samples / SAMPLE_RATE / 3600
    note = (
        f"{heard:.2f} h at {heard * 3600 / (time.monotonic() - began):.0f} times real time: "
        f"{watch.finals} turns, {watch.partials} partial results; "
        f"memory {points[0][1]:.0f} MB at the start, {points[-1][1]:.0f} MB at the end."
    )
    return (
        _growth(points),
        *_frames("heard / delivered", watch.samples / total),
        *_frames("written to the journal / heard", written / watch.samples),
    ), (note,)


def _written(folder: Path) -> int:
    """Return the samples in the journal's sound files."""
    return sum(round((probe(path).duration or 0.0) * SAMPLE_RATE) for path in folder.rglob("*.wav"))


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
    due = 0.0
    ended = (SessionState.IDLE, SessionState.FAILED)
    while session.state not in ended and session.position < total:
        position = session.position
        if position >= due:
            points.append((position / SAMPLE_RATE / 3600, resident_megabytes()))
            due = position + total / SAMPLES
        time.sleep(0.005)
    return points


def _growth(points: list[tuple[float, float]]) -> Measurement:
    settled = points[round(WARM_UP_SHARE * len(points)) :]
    growth = slope([hour for hour, _ in settled], [megabytes for _, megabytes in settled])
    note = f"resident memory after the first {WARM_UP_SHARE:.0%}"
    return Measurement("memory slope", growth, "MB/h", SLOPE_TARGET, note=note)


def _frames(name: str, ratio: float) -> tuple[Measurement, Measurement]:
    return (
        Measurement(f"frames {name}", ratio, ""),
        Measurement("its distance from 1", abs(ratio - 1), "", CLOCK_TOLERANCE),
    )
