"""A queue on which only the newest partial of each kind waits and nothing final is ever dropped."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class WorkQueue(Generic[Item]):
    """Finals leave first, in order; then partials, the one that waited longest first.

    Args:
        capacity: finals that may wait before `put` blocks; None: `put` never blocks.
    """

    def __init__(self, capacity: int | None = None) -> None:
        self._capacity = capacity
        self._condition = threading.Condition()
        self._finals: deque[tuple[float, Item]] = deque()
        self._partials: OrderedDict[Hashable, Item] = OrderedDict()
        self._closed = False
        self._stale = 0

    @property
    def stale(self) -> int:
        """How many partials were dropped so far because newer news overtook them."""
        return self._stale

    def put_partial(self, key: Hashable, item: Item) -> None:
        """Queue a partial; one of the same key that still waits is dropped."""
        with self._condition:
            if self._closed:
                return
            # The key keeps its place: a steady flow of newer partials must not starve it.
            self._stale += key in self._partials
            self._partials[key] = item
            self._condition.notify_all()

    def put(self, item: Item, supersedes: Iterable[Hashable] = (), *, wait: bool = True) -> bool:
        """Queue a final; waiting partials of the keys it supersedes are dropped.

        Blocks while the queue is full, unless `wait` is false. Returns false, without queueing,
        once the queue is closed.
        """
        with self._condition:
            while wait and self._is_full() and not self._closed:
                self._condition.wait()
            if self._closed:
                return False
            for key in supersedes:
                self._partials.pop(key, None)
            self._finals.append((time.monotonic(), item))
            self._condition.notify_all()
            return True

    def get(self) -> Item | None:
        """Return the next item, waiting for one; None once closed and empty."""
        with self._condition:
            while not (self._finals or self._partials or self._closed):
                self._condition.wait()
            if self._finals:
                item = self._finals.popleft()[1]
                self._condition.notify_all()
                return item
            return self._partials.popitem(last=False)[1] if self._partials else None

    def close(self) -> None:
        """Take no more; what waits is still handed out."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def abandon(self) -> tuple[Item, ...]:
        """Take no more and return the finals that waited, which nobody will get now."""
        with self._condition:
            self._closed = True
            waiting = tuple(item for _, item in self._finals)
            self._finals.clear()
            self._partials.clear()
            self._condition.notify_all()
            return waiting

    def waiting(self) -> tuple[Item, ...]:
        """Return the finals that wait."""
        with self._condition:
            return tuple(item for _, item in self._finals)

    def oldest_wait(self) -> float:
        """Return for how many seconds the oldest final has waited; 0 if none does."""
        with self._condition:
            return time.monotonic() - self._finals[0][0] if self._finals else 0.0

    def _is_full(self) -> bool:
        return self._capacity is not None and len(self._finals) >= self._capacity
