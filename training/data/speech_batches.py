"""Batches of speech under random knowledge of the speaker: none, some clips, or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.labels import EMOTIONS
from core.models.baseline import FeatureStatistics, SpeakerBaseline
from core.models.speech_features import SpeechFeatureExtractor
from core.types import FloatArray
from training.data.augmentation import AugmentationConfig, augment_frames, random_span
from training.data.corpora.speech import Clip
from training.data.speech_bank import SpeechBank

_PARTIAL = (2, 20)
"""Clips that a partial baseline has heard, at least and at most (exclusive)."""
_REDRAW = 6
"""Batches after which partial baselines are drawn anew."""


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """What an epoch is made of.

    most_per_corpus: larger corpora are drawn from anew every epoch. least_per_corpus: clips of
    smaller ones come several times. virtual: chance that a clip comes from a virtual speaker.
    unknown, known: chance that nothing, or all of a speaker is known; some clips otherwise.
    """

    most_per_corpus: int = 1000
    least_per_corpus: int = 540
    virtual: float = 0.6
    unknown: float = 0.4
    known: float = 0.3


@dataclass(frozen=True, slots=True)
class SpeechBatch:
    """frames (B, T, F) with mask (B, T) or None; functionals (B, S') for any speaker and
    `personal` (B, S') always with a baseline; labels (B,); `allowed` (B, C): classes of the corpus.
    """

    frames: Tensor | None
    mask: Tensor | None
    functionals: Tensor
    personal: Tensor
    labels: Tensor
    allowed: Tensor


@dataclass(frozen=True)
class SpeechSource:
    """Everything batches are drawn from; `banks[0]` holds real, the others virtual speakers."""

    clips: Sequence[Clip]
    banks: Sequence[SpeechBank]
    statistics: FeatureStatistics
    extractor: SpeechFeatureExtractor
    labels: NDArray[np.int64] = field(init=False)
    allowed: NDArray[np.bool_] = field(init=False)
    speakers: dict[str, NDArray[np.int64]] = field(init=False)

    def __post_init__(self) -> None:
        labels = np.array([-1 if c.label is None else c.label for c in self.clips])
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "allowed", allowed_classes(self.clips))
        names = np.array([c.speaker for c in self.clips])
        speakers = {str(name): np.flatnonzero(names == name) for name in np.unique(names)}
        object.__setattr__(self, "speakers", speakers)

    def baseline(self, rows: NDArray[np.int64] | None, bank: int = 0) -> SpeakerBaseline:
        """Return the baseline of somebody of whom the clips `rows` were heard."""
        baseline = SpeakerBaseline(self.statistics, self.extractor)
        if rows is not None and len(rows):
            baseline.add(self.banks[bank].speaker_moments(rows, self.statistics))
        return baseline


def allowed_classes(clips: Sequence[Clip]) -> NDArray[np.bool_]:
    """Return (n, 7): the classes that occur in the corpus of each clip."""
    found: dict[str, NDArray[np.bool_]] = {}
    for clip in clips:
        row = found.setdefault(clip.corpus, np.zeros(len(EMOTIONS), dtype=bool))
        if clip.label is not None:
            row[clip.label] = True
    return np.stack([found[clip.corpus] for clip in clips])


def global_statistics(
    clips: Sequence[Clip], bank: SpeechBank, rows: NDArray[np.int64]
) -> FeatureStatistics:
    """Return statistics over clips `rows`, every corpus weighing the same."""
    corpora = np.array([clips[row].corpus for row in rows])
    groups = [rows[corpora == corpus] for corpus in np.unique(corpora)]
    return FeatureStatistics.over_groups(bank.raw_moments(group) for group in groups)


class SpeechBatches:
    """Draws the batches of an epoch from the clips `rows` of a source."""

    def __init__(
        self,
        source: SpeechSource,
        rows: NDArray[np.int64],
        sampling: SamplingConfig,
        augmentation: AugmentationConfig,
        batch_clips: int,
        *,
        with_frames: bool,
    ) -> None:
        self._source = source
        self._sampling = sampling
        self._augmentation = augmentation
        self._size = batch_clips
        self._with_frames = with_frames
        corpora = np.array([source.clips[row].corpus for row in rows])
        self._groups = [rows[corpora == corpus] for corpus in np.unique(corpora)]
        mine = {source.clips[row].speaker for row in rows}
        self._known = [
            {s: source.baseline(source.speakers[s], bank) for s in sorted(mine)}
            for bank in range(len(source.banks))
        ]
        self._unknown = source.baseline(None)
        self._partial: dict[tuple[int, str], SpeakerBaseline] = {}

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return max(1, sum(self._quota(group) for group in self._groups) // self._size)

    def __call__(self, epoch: int, generator: np.random.Generator) -> Iterator[SpeechBatch]:
        """Yield the batches of one epoch."""
        rows = generator.permutation(
            np.concatenate([self._draw(g, generator) for g in self._groups])
        )
        batches = self._bucketed(rows, generator) if self._with_frames else self._cut(rows)
        for number, batch in enumerate(batches):
            if number % _REDRAW == 0:
                self._partial.clear()
            yield self._batch(batch, generator)

    def _quota(self, group: NDArray[np.int64]) -> int:
        sampling = self._sampling
        return min(max(len(group), sampling.least_per_corpus), sampling.most_per_corpus)

    def _draw(self, group: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
        """Return this epoch's clips of one corpus, each as often as any other within one."""
        quota = self._quota(group)
        rounds = -(-quota // len(group))
        return np.concatenate([generator.permutation(group) for _ in range(rounds)])[:quota]

    def _cut(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        return [rows[n * self._size : (n + 1) * self._size] for n in range(self.steps)]

    def _bucketed(
        self, rows: NDArray[np.int64], generator: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """Return batches of clips of similar length, in random order."""
        spans = self._source.banks[0].spans[rows]
        length = np.minimum(spans[:, 1] - spans[:, 0], self._augmentation.crop)
        window = 8 * self._size
        order = np.concatenate(
            [
                start + np.argsort(length[start : start + window], kind="stable")
                for start in range(0, len(rows), window)
            ]
        )
        batches = self._cut(rows[order])
        return [batches[n] for n in generator.permutation(len(batches))]

    def _batch(self, rows: NDArray[np.int64], generator: np.random.Generator) -> SpeechBatch:
        source, noise = self._source, self._augmentation.functional_noise
        frames: list[FloatArray] = []
        functionals, personal = [], []
        for row in rows:
            bank = self._bank(generator)
            speaker = source.clips[row].speaker
            baseline = self._any_baseline(bank, speaker, generator)
            values = source.banks[bank].functionals[row]
            functionals.append(_noisy(baseline.normalise_functionals(values), noise, generator))
            if self._with_frames:
                frames.append(self._frames(bank, int(row), baseline, generator))
            else:
                own = self._own_baseline(bank, speaker, generator)
                personal.append(_noisy(own.normalise_functionals(values), noise, generator))
        padded, mask = pad_frames(frames) if frames else (None, None)
        drawn = torch.from_numpy(np.stack(functionals))
        return SpeechBatch(
            padded,
            mask,
            drawn,
            torch.from_numpy(np.stack(personal)) if personal else drawn,
            torch.from_numpy(source.labels[rows]),
            torch.from_numpy(source.allowed[rows]),
        )

    def _bank(self, generator: np.random.Generator) -> int:
        banks = len(self._source.banks)
        if banks == 1 or generator.random() >= self._sampling.virtual:
            return 0
        return int(generator.integers(1, banks))

    def _any_baseline(
        self, bank: int, speaker: str, generator: np.random.Generator
    ) -> SpeakerBaseline:
        draw = generator.random()
        if draw < self._sampling.unknown:
            return self._unknown
        if draw < self._sampling.unknown + self._sampling.known:
            return self._known[bank][speaker]
        return self._some(bank, speaker, generator)

    def _own_baseline(
        self, bank: int, speaker: str, generator: np.random.Generator
    ) -> SpeakerBaseline:
        if generator.random() < 0.5:
            return self._known[bank][speaker]
        return self._some(bank, speaker, generator)

    def _some(self, bank: int, speaker: str, generator: np.random.Generator) -> SpeakerBaseline:
        """Return the baseline after a few random clips; the same one for several batches."""
        key = (bank, speaker)
        if key not in self._partial:
            rows = self._source.speakers[speaker]
            count = int(generator.integers(*_PARTIAL))
            self._partial[key] = self._source.baseline(generator.choice(rows, count), bank)
        return self._partial[key]

    def _frames(
        self, bank: int, row: int, baseline: SpeakerBaseline, generator: np.random.Generator
    ) -> FloatArray:
        measured = self._source.banks[bank]
        frames = measured.frames_of(row)
        first, last = measured.spans[row]
        start, stop = random_span(
            (int(first), int(last)), len(frames), self._augmentation, generator
        )
        bands = self._source.extractor.config.mel_bands
        normal = baseline.normalise_frames(frames[start:stop])
        return augment_frames(normal, bands, self._augmentation, generator)


def _noisy(values: FloatArray, noise: float, generator: np.random.Generator) -> FloatArray:
    """Return functionals with noise on all but the last, the reliability."""
    noisy = values + noise * generator.standard_normal(len(values), dtype=np.float32)
    noisy[-1] = values[-1]
    return noisy.astype(np.float32)


def pad_frames(frames: Sequence[FloatArray]) -> tuple[Tensor, Tensor]:
    """Return frames padded with zeros (B, T, F) and their mask (B, T)."""
    lengths = torch.tensor([len(x) for x in frames])
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(x) for x in frames], True)
    return padded, torch.arange(padded.shape[1])[None] < lengths[:, None]
