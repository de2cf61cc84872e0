"""What is still to be waited for once the silence that ends an utterance is over.

A real session, in real time: a voice says utterances of up to 8 s with pauses between them. The
wait of one begins when the block arrives that completes the hangover, and ends when its turn is
told to be final. Once with the machine to itself, once with only one core free.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.audio.segmenter import SegmenterSettings
from core.audio.sources import ArraySource
from core.bench.accelerated import AcceleratedSource
from core.bench.burner import burner
from core.bench.material import load_dialogue, spans
from core.bench.report import Measurement, Part
from core.bench.timing import quartiles
from core.errors import EmoscopeError
from core.pipeline.events import AudioHeard, Event, TurnUpdated
from core.pipeline.protocols import Analyzer, Transcriber
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import SAMPLE_RATE, FloatArray, Turn, TurnStatus

HANGOVER = 0.5
LENGTHS, QUICK_LENGTHS = (2.0, 5.0, 8.0), (1.5,)
"""Seconds of the utterances, one after the other."""
PAUSE = 1.5
TARGET_MS = 50.0
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Setup:
    """A configuration: its name, how its parts are made, and whether there is a target for it."""

    name: str
    analyzer: Callable[[], Analyzer]
    transcriber: Callable[[], Transcriber] | None = None
    has_target: bool = True


@dataclass
class WaitWatch:
    """Notes when sound arrives and when turns become final; called from a session's threads.

    A turn that is final may be told of again, with a better text: only the first time counts.
    """

    hangover: float = HANGOVER
    arrivals: list[tuple[int, float]] = field(default_factory=list)
    finals: dict[int, tuple[Turn, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        """Take an event at the moment it is told."""
        now = time.monotonic()
        with self.lock:
            if isinstance(event, AudioHeard):
                self.arrivals.append((event.block.start + event.block.samples.shape[1], now))
            elif isinstance(event, TurnUpdated) and event.turn.status is TurnStatus.FINAL:
                self.finals.setdefault(event.turn.index, (event.turn, now))

    def waits(self) -> list[float]:
        """Return the seconds of every turn that a hangover ended, in order."""
        found = (self._wait(index) for index in sorted(self.finals))
        return [wait for wait in found if wait is not None]

    def _wait(self, index: int) -> float | None:
        turn, told = self.finals[index]
        silence = round((self.hangover - SegmenterSettings().padding) * SAMPLE_RATE)
        arrived = next((at for end, at in self.arrivals if end >= turn.end + silence), None)
        return None if arrived is None or arrived > told else told - arrived


def measure(setups: Sequence[Setup], lengths: Sequence[float] = LENGTHS) -> Part:
    """Measure every configuration, idle and with one core free."""
    idle: dict[str, float] = {}
    one_core: dict[str, float] = {}
    rows: list[Measurement] = []
    for setup in setups:
        analyzer = setup.analyzer()
        transcriber = setup.transcriber() if setup.transcriber else None
        target = TARGET_MS if setup.has_target else None
        waits = _waits(analyzer, transcriber, lengths)
        rows.append(_row(f"{setup.name}, idle", waits, target))
        idle[setup.name] = rows[-1].value
        with burner() as other:
            other.burn()
            waits = _waits(analyzer, transcriber, lengths)
        rows.append(_row(f"{setup.name}, one core free", waits, target))
        one_core[setup.name] = rows[-1].value
    said = " and ".join(f"{length:g}" for length in lengths)
    note = f"Waits: utterances of {said} s, hangover {HANGOVER * 1000:.0f} ms, in real time."
    return Part(
        tuple(rows), (note,), {"visible_wait_ms": idle, "visible_wait_ms_one_core": one_core}
    )


def _row(name: str, waits: Sequence[float], target: float | None) -> Measurement:
    """Return the longest wait: every utterance of these lengths is to be answered in time.

    Raises:
        EmoscopeError: no utterance came through.
    """
    if not waits:
        raise EmoscopeError(f"No utterance ended in a session with {name}.", "Try again.")
    low, middle, high = quartiles([1000 * wait for wait in waits])
    note = f"the longest of {len(waits)}; the median is {middle:.0f} ms"
    return Measurement(
        f"visible wait: {name}", 1000 * max(waits), "ms", target, low=low, high=high, note=note
    )


def _waits(
    analyzer: Analyzer, transcriber: Transcriber | None, lengths: Sequence[float]
) -> list[float]:
    """Return the waits of one session."""
    analyzer.warm_up()
    analyzer.reset()
    watch = WaitWatch()
    settings = SessionSettings(live=True, hangover=HANGOVER)
    loaded = threading.Event()
    source = AcceleratedSource(ArraySource(conversation(lengths)), 1.0, lambda _: loaded.is_set())
    if transcriber is not None:
        transcriber.warm_up()
    session = Session(source, settings, analyzer, transcriber, watch)
    session.start()
    time.sleep(0.5)  # its threads are up
    loaded.set()
    if not session.join(_PATIENCE):
        session.cancel()
        session.join()
    if session.error is not None:
        raise session.error
    return watch.waits()


def conversation(lengths: Sequence[float]) -> FloatArray:
    """Return utterances of these lengths (s) with silence around them, shape (n,)."""
    pause = np.zeros(round(PAUSE * SAMPLE_RATE), np.float32)
    audio, lines = load_dialogue()
    speech = np.concatenate([audio[start:end] for start, end in spans(lines)])
    pieces, at = [pause], 0
    for length in lengths:
        count = round(length * SAMPLE_RATE)
        pieces += [speech[at : at + count], pause]
        at += count
    return np.concatenate(pieces)
