from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.tokenizer import TextTokenizer
from training.data.text_batches import batch_count, collate, scoring_batches, training_batches
from training.text_pretraining import hide

IDS = [[1] * (2 + n % 9) for n in range(137)]


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer.train(["one two three four five six seven"] * 9, 320)


@pytest.mark.parametrize("size", [1, 4, 32, 200])
def test_every_row_comes_once_and_the_count_is_known(size: int) -> None:
    batches = list(training_batches(IDS, size, 0, np.random.default_rng(0)))
    rows = torch.cat([batch.rows for batch in batches])
    assert sorted(rows.tolist()) == list(range(len(IDS)))
    assert len(batches) == batch_count(len(IDS), size)


def test_little_is_padded() -> None:
    batches = list(training_batches(IDS, 8, 0, np.random.default_rng(0)))
    cells = sum(batch.tokens.numel() for batch in batches)
    assert cells < 1.25 * sum(map(len, IDS))


def test_the_mask_tells_padding_from_tokens() -> None:
    batch = collate([[5, 6, 7], [8]], [3, 9], pad=0)
    assert batch.tokens.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch.mask.tolist() == [[True, True, True], [True, False, False]]
    assert batch.rows.tolist() == [3, 9]


def test_scoring_batches_know_where_rows_belong(tokenizer: TextTokenizer) -> None:
    texts = ["one two three", "one", "two two two two"]
    for batch in scoring_batches(tokenizer, texts, 2):
        for row, tokens, mask in zip(batch.rows, batch.tokens, batch.mask, strict=True):
            assert tuple(tokens[mask].tolist()) == tokenizer.encode(texts[int(row)]).ids


def test_hidden_tokens_are_remembered_and_the_rest_is_untouched(tokenizer: TextTokenizer) -> None:
    tokens = torch.randint(259, 300, (40, 20), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(tokens, dtype=torch.bool)
    mask[:, 15:] = False
    batch = hide(tokens, mask, tokenizer, 0.3, np.random.default_rng(0))
    assert torch.equal(tokens[batch.hidden], batch.truth)
    assert torch.equal(tokens[~batch.hidden], batch.tokens[~batch.hidden])
    assert not batch.hidden[:, 15:].any()
    assert not batch.hidden[:, 0].any()
    share = batch.hidden.sum() / mask[:, 1:].sum()
    assert float(share) == pytest.approx(0.3, abs=0.06)
    masked = (batch.tokens[batch.hidden] == tokenizer.mask_id).float().mean()
    assert float(masked) == pytest.approx(0.8, abs=0.1)
