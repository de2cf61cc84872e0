"""What live updates with a pretrained encoder cost while somebody speaks and speaks.

In a real session with speech alone, and update by update: the processor time of those around 16 s
beside that of those around 4 s, in the same utterances.
"""

from __future__ import annotations

import threading
import time
from functools import partial

from core.audio.sources import ArraySource
from core.bench.accelerated import AcceleratedSource
from core.bench.ours import Clips
from core.bench.report import Measurement, Part
from core.bench.subjects import speech_for
from core.bench.timing import Sample, measure_once, ratios, summarise
from core.pipeline.events import Event, TurnUpdated
from core.pipeline.protocols import Analyzer
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import TurnStatus

INTERVAL = 0.25
SHORT, LONG, NEAR = 4.0, 16.0, 1.0
"""Updates within `NEAR` seconds of these lengths are compared."""
SHARE, LENGTH_RATIO = 40.0, 1.1
CORES = 2
"""The target is for a machine with two."""


def measure(analyzer: Analyzer, clips: Clips, name: str, quick: bool) -> Part:
    """Measure the share of two cores in a session, and how an update's cost depends on length."""
    analyzer.warm_up()
    short, long = _updates(analyzer, clips, rounds=1 if quick else 2)
    share, rate = _session(analyzer, 4.0 if quick else 14.0)
    cost = [1000 * sample.processor for sample in long]
    return Part(
        (
            Measurement(
                f"{name}, live: share of two cores", share, "%", SHARE,
                note=f"{rate:.1f} updates a second",
            ),
            summarise(f"{name}, an update at {LONG:.0f} s / at {SHORT:.0f} s",
                      ratios(long, short), "x", target=LENGTH_RATIO, note="processor time"),
            summarise(f"{name}, an update at {LONG:.0f} s", cost, "ms", note="processor time"),
        ),
        (),
        {"live_share_of_two_cores": round(share, 1)},
    )  # fmt: skip


def _updates(analyzer: Analyzer, clips: Clips, rounds: int) -> tuple[list[Sample], list[Sample]]:
    """Grow utterances by updates at 4 Hz; return those around both lengths, in pairs."""
    short: list[Sample] = []
    long: list[Sample] = []
    for _ in range(rounds):
        for growing in clips.growing(LONG + NEAR, INTERVAL):
            sample = measure_once(partial(analyzer.partial, growing, None))
            if abs(growing.duration - SHORT) <= NEAR:
                short.append(sample)
            elif abs(growing.duration - LONG) <= NEAR:
                long.append(sample)
    pairs = min(len(short), len(long))
    return short[:pairs], long[:pairs]


def _session(analyzer: Analyzer, seconds: float) -> tuple[float, float]:
    """Return the share of two cores (%) and updates a second of a session in real time."""
    started = threading.Event()
    updates = 0

    def listen(event: Event) -> None:
        nonlocal updates
        if isinstance(event, TurnUpdated) and event.turn.status is TurnStatus.PARTIAL:
            updates += 1

    speech = ArraySource(speech_for(seconds).samples)
    source = AcceleratedSource(speech, 1.0, lambda _: started.is_set())
    analyzer.reset()
    session = Session(source, SessionSettings(live=True), analyzer, None, listen)
    session.start()
    time.sleep(0.5)  # its threads are up
    wall, processor = time.monotonic(), time.process_time()
    started.set()
    session.join()
    if session.error is not None:
        raise session.error
    elapsed = time.monotonic() - wall
    share = 100 * (time.process_time() - processor) / elapsed / CORES
    return share, updates / elapsed
