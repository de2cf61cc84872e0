"""The sound of one turn, as the session heard it; read on a background thread."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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
    for _, found in read_turns(sound, (turn,)):
        return found
    raise MediaError(
        f"{sound.path} ends before the turn does.",
        "While recording, try again in a moment; else check that the file is whole.",
    )


def read_turns(sound: SessionSound, turns: Iterable[Turn]) -> Iterator[tuple[Turn, FloatArray]]:
    """Yield turns and their samples (n,) as they end, decoding the recording once.

    Those that it does not reach are left out.

    Raises:
        MediaError: the recording is gone or damaged.
    """
    from core.audio.channels import ChannelMode
    from core.audio.io import AudioDecoder

    begun = [_Piece(turn) for turn in sorted(turns, key=lambda turn: turn.start)]
    position = 0
    for chunk in AudioDecoder(sound.path, ChannelMode(sound.channels)):
        after = position + chunk.shape[1]
        for piece in itertools.takewhile(lambda p: p.turn.start < after, tuple(begun)):  # noqa: B023
            piece.take(chunk, position)
            if piece.turn.end <= after:
                begun.remove(piece)
                yield piece.turn, piece.samples()
        if not begun:
            return
        position = after
    for piece in begun:
        if piece.size and piece.size >= piece.turn.end - piece.turn.start - MISSING:
            yield piece.turn, piece.samples()


@dataclass(slots=True, eq=False)
class _Piece:
    """What was decoded of a turn so far."""

    turn: Turn
    parts: list[FloatArray] = field(default_factory=list)
    size: int = 0

    def take(self, chunk: FloatArray, position: int) -> None:
        """Take what belongs to the turn of a chunk (channels, n) that begins at `position`."""
        heard = chunk[min(self.turn.channel, chunk.shape[0] - 1)]
        part = heard[max(0, self.turn.start - position) : max(0, self.turn.end - position)]
        self.parts.append(part)
        self.size += part.size

    def samples(self) -> FloatArray:
        """Return what was taken, (n,)."""
        return np.concatenate(self.parts)
