"""Which channels of a source are heard."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from core.types import FloatArray


class ChannelMode(StrEnum):
    """What to take from a source: everything mixed, one side, or two sides as two speakers."""

    MONO = "mono"
    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"

    def outputs(self, available: int) -> int:
        """Return how many channels remain of `available`; a mono source stays one speaker."""
        return 2 if self is ChannelMode.BOTH and available > 1 else 1


def select_channels(frames: FloatArray, mode: ChannelMode) -> FloatArray:
    """Return the wanted rows of `frames`, shape (channels, n) in and (1 or 2, n) out.

    A source with one channel gives that channel whatever the mode; of more than two, `BOTH` takes
    the first two.
    """
    available = frames.shape[0]
    if available == 1:
        return frames
    if mode is ChannelMode.MONO:
        return frames.mean(axis=0, dtype=np.float32, keepdims=True)
    if mode is ChannelMode.BOTH:
        return frames[:2]
    return frames[:1] if mode is ChannelMode.LEFT else frames[1:2]
