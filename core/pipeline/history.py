"""The turns of a session, in order, for whoever wants to look at them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace

from core.types import ContextResult, Turn


class History:
    """Turns by start time; every method may be called from any thread.

    Args:
        attention_limit: turns whose attention maps are kept; those of older turns are let go, so
            that a session of many hours stays small. None keeps all.
    """

    def __init__(self, attention_limit: int | None = None) -> None:
        self._lock = threading.Lock()
        self._limit = attention_limit
        self._mapped: OrderedDict[int, None] = OrderedDict()
        self._turns: dict[int, Turn] = {}
        self._revision = 0
        self._sorted: tuple[Turn, ...] | None = ()

    @property
    def revision(self) -> int:
        """Grows with every change, so that a reader can tell whether to look again."""
        return self._revision

    def update(self, turn: Turn) -> None:
        """Add a turn, or replace the one of the same index."""
        with self._lock:
            self._turns[turn.index] = turn
            self._bound_attention(turn)
            self._changed()

    def revise(self, index: int, hindsight: ContextResult) -> Turn | None:
        """Note what is said of a turn with later ones in view; return it, None if it is gone."""
        with self._lock:
            if index not in self._turns:
                return None
            self._turns[index] = replace(self._turns[index], hindsight=hindsight)
            self._changed()
            return self._turns[index]

    def discard(self, index: int) -> None:
        """Remove a turn that turned out to be none."""
        with self._lock:
            if self._turns.pop(index, None) is not None:
                self._changed()

    def get(self, index: int) -> Turn | None:
        """Return the turn of this index, or None."""
        with self._lock:
            return self._turns.get(index)

    def snapshot(self) -> tuple[Turn, ...]:
        """Return all turns ordered by start; the tuple does not change afterwards."""
        with self._lock:
            if self._sorted is None:
                self._sorted = tuple(
                    sorted(self._turns.values(), key=lambda turn: (turn.start, turn.index))
                )
            return self._sorted

    def __len__(self) -> int:
        with self._lock:
            return len(self._turns)

    def _bound_attention(self, turn: Turn) -> None:
        if self._limit is None or turn.emotion is None or not turn.emotion.attentions:
            return
        self._mapped[turn.index] = None
        self._mapped.move_to_end(turn.index)
        while len(self._mapped) > self._limit:
            oldest = self._mapped.popitem(last=False)[0]
            if oldest in self._turns:
                self._turns[oldest] = _without_attention(self._turns[oldest])

    def _changed(self) -> None:
        self._revision += 1
        self._sorted = None


def _without_attention(turn: Turn) -> Turn:
    if turn.emotion is None:
        return turn
    return replace(turn, emotion=replace(turn.emotion, attentions=()))
