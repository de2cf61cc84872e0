from __future__ import annotations

import numpy as np
import pytest
import soxr

from core.audio.resampling import Resampler
from core.types import FloatArray
from tests.audio.media import tone


def streamed(samples: FloatArray, rate: int, chunk: int) -> FloatArray:
    resampler = Resampler(rate, 1)
    parts = [
        resampler.process(samples[None, begin : begin + chunk])
        for begin in range(0, samples.size, chunk)
    ]
    return np.concatenate([*parts, resampler.finish()], axis=1)[0]


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("count", [0, 1, 777, 44_101])
def test_the_length_is_exact(rate: int, count: int) -> None:
    noise = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    assert streamed(noise, rate, 313).size == round(count * 16_000 / rate)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_pieces_do_not_matter(rate: int) -> None:
    noise = np.random.default_rng(1).standard_normal(rate).astype(np.float32)
    whole = soxr.resample(noise, rate, 16_000)
    for chunk in (97, 960, rate):
        np.testing.assert_allclose(streamed(noise, rate, chunk), whole[:16_000], atol=1e-5)


def test_a_tone_keeps_its_place_and_what_can_not_be_heard_at_16_khz_is_gone() -> None:
    kept = streamed(tone(1_000, 1, 48_000), 48_000, 960)
    np.testing.assert_allclose(kept[500:-500], tone(1_000, 1, 16_000)[500:-500], atol=2e-3)
    gone = streamed(tone(11_000, 1, 48_000), 48_000, 960)
    assert np.abs(gone[500:-500]).max() < 1e-3
