"""The sound of one turn, as the session heard it; read on a background thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import MediaError
from core.types import SAMPLE_RATE, FloatArray, Turn

MISSING = SAMPLE_RATE // 10
"""Samples that may be missing at the end of a recording: codecs round."""


@dataclass(frozen=True, slots=True)
class SessionSound:
    """Where the sound of a session is, and which of its channels were heard (`ChannelMode`)."""

    path: Path
    channels: str = "both"

    @property
    def name(self) -> str:
        """What tells this recording from others, for people too: its folder and its file."""
        return f"{self.path.parent.name}/{self.path.name}"


def read_turn(sound: SessionSound, turn: Turn) -> FloatArray:
    """Return the samples (n,) of a turn at 16 kHz, decoded just as the session decoded them.

    Raises:
        MediaError: the recording is gone or damaged, or does not reach so far (yet).
    """
    from core.audio.channels import ChannelMode
    from core.audio.io import AudioDecoder

    parts: list[FloatArray] = []
    position = 0
    for chunk in AudioDecoder(sound.path, ChannelMode(sound.channels)):
        heard = chunk[min(turn.channel, chunk.shape[0] - 1)]
        first, last = max(0, turn.start - position), max(0, turn.end - position)
        parts.append(heard[first:last])
        position += heard.size
        if position >= turn.end:
            break
    found = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if found.size < turn.end - turn.start - MISSING:
        raise MediaError(
            f"{sound.path} ends before the turn does.",
            "While recording, try again in a moment; else check that the file is whole.",
        )
    return found
