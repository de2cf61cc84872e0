from __future__ import annotations

import pytest
import torch

from core.models.encoders.text import TextEncoder, TextEncoderConfig

CONFIG = TextEncoderConfig(vocabulary=50, dim=32, layers=2, heads=2, feed_forward=48)


@pytest.fixture
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(CONFIG).eval()


def batch(length: int, rows: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(1, 50, (rows, length), generator=generator)
    return tokens, torch.ones(rows, length, dtype=torch.bool)


def test_shapes(encoder: TextEncoder) -> None:
    out = encoder(*batch(6))
    assert out.sequence.shape == (3, 6, 32)
    assert out.pooled.shape == (3, 32)
    assert out.logits.shape == (3, 7)


def test_padding_changes_nothing(encoder: TextEncoder) -> None:
    tokens, mask = batch(6)
    padded = torch.cat([tokens, torch.full((3, 5), 7)], dim=1)
    longer = torch.cat([mask, torch.zeros(3, 5, dtype=torch.bool)], dim=1)
    assert torch.allclose(encoder(tokens, mask).logits, encoder(padded, longer).logits, atol=1e-5)


def test_word_order_matters(encoder: TextEncoder) -> None:
    tokens, mask = batch(6)
    flipped = encoder(tokens.flip(1), mask).logits
    assert not torch.allclose(encoder(tokens, mask).logits, flipped, atol=1e-4)


def test_words_are_dropped_only_in_training() -> None:
    torch.manual_seed(0)
    dropping = TextEncoderConfig(**{**CONFIG.to_dict(), "dropout": 0.0, "word_dropout": 0.5})
    encoder = TextEncoder(dropping)
    inputs = batch(6)
    assert not torch.equal(encoder(*inputs).logits, encoder(*inputs).logits)
    encoder.eval()
    assert torch.equal(encoder(*inputs).logits, encoder(*inputs).logits)


def test_every_parameter_learns(encoder: TextEncoder) -> None:
    encoder.train()
    encoder(*batch(6)).logits.square().sum().backward()
    still = [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.any()]
    # a bias before a softmax over positions, and the key's bias, can't change anything
    assert [name for name in still if not name.endswith("score.bias")] == []


def test_an_impossible_width_is_refused() -> None:
    with pytest.raises(ValueError, match="heads"):
        TextEncoderConfig(dim=30, heads=4)
