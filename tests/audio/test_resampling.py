from __future__ import annotations

import numpy as np
import pytest
import soxr

from core.audio.resampling import Resampler
from core.types import FloatArray
from tests.audio.media import tone

MODES = pytest.mark.parametrize("live", [False, True])


def streamed(samples: FloatArray, rate: int, chunk: int, live: bool) -> FloatArray:
    resampler = Resampler(rate, 1, live)
    parts = [
        resampler.process(samples[None, begin : begin + chunk])
        for begin in range(0, samples.size, chunk)
    ]
    return np.concatenate([*parts, resampler.finish()], axis=1)[0]


@MODES
@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("count", [0, 1, 777, 44_101])
def test_the_length_is_exact(rate: int, count: int, live: bool) -> None:
    noise = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    assert streamed(noise, rate, 313, live).size == round(count * 16_000 / rate)


@MODES
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_pieces_do_not_matter(rate: int, live: bool) -> None:
    noise = np.random.default_rng(1).standard_normal(rate).astype(np.float32)
    whole = soxr.resample(noise, rate, 16_000) if not live else streamed(noise, rate, rate, live)
    for chunk in (97, 960, rate // 2):
        np.testing.assert_allclose(streamed(noise, rate, chunk, live), whole[:16_000], atol=1e-5)


@MODES
@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_a_tone_keeps_its_place_and_what_can_not_be_heard_at_16_khz_is_gone(
    rate: int, live: bool
) -> None:
    kept = streamed(tone(300, 1, rate), rate, 960, live)
    np.testing.assert_allclose(kept[500:-500], tone(300, 1, 16_000)[500:-500], atol=0.08)
    strength = np.abs(streamed(tone(7_000, 1, rate), rate, 960, live)[500:-500]).max()
    assert strength == pytest.approx(0.3, abs=0.005)
    gone = streamed(tone(10_000, 1, rate), rate, 960, live)
    assert np.abs(gone[500:-500]).max() < 1e-3


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_live_sound_is_held_back_for_less_than_15_ms(rate: int) -> None:
    resampler, returned = Resampler(rate, 2, live=True), 0
    for number in range(1, 100):
        returned += resampler.process(np.zeros((2, rate // 50), np.float32)).shape[1]
        if number > 5:
            assert number * 320 - returned < 0.015 * 16_000
