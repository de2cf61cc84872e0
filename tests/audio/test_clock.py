from __future__ import annotations

import numpy as np
import pytest

from core.audio.clock import LagWatch, RateEstimate
from core.audio.timeline import Timeline
from core.types import SAMPLE_RATE, FloatArray


def test_the_rate_is_measured_through_the_jitter_of_the_blocks() -> None:
    estimate = RateEstimate()
    rng = np.random.default_rng(0)
    assert estimate.frames_per_second is None
    for number in range(1, 3000):
        arrival = 50 + number * 0.02 + rng.uniform(0, 0.02)
        estimate.add(arrival, number * 960 + number // 10)
    assert estimate.frames_per_second == pytest.approx(48_005, rel=3e-5)


def lost_over(watch: LagWatch, lags: FloatArray) -> float:
    return sum(watch.lost(number * 0.02, float(lag)) for number, lag in enumerate(lags))


def test_frames_dropped_without_a_word_are_noticed() -> None:
    lags = np.full(500, 0.05, np.float32)
    lags[200:] += 0.6
    watch = LagWatch()
    assert lost_over(watch, lags[:310]) == pytest.approx(0.6, abs=0.01)


def test_late_frames_and_drifting_clocks_are_no_loss() -> None:
    rng = np.random.default_rng(0)
    lags = 0.05 + rng.uniform(0, 0.05, 100_000) + np.arange(100_000) * 0.02 * 2e-4
    lags[5_000:5_050] += 1.0  # held up for a second, then everything came
    assert lost_over(LagWatch(), lags.astype(np.float32)) == 0.0


def block_of(value: float, seconds: float, rate: int = SAMPLE_RATE) -> FloatArray:
    return np.full((1, round(seconds * rate)), value, np.float32)


def drained(timeline: Timeline) -> FloatArray:
    parts = []
    while (block := timeline.pop()) is not None:
        parts.append(block.samples[0])
    return np.concatenate(parts)


def test_a_gap_is_filled_so_that_sample_time_follows_the_clock() -> None:
    timeline = Timeline(1)
    timeline.attach(SAMPLE_RATE)
    timeline.feed(block_of(1.0, 0.5), now=100.5)
    timeline.feed(block_of(1.0, 0.5), now=101.0)
    timeline.detach()
    timeline.fill_until(103.0)
    assert timeline.end == 3 * SAMPLE_RATE
    timeline.attach(48_000)
    timeline.feed(block_of(2.0, 0.5, 48_000), now=104.5)
    timeline.feed(block_of(2.0, 0.5, 48_000), now=105.0)
    assert timeline.lag(105.0) == pytest.approx(0.0, abs=0.05)  # the resampler holds a little back
    samples = drained(timeline)
    assert (samples[:SAMPLE_RATE] == 1).all()
    assert not samples[SAMPLE_RATE : 4 * SAMPLE_RATE - 200].any()
    middle = samples[4 * SAMPLE_RATE + 200 : 4 * SAMPLE_RATE + 4_000]
    np.testing.assert_allclose(middle, 2.0, atol=0.01)
    assert timeline.filled == 3 * SAMPLE_RATE


def test_dropped_frames_are_replaced_by_as_much_silence() -> None:
    timeline = Timeline(1)
    timeline.attach(SAMPLE_RATE)
    timeline.feed(block_of(1.0, 1.0), now=10.0)
    timeline.skip(SAMPLE_RATE // 2)
    timeline.feed(block_of(1.0, 1.0), now=11.5)
    assert timeline.lag(11.5) == pytest.approx(0.0)
    samples = drained(timeline)
    assert samples.sum() == pytest.approx(2 * SAMPLE_RATE, abs=512)
    assert not samples[SAMPLE_RATE : SAMPLE_RATE * 3 // 2].any()
