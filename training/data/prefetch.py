"""Items that a thread makes ahead of whoever consumes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE = 0.1
"""Seconds after which a thread with a full queue looks whether anybody still wants its items."""


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _Ended(Generic[T]):
    """Marks the end of the items."""


def prefetched(items: Iterator[T], ahead: int) -> Iterator[T]:
    """Yield `items` in order, while a thread makes up to `ahead` more of them.

    An error while making one is raised where it would have been yielded. The thread ends with the
    items, or when the consumer stops (closing the generator joins it).
    """
    waiting: queue.Queue[T | _Failed | _Ended[T]] = queue.Queue(ahead)
    stopped = threading.Event()
    thread = threading.Thread(
        target=_make, args=(items, waiting, stopped), name="prefetch", daemon=True
    )
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _Ended):
                return
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        stopped.set()
        thread.join()


def _make(
    items: Iterator[T],
    waiting: queue.Queue[T | _Failed | _Ended[T]],
    stopped: threading.Event,
) -> None:
    try:
        for item in items:
            if not _put(item, waiting, stopped):
                return
        _put(_Ended(), waiting, stopped)
    except BaseException as error:  # whatever it is, the consumer has to hear of it
        _put(_Failed(error), waiting, stopped)


def _put(
    item: T | _Failed | _Ended[T],
    waiting: queue.Queue[T | _Failed | _Ended[T]],
    stopped: threading.Event,
) -> bool:
    """Hand an item over; return whether anybody was there to take it."""
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=_PATIENCE)
        except queue.Full:
            continue
        return True
    return False
