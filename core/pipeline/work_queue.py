"""A queue on which only the newest partial of each kind waits and nothing final is ever dropped.

Spare work waits behind both until it has been quiet for a while, and may be dropped.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class WorkQueue(Generic[Item]):
    """Finals leave first, in order; then partials, the one that waited longest first.

    Spare items leave only while nothing else waits and nothing was put for a while, the newest
    first; few are kept, the oldest give way, and none are handed out once the queue is closed.

    Args:
        capacity: finals that may wait before `put` blocks; None: `put` never blocks.
        rest: seconds without news after which spare items leave.
        spare: how many of them are kept.
    """

    def __init__(
        self,
        capacity: int | None = None,
        rest: float = 1.0,
        spare: int = 3,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._rest = rest
        self._clock = clock
        self._condition = threading.Condition()
        self._finals: deque[tuple[float, Item]] = deque()
        self._partials: OrderedDict[Hashable, Item] = OrderedDict()
        self._spare: deque[Item] = deque(maxlen=spare)
        self._news = clock()
        """When something was put that is not spare."""
        self._closed = False
        self._offered = 0
        self._stale = 0

    @property
    def offered(self) -> int:
        """How many partials were put so far."""
        return self._offered

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
            self._offered += 1
            self._stale += key in self._partials
            self._partials[key] = item
            self._told()

    def put_spare(self, item: Item) -> None:
        """Queue something that can be gone without; the oldest such item may be dropped for it."""
        with self._condition:
            if not self._closed:
                self._spare.append(item)
                self._condition.notify_all()

    def put(self, item: Item, supersedes: Iterable[Hashable] = ()) -> bool:
        """Queue a final; waiting partials of the keys it supersedes are dropped.

        Blocks while the queue is full. Returns false, without queueing, once the queue is closed.
        """
        with self._condition:
            while self._is_full() and not self._closed:
                self._condition.wait()
            if self._closed:
                return False
            for key in supersedes:
                self._partials.pop(key, None)
            self._finals.append((self._clock(), item))
            self._told()
            return True

    def drop(self, keys: Iterable[Hashable]) -> None:
        """Drop waiting partials of these keys: nobody needs them any more."""
        with self._condition:
            for key in keys:
                self._partials.pop(key, None)

    def get(self) -> Item | None:
        """Return the next item, waiting for one; None once closed and empty."""
        with self._condition:
            while not (self._finals or self._partials or self._closed):
                rest = self._rest_left()
                if rest == 0.0:
                    return self._spare.pop()
                self._condition.wait(rest)
            if self._finals:
                item = self._finals.popleft()[1]
                self._condition.notify_all()
                return item
            return self._partials.popitem(last=False)[1] if self._partials else None

    def close(self) -> None:
        """Take no more; what waits is still handed out."""
        with self._condition:
            self._closed = True
            self._spare.clear()
            self._condition.notify_all()

    def abandon(self) -> tuple[Item, ...]:
        """Take no more and return the finals that waited, which nobody will get now."""
        with self._condition:
            self._closed = True
            waiting = tuple(item for _, item in self._finals)
            self._finals.clear()
            self._partials.clear()
            self._spare.clear()
            self._condition.notify_all()
            return waiting

    def waiting(self) -> tuple[Item, ...]:
        """Return the finals that wait."""
        with self._condition:
            return tuple(item for _, item in self._finals)

    def oldest_wait(self) -> float:
        """Return for how many seconds the oldest final has waited; 0 if none does."""
        with self._condition:
            return self._clock() - self._finals[0][0] if self._finals else 0.0

    def _is_full(self) -> bool:
        return self._capacity is not None and len(self._finals) >= self._capacity

    def _told(self) -> None:
        self._news = self._clock()
        self._condition.notify_all()

    def _rest_left(self) -> float | None:
        """Return seconds until a spare item may leave; None while there is none."""
        if not self._spare:
            return None
        return max(0.0, self._news + self._rest - self._clock())
