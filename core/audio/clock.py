"""Frames received against the clock."""

from __future__ import annotations

from dataclasses import dataclass

MIN_SECONDS = 5.0
"""Below this the ratio of the clocks is not worth telling."""


@dataclass(frozen=True, slots=True)
class ClockReport:
    """How well sample time follows the clock, since the source was started.

    elapsed: seconds on the clock from the first to the newest sample.
    delivered: seconds of audio in that time, silence for gaps included.
    filled: seconds of it that are silence put in for gaps.
    rate_ratio: the device's sample rate as measured, divided by what it claims; None at first.
    """

    elapsed: float
    delivered: float
    filled: float
    rate_ratio: float | None

    @property
    def ratio(self) -> float:
        """Delivered seconds per second of the clock."""
        return self.delivered / self.elapsed if self.elapsed else 1.0


class RateEstimate:
    """Least-squares slope of frames received over time, so that block jitter averages out."""

    def __init__(self) -> None:
        self._count = 0
        self._origin = 0.0
        self._last = 0.0
        self._mean_time = self._mean_frames = 0.0
        self._time_time = self._time_frames = 0.0

    def add(self, now: float, frames: int) -> None:
        """Add that at time `now` (s) a total of `frames` had been received."""
        if not self._count:
            self._origin = now
        self._last = now
        time = now - self._origin
        self._count += 1
        step_time, step_frames = time - self._mean_time, frames - self._mean_frames
        self._mean_time += step_time / self._count
        self._mean_frames += step_frames / self._count
        self._time_time += step_time * (time - self._mean_time)
        self._time_frames += step_time * (frames - self._mean_frames)

    @property
    def frames_per_second(self) -> float | None:
        """The measured rate; None before `MIN_SECONDS` were seen."""
        if self._last - self._origin < MIN_SECONDS or not self._time_time:
            return None
        return self._time_frames / self._time_time


class LagWatch:
    """Notices that a device has dropped frames without saying so.

    A difference of two clocks grows slowly and is followed; a jump that stays is a loss.
    """

    JUMP = 0.25
    """Seconds of lag beyond the usual that count as a loss."""

    PATIENCE = 2.0
    """Seconds a jump must stay, as late frames may still come."""

    DRIFT = 3e-4
    """Seconds per second by which the usual lag may grow: clocks differ by less."""

    def __init__(self) -> None:
        self._usual: float | None = None
        self._since: float | None = None
        self._before = 0.0

    def lost(self, now: float, lag: float) -> float:
        """Return seconds that were lost, mostly 0; `lag` is the clock minus what was received."""
        if self._usual is None:
            self._usual = lag
            self._before = now
        excess = lag - self._usual
        drift = self.DRIFT * (now - self._before)
        self._before = now
        if excess < self.JUMP:
            self._since = None
            self._usual += min(0.02 * excess, drift)
            return 0.0
        if self._since is None:
            self._since = now
        if now - self._since < self.PATIENCE:
            return 0.0
        self._since = None
        return excess
