"""How much a model has computed so far, in counts that are the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self


@dataclass(slots=True)
class Work:
    """Counts since the model was loaded.

    Attributes:
        calls: how often the model was asked.
        frames_convolved: frames (20 ms) that convolutions made out of samples.
        frames_encoded: positions of speech sequences that encoders gave out, padding included.
        tokens_read: positions of texts that encoders read, padding included.
        speech_kept, text_kept: how often speech or text was found encoded already.
        retries: how often a batch was tried again in smaller ones, as memory was full.
    """

    calls: int = 0
    frames_convolved: int = 0
    frames_encoded: int = 0
    tokens_read: int = 0
    speech_kept: int = 0
    text_kept: int = 0
    retries: int = 0

    def copy(self) -> Self:
        """Return the counts as they are now."""
        return type(self)(*(getattr(self, f.name) for f in fields(self)))

    def __sub__(self, earlier: Work) -> Work:
        """Return what was done since."""
        mine, theirs = (tuple(getattr(w, f.name) for f in fields(w)) for w in (self, earlier))
        return Work(*(a - b for a, b in zip(mine, theirs, strict=True)))
