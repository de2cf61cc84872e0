from __future__ import annotations

import time

import numpy as np
import pytest

from core.pipeline.attention_maps import feature_map, feature_profile


def attention(speech: int, text: int, favoured: slice | None = None) -> np.ndarray:
    """Attention among features (D, D), rows summing to one; some columns looked at more."""
    scores = np.random.default_rng(0).normal(0, 0.3, (speech + text, speech + text))
    if favoured is not None:
        scores[:, favoured] += 2.0
    powers = np.exp(scores)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def test_blocks_are_cut_at_the_end_of_speech() -> None:
    weights = np.zeros((5, 5), np.float32)
    weights[:3, :3], weights[:3, 3:] = 0.2, 0.2
    weights[3:, 3:] = 0.5
    blocks = feature_map(weights, (3, 2)).weights
    assert blocks == pytest.approx(np.array([[0.6, 0.4], [0.0, 1.0]]))


def test_the_profile_is_the_median_over_rows_of_every_feature() -> None:
    weights = attention(40, 21)
    profile = feature_profile(weights, (40, 21))
    medians = np.partition(weights, 30, axis=0)[30]
    assert profile.weights[0] == pytest.approx(medians / medians.sum(), rel=1e-5)
    assert profile.key_axis.labels == ("speech",) * 40 + ("text",) * 21


def test_a_large_profile_is_pooled_within_its_modality() -> None:
    weights = attention(1024, 768, favoured=slice(0, 1024))
    profile = feature_profile(weights, (1024, 768))
    labels = np.array(profile.key_axis.labels)
    assert profile.weights.shape[1] == labels.size <= 256
    share = (labels == "speech").mean()
    assert share == pytest.approx(1024 / 1792, abs=0.01)
    speech, text = (profile.weights[0][labels == name] for name in ("speech", "text"))
    assert speech.min() > 3 * text.max()
    assert profile.weights.sum() == pytest.approx(1.0, abs=1e-4)


def test_one_look_that_stares_does_not_move_the_profile() -> None:
    weights = attention(20, 12)
    stared = weights.copy()
    stared[3] = 0.0
    stared[3, 7] = 1.0
    even, moved = (feature_profile(w, (20, 12)).weights for w in (weights, stared))
    assert moved == pytest.approx(even, rel=0.1)


def test_maps_over_the_published_features_take_milliseconds() -> None:
    weights = attention(1024, 768)
    took = []
    for _ in range(5):
        began = time.thread_time()
        feature_map(weights, (1024, 768))
        feature_profile(weights, (1024, 768))
        took.append(time.thread_time() - began)
    assert min(took) < 0.05  # 12 ms of an idle core


@pytest.mark.parametrize("sizes", [(1500, 1100), (1, 3), (300, 1)])
def test_any_sizes_give_a_bounded_profile_with_both_modalities(sizes: tuple[int, int]) -> None:
    profile = feature_profile(attention(*sizes), sizes)
    assert profile.weights.shape[1] <= 256
    assert set(profile.key_axis.labels) == {"speech", "text"}
