"""What is still to be waited for once the silence that ends an utterance is over.

A real session, in real time: a voice says utterances of up to 8 s with pauses between them. The
wait of one begins when the block arrives that completes the hangover, and ends when its turn is
told to be final. With only one core free, and with the machine to itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.audio.segmenter import SegmenterSettings
from core.audio.sources import ArraySource
from core.bench.accelerated import AcceleratedSource
from core.bench.burner import burner
from core.bench.material import load_dialogue, spans
from core.bench.report import Measurement, Part
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

    def waits(self, lengths: Sequence[float]) -> dict[float, float]:
        """Return the seconds waited for by length, of a `conversation` of these lengths.

        Of an utterance that was cut in two, the part that the pause ended.
        """
        found: dict[float, float] = {}
        for index in sorted(self.finals):
            length = _length_at(self.finals[index][0].end, lengths)
            wait = self._wait(index)
            if length is not None and wait is not None:
                found[length] = wait
        return found

    def _wait(self, index: int) -> float | None:
        turn, told = self.finals[index]
        silence = round((self.hangover - SegmenterSettings().padding) * SAMPLE_RATE)
        arrived = next((at for end, at in self.arrivals if end >= turn.end + silence), None)
        return None if arrived is None or arrived > told else told - arrived


def measure(setups: Sequence[Setup], lengths: Sequence[float] = LENGTHS) -> Part:
    """Measure every configuration with one core free, and those with a target idle too.

    To save minutes, what has no target and what is idle is measured at the middle length alone.
    """
    middle = lengths[len(lengths) // 2 :][:1]
    one_core: dict[str, dict[str, float]] = {}
    idle: dict[str, dict[str, float]] = {}
    rows: list[Measurement] = []
    problems: list[str] = []
    for setup in setups:
        analyzer = setup.analyzer()
        transcriber = setup.transcriber() if setup.transcriber else None
        with burner() as other:
            other.burn()
            waits = _waits(analyzer, transcriber, lengths if setup.has_target else middle)
        rows += _rows(f"{setup.name}, one core free", waits, setup.has_target)
        one_core[setup.name] = _figures(waits)
        if setup.has_target:
            problems += _unanswered(setup.name, waits, lengths)
            waits = _waits(analyzer, transcriber, middle)
            rows += _rows(f"{setup.name}, idle", waits)
            idle[setup.name] = _figures(waits)
    note = (
        f"Waits: one utterance of each length, hangover {HANGOVER * 1000:.0f} ms, in real time, no"
        " text like another; the target is for one core free."
    )
    return Part(
        tuple(rows), (note, *problems), {"visible_wait_ms": one_core, "visible_wait_ms_idle": idle}
    )


def _figures(waits: Mapping[float, float]) -> dict[str, float]:
    """Return the waits in ms, by length."""
    return {f"{length:g} s": round(1000 * wait, 1) for length, wait in waits.items()}


def _rows(name: str, waits: Mapping[float, float], has_target: bool = False) -> list[Measurement]:
    """Return the wait of each length: a miss at the longest is not to hide the others.

    Raises:
        EmoscopeError: no utterance came through.
    """
    if not waits:
        raise EmoscopeError(f"No utterance ended in a session with {name}.", "Try again.")
    target = TARGET_MS if has_target else None
    return [
        Measurement(f"visible wait: {name}, {length:g} s", 1000 * wait, "ms", target)
        for length, wait in waits.items()
    ]


def _unanswered(
    name: str, waits: Mapping[float, float], lengths: Sequence[float]
) -> tuple[str, ...]:
    """Say which utterances have no wait: such a one is no hit."""
    missing = ", ".join(f"{length:g} s" for length in lengths if length not in waits)
    return (f"{name}: no answer timed at {missing}.",) if missing else ()


def _length_at(end: int, lengths: Sequence[float]) -> float | None:
    """Return the length of the utterance of a `conversation` that ends about there (samples)."""
    at = 0.0
    for length in lengths:
        at += PAUSE + length
        if abs(end / SAMPLE_RATE - at) < PAUSE / 2:
            return length
    return None


def _waits(
    analyzer: Analyzer, transcriber: Transcriber | None, lengths: Sequence[float]
) -> dict[float, float]:
    """Return the waits of one session, in seconds by length."""
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
    return watch.waits(lengths)


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
