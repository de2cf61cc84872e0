"""Probabilities over time, one segment per utterance, ready to be drawn as curves."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.types import Turn, TurnStatus, seconds

JOIN_GAP = 1.0
"""Utterances of one speaker closer than this (s) are joined by a line."""

MOST_POINTS = 750
"""Points of one curve that are drawn at most."""

_MOST_PER_TURN = 64


@dataclass(slots=True)
class _Segment:
    """What was said about one utterance, in the order it was heard; times in seconds.

    `packed`, shape (n, 1 + classes), takes the place of the lists when the utterance is complete:
    an hour of points is then half a megabyte.
    """

    first: float
    last: float
    speaker: str | None = None
    times: list[float] = field(default_factory=list)
    values: list[Sequence[float]] = field(default_factory=list)
    packed: NDArray[np.float64] | None = None

    def table(self) -> NDArray[np.float64]:
        """Return times and values, (n, 1 + classes)."""
        if self.packed is not None:
            return self.packed
        return np.column_stack([np.asarray(self.times), np.asarray(self.values, np.float64)])

    def unpack(self) -> None:
        """Go back to lists: another result for the same utterance came."""
        if self.packed is not None:
            self.times = self.packed[:, 0].tolist()
            self.values = [tuple(row) for row in self.packed[:, 1:].tolist()]
            self.packed = None

    def pack(self) -> None:
        """Store compactly."""
        self.packed = self.table()
        self.times, self.values = [], []


@dataclass(frozen=True, slots=True)
class Curves:
    """times (n,), values (n, classes), connect (n,): 1 where a point is joined to the next."""

    times: NDArray[np.float64]
    values: NDArray[np.float32]
    connect: NDArray[np.int32]


class EmotionTimeline:
    """Collects results as they come; a segment starts at the utterance's own start."""

    def __init__(self) -> None:
        self.labels: tuple[str, ...] = ()
        self._segments: dict[int, _Segment] = {}
        self._order: list[tuple[float, int]] = []

    def clear(self) -> None:
        """Forget everything."""
        self.labels = ()
        self._segments.clear()
        self._order.clear()

    def discard(self, index: int) -> None:
        """Forget one utterance."""
        segment = self._segments.pop(index, None)
        if segment is not None:
            self._order.remove((segment.first, index))

    def update(self, turn: Turn) -> None:
        """Add what a turn says now; the same moment said again replaces the point."""
        if turn.emotion is None:
            return
        self.labels = turn.emotion.labels
        first, last = seconds(turn.start), seconds(turn.end)
        segment = self._segments.get(turn.index)
        if segment is None:
            segment = self._segments[turn.index] = _Segment(first, last, turn.speaker)
            insort(self._order, (first, turn.index))
            segment.times.append(first)
            segment.values.append(turn.emotion.probabilities)
        segment.unpack()
        if segment.times[-1] >= last - 1e-3 and len(segment.times) > 1:
            segment.times[-1], segment.values[-1] = last, turn.emotion.probabilities
        else:
            segment.times.append(last)
            segment.values.append(turn.emotion.probabilities)
        segment.last = last
        if len(segment.times) > _MOST_PER_TURN:
            del segment.times[1:-1:2], segment.values[1:-1:2]
        if turn.status is TurnStatus.FINAL:
            segment.pack()

    def curves(self, first: float, last: float) -> Curves:
        """Return what lies in [first, last] s, at most `MOST_POINTS` points, gaps marked."""
        segments = self._between(first, last)
        if not segments:
            nothing = np.zeros((0, len(self.labels)), np.float32)
            return Curves(np.zeros(0), nothing, np.zeros(0, np.int32))
        tables = [segment.table() for segment in segments]
        table = np.concatenate(tables)
        connect = np.ones(len(table), np.int32)
        ends = np.cumsum([len(one) for one in tables]) - 1
        apart = [_apart(before, after) for before, after in pairwise(segments)]
        connect[ends[:-1][np.asarray(apart, bool)]] = 0
        connect[-1] = 0
        return _thin(Curves(table[:, 0], table[:, 1:].astype(np.float32), connect))

    def _between(self, first: float, last: float) -> list[_Segment]:
        start = max(0, bisect_left(self._order, (first, -1)) - 4)
        chosen = []
        for begin, index in self._order[start:]:
            if begin > last:
                break
            segment = self._segments[index]
            if segment.last >= first:
                chosen.append(segment)
        return chosen


def _apart(before: _Segment, after: _Segment) -> bool:
    """True when no line may join two utterances: a long pause, or somebody else."""
    return after.first - before.last > JOIN_GAP or after.speaker != before.speaker


def _thin(curves: Curves) -> Curves:
    """Keep every n-th point; a gap among the points left out stays a gap."""
    count = len(curves.times)
    if count <= MOST_POINTS:
        return curves
    step = -(-count // MOST_POINTS)
    kept = np.arange(0, count, step)
    connect = np.minimum.reduceat(curves.connect, kept)
    return Curves(curves.times[kept], curves.values[kept], connect)
