"""An utterance while it grows, and the audio from just before it."""

from __future__ import annotations

from collections import deque

import numpy as np

from core.audio.speech_gate import Evidence
from core.types import WINDOW, FloatArray

SMOOTHING = 3
"""Windows over which loudness is averaged to find a quiet place (about 0.1 s)."""


class History:
    """The newest `capacity` samples of a stream while nobody speaks."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pieces: deque[FloatArray] = deque()
        self._held = 0

    def push(self, samples: FloatArray) -> None:
        """Append samples, shape (n,), and forget the oldest."""
        self._pieces.append(samples)
        self._held += samples.size
        while self._held - self._pieces[0].size >= self._capacity:
            self._held -= self._pieces.popleft().size

    def take(self) -> FloatArray:
        """Return at most `capacity` samples and forget everything."""
        pieces = [*self._pieces, np.zeros(0, np.float32)]
        self.clear()
        newest = np.concatenate(pieces)
        return newest[max(0, newest.size - self._capacity) :]

    def clear(self) -> None:
        """Forget everything."""
        self._pieces.clear()
        self._held = 0


class Growing:
    """Samples, speech probabilities and loudness of an utterance that is not over.

    The samples lie in one array that is only appended to, so a partial utterance is a view.
    `shown` is where the newest partial ended, `paused_at` where the newest paused one did.

    Args:
        before: the pre-roll, shape (n,).
        start: sample index of its first sample (the utterance begins there).
        capacity: how many samples the utterance can hold, beyond which `append` fails.
    """

    def __init__(self, before: FloatArray, start: int, capacity: int) -> None:
        self._buffer = np.empty(max(capacity, before.size) + WINDOW, np.float32)
        self._buffer[: before.size] = before
        self._voiced_from = start + before.size
        self._probabilities: list[float] = []
        self._loudness: list[float] = []
        self.start = start
        self.position = start + before.size
        self.speech_end = self.position
        self.shown = start
        self.paused_at = start
        self.index: int | None = None
        self.revision = 0

    @property
    def length(self) -> int:
        """Samples from the start to the newest."""
        return self.position - self.start

    @property
    def silence(self) -> int:
        """Samples since the last speech."""
        return self.position - self.speech_end

    def append(self, samples: FloatArray, probability: float, is_speech: bool) -> None:
        """Add the next window, shape (512,), and whether it counts as speech."""
        self._buffer[self.length : self.length + samples.size] = samples
        self._probabilities.append(probability)
        self._loudness.append(float(np.mean(np.square(samples))))
        self.position += samples.size
        if is_speech:
            self.speech_end = self.position

    def end(self, padding: int) -> int:
        """Return where the utterance ends, as far as is known: `padding` after the last speech."""
        return min(self.position, self.speech_end + padding)

    def view(self, start: int, end: int) -> FloatArray:
        """Return the samples from index `start` to `end`, read-only and not copied."""
        samples = self._buffer[start - self.start : end - self.start]
        samples.flags.writeable = False
        return samples

    def evidence(self) -> Evidence:
        """Return what the gate judges: everything from the first speech to the newest sample."""
        return Evidence(
            probabilities=np.array(self._probabilities, np.float32),
            samples=self.view(self._voiced_from, self.position),
        )

    def quietest(self, margin: int) -> int:
        """Return the sample index of the quietest place in the second half.

        It is at least `margin` samples before the newest one.
        """
        kernel = np.ones(SMOOTHING, np.float32) / SMOOTHING
        smooth = np.convolve(np.array(self._loudness, np.float32), kernel, mode="same")
        first = len(smooth) // 2
        last = max(first + 1, len(smooth) - max(1, margin // WINDOW))
        quiet = first + int(np.argmin(smooth[first:last]))
        return self._voiced_from + quiet * WINDOW + WINDOW // 2

    def rest(self, cut: int, capacity: int) -> Growing:
        """Return what lies behind `cut` as an utterance of its own."""
        kept = (cut - self._voiced_from) // WINDOW + 1
        border = self._voiced_from + kept * WINDOW
        rest = Growing(self.view(cut, border), cut, capacity)
        for number in range(kept, len(self._probabilities)):
            begin = self._voiced_from + number * WINDOW
            samples = self.view(begin, begin + WINDOW)
            rest.append(samples, self._probabilities[number], begin < self.speech_end)
        return rest
