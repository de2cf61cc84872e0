"""The voice network and its front end: what must not matter does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.voices.front_end import VoiceFrontEnd, VoiceFrontEndConfig
from core.models.voices.network import VoiceNetwork, VoiceNetworkConfig, masked_statistics
from core.types import SAMPLE_RATE
from tests.models.voices.synthetic import CHILD, MAN, speak


@pytest.fixture(scope="module")
def network() -> VoiceNetwork:
    torch.manual_seed(0)
    network = VoiceNetwork(VoiceNetworkConfig(dim=24, embedding=16))
    for _ in range(3):  # statistics of the batch normalisation that are not the initial ones
        network(torch.randn(8, 40, 68), torch.ones(8, 40, dtype=torch.bool))
    return network.eval().requires_grad_(False)


def test_embeddings_have_length_one(network: VoiceNetwork) -> None:
    embeddings = network(torch.randn(3, 30, 68), torch.ones(3, 30, dtype=torch.bool))
    assert embeddings.shape == (3, 16)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_batch_mates_and_padding_change_nothing(network: VoiceNetwork, length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    frames = torch.randn(1, length, 68, generator=generator)
    alone = network(frames, torch.ones(1, length, dtype=torch.bool))
    padded = 100 * torch.randn(4, 45, 68, generator=generator)
    padded[2, :length] = frames[0]
    mask = torch.ones(4, 45, dtype=torch.bool)
    mask[2, length:] = False
    torch.testing.assert_close(network(padded, mask)[2], alone[0], atol=1e-5, rtol=0)


def test_pooled_statistics_are_those_of_the_valid_frames() -> None:
    x = torch.randn(2, 9, 5)
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[1, 4:] = False
    pooled = masked_statistics(x, mask)
    expected = torch.cat([x[1, :4].mean(0), (x[1, :4].var(0, correction=0) + 1e-4).sqrt()])
    torch.testing.assert_close(pooled[1], expected)


def test_gain_changes_nothing() -> None:
    front_end, samples = VoiceFrontEnd(), speak(MAN, 1.5, 0)
    softer = front_end.measure(samples * 0.3)
    np.testing.assert_allclose(front_end.measure(samples), softer, atol=1e-3)


def test_pauses_are_left_out() -> None:
    front_end, samples = VoiceFrontEnd(), speak(CHILD, 1.5, 0)
    pause = np.zeros(2 * SAMPLE_RATE, np.float32)
    with_pauses = front_end.measure(np.concatenate([pause, samples, pause]))
    assert abs(len(with_pauses) - len(front_end.measure(samples))) <= 8


def test_a_long_utterance_costs_no_more_than_its_middle() -> None:
    front_end = VoiceFrontEnd(VoiceFrontEndConfig(longest=2.0))
    frames = front_end.measure(speak(MAN, 8.0, 0))
    assert len(frames) <= 2.0 * front_end.frame_rate


def test_only_voiced_speech_counts_as_seconds_of_voice() -> None:
    front_end = VoiceFrontEnd()
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    assert front_end.voiced_seconds(front_end.measure(speak(MAN, 2.0, 0))) > 1.0
    for silent in (noise, np.zeros(SAMPLE_RATE, np.float32), np.zeros(0, np.float32)):
        assert front_end.voiced_seconds(front_end.measure(silent)) < 0.25
