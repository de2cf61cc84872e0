"""Batches of measured clips with emotion, gender, style and text, for the real comparison.

Frames are standardised by the training speakers' statistics alone: nothing is known of a speaker,
as in the paper. (A personal baseline would take the pitch away that tells gender.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.outputs import ModelInputs
from core.types import FloatArray
from training.data.augmentation import AugmentationConfig, augment_frames, random_span
from training.data.corpora.speech import Clip
from training.data.speech_batches import SpeechSource, pad_frames
from training.multitask.targets import UNKNOWN, TaskBatch, TaskTargets

GENDERS = ("F", "M")
STYLES = ("normal", "strong")
_INTENSITIES = {"01": 0, "02": 1}
_NAME_FIELDS = 7
_MARGIN = 6
"""Frames of silence around the speech of a clip that is judged."""
_WINDOW = 20
"""Batches among which clips are sorted by length."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sampling:
    """What an epoch is made of: its steps, clips per step, and the share of each corpus in them.

    virtual: chance that a clip comes from a virtual speaker.
    """

    steps: int = 150
    batch: int = 32
    shares: tuple[tuple[str, float], ...] = (
        ("emotiontts_ko", 0.15), ("nemo", 0.5), ("ravdess", 0.35),
    )  # fmt: skip
    virtual: float = 0.6


@dataclass(frozen=True)
class TaskSource:
    """Everything that batches are drawn from.

    Attributes:
        speech: clips with their measures, emotions, and statistics of the training part.
        gender, style: (n,) classes of `GENDERS` and `STYLES`, `UNKNOWN` where not known.
        texts: numbers of the symbols of each clip's text; empty: no recognition of it.
    """

    speech: SpeechSource
    gender: Rows
    style: Rows
    texts: Sequence[tuple[int, ...]]


def gender_of(clip: Clip) -> int:
    """Return the class of a clip's gender."""
    return GENDERS.index(clip.gender) if clip.gender in GENDERS else UNKNOWN


def style_of(clip: Clip) -> int:
    """Return the intensity that the name of a RAVDESS recording says; unknown elsewhere."""
    fields = PurePosixPath(clip.path).stem.split("-")
    if clip.corpus != "ravdess" or len(fields) != _NAME_FIELDS:
        return UNKNOWN
    return _INTENSITIES.get(fields[3], UNKNOWN)


class TaskBatches:
    """Draws the batches of an epoch from the clips `rows` of a source."""

    def __init__(
        self, source: TaskSource, rows: Rows, sampling: Sampling, augmentation: AugmentationConfig
    ) -> None:
        self._source = source
        self._sampling = sampling
        self._augmentation = augmentation
        self._unknown = source.speech.baseline(None)
        corpora = np.array([source.speech.clips[row].corpus for row in rows])
        self._groups = {name: rows[corpora == name] for name in np.unique(corpora).tolist()}

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self._sampling.steps

    def __call__(self, epoch: int, generator: np.random.Generator) -> Iterator[TaskBatch]:
        """Yield the batches of one epoch, each of clips of similar length."""
        size = self._sampling.batch
        rows = generator.permutation(self._drawn(generator))
        voices = self._voices(len(rows), generator)
        order = self._by_length(rows, voices)
        for number in generator.permutation(self.steps).tolist():
            mine = order[number * size : (number + 1) * size]
            yield self._batch(rows[mine], voices[mine], generator)

    def _drawn(self, generator: np.random.Generator) -> Rows:
        """Return the rows of an epoch; within a corpus each as often as any other within one."""
        total = self.steps * self._sampling.batch
        known = dict(self._sampling.shares)
        shares = np.array([known.get(name, 1.0) for name in self._groups])
        ends = np.round(total * np.cumsum(shares) / shares.sum()).astype(int)
        counts = np.diff([0, *ends]).tolist()
        drawn = [
            np.concatenate([generator.permutation(g) for _ in range(-(-n // len(g)) + 1)])[:n]
            for g, n in zip(self._groups.values(), counts, strict=True)
        ]
        return np.concatenate(drawn)

    def _voices(self, count: int, generator: np.random.Generator) -> Rows:
        """Return which bank each clip comes from: its speaker's own voice, or a virtual one."""
        banks = len(self._source.speech.banks)
        if banks == 1:
            return np.zeros(count, dtype=np.int64)
        virtual = generator.random(count) < self._sampling.virtual
        return np.where(virtual, generator.integers(1, banks, count), 0)

    def _by_length(self, rows: Rows, voices: Rows) -> Rows:
        """Return an order of the clips in which neighbours are about equally long."""
        spans = np.stack([bank.spans for bank in self._source.speech.banks])[voices, rows]
        length = np.minimum(spans[:, 1] - spans[:, 0], self._augmentation.crop)
        window = _WINDOW * self._sampling.batch
        starts = range(0, len(rows), window)
        order = [s + np.argsort(length[s : s + window], kind="stable") for s in starts]
        return np.concatenate(order)

    def _batch(self, rows: Rows, voices: Rows, generator: np.random.Generator) -> TaskBatch:
        pairs = zip(rows.tolist(), voices.tolist(), strict=True)
        made = [self._frames(row, voice, generator) for row, voice in pairs]
        return task_batch(self._source, rows, [x for x, _ in made], [whole for _, whole in made])

    def _frames(
        self, row: int, voice: int, generator: np.random.Generator
    ) -> tuple[FloatArray, bool]:
        """Return augmented frames of a clip, and whether all of its speech is in them."""
        source = self._source.speech
        bank = source.banks[voice]
        frames, (first, last) = bank.frames_of(row), bank.spans[row].tolist()
        start, stop = random_span((first, last), len(frames), self._augmentation, generator)
        normal = self._unknown.normalise_frames(frames[start:stop])
        bands = source.extractor.config.mel_bands
        changed = augment_frames(normal, bands, self._augmentation, generator)
        return changed, start <= first and stop >= last


def plain_batches(source: TaskSource, rows: Rows, size: int) -> Iterator[tuple[Rows, TaskBatch]]:
    """Yield real clips as they are, shortest first, with their positions in `rows`."""
    bank, unknown = source.speech.banks[0], source.speech.baseline(None)
    order = np.argsort(bank.spans[rows, 1] - bank.spans[rows, 0], kind="stable")
    for start in range(0, len(rows), size):
        places = order[start : start + size]
        frames = []
        for row in rows[places].tolist():
            first, last = bank.spans[row].tolist()
            kept = bank.frames_of(row)[max(0, first - _MARGIN) : last + _MARGIN]
            frames.append(unknown.normalise_frames(kept))
        yield places, task_batch(source, rows[places], frames, [True] * len(places))


def task_batch(
    source: TaskSource, rows: Rows, frames: Sequence[FloatArray], whole: Sequence[bool]
) -> TaskBatch:
    """Return a batch; text counts only where the whole clip is there."""
    padded, mask = pad_frames(frames)
    texts = [
        source.texts[row] if all_of_it else () for row, all_of_it in zip(rows, whole, strict=True)
    ]
    targets = TaskTargets(
        emotion=torch.from_numpy(source.speech.labels[rows]),
        gender=torch.from_numpy(source.gender[rows]),
        style=torch.from_numpy(source.style[rows]),
        allowed=torch.from_numpy(source.speech.allowed[rows]),
        symbols=_padded(texts),
        symbol_counts=torch.tensor([len(text) for text in texts]),
        weights=torch.ones(len(rows)),
    )
    inputs = ModelInputs(speech=padded, speech_mask=mask)
    return TaskBatch(inputs, targets, torch.from_numpy(rows))


def _padded(texts: Sequence[Sequence[int]]) -> Tensor:
    length = max(1, *(len(text) for text in texts)) if texts else 1
    return torch.tensor([[*text, *[0] * (length - len(text))] for text in texts])
