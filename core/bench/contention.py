"""Topic `contention`: answers beside a core that something else keeps busy for 70 % of the time.

The other process is stopped and let go on in turns, so that both states see the same machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from core.bench.architectures import REAL, Architectures
from core.bench.burner import Burner, burner
from core.bench.options import Options
from core.bench.ours import Clips, Ours
from core.bench.report import Measurement, Part, Report, joined
from core.bench.subject import make_analyzer
from core.bench.subjects import Subjects
from core.bench.timing import measure_once, summarise

SHARE = 0.7
SECONDS = 4.0
TARGET = 1.3
ROUNDS, QUICK_ROUNDS, PER_ROUND = 10, 2, 5
_TENTHS = 10


def measure(options: Options, architectures: Architectures = REAL) -> Report:
    """Measure the embedded model, pretrained encoders, and both with recognition."""
    subjects = Subjects(architectures, options.made)
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    smallest = next(iter(architectures.whispers))
    embedded = Ours(make_analyzer(), subjects.transcriber(smallest))
    big = Ours(subjects.analyzer(), subjects.transcriber(smallest))
    speech = architectures.speech.name
    clips = subjects.clips
    ways: dict[str, tuple[Callable[[], object], float | None]] = {
        "embedded model": (lambda: embedded.speech(clips.utterance(SECONDS)), TARGET),
        speech: (lambda: big.speech(clips.utterance(SECONDS)), TARGET),
        f"embedded model, Whisper {smallest}": (
            lambda: embedded.fused(clips.utterance(SECONDS)),
            TARGET,
        ),
        f"{speech}, {architectures.text.name}, Whisper {smallest}": (
            lambda: big.fused(clips.utterance(SECONDS)),
            TARGET,
        ),
    }
    with burner(SHARE) as other:
        parts = [_part(name, *way, other, rounds, clips) for name, way in ways.items()]
    embedded.close()
    big.close()
    return joined("contention", parts)


def _part(
    name: str,
    answer: Callable[[], object],
    target: float | None,
    other: Burner,
    rounds: int,
    clips: Clips,
) -> Part:
    answer()
    idle, busy = _interleaved(answer, other, rounds)
    middle = statistics.median(idle)
    ratio = tenth_worst(busy) / middle
    rows = (
        Measurement(f"{name}: p90 beside a busy core / idle median", ratio, "x", target,
                    note=f"{len(busy)} answers each, the other process at {SHARE:.0%}"),
        summarise(f"{name}: idle", [1000 * s for s in idle], "ms"),
        summarise(f"{name}: beside a busy core", [1000 * s for s in busy], "ms"),
        Measurement(f"{name}: p90 / median, idle", tenth_worst(idle) / middle, "x"),
    )  # fmt: skip
    return Part(rows)


def _interleaved(
    answer: Callable[[], object], other: Burner, rounds: int
) -> tuple[list[float], list[float]]:
    """Return seconds of answers, idle and beside the busy process."""
    idle: list[float] = []
    busy: list[float] = []
    for number in range(rounds):
        for burning in (False, True) if number % 2 == 0 else (True, False):
            (other.burn if burning else other.pause)()
            times = busy if burning else idle
            times += [measure_once(answer).wall for _ in range(PER_ROUND)]
    other.pause()
    return idle, busy


def tenth_worst(values: Sequence[float]) -> float:
    """Return the 90th percentile of at least two values."""
    return statistics.quantiles(values, n=_TENTHS, method="inclusive")[-1]
