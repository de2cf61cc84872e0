"""On how many threads recognition runs on a CPU."""

from __future__ import annotations

import os
from pathlib import Path

from core.cores import cores as count_cores

MOST = 4
"""More threads hardly help to decode one utterance."""
_LEFT_ALONE = 2
"""Cores for the window and for the emotion model, where there are more than two."""
_LEAST = 2
"""Even on two cores: a final of small took 1.62 s with two threads and 2.12 with one, beside a core
that was 70 % busy 2.31 and 2.16."""
_SMALL_BYTES = 200_000_000
"""A smaller model.bin is tiny's or base's: their decoding is faster with one thread than with two
that wait for each other at every token."""


def choose_threads(
    wanted: int, folder: Path, cores: int | None = None, *, short: bool = False
) -> int:
    """Return `wanted` if that is positive, else what suits the model and the machine.

    Args:
        wanted: 0 to choose.
        folder: of the model, whose size counts.
        cores: on which the process may run; None: ask the system.
        short: the encoder hears no more than was spoken, so that most of the work is decoding.
    """
    if wanted > 0:
        return wanted
    if short or _size(folder) < _SMALL_BYTES:
        return 1
    available = count_cores() if cores is None else cores
    return max(min(_LEAST, available), min(MOST, available - _LEFT_ALONE))


def wait_passively() -> None:
    """Let OpenMP's threads sleep while they wait for work, instead of turning in circles.

    Works only before the first library that brings OpenMP is loaded; a choice that somebody made
    in the environment stands.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _size(folder: Path) -> int:
    try:
        return (folder / "model.bin").stat().st_size
    except OSError:
        return 0
