"""Many utterances at once: for recordings on a GPU, where a batch costs little more than a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.types import EmotionResult, Transcript, Utterance

MOST_ROWS = 32
MOST_SECONDS = 160.0
"""A batch on a GPU: so many rows and, filled up to the longest, so many seconds of speech."""
LEAST_FILLED = 0.8
"""The shortest utterance of a batch has this share of the longest one's length, or more."""


class BatchAnalyzer(Protocol):
    """What an `Analyzer` can do besides, if batches pay for it (see `ModelAnalyzer`)."""

    @property
    def batch_rows(self) -> int:
        """How many utterances at a time pay; 1: give them one by one."""
        ...

    def final_many(
        self, utterances: Sequence[Utterance], transcripts: Sequence[Transcript | None]
    ) -> list[EmotionResult | None]:
        """Do what `final` does with each, in the same order, to rounding.

        None of them is remembered: personal baselines stay as they are for all.
        """
        ...


@dataclass(frozen=True, slots=True)
class Item:
    """An utterance to be put into a batch.

    index: among those given. rows: chunks. seconds: of the longest chunk. tokens: of its text; None
    without.
    """

    index: int
    rows: int
    seconds: float
    tokens: int | None = None


def batches_of(
    items: Sequence[Item], rows: int = MOST_ROWS, seconds: float = MOST_SECONDS
) -> list[list[Item]]:
    """Put items of like length together, those with a text apart from those without.

    Args:
        items: in any order.
        rows, seconds: limits of a batch. One item alone may be beyond them.
    """
    batches: list[list[Item]] = []
    for item in sorted(items, key=_order):
        if batches and _fits(batches[-1], item, rows, seconds):
            batches[-1].append(item)
        else:
            batches.append([item])
    return batches


def _order(item: Item) -> tuple[bool, float, int, int]:
    """Longest last, so that a batch is as wide as its newest item."""
    return item.tokens is None, item.seconds, item.tokens or 0, item.index


def _fits(batch: list[Item], item: Item, rows: int, seconds: float) -> bool:
    first, count = batch[0], sum(other.rows for other in batch) + item.rows
    alike = (first.tokens is None) == (item.tokens is None)
    even = first.seconds >= LEAST_FILLED * item.seconds
    return alike and even and count <= rows and count * item.seconds <= seconds


def in_order(
    count: int,
    batches: Sequence[Sequence[Item]],
    judge: Callable[[Sequence[Item]], Sequence[EmotionResult | None]],
) -> list[EmotionResult | None]:
    """Judge batch by batch and return the results as the items were given."""
    results: list[EmotionResult | None] = [None] * count
    for batch in batches:
        for item, result in zip(batch, judge(batch), strict=True):
            results[item.index] = result
    return results
