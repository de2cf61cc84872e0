"""Timing that a busy machine disturbs little: interleaved rounds, medians, processor time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.bench.report import Measurement


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds by the clock, and seconds of processor time of the whole process."""

    wall: float
    processor: float


def measure_once(action: Callable[[], object]) -> Sample:
    """Run `action` once."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return Sample(time.perf_counter() - wall, time.process_time() - processor)


def interleave(
    actions: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 1
) -> dict[str, list[Sample]]:
    """Run every action once a round, so that whatever slows the machine slows them alike.

    Every second round runs backwards; the first `warm_up` rounds are not counted.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in actions}
    for number in range(warm_up + rounds):
        names = list(actions) if number % 2 == 0 else list(actions)[::-1]
        for name in names:
            sample = measure_once(actions[name])
            if number >= warm_up:
                samples[name].append(sample)
    return samples


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return lower quartile, median and upper quartile of at least one value."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def summarise(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    target: float | None = None,
    at_least: bool = False,
    note: str = "",
) -> Measurement:
    """Return the median of `values` with its quartiles as a measurement."""
    low, middle, high = quartiles(values)
    return Measurement(name, middle, unit, target, at_least, low, high, note)


def ratios(numerator: Sequence[Sample], denominator: Sequence[Sample]) -> list[float]:
    """Return the ratio of processor times round by round."""
    pairs = zip(numerator, denominator, strict=True)
    return [above.processor / max(below.processor, 1e-9) for above, below in pairs]


def sooner(theirs: Sequence[Sample], ours: Sequence[Sample]) -> list[float]:
    """Return how many times as long theirs took by the clock, round by round."""
    pairs = zip(theirs, ours, strict=True)
    return [above.wall / max(below.wall, 1e-9) for above, below in pairs]


def milliseconds(samples: Sequence[Sample]) -> list[float]:
    """Return the times by the clock in ms."""
    return [1000 * sample.wall for sample in samples]
