"""One writer at a time, among all processes and threads that correct turns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.dialogue.session_lock import SessionLock
from core.errors import JournalError

PATIENCE = 20.0
"""Seconds after which somebody who waits gives up: a change takes some milliseconds."""
_PAUSE = 0.005


@contextmanager
def writing(root: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of the folder `root`, which the system lets go of when a process dies.

    Raises:
        JournalError: the folder can't be written, or somebody else holds the lock for too long.
    """
    with SessionLock(root) as lock:
        _acquire(lock, root, time.monotonic() + patience)
        yield


def _acquire(lock: SessionLock, root: Path, latest: float) -> None:
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)  # voices are nobody else's business
        while not lock.acquire():
            if time.monotonic() > latest:
                raise JournalError(
                    f"{root} is being changed by another program.", "Close it, and try again."
                )
            time.sleep(_PAUSE)
    except OSError as error:
        raise JournalError(
            f"{root} can't be written ({error.strerror or error}).",
            "Make room on the disk, or check who may write there.",
        ) from error
