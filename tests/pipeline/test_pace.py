from __future__ import annotations

import numpy as np

from core.pipeline.pace import BehindWatch, Pace
from core.types import SAMPLE_RATE, WINDOW, AudioBlock


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def block(start: int) -> AudioBlock:
    return AudioBlock(np.zeros((1, WINDOW), np.float32), start)


def test_lag_counts_from_the_moment_a_sample_was_spoken() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.heard(block(2 * SAMPLE_RATE - WINDOW))
    clock.now += 0.25
    assert pace.lag(2 * SAMPLE_RATE) == 0.25
    assert pace.lag(SAMPLE_RATE) == 1.25
    assert pace.lag(9 * SAMPLE_RATE) == 0.0


def test_a_device_clock_that_drifts_does_not_add_to_the_lag() -> None:
    clock = Clock()
    pace = Pace(clock)
    for second in range(1, 7200):
        clock.now += 1.001
        pace.heard(block(second * SAMPLE_RATE - WINDOW))
    assert pace.lag(7199 * SAMPLE_RATE) == 0.0


def test_speed_is_audio_seconds_per_second_and_told_five_times_a_second_at_most() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 2.0
    pace.heard(block(40 * SAMPLE_RATE - WINDOW))
    progress = pace.progress(100 * SAMPLE_RATE)
    assert progress is not None
    assert progress.speed == 20.0
    assert progress.done == 40 * SAMPLE_RATE
    clock.now += 0.1
    assert pace.progress(100 * SAMPLE_RATE) is None
    assert pace.progress(100 * SAMPLE_RATE, last=True) is not None


def test_falling_behind_is_said_once_and_withdrawn_when_caught_up() -> None:
    clock = Clock()
    watch = BehindWatch(5.0, clock)
    assert watch.check(1.0, 0) is None
    notice = watch.check(7.0, 3)
    assert notice is not None
    assert notice.active
    assert notice.message.values == {"dropped": "3", "waiting": "7"}
    assert watch.check(8.0, 3) is None
    clock.now += 10
    notice = watch.check(0.0, 3)
    assert notice is not None
    assert not notice.active


def test_a_few_stale_partials_are_normal_and_most_of_them_are_not() -> None:
    clock = Clock()
    watch = BehindWatch(5.0, clock)
    stale = 0
    for _ in range(20):
        clock.now += 1.0
        stale += 1
        assert watch.check(0.0, stale) is None
    told = []
    for _ in range(10):
        clock.now += 1.0
        stale += 3
        told.append(watch.check(0.0, stale))
    assert [notice.active for notice in told if notice is not None] == [True]
