"""Online clustering: names in order of appearance, nothing undone, bounded."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from core.models.voices.clustering import ClusteringConfig, OnlineClustering
from core.types import FloatArray

CONFIG = ClusteringConfig(threshold=0.5, margin=0.05, most=3)


def direction(seed: int, towards: FloatArray | None = None, spread: float = 0.0) -> FloatArray:
    drawn = np.random.default_rng(seed).normal(size=32)
    drawn /= np.linalg.norm(drawn)
    vector = drawn if towards is None else towards + spread * drawn
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


VOICES = [np.eye(32, dtype=np.float32)[n] for n in range(6)]


def test_voices_are_numbered_by_appearance_and_found_again() -> None:
    clustering = OnlineClustering(CONFIG)
    order = [0, 1, 0, 0, 2, 1, 2, 0]
    said = [clustering.assign(direction(n, VOICES[v], 0.5), 2.0) for n, v in enumerate(order)]
    assert said == order
    assert clustering.voices == 3


def test_there_are_never_more_voices_than_allowed() -> None:
    clustering = OnlineClustering(CONFIG)
    said = [clustering.assign(voice, 2.0) for voice in VOICES]
    assert said[:3] == [0, 1, 2]
    assert set(said[3:]) <= {0, 1, 2}
    assert clustering.voices == 3


def test_short_speech_founds_no_voice_and_moves_none() -> None:
    clustering = OnlineClustering(CONFIG)
    assert clustering.assign(VOICES[0], 0.4) is None
    assert clustering.voices == 0
    clustering.assign(VOICES[0], 2.0)
    clustering.assign(VOICES[1], 2.0)
    assert clustering.assign(direction(0, VOICES[1], 0.4), 0.4) == 1
    assert clustering.assign(VOICES[2], 0.4) is None
    assert clustering.assign(VOICES[0], 0.1) is None
    assert clustering.voices == 2


def test_what_could_be_either_of_two_voices_changes_neither() -> None:
    config = ClusteringConfig(threshold=0.3, margin=0.1)
    between = (VOICES[0] + VOICES[1]) / np.sqrt(2)
    moved, unmoved = OnlineClustering(config), OnlineClustering(config)
    for clustering in (moved, unmoved):
        clustering.assign(VOICES[0], 2.0)
        clustering.assign(VOICES[1], 2.0)
    for _ in range(20):
        assert moved.assign(between.astype(np.float32), 5.0) in (0, 1)
    for probe in range(50):
        vector = direction(probe, between.astype(np.float32), 0.8)
        assert moved.assign(vector, 0.4) == unmoved.assign(vector, 0.4)


def test_a_voice_follows_who_it_belongs_to() -> None:
    clustering = OnlineClustering(ClusteringConfig(threshold=0.6, longest_memory=10))
    drifting = [
        (np.cos(a) * VOICES[0] + np.sin(a) * VOICES[1]).astype(np.float32)
        for a in np.linspace(0, np.pi / 2, 30)
    ]
    assert {clustering.assign(vector, 2.0) for vector in drifting} == {0}


def test_reset_forgets() -> None:
    clustering = OnlineClustering(CONFIG)
    clustering.assign(VOICES[0], 2.0)
    clustering.assign(VOICES[1], 2.0)
    clustering.reset()
    assert clustering.voices == 0
    assert clustering.assign(VOICES[1], 2.0) == 0


def test_a_thousand_utterances_cost_flat_time_and_memory() -> None:
    clustering = OnlineClustering(ClusteringConfig(threshold=0.5, most=6))
    vectors = [direction(n, VOICES[n % 6], 0.5) for n in range(1000)]

    def spend(part: slice) -> float:
        began = time.perf_counter()
        for vector in vectors[part]:
            clustering.assign(vector, 2.0)
        return time.perf_counter() - began

    spend(slice(0, 100))
    tracemalloc.start()
    early = min(spend(slice(100, 200)) for _ in range(3))
    before = tracemalloc.get_traced_memory()[0]
    spend(slice(200, 900))
    grown = tracemalloc.get_traced_memory()[0] - before
    late = min(spend(slice(900, 1000)) for _ in range(3))
    tracemalloc.stop()
    assert clustering.voices == 6
    assert late < 3 * early
    assert grown < 20_000


@pytest.mark.parametrize(
    "wrong", [{"threshold": 1.5}, {"margin": -1}, {"most": 0}, {"least_seconds": 9.0}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|there"):
        ClusteringConfig.from_dict({**ClusteringConfig().to_dict(), **wrong})


def test_settings_come_back_from_json() -> None:
    assert ClusteringConfig.from_dict(CONFIG.to_dict()) == CONFIG
