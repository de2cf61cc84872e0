"""Whether a recording can be opened, asked of its header."""

from __future__ import annotations

from pathlib import Path

from core.audio.io import probe
from core.errors import MediaError

_SLACK = 0.25
"""Seconds that an utterance may end after its recording: times in corpora are rounded."""


def check_media(path: Path, end: float | None = None) -> float | None:
    """Return the length of a recording (s), None where its header does not say.

    Args:
        end: where an utterance in it ends (s).

    Raises:
        ValueError: it can't be opened, or the utterance ends after it.
    """
    try:
        duration = probe(path).duration
    except MediaError as error:
        raise ValueError(f"its recording can't be used: {error.problem.rstrip('.')}") from error
    if end is not None and duration is not None and end > duration + _SLACK:
        raise ValueError(f"it ends at {end:g} s, but {path.name} lasts {duration:.2f} s")
    return duration
