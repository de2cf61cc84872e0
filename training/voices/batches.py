"""Batches of voices: some voices of one corpus, several clips of each in different emotions.

One corpus was recorded in one room. A batch of several corpora would teach the network to tell
rooms apart, which is the easier task and the useless one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.types import FloatArray
from training.data.augmentation import AugmentationConfig, augment_frames
from training.voices.config import VoiceSamplingConfig
from training.voices.data import Rows, VoiceData
from training.voices.warping import Warp, Warper


@dataclass(frozen=True, slots=True)
class VoiceBatch:
    """frames (V * K, T, F): K clips of each of V voices, one after another; `voices` (V * K,).

    `rivals` (C,) marks the voices of the same corpus among all C.
    """

    frames: Tensor
    voices: Tensor
    rivals: Tensor
    clips: int


@dataclass(frozen=True)
class VoiceClasses:
    """Voices to be told apart: a speaker (`names`), at a `speed`, with a warp.

    `banks` are the copies at that speed: as measured, or through a channel.
    """

    names: tuple[str, ...]
    banks: tuple[tuple[int, ...], ...]
    warps: tuple[Warper, ...]
    corpora: NDArray[np.str_]
    rows: Mapping[str, Rows]


def voice_classes(data: VoiceData, train: Rows, warps: Sequence[Warp]) -> VoiceClasses:
    """Return the voices of clips `train`: every speaker at each speed, with each warp and none."""
    speakers = sorted({str(name) for name in data.speakers[train]})
    rows = {name: train[data.speakers[train] == name] for name in speakers}
    speech = data.front_end.config.speech
    warpers = [Warper(warp, speech) for warp in (Warp(), *warps)]
    every = list(itertools.product(_banks_by_speed(data), warpers, speakers))
    return VoiceClasses(
        tuple(name for _, _, name in every),
        tuple(banks for banks, _, _ in every),
        tuple(warper for _, warper, _ in every),
        np.array([name.split("/")[0] for _, _, name in every]),
        rows,
    )


def _banks_by_speed(data: VoiceData) -> list[tuple[int, ...]]:
    found: dict[float, list[int]] = {}
    for number, copy in enumerate(data.copies):
        found.setdefault(copy.speed, []).append(number)
    return [tuple(banks) for banks in found.values()]


class VoiceBatches:
    """Draws the batches of an epoch from the clips of `classes`."""

    def __init__(
        self,
        data: VoiceData,
        classes: VoiceClasses,
        sampling: VoiceSamplingConfig,
        augmentation: AugmentationConfig,
        deviation: FloatArray,
    ) -> None:
        self._data = data
        self._classes = classes
        self._sampling = sampling
        self._augmentation = augmentation
        self._deviation = deviation
        counts = {c: int(np.sum(classes.corpora == c)) for c in np.unique(classes.corpora)}
        self._corpora = list(counts)
        weights = np.sqrt(np.array(list(counts.values()), dtype=np.float64))
        self._chances = weights / weights.sum()
        self._emotions = np.array([clip.emotion for clip in data.clips])

    def __call__(self, epoch: int, generator: np.random.Generator) -> Iterator[VoiceBatch]:
        """Yield the batches of one epoch."""
        for _ in range(self._sampling.batches):
            yield self._batch(str(generator.choice(self._corpora, p=self._chances)), generator)

    def _batch(self, corpus: str, generator: np.random.Generator) -> VoiceBatch:
        sampling, rivals = self._sampling, self._classes.corpora == corpus
        among = np.flatnonzero(rivals)
        chosen = generator.permutation(among)[: sampling.voices]
        length = int(generator.integers(sampling.shortest, sampling.longest + 1))
        frames = [
            self._piece(int(voice), int(row), length, generator)
            for voice in chosen
            for row in self._rows(int(voice), generator)
        ]
        return VoiceBatch(
            torch.from_numpy(np.stack(frames)),
            torch.from_numpy(np.repeat(chosen, sampling.clips)),
            torch.from_numpy(rivals),
            sampling.clips,
        )

    def _rows(self, voice: int, generator: np.random.Generator) -> Rows:
        """Return clips of one voice, as different in emotion as possible."""
        drawn = generator.permutation(self._classes.rows[self._classes.names[voice]])
        _, first = np.unique(self._emotions[drawn], return_index=True)
        rest = np.setdiff1d(np.arange(len(drawn)), first)
        order = np.concatenate([generator.permutation(first), rest])
        return np.resize(drawn[order], self._sampling.clips)

    def _piece(
        self, voice: int, row: int, length: int, generator: np.random.Generator
    ) -> FloatArray:
        """Return `length` frames of a clip in that voice, repeated if it is shorter."""
        speech = self._data.speech(row, int(generator.choice(self._classes.banks[voice])))
        start = int(generator.integers(max(1, len(speech) - length + 1)))
        piece = self._classes.warps[voice](speech[start : start + length])
        piece = np.resize(piece, (length, speech.shape[1]))
        bands = self._data.front_end.config.speech.mel_bands
        altered = augment_frames(piece / self._deviation, bands, self._augmentation, generator)
        return np.asarray(altered * self._deviation, dtype=np.float32)
