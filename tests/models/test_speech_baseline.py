"""The personal baseline."""

from __future__ import annotations

import numpy as np

from core.models.baseline import (
    FeatureStatistics,
    SpeakerBaseline,
    SpeakerMoments,
    normalised_functional_dim,
)
from core.models.speech_features import ENERGY, PITCH, SpeechFeatureExtractor
from core.types import FloatArray
from tests.models.test_speech_features import noise, voice

EXTRACTOR = SpeechFeatureExtractor()
BANDS = EXTRACTOR.config.mel_bands


def measured(frequency: float, level: float = 0.2) -> tuple[FloatArray, FloatArray]:
    frames = EXTRACTOR.frames(voice(frequency, level=level) + noise(level=0.002))
    return frames, EXTRACTOR.functionals(frames)


def statistics() -> FeatureStatistics:
    groups = []
    for frequencies in ((100.0, 130.0, 160.0), (180.0, 220.0, 260.0)):
        moments = [SpeakerMoments.of(*measured(f), EXTRACTOR) for f in frequencies]
        groups.append(moments[0].plus(moments[1]).plus(moments[2]))
    return FeatureStatistics.over_groups(groups)


STATISTICS = statistics()


def test_with_nothing_heard_features_are_normalised_by_the_average_speaker() -> None:
    frames, functionals = measured(150.0)
    x, y = SpeakerBaseline(STATISTICS, EXTRACTOR).normalise(frames, functionals)
    expected = (frames - STATISTICS.frame_mean) / STATISTICS.frame_deviation
    assert np.allclose(x[:, BANDS + ENERGY], np.clip(expected, -5, 5)[:, BANDS + ENERGY], atol=1e-4)
    size = EXTRACTOR.functional_dim
    assert y.shape == (normalised_functional_dim(size),)
    assert np.allclose(y[:size], y[size:-1], atol=1e-5)
    assert y[-1] == 0


def test_after_much_speech_the_own_voice_is_the_middle() -> None:
    baseline = SpeakerBaseline(STATISTICS, EXTRACTOR)
    frames, functionals = measured(320.0)
    before = np.abs(baseline.normalise_frames(frames)[:, BANDS + PITCH]).mean()
    for _ in range(60):
        baseline.update(frames, functionals)
    after = np.abs(baseline.normalise_frames(frames)[:, BANDS + PITCH]).mean()
    assert before > 1
    assert after < 0.3 * before
    assert 0.8 < baseline.reliability < 1


def test_little_speech_moves_the_middle_a_little() -> None:
    frames, functionals = measured(320.0)
    distances = []
    baseline = SpeakerBaseline(STATISTICS, EXTRACTOR)
    for _ in range(4):
        distances.append(baseline.normalise_frames(frames)[:, BANDS + PITCH].mean())
        baseline.update(frames, functionals)
    assert distances == sorted(distances, reverse=True)
    assert distances[1] > 0.4 * distances[0]


def test_adding_moments_equals_hearing_the_utterances() -> None:
    heard, added = (SpeakerBaseline(STATISTICS, EXTRACTOR) for _ in range(2))
    total = SpeakerMoments.nothing(STATISTICS)
    for frequency in (140.0, 170.0, 210.0):
        frames, functionals = measured(frequency)
        heard.update(frames, functionals)
        standard = STATISTICS.standardise(functionals)
        total = total.plus(SpeakerMoments.of(frames, standard, EXTRACTOR))
    added.add(total)
    probe = measured(190.0)
    for ours, theirs in zip(heard.normalise(*probe), added.normalise(*probe), strict=True):
        assert np.allclose(ours, theirs, atol=1e-5)
    assert heard.seconds == added.seconds > 2


def test_undefined_statistics_become_zero_and_spoil_nothing() -> None:
    baseline = SpeakerBaseline(STATISTICS, EXTRACTOR)
    frames = EXTRACTOR.frames(noise(level=1e-6))
    functionals = EXTRACTOR.functionals(frames)
    assert np.isnan(functionals).any()
    baseline.update(frames, functionals)
    for values in baseline.normalise(*measured(150.0)):
        assert np.isfinite(values).all()
        assert np.abs(values).max() <= 5


def test_a_copy_is_independent_and_reset_forgets() -> None:
    baseline = SpeakerBaseline(STATISTICS, EXTRACTOR)
    twin = baseline.copy()
    baseline.update(*measured(150.0))
    assert twin.seconds == 0 < baseline.seconds
    baseline.reset()
    assert baseline.seconds == 0


def test_statistics_survive_storage() -> None:
    again = FeatureStatistics.from_arrays(STATISTICS.to_arrays())
    for name, values in STATISTICS.to_arrays().items():
        assert np.array_equal(values, again.to_arrays()[name])


def test_every_group_weighs_the_same() -> None:
    one, other = (SpeakerMoments.of(*measured(f), EXTRACTOR) for f in (100.0, 300.0))
    many = one
    for _ in range(9):
        many = many.plus(one)
    even = FeatureStatistics.over_groups([one, other])
    uneven = FeatureStatistics.over_groups([many, other])
    assert np.allclose(even.frame_mean, uneven.frame_mean, atol=1e-5)
