from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.calibration import softmax
from core.models.encoders.text import TextEncoder, TextEncoderConfig
from training.metrics import sigmoid
from training.text_scoring import fit_vector_scaling, fold


def sample(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Draw logits whose softmax is right once multiplied by 2 and shifted by 0.3 per class."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(rows, 7))
    truth = [generator.choice(7, p=row) for row in softmax(2 * logits + 0.3 * np.arange(7))]
    return logits, np.array(truth)


def test_vector_scaling_finds_scale_and_biases() -> None:
    scale, bias = fit_vector_scaling(*sample())
    assert scale == pytest.approx(2, abs=0.1)
    assert bias - bias.mean() == pytest.approx(0.3 * (np.arange(7) - 3), abs=0.15)


def test_folding_changes_the_logits_as_told() -> None:
    torch.manual_seed(0)
    config = TextEncoderConfig(vocabulary=30, dim=16, layers=1, heads=2, feed_forward=16)
    encoder = TextEncoder(config).eval()
    tokens, mask = torch.randint(1, 30, (4, 5)), torch.ones(4, 5, dtype=torch.bool)
    before = encoder(tokens, mask).logits.detach()
    bias = np.linspace(-1, 1, 7)
    fold(encoder, 1.7, bias)
    after = encoder(tokens, mask).logits.detach()
    assert torch.allclose(after, 1.7 * before + torch.from_numpy(bias).float(), atol=1e-5)


def test_thresholds_that_move_along_decide_the_same() -> None:
    logits, _ = sample(200)
    bias = np.linspace(-1, 1, 7)
    thresholds = np.full(7, 0.4)
    moved = sigmoid(1.7 * np.log(thresholds / (1 - thresholds)) + bias)
    before = sigmoid(logits) > thresholds
    assert np.array_equal(before, sigmoid(1.7 * logits + bias) > moved)
