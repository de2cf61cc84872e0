"""The buffer between the audio callback and the thread that reads it."""

from __future__ import annotations

import numpy as np

from core.types import FloatArray


class RingBuffer:
    """A ring of float32 frames for one writer and one reader on different threads, without a lock.

    The writer never waits: when the reader is too slow the oldest frames are overwritten, and the
    reader learns how many it missed. Positions only grow and each is changed by one side; the
    writer announces what it is about to overwrite before touching it, so that a reader can tell
    afterwards whether what it copied was still whole.
    """

    def __init__(self, channels: int, capacity: int) -> None:
        self._frames = np.zeros((capacity, channels), np.float32)
        self._capacity = capacity
        self._claimed = 0
        self._written = 0
        self._read = 0
        self._lost = 0

    @property
    def capacity(self) -> int:
        """Frames the ring can hold."""
        return self._capacity

    @property
    def written(self) -> int:
        """Frames written since the ring was made."""
        return self._written

    @property
    def available(self) -> int:
        """Frames that wait to be read (more than `capacity` when some were overwritten)."""
        return self._written - self._read

    @property
    def overwritten(self) -> int:
        """Frames lost so far: those the reader skipped and those it can no longer reach."""
        return self._lost + max(0, self._claimed - self._capacity - self._read)

    def write(self, frames: FloatArray) -> None:
        """Copy `frames`, shape (n, channels), into the ring; called by the writer only."""
        count = len(frames)
        position = self._written
        if count > self._capacity:
            frames = frames[count - self._capacity :]
        self._claimed = position + count
        begin = (position + count - len(frames)) % self._capacity
        first = min(len(frames), self._capacity - begin)
        self._frames[begin : begin + first] = frames[:first]
        self._frames[: len(frames) - first] = frames[first:]
        self._written = position + count

    def read(self, limit: int) -> tuple[FloatArray, int]:
        """Return up to `limit` frames, shape (n, channels), and how many were lost before them.

        After a loss the reader continues with the newer half of the ring, so that it is not
        overtaken again at once. Called by the reader only.
        """
        lost = self._resynchronise()
        while True:
            count = min(limit, self._written - self._read)
            frames = self._copy(self._read, count)
            more = self._resynchronise()
            if not more:
                self._read += count
                return frames, lost
            lost += more

    def _resynchronise(self) -> int:
        if self._claimed - self._capacity <= self._read:
            return 0
        position = max(self._read, self._written - self._capacity // 2)
        lost = position - self._read
        self._lost += lost
        self._read = position
        return lost

    def _copy(self, position: int, count: int) -> FloatArray:
        begin = position % self._capacity
        first = min(count, self._capacity - begin)
        return np.concatenate([self._frames[begin : begin + first], self._frames[: count - first]])
