"""Voice activity of a recording many blocks at a time: the same utterances for less time.

Nobody waits for a recording's utterances to appear while they are spoken, so blocks may be kept
until it pays to look at them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from core.audio.segmenter import SegmenterSettings
from core.audio.vad import SileroVad
from core.pipeline.cutting import Cut, VoiceCutter
from core.types import AudioBlock, FloatArray

BLOCKS = 64
"""How many blocks are looked at together (2 s); more of them save nothing."""


class ForetoldVad:
    """A `VoiceActivityDetector` that heard a stretch before it is asked window by window."""

    def __init__(self) -> None:
        self._vad = SileroVad()
        self._told: deque[float] = deque()

    def hear(self, samples: FloatArray) -> None:
        """Listen to the next windows of the stream, shape (n * 512,)."""
        self._told.extend(self._vad.probabilities(samples).tolist())

    def forget(self) -> None:
        """Begin a stream with the next windows that are heard."""
        self._vad.reset()
        self._told.clear()

    def probability(self, window: FloatArray) -> float:
        """Return the probability of speech in the next window that was heard."""
        return self._told.popleft()

    def reset(self) -> None:
        """Do nothing: where a stream begins is known before its windows are asked for."""


class BulkCutter:
    """A `Cutter` that does what `VoiceCutter` does, `BLOCKS` blocks at a time.

    What it returns belongs to the last blocks that were looked at, not to the newest one.
    """

    def __init__(
        self, speakers: Sequence[str | None], settings: SegmenterSettings | None = None
    ) -> None:
        self._vads = [ForetoldVad() for _ in speakers]
        heard = iter(self._vads)
        self._cutter = VoiceCutter(speakers, settings, vad=heard.__next__)
        self._kept: list[AudioBlock] = []
        self._speech = (0.0,) * len(self._vads)
        self._position = 0

    def push(self, block: AudioBlock) -> tuple[tuple[float, ...], tuple[Cut, ...]]:
        """Keep the next block; now and then look at those that were kept."""
        cuts: tuple[Cut, ...] = ()
        if block.start != self._position:
            cuts = self._look()
            for vad in self._vads:
                vad.forget()
        self._kept.append(block)
        self._position = block.start + block.samples.shape[1]
        if len(self._kept) >= BLOCKS:
            cuts += self._look()
        return self._speech, cuts

    def flush(self, total: int | None) -> tuple[Cut, ...]:
        """Look at what was kept and end what is open."""
        return self._look() + self._cutter.flush(total)

    def _look(self) -> tuple[Cut, ...]:
        blocks, self._kept = self._kept, []
        if not blocks:
            return ()
        for channel, vad in enumerate(self._vads):
            vad.hear(np.concatenate([block.samples[channel] for block in blocks]))
        cuts: list[Cut] = []
        for block in blocks:
            self._speech, found = self._cutter.push(block)
            cuts.extend(found)
        return tuple(cuts)
