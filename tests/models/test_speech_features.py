"""Frames and statistics of speech."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.functionals import functional_names
from core.models.speech_features import ENERGY, PITCH, VOICING, SpeechFeatureExtractor
from core.types import SAMPLE_RATE, FloatArray

EXTRACTOR = SpeechFeatureExtractor()
BANDS = EXTRACTOR.config.mel_bands


def voice(frequency: float, seconds: float = 1.0, level: float = 0.2) -> FloatArray:
    """A harmonic tone whose overtones fall off as those of a voice do."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * frequency * k * time) / k for k in range(1, 9))
    return np.asarray(level * tone, dtype=np.float32)


def noise(seconds: float = 1.0, level: float = 0.1) -> FloatArray:
    generator = np.random.default_rng(0)
    return generator.normal(0, level, int(seconds * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("frequency", [82.0, 110.0, 205.0, 330.0, 480.0])
def test_pitch_of_a_voice_is_found_within_one_percent(frequency: float) -> None:
    frames = EXTRACTOR.frames(voice(frequency))
    found = 100.0 * 2.0 ** frames[:, BANDS + PITCH]
    assert np.abs(found / frequency - 1).max() < 0.01
    assert frames[:, BANDS + VOICING].min() > 0.9


def test_noise_has_no_voicing() -> None:
    frames = EXTRACTOR.frames(noise())
    assert np.median(frames[:, BANDS + VOICING]) < EXTRACTOR.config.voiced_above


def test_energy_follows_the_level_in_decibels() -> None:
    quiet, loud = (EXTRACTOR.frames(voice(150.0, level=x))[:, BANDS + ENERGY] for x in (0.02, 0.2))
    assert np.allclose((loud - quiet) * 10 / np.log(10), 20.0, atol=0.1)


def test_a_tone_lights_the_mel_band_at_its_frequency() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    for frequency in (300.0, 1000.0, 4000.0):
        tone = (0.3 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)
        band = int(EXTRACTOR.frames(tone)[:, :BANDS].mean(axis=0).argmax())
        edges = 2595 * np.log10(1 + np.array([50.0, 7600.0]) / 700)
        centre = edges[0] + (band + 1) * (edges[1] - edges[0]) / (BANDS + 1)
        assert 700 * (10 ** (centre / 2595) - 1) == pytest.approx(frequency, rel=0.08)


def test_frames_of_a_later_start_are_the_later_frames() -> None:
    samples = voice(140.0) + noise(level=0.01)
    hop = EXTRACTOR.config.hop
    assert np.allclose(
        EXTRACTOR.frames(samples[7 * hop :]), EXTRACTOR.frames(samples)[7:], atol=1e-5
    )


def test_frame_count_is_what_frames_returns() -> None:
    for size in (1, 1023, 1024, 1279, 1280, 16_000):
        frames = EXTRACTOR.frames(np.zeros(size, np.float32))
        assert frames.shape == (EXTRACTOR.frame_count(size), EXTRACTOR.frame_dim)


@pytest.mark.parametrize("size", [1, 1024, 1300, 3000, 16_000])
def test_silence_of_any_length_has_statistics(size: int) -> None:
    functionals = EXTRACTOR.functionals(EXTRACTOR.frames(np.zeros(size, np.float32)))
    assert functionals.shape == (EXTRACTOR.functional_dim,)
    assert not np.isinf(functionals).any()


def test_statistics_have_one_distinct_name_each() -> None:
    names = functional_names(BANDS)
    assert len(names) == len(set(names)) == EXTRACTOR.functional_dim


def test_pitch_statistics_describe_the_voice_and_are_undefined_without_one() -> None:
    mean = functional_names(BANDS).index("pitch_mean")
    sounding = EXTRACTOR.functionals(EXTRACTOR.frames(voice(200.0)))
    assert sounding[mean] == pytest.approx(1.0, abs=0.02)
    rustling = EXTRACTOR.functionals(EXTRACTOR.frames(noise() * 1e-6))
    assert np.isnan(rustling[mean])


def test_silence_around_speech_changes_no_statistic_of_its_level() -> None:
    speech = voice(180.0)
    padded = np.concatenate([np.zeros(8192, np.float32), speech, np.zeros(8192, np.float32)])
    median = functional_names(BANDS).index("energy_p50")
    alone, amid = (EXTRACTOR.functionals(EXTRACTOR.frames(x))[median] for x in (speech, padded))
    assert alone == pytest.approx(amid, abs=0.1)
