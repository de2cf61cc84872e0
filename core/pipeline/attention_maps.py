"""From a model's attention tensors to bounded, named maps for the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import AttentionKind, AttentionMap, Axis, FloatArray, Modality

MAX_SIDE = 256

_MOST_ROWS = 2048
"""Of larger feature maps every n-th row enters the median, which hardly moves it."""


@dataclass(frozen=True, slots=True)
class TokenSpans:
    """A text and per token its span of characters; an empty span marks a special token."""

    text: str
    spans: tuple[tuple[int, int], ...]


def token_map(
    weights: FloatArray, tokens: TokenSpans, spans: Sequence[tuple[float, float]]
) -> AttentionMap | None:
    """Return how much each word looks at each moment, or None if the text has no word.

    Args:
        weights: (L, T), a row per token, over positions of the speech sequence.
        tokens: what the rows stand for; the subwords of a word are averaged.
        spans: per position its begin and end in seconds from the start of the utterance.
    """
    words, rows = _words(tokens)
    if not words or not weights.size:
        return None
    merged = np.stack([weights[list(indices)].mean(axis=0) for indices in rows])
    pooled, times = _pool_columns(merged, spans)
    return AttentionMap(
        name="word_time",
        kind=AttentionKind.TOKEN,
        weights=_normalised(pooled),
        query_axis=Axis("words", labels=words),
        key_axis=Axis("time", spans=times),
    )


def _words(tokens: TokenSpans) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Return words of the text that have tokens, and per word the indices of its tokens."""
    word_of = _word_numbers(tokens.text)
    rows: dict[int, list[int]] = {}
    for index, (begin, end) in enumerate(tokens.spans):
        numbers = word_of[begin:end]
        found = numbers[numbers >= 0]
        if found.size:
            rows.setdefault(int(found[0]), []).append(index)
    names = tokens.text.split()
    kept = sorted(rows)[:MAX_SIDE]
    return tuple(names[n] for n in kept), tuple(tuple(rows[n]) for n in kept)


def _word_numbers(text: str) -> NDArray[np.int64]:
    """Return per character which word it belongs to, -1 between words."""
    space = np.array([c.isspace() for c in text], dtype=bool)
    begins = ~space & np.concatenate([[True], space[:-1]]) if space.size else space
    return np.where(space, -1, np.cumsum(begins) - 1)


def _pool_columns(
    weights: FloatArray, spans: Sequence[tuple[float, float]]
) -> tuple[FloatArray, tuple[tuple[float, float], ...]]:
    """Sum neighbouring columns until there are at most 256."""
    group = -(-len(spans) // MAX_SIDE)
    starts = np.arange(0, len(spans), group)
    pooled = np.add.reduceat(weights, starts, axis=1)
    ends = [min(int(s) + group, len(spans)) - 1 for s in starts]
    times = tuple((spans[int(s)][0], spans[e][1]) for s, e in zip(starts, ends, strict=True))
    return pooled, times


def feature_map(weights: FloatArray, sizes: Sequence[int]) -> AttentionMap:
    """Return the block sums of attention among features, as shares of each row of blocks.

    The features of a residual self-attention fusion are dimensions of the pooled vectors, neither
    moments nor words, so only whole modalities can be named.

    Args:
        weights: (D, D), rows summing to one.
        sizes: how many of the D belong to speech and to text.
    """
    edges = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64)
    blocks = np.add.reduceat(np.add.reduceat(weights, edges, axis=1), edges, axis=0)
    names = (Modality.SPEECH.value, Modality.TEXT.value)
    return AttentionMap(
        name="features",
        kind=AttentionKind.FEATURE,
        weights=_normalised(blocks),
        query_axis=Axis("features", labels=names),
        key_axis=Axis("features", labels=names),
    )


def feature_profile(weights: FloatArray, sizes: Sequence[int]) -> AttentionMap:
    """Return how much each feature is looked at: the median over the rows of its column.

    The picture of the RSA-CFN paper (median attention per dimension, speech and text halves), of
    one utterance. Neighbouring dimensions of one modality are averaged until there are at most 256
    columns; a row of equal weights is what attention to nothing in particular would give.

    Args:
        weights: (D, D), rows summing to one.
        sizes: how many of the D belong to speech and to text.
    """
    step = -(-len(weights) // _MOST_ROWS)
    rows = np.ascontiguousarray(weights[::step].T)  # (D, rows): far faster to part than columns
    middle = rows.shape[1] // 2
    medians = np.partition(rows, middle, axis=1)[:, middle]
    values: list[float] = []
    labels: list[str] = []
    names = (Modality.SPEECH.value, Modality.TEXT.value)
    for name, half in zip(names, np.split(medians, [sizes[0]]), strict=True):
        parts = np.array_split(half, min(len(half), max(1, MAX_SIDE * len(half) // len(medians))))
        values += [float(part.mean()) for part in parts]
        labels += [name] * len(parts)
    return AttentionMap(
        name="feature_profile",
        kind=AttentionKind.FEATURE,
        weights=_normalised(np.array([values], np.float32)),
        query_axis=Axis("median"),
        key_axis=Axis("features", labels=tuple(labels)),
    )


def modality_map(share: dict[Modality, float]) -> AttentionMap:
    """Return the share of each modality in the decision as one row."""
    return AttentionMap(
        name="modality_share",
        kind=AttentionKind.MODALITY,
        weights=_normalised(np.array([list(share.values())], dtype=np.float32)),
        query_axis=Axis("decision"),
        key_axis=Axis("modalities", labels=tuple(m.value for m in share)),
    )


def frame_map(weights: FloatArray, spans: Sequence[tuple[float, float]]) -> AttentionMap:
    """Return how much each moment counts; weights (T,)."""
    pooled, times = _pool_columns(weights[None, :], spans)
    return AttentionMap(
        name="time",
        kind=AttentionKind.FRAME,
        weights=_normalised(pooled),
        query_axis=Axis("decision"),
        key_axis=Axis("time", spans=times),
    )


def _normalised(weights: FloatArray) -> FloatArray:
    """Return rows that sum to one; a row of zeros becomes even."""
    rows = np.maximum(np.asarray(weights, dtype=np.float64), 0.0)
    total = rows.sum(axis=1, keepdims=True)
    even = np.full_like(rows, 1.0 / rows.shape[1])
    return np.where(total > 0, rows / np.where(total > 0, total, 1.0), even).astype(np.float32)
