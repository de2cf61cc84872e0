from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.fusion.late import LateFusion
from training.data.encoded_bank import EncodedBank
from training.data.pairs import PairConfig, PairSampler
from training.fusion_fit import Speakers, corpus_weights, fit_late, set_prior

ROWS = 700


def bank(labels: np.ndarray, strength: float, seed: int) -> EncodedBank:
    generator = torch.Generator().manual_seed(seed)
    logits = strength * torch.nn.functional.one_hot(torch.from_numpy(labels), 7).float()
    logits = logits + torch.randn(len(labels), 7, generator=generator)
    nothing = torch.empty(len(labels), 0)
    return EncodedBank(tuple(nothing), nothing, logits)


def fitted(config: PairConfig, strength: float = 4.0) -> LateFusion:
    labels = np.arange(ROWS) % 7
    texts = bank(labels, strength, 1)
    languages = ["en"] * ROWS
    sampler = PairSampler(config, labels.tolist(), languages, labels.tolist(), languages)
    speakers = Speakers(
        [bank(labels, 2.0, 2)], labels.tolist(), corpus_weights(["one"] * ROWS), sampler
    )
    late = LateFusion(7)
    set_prior(late, texts)
    fit_late(late, speakers, texts, draws=3, seed=0)
    return late.eval()


def say_of_text(late: LateFusion) -> float:
    """Return how far a confident text moves its class against the others."""
    text = 5 * torch.nn.functional.one_hot(torch.tensor([3]), 7).float()
    with torch.no_grad():
        logits = late(torch.zeros(1, 7), text).logits[0]
    return float(logits[3] - logits[4])


def test_texts_count_more_the_more_often_they_match() -> None:
    often = fitted(PairConfig(matched=0.9, neutral=0.05, any=0.05))
    seldom = fitted(PairConfig(matched=0.05, neutral=0.05, any=0.9))
    assert say_of_text(often) > say_of_text(seldom) + 1.0


def test_fused_beats_either_alone_on_fresh_pairs() -> None:
    config = PairConfig(matched=0.6, neutral=0.3, any=0.1)
    late = fitted(config)
    labels = np.arange(ROWS) % 7
    speech, texts = bank(labels, 2.0, 5), bank(labels, 4.0, 6)
    languages = ["en"] * ROWS
    sampler = PairSampler(config, labels.tolist(), languages, labels.tolist(), languages)
    pairs = sampler.draw(np.random.default_rng(9))
    with torch.no_grad():
        fused = late(speech.logits[pairs.speech], texts.logits[pairs.text]).logits

    def accuracy(logits: torch.Tensor) -> float:
        return float((logits.argmax(-1).numpy() == pairs.labels).mean())

    best = max(accuracy(speech.logits[pairs.speech]), accuracy(texts.logits[pairs.text]))
    assert accuracy(fused) > best + 0.03


def test_every_corpus_counts_the_same() -> None:
    weights = corpus_weights(["a"] * 10 + ["b"] * 90)
    assert float(weights[:10].sum()) == pytest.approx(float(weights[10:].sum()))
    assert float(weights.mean()) == pytest.approx(1.0)


def test_padded_batches_keep_every_row() -> None:
    sequences = tuple(torch.full((n + 1, 2), float(n)) for n in range(4))
    pooled, logits = torch.arange(8.0).view(4, 2), torch.arange(28.0).view(4, 7)
    encoded = EncodedBank(sequences, pooled, logits).batch([2, 0])
    assert encoded.mask.tolist() == [[True, True, True], [True, False, False]]
    assert torch.equal(encoded.sequence[0], sequences[2])
    assert torch.equal(encoded.logits, logits[[2, 0]])
