"""Rows of text as batches of token ids, sorted by length so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.tokenizer import TextTokenizer

POOL = 32
"""Batches that are shuffled and sorted by length together."""


@dataclass(frozen=True, slots=True)
class TextBatch:
    """tokens (B, L), mask (B, L), and the index of each row in the data set (B,)."""

    tokens: Tensor
    mask: Tensor
    rows: Tensor


def collate(ids: Sequence[Sequence[int]], rows: Sequence[int], pad: int) -> TextBatch:
    """Pad lists of ids to the longest of them."""
    length = max(len(row) for row in ids)
    tokens = torch.full((len(ids), length), pad, dtype=torch.long)
    mask = torch.zeros(len(ids), length, dtype=torch.bool)
    for index, row in enumerate(ids):
        tokens[index, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[index, : len(row)] = True
    return TextBatch(tokens, mask, torch.tensor(rows, dtype=torch.long))


def training_batches(
    ids: Sequence[Sequence[int]], size: int, pad: int, generator: np.random.Generator
) -> Iterator[TextBatch]:
    """Yield every row once in random order, batches of `size` rows of similar length."""
    order = generator.permutation(len(ids))
    lengths = np.array([len(row) for row in ids])
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), size * POOL):
        pool = order[start : start + size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    for index in generator.permutation(len(batches)):
        rows = batches[index].tolist()
        yield collate([ids[row] for row in rows], rows, pad)


def batch_count(rows: int, size: int) -> int:
    """Return how many batches `training_batches` yields."""
    full, rest = divmod(rows, size * POOL)
    return full * POOL + -(-rest // size)


def scoring_batches(tokenizer: TextTokenizer, texts: Sequence[str], size: int) -> list[TextBatch]:
    """Return batches of all texts, shortest first; `rows` says where each belongs."""
    ids = tokenizer.encode_ids(texts)
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    return [collate([ids[row] for row in part], part, tokenizer.pad_id) for part in parts]
