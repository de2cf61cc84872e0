from __future__ import annotations

import numpy as np
import pytest

from core.audio.level import SILENCE_DBFS, NoiseFloor, measure_level
from tests.audio.media import tone


def test_a_sine_lies_3_db_under_its_peak() -> None:
    level = measure_level(tone(1_000, 1, 16_000, amplitude=0.5))
    assert level.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert level.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert level.clipping == 0.0


def test_silence_and_nothing_have_a_level() -> None:
    assert measure_level(np.zeros(512, np.float32)).rms_dbfs == SILENCE_DBFS
    assert measure_level(np.zeros(0, np.float32)).peak_dbfs == SILENCE_DBFS


def test_the_clipped_share_is_counted() -> None:
    samples = np.zeros(1000, np.float32)
    samples[:100] = 1.0
    samples[100:150] = -1.0
    assert measure_level(samples).clipping == pytest.approx(0.15)


def test_the_noise_floor_is_the_level_between_the_words() -> None:
    floor = NoiseFloor()
    assert floor.dbfs == SILENCE_DBFS
    for number in range(400):
        floor.update(-20.0 if number % 3 else -60.0)
    assert floor.dbfs == pytest.approx(-60.0)
