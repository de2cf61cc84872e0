"""What a watched live session showed, in numbers and as lines for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from desktop import engine_words
from tests.desktop.live_watch import Told, WindowWatch, covered, growth

MEMORY_EVERY = 5
"""Seconds between two figures of the resident memory that are kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen; gaps in milliseconds, lags and loading in seconds, memory in MB."""

    model: str
    runs_on: str
    runtimes: tuple[str, ...]
    recognition: str
    loading: float
    spoken_seconds: float
    lines: int
    lines_arrived: int
    turns: int
    unfinished: int
    failed: int
    texts: int
    bettered: int
    frames: int
    gap_median: float
    gap_p99: float
    gap_worst: float
    lag_median: float
    lag_p90: float
    lag_worst: float
    delays_shown: tuple[str, ...]
    effort: tuple[int, ...]
    notices: tuple[str, ...]
    memory: tuple[int, ...]
    memory_per_minute: float
    memory_rise: float

    @property
    def nothing_lost(self) -> bool:
        """Whether every line came back judged, and every turn that was begun became final."""
        return self.lines_arrived == self.lines and not self.unfinished and not self.failed


def outcome_of(
    told: Told,
    watch: WindowWatch,
    lines: Sequence[tuple[float, float]],
    loading: float,
    recognition: str,
) -> Outcome:
    """Put together what was seen."""
    finals = list(told.finals().values())
    gaps, lags = watch.gaps(), told.lags()
    per_minute, rise = growth(watch.memory)
    model = told.model
    return Outcome(
        model=model.name if model else "",
        runs_on=engine_words.where(model) if model else "",
        runtimes=tuple(
            f"{entry.modality}: {engine_words.runtime(entry)}"
            for entry in (model.runtimes if model else ())
        ),
        recognition=recognition,
        loading=loading,
        spoken_seconds=lines[-1][1] - lines[0][0],
        lines=len(lines),
        lines_arrived=covered(lines, finals),
        turns=len(finals),
        unfinished=len(told.unfinished()),
        failed=sum(turn.emotion is None for turn in finals),
        texts=sum(bool(turn.transcript and turn.transcript.text) for turn in finals),
        bettered=told.bettered(),
        frames=len(watch.frames),
        gap_median=statistics.median(gaps),
        gap_p99=float(np.percentile(gaps, 99)),
        gap_worst=max(gaps),
        lag_median=statistics.median(lags) if lags else 0.0,
        lag_p90=float(np.percentile(lags, 90)) if lags else 0.0,
        lag_worst=max(lags, default=0.0),
        delays_shown=tuple(watch.delays),
        effort=tuple(event.level for event in told.effort),
        notices=tuple(dict.fromkeys(notice.message.code for notice in told.notices)),
        memory=tuple(round(size) for _, size in watch.memory[::MEMORY_EVERY]),
        memory_per_minute=per_minute,
        memory_rise=rise,
    )


def table(seen: Outcome) -> str:
    """Return what was seen as lines for people."""
    lines = [
        f"model          {seen.model}; {seen.runs_on} loaded in {seen.loading:.1f} s",
        *(f"               {runtime}" for runtime in seen.runtimes),
        f"recognition    {seen.recognition}: {seen.texts} texts, {seen.bettered} bettered",
        f"spoken         {seen.spoken_seconds:.0f} s, {seen.lines} lines",
        f"arrived        {seen.lines_arrived} of {seen.lines} lines in {seen.turns} final turns; "
        f"{seen.unfinished} unfinished, {seen.failed} not judged",
        f"frame gaps     median {seen.gap_median:.0f} ms, p99 {seen.gap_p99:.0f} ms, "
        f"worst {seen.gap_worst:.0f} ms ({seen.frames} frames)",
        f"lag of finals  median {seen.lag_median:.2f} s, p90 {seen.lag_p90:.2f} s, "
        f"worst {seen.lag_worst:.2f} s",
        f"shown as       {', '.join(seen.delays_shown) or 'nothing'}",
        f"effort         {' > '.join(map(str, (0, *seen.effort)))} of 4",
        f"notices        {', '.join(seen.notices) or 'none'}",
        f"memory         {' '.join(map(str, seen.memory))} MB every {MEMORY_EVERY} s; "
        f"later half {seen.memory_per_minute:+.1f} MB a minute, {seen.memory_rise:+.1f} MB in all",
        f"result         {'nothing was lost' if seen.nothing_lost else 'SOMETHING WAS LOST'}",
    ]
    return "\n".join(lines) + "\n"
