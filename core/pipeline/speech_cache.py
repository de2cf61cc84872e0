"""Frames of utterances, measured once each while an utterance grows."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from core.models.speech_features import SpeechFeatureExtractor
from core.types import FloatArray, Utterance

KEPT_UTTERANCES = 4


@dataclass(slots=True)
class _Measured:
    """Frames of `samples`, from frame `first` on, in pieces; `count` of them."""

    samples: FloatArray
    first: int
    pieces: list[FloatArray] = field(default_factory=list)
    count: int = 0

    def reaches(self, samples: FloatArray, first: int) -> bool:
        """Tell whether it goes on to frame `first` or beyond, and the samples are the same."""
        both = min(samples.size, self.samples.size)
        near = self.first <= first <= self.first + self.count
        return near and np.array_equal(samples[:both], self.samples[:both])


class SpeechCache:
    """Measures only what is new, so that a look at the newest seconds costs the same at any length.

    Holds the newest utterances only: a text may arrive when the next utterance has begun. They are
    known by where they began, and by their samples, since a mistake would be a wrong answer.
    `measured` counts the frames computed so far.
    """

    def __init__(self, extractor: SpeechFeatureExtractor) -> None:
        self._extractor = extractor
        self._kept: OrderedDict[tuple[int, int, int], _Measured] = OrderedDict()
        self.measured = 0

    def clear(self) -> None:
        """Forget every utterance."""
        self._kept.clear()

    def newest(self, utterance: Utterance, seconds: float) -> tuple[FloatArray, int]:
        """Return the last frames (T, F) of at most `seconds`, and the index of the first."""
        total = self._extractor.frame_count(utterance.samples.size)
        first = max(0, total - round(seconds * self._extractor.frame_rate))
        return self._frames(utterance, first, total), first

    def whole(self, utterance: Utterance) -> FloatArray:
        """Return all frames (T, F)."""
        return self._frames(utterance, 0, self._extractor.frame_count(utterance.samples.size))

    def _frames(self, utterance: Utterance, first: int, total: int) -> FloatArray:
        if utterance.samples.size < self._extractor.config.pitch_window:
            self.measured += 1
            return self._extractor.frames(utterance.samples)
        entry = self._entry(utterance, first)
        reached = entry.first + entry.count
        if reached < total:
            self._extend(entry, utterance, reached, total)
        frames = np.concatenate(_tail(entry, first))
        return frames[: total - first]

    def _entry(self, utterance: Utterance, first: int) -> _Measured:
        key = (utterance.index, utterance.channel, utterance.start)
        entry = self._kept.pop(key, None)
        if entry is None or not entry.reaches(utterance.samples, first):
            entry = _Measured(utterance.samples, first)
        self._kept[key] = entry
        while len(self._kept) > KEPT_UTTERANCES:
            self._kept.popitem(last=False)
        return entry

    def _extend(self, entry: _Measured, utterance: Utterance, begin: int, end: int) -> None:
        config = self._extractor.config
        stop = (end - 1) * config.hop + config.pitch_window
        # a damaged float recording may hold NaN, which would spread to every later result
        heard = np.nan_to_num(utterance.samples[begin * config.hop : stop], posinf=0, neginf=0)
        piece = self._extractor.frames(heard)
        entry.samples = utterance.samples
        entry.pieces.append(piece)
        entry.count += len(piece)
        self.measured += len(piece)


def _tail(entry: _Measured, first: int) -> list[FloatArray]:
    """Return the pieces from frame `first` on, the earliest of them cut to begin there."""
    pieces: list[FloatArray] = []
    begin = entry.first + entry.count
    for piece in reversed(entry.pieces):
        if begin <= first:
            break
        begin -= len(piece)
        pieces.insert(0, piece)
    pieces[0] = pieces[0][first - begin :]
    return pieces
