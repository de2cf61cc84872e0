"""The speech encoder."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.labels import EMOTIONS
from core.models.encoders.speech import SpeechEncoder, SpeechEncoderConfig

CONFIG = SpeechEncoderConfig(
    frame_dim=12, functional_dim=9, dim=16, blocks=2, attention_layers=2, heads=2,
    functional_hidden=8, members=2,
)  # fmt: skip


@pytest.fixture
def encoder() -> SpeechEncoder:
    torch.manual_seed(0)
    return SpeechEncoder(CONFIG).eval()


def inputs(length: int, clips: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(length)
    frames = torch.randn(clips, length, CONFIG.frame_dim, generator=generator)
    functionals = torch.rand(clips, CONFIG.functional_dim, generator=generator)
    return frames, torch.ones(clips, length, dtype=torch.bool), functionals


@pytest.mark.parametrize("length", [1, 2, 5, 47, 48, 131])
def test_padding_changes_nothing(encoder: SpeechEncoder, length: int) -> None:
    frames, mask, functionals = inputs(length)
    alone = encoder(frames, mask, functionals)
    padded = torch.cat([frames, 100 * torch.randn(1, 61, CONFIG.frame_dim)], dim=1)
    wider = torch.cat([mask, torch.zeros(1, 61, dtype=torch.bool)], dim=1)
    amid = encoder(padded, wider, functionals)
    positions = alone.sequence.shape[1]
    assert torch.allclose(alone.logits, amid.logits, atol=1e-5)
    assert torch.allclose(alone.pooled, amid.pooled, atol=1e-5)
    assert torch.allclose(alone.sequence, amid.sequence[:, :positions], atol=1e-5)
    assert int(amid.mask.sum()) == positions


def test_shapes_follow_the_stride(encoder: SpeechEncoder) -> None:
    frames, mask, functionals = inputs(50, clips=3)
    out = encoder(frames, mask, functionals)
    positions = -(-50 // CONFIG.frame_stride)
    assert out.sequence.shape == (3, positions, CONFIG.dim)
    assert out.mask.shape == (3, positions)
    assert out.pooled.shape == (3, CONFIG.dim)
    assert out.logits.shape == (3, len(EMOTIONS))


def test_reliability_decides_which_heads_count(encoder: SpeechEncoder) -> None:
    frames, mask, functionals = inputs(40)
    heads = encoder.functional_heads
    for reliability, first, last in ((0.0, 0, heads.each), (1.0, heads.each, 2 * heads.each)):
        functionals[:, -1] = reliability
        expected = heads.separate(functionals)[first:last].mean(dim=0)
        parts = encoder.parts(frames, mask, functionals)
        assert torch.allclose(parts.functional_logits, expected, atol=1e-6)


def test_logits_are_the_weighted_mean_of_both_branches(encoder: SpeechEncoder) -> None:
    frames, mask, functionals = inputs(40)
    parts, share = encoder.parts(frames, mask, functionals), CONFIG.frame_share
    expected = share * parts.frame_logits + (1 - share) * parts.functional_logits
    assert torch.allclose(encoder(frames, mask, functionals).logits, expected, atol=1e-6)


def test_without_functionals_the_frames_decide(encoder: SpeechEncoder) -> None:
    frames, mask, _ = inputs(40)
    expected = encoder.parts(frames, mask).frame_logits
    assert torch.allclose(encoder(frames, mask).logits, expected, atol=1e-6)


def test_pooling_does_not_steer_the_networks(encoder: SpeechEncoder) -> None:
    frames, mask, functionals = inputs(40)
    torch.autograd.backward(encoder.parts(frames, mask, functionals).pooled.sum())
    assert encoder.merge.weight.grad is not None
    assert all(p.grad is None for p in encoder.members.parameters())
