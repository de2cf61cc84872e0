"""Lets libraries believe that there is one core, while they decide on how many threads to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_core() -> Iterator[None]:
    """Run what is inside on one core; afterwards on any, as before.

    Models choose their threads by the cores they see when they are loaded. A worker among others
    must choose one: two threads of a model that wait for each other on busy cores are slower.
    Does nothing where a process can't be told which cores to use (macOS, Windows).
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[os.getpid() % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
