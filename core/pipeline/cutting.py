"""Blocks of a source in, utterances out: found by voice activity, or given by a transcript."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.audio.crosstalk import CrosstalkGate
from core.audio.segmenter import Segmenter, SegmenterSettings, index_allocator
from core.audio.vad import SileroVad, VoiceActivityDetector
from core.dialogue.recording import Annotation
from core.types import SAMPLE_RATE, AudioBlock, FloatArray, Transcript, TranscriptSource, Utterance

LONGEST_ANNOTATION = 30.0
"""Seconds; a longer annotated utterance is judged in pieces, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An utterance and, where a transcript came with the recording, its text."""

    utterance: Utterance
    transcript: Transcript | None = None
    notes: tuple[str, ...] = ()


class Cutter(Protocol):
    """Finds the utterances of a session."""

    def push(self, block: AudioBlock) -> tuple[tuple[float, ...], tuple[Cut, ...]]:
        """Hear the next block: speech probability per channel, and what became known."""
        ...

    def flush(self, total: int | None) -> tuple[Cut, ...]:
        """End what is open, as at the end of a source of `total` samples."""
        ...


_VOICED = 0.3
"""Probability of speech from which on a channel may leak into the other one ..."""
_PAUSE = SAMPLE_RATE // 2
"""... and for so many samples after it: between words, and in the echo of the room."""


class VoiceCutter:
    """One segmenter per channel of the source; `speakers` names them.

    Of two channels, one that only hears the other's voice leaking in is silent.
    """

    def __init__(
        self,
        speakers: Sequence[str | None],
        settings: SegmenterSettings | None = None,
        vad: Callable[[], VoiceActivityDetector] = SileroVad,
    ) -> None:
        next_index = index_allocator()
        self._segmenters = [
            Segmenter(settings or SegmenterSettings(), vad(), channel, next_index, speaker)
            for channel, speaker in enumerate(speakers)
        ]
        self._crosstalk = CrosstalkGate() if len(speakers) == 2 else None
        self._silent = [_PAUSE] * len(speakers)

    def push(self, block: AudioBlock) -> tuple[tuple[float, ...], tuple[Cut, ...]]:
        """Hear the next block: speech probability per channel, and what became known."""
        own = self._own(block)
        pairs = zip(self._segmenters, own, strict=True)
        cuts = [Cut(u) for segmenter, mine in pairs for u in segmenter.push(block, own=mine)]
        for channel, segmenter in enumerate(self._segmenters):
            voiced = segmenter.probability >= _VOICED
            size = block.samples.shape[1]
            self._silent[channel] = 0 if voiced else self._silent[channel] + size
        return tuple(s.probability for s in self._segmenters), tuple(cuts)

    def _own(self, block: AudioBlock) -> Sequence[bool]:
        """Return for each channel whether its sound is its own.

        Only a voice leaks as a voice: one channel may be noisier than the other one's speech.
        """
        if self._crosstalk is None:
            return [True] * len(self._segmenters)
        own = self._crosstalk.own(block.samples)
        return [mine or self._silent[1 - c] > _PAUSE for c, mine in enumerate(own)]

    def flush(self, total: int | None) -> tuple[Cut, ...]:
        """End what is open, as at the end of a source of `total` samples."""
        return tuple(Cut(u) for segmenter in self._segmenters for u in segmenter.flush(total))


class AnnotationCutter:
    """Cuts where a transcript says, and keeps only the audio that is still wanted.

    Annotations may overlap and come in any order; one that lies beyond the end of the sound is
    shortened or, when nothing is left of it, left out and counted.

    Args:
        on_missing: called at the end with how many were left out, when there were any.
    """

    def __init__(
        self,
        annotations: Sequence[Annotation],
        on_missing: Callable[[int], None] = lambda count: None,
    ) -> None:
        pieces = [piece for a in annotations for piece in _pieces(a)]
        pieces.sort(key=lambda piece: (piece.start, piece.end))
        self._waiting = deque(enumerate(pieces))
        self._open: list[tuple[int, _Piece]] = []
        self._blocks: deque[AudioBlock] = deque()
        self._on_missing = on_missing

    def push(self, block: AudioBlock) -> tuple[tuple[float, ...], tuple[Cut, ...]]:
        """Hear the next block: 1 while somebody is annotated to speak, and what became known."""
        end = block.start + block.samples.shape[1]
        self._blocks.append(
            AudioBlock(block.samples.mean(axis=0, dtype=np.float32)[None], block.start)
        )
        while self._waiting and self._waiting[0][1].start < end:
            self._open.append(self._waiting.popleft())
        speech = 1.0 if any(piece.end > block.start for _, piece in self._open) else 0.0
        done = [entry for entry in self._open if entry[1].end <= end]
        self._open = [entry for entry in self._open if entry[1].end > end]
        cuts = tuple(self._cut(index, piece) for index, piece in done)
        self._forget(min((piece.start for _, piece in self._open), default=end))
        return (speech,) * block.samples.shape[0], cuts

    def flush(self, total: int | None) -> tuple[Cut, ...]:
        """Shorten what reaches beyond the end of a source of `total` samples."""
        heard = self._blocks[-1].start + self._blocks[-1].samples.shape[1] if self._blocks else 0
        end = heard if total is None else min(total, heard)
        cut_short = [(i, p.shortened(end)) for i, p in self._open if p.start < end]
        # Only at the true end: a session may also be stopped half-way.
        missing = len(self._waiting) + len(self._open) - len(cut_short)
        if missing and total is not None:
            self._on_missing(missing)
        self._open, self._waiting = [], deque()
        return tuple(self._cut(index, piece) for index, piece in cut_short)

    def _forget(self, start: int) -> None:
        """Let go of blocks that end before `start`, but for the newest."""
        while len(self._blocks) > 1:
            first = self._blocks[0]
            if first.start + first.samples.shape[1] > start:
                break
            self._blocks.popleft()

    def _cut(self, index: int, piece: _Piece) -> Cut:
        samples = self._collect(piece.start, piece.end)
        transcript = Transcript(piece.text, source=TranscriptSource.ANNOTATION)
        utterance = Utterance(
            index=index,
            start=piece.start,
            end=piece.start + samples.size,
            samples=samples,
            speaker=piece.speaker,
        )
        return Cut(utterance, transcript, piece.notes)

    def _collect(self, start: int, end: int) -> FloatArray:
        parts = [
            block.samples[0, max(0, start - block.start) : max(0, end - block.start)]
            for block in self._blocks
            if block.start < end
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    text: str
    speaker: str | None
    notes: tuple[str, ...]

    def shortened(self, end: int) -> _Piece:
        notes = (*self.notes, "beyond_end_of_audio") if end < self.end else self.notes
        return _Piece(self.start, min(self.end, end), self.text, self.speaker, notes)


def _pieces(annotation: Annotation) -> list[_Piece]:
    """Split a long annotation into equal pieces, its words spread evenly over them."""
    start = round(annotation.start * SAMPLE_RATE)
    length = round(annotation.end * SAMPLE_RATE) - start
    count = max(1, -(-length // round(LONGEST_ANNOTATION * SAMPLE_RATE)))
    if count == 1:
        return [_Piece(start, start + length, annotation.text, annotation.speaker, ())]
    words = annotation.text.split()
    return [
        _Piece(
            start + length * i // count,
            start + length * (i + 1) // count,
            " ".join(words[len(words) * i // count : len(words) * (i + 1) // count]),
            annotation.speaker,
            ("long_annotation_split",),
        )
        for i in range(count)
    ]
